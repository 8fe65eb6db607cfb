// The picture of a running system: its processes, threads, sockets and pipes, drawn with the symbols of site/models.html.
import { find, make, say } from "./page.js";
import { arrange, threadsInRow, CELL, WIDTH } from "./layout.js";

const FADING = 1000;                      // milliseconds for which a removed part is still visible
const STATES = { R: "running 运行", S: "sleeping 睡眠", D: "disk sleep 不可中断睡眠", T: "stopped 已停止", t: "traced 被跟踪",
  Z: "zombie 僵尸", X: "dead 已结束", I: "idle 空闲" };

export class Picture {
  // figure: the element for the drawing, and for a sentence that describes the drawing to users who cannot see it.
  constructor(figure) {
    this.figure = figure;
    this.svg = svg("svg", { role: "img", preserveAspectRatio: "xMinYMin meet" });
    this.title = svg("title");
    [this.back, this.wires, this.front] = [svg("g"), svg("g"), svg("g")];
    this.svg.append(this.title, this.back, this.wires, this.front);
    this.empty = make("p", "soft", "No process is running yet.", "还没有进程在运行。");
    this.caption = make("figcaption", "soft", "the moment with the most processes and threads", "运行中，进程和线程最多的时刻");
    figure.replaceChildren(this.empty, this.caption, this.svg);
    this.clear();
  }

  clear() {
    this.parts = new Map();
    [this.back, this.wires, this.front].forEach((layer) => layer.replaceChildren());
    this.figure.classList.remove("over");
    this.show(false);
    this.caption.hidden = true;
    this.summary = "";
    this.drawn = "";
    this.highest = 0;
    this.fullest = { score: 0 };
  }

  show(something) {
    this.empty.hidden = something;
    this.svg.style.display = something ? "" : "none";
  }

  // When the run has ended, show the picture with the most processes and threads again, but paler.
  finish() {
    if (this.fullest.score && this.caption.hidden) {
      this.figure.classList.add("over");
      this.caption.hidden = false;
      this.draw(...this.fullest.seen);
    }
  }

  // Draw the system, and return whether the picture has changed. system: an answer of the API. clients: the classroom's clients.
  // names: PID -> name. The same picture is not drawn again, because the browser would have to lay out the page each time.
  draw(system, clients = [], names = {}) {
    const drawn = JSON.stringify([system.processes, clients.map(({ client, state, unsent }) => [client, state, unsent > 0]), names]);
    if (drawn === this.drawn) {
      return false;
    }
    if (system.processes.every(({ state }) => "ZX".includes(state[0]))) {
      return false;                       // all processes have ended: keep the last picture of them
    }
    const score = system.processes.reduce((sum, { threads, state }) => sum + 1 + threads.length + (state[0] === "Z" ? 2 : 0), 0);
    if (score >= this.fullest.score) {
      this.fullest = { score, seen: [system, clients, names] };
    }
    this.drawn = drawn;
    this.show(true);
    const plan = arrange(system, clients);
    this.svg.setAttribute("viewBox", `0 0 ${WIDTH} ${plan.height}`);
    this.svg.style.setProperty("--height", plan.height);
    this.highest = Math.max(this.highest, plan.height);
    this.figure.style.setProperty("--highest", this.highest);
    this.used = new Set();
    if (plan.kernel) {
      this.part(this.back, "kernel", "", 0, 0, [plan.height, clients.length > 0], () => columns(plan, clients.length > 0));
    }
    const boxes = new Map(plan.boxes.map((box) => [box.process.pid, box]));
    plan.boxes.forEach((box) => this.process(box, boxes, Boolean(plan.kernel), names));
    plan.things.forEach((thing) => this.thing(thing, boxes, plan, clients));
    plan.queue.forEach((client) => this.queued(client, plan));
    this.fade();
    this.describe(system, plan);
    return true;
  }

  process({ process, depth, dense, x, y, width, height }, boxes, kernel, names) {
    const letter = process.state[0];
    const kind = { Z: "zombie", R: "runs", T: "stopped", t: "stopped" }[letter] ?? "";
    const name = names[process.pid] ?? (!process.name.startsWith("python") ? process.name : process.parent === null ? "parent 父进程" : "child 子进程");
    const threads = process.threads.map(({ tid, state }) => tid + state[0]).join();
    const word = letter === "Z" ? "zombie 僵尸" : letter === "T" ? "stopped 停止" : "";
    const line = dense ? 19 : 17;         // the y of its first line of text
    this.part(this.front, `process${process.pid}`, kind, x, y, [width, height, dense, letter, name, threads], () => [
      svg("rect", { class: "process", width, height, rx: 4 }),
      svg("text", { class: "small", x: 10, y: line }, dense ? name.replace(/ ?[^ -~].*/, "").slice(0, 8) : name),
      svg("text", { class: "pid", x: dense ? 66 : 10, y: dense ? line : 36 }, process.pid),
      svg("circle", { class: "badge", cx: width - 18, cy: line - 4, r: 10 }),
      svg("text", { class: "letter", x: width - 18, y: line + 1.5 }, letter),
      svg("text", { class: "small state", x: width - 34, y: line, "text-anchor": "end" }, dense ? "" : word),
      svg("title", {}, `PID ${process.pid}, PPID ${process.ppid}: ${process.command} · ${STATES[letter] ?? process.state} · threads 线程 ${process.threads.length}`),
      ...waves(letter === "Z" ? [] : process.threads, threadsInRow(kernel, depth), width, dense ? 15 : 33),
    ]);
    const parent = boxes.get(process.parent);
    if (parent) {
      const edge = parent.x + parent.width - 5;
      this.wire(`parent${process.pid}`, `M${edge} ${parent.y + parent.height} V${y + height / 2} H${x + width}`, "parent");
    }
  }

  thing(thing, boxes, plan, clients) {
    const client = clients.find(({ client }) => client === thing.client);
    const busy = client?.state === "waiting" || client?.unsent > 0;
    this.part(this.front, thing.key, busy ? "talks" : "", plan.socket, thing.y, [thing.kind, thing.client, thing.local], () => sign(thing));
    const kind = thing.kind === "pipe" || thing.kind === "unix" ? "thin" : "";
    for (const { pid, fd, end, watched } of thing.owners) {
      const box = boxes.get(pid);
      const y = Math.min(Math.max(thing.y, box.y + 8), box.y + box.height - 8);
      this.part(this.front, `fd${thing.key}${pid}`, "", CELL, y, [fd, watched, end], () => number(fd, watched, end));
      this.wire(`${thing.key}${pid}`, y === thing.y ? `M${plan.socket} ${y} H${box.x}` : `M${plan.socket} ${thing.y} C${CELL - 40} ${thing.y} ${CELL - 40} ${y} ${CELL} ${y} H${box.x}`, kind);
    }
    if (thing.client !== null && thing.kind === "tcp") {
      this.part(this.front, `client${thing.client}`, "", plan.clients, thing.y, thing.client, () => screen(thing.client));
      this.wire(`client${thing.client}`, `M${plan.clients + 22} ${thing.y} H${plan.socket}`);
    } else if (thing.peer && thing.key < thing.peer.key) {
      const { y } = thing.peer;
      this.wire(`peer${thing.key}`, `M${plan.socket} ${thing.y} C${plan.socket - 40} ${thing.y} ${plan.socket - 40} ${y} ${plan.socket} ${y}`);
    }
  }

  // Draw a client that is connected but not yet accepted by any process: its connection waits in the kernel's queue.
  queued({ client, y }, plan) {
    this.part(this.front, `client${client}`, "", plan.clients, y, client, () => screen(client));
    this.part(this.front, `queued${client}`, "queued", plan.socket, y, "", () => [
      svg("circle", { class: "socket", r: 8 }), svg("text", { class: "small", x: 14, y: 4.5 }, "queue 排队")]);
    this.wire(`client${client}`, `M${plan.clients + 22} ${y} H${plan.socket}`);
  }

  // Put a part of the picture in its place, and draw the part again only if the part looks different.
  part(layer, key, kind, x, y, looks, draw) {
    let part = this.parts.get(key);
    if (!part) {
      part = svg("g");
      this.parts.set(key, part);
      layer.append(part);
    }
    this.used.add(key);
    part.setAttribute("class", `part ${kind}`);
    part.dataset.key = key;
    part.style.transform = `translate(${x}px, ${y}px)`;
    if (part.dataset.looks !== String(looks)) {
      part.dataset.looks = looks;
      part.replaceChildren(...draw());
    }
  }

  wire(key, d, kind = "") {
    this.part(this.wires, `wire${key}`, kind, 0, 0, d, () => [svg("path", { class: `wire ${kind}`, d })]);
  }

  // Let the parts that were not drawn this time fade, and then remove them.
  fade() {
    for (const [key, part] of this.parts) {
      if (!this.used.has(key)) {
        this.parts.delete(key);
        part.setAttribute("class", `${part.getAttribute("class")} gone`);
        delete part.dataset.key;
        part.parentNode.prepend(part);    // behind the parts that might take its place
        setTimeout(() => part.remove(), FADING);
      }
    }
  }

  describe({ processes }, { things, queue }) {
    const zombies = processes.filter(({ state }) => state[0] === "Z").length;
    const counts = [processes.length, processes.reduce((sum, { threads }) => sum + threads.length, 0),
      things.filter(({ kind }) => kind === "tcp").length, things.filter(({ kind }) => kind === "pipe").length, zombies, queue.length];
    const [p, t, s, pipes, z, q] = counts;
    const summary = `${p} process${p > 1 ? "es" : ""}, ${t} thread${t === 1 ? "" : "s"}, ${s} connected socket${s === 1 ? "" : "s"}`
      + `${pipes ? `, ${pipes} pipe${pipes > 1 ? "s" : ""}` : ""}${z ? `, ${z} zombie${z > 1 ? "s" : ""}` : ""}${q ? `, ${q} in the queue` : ""}`;
    if (summary !== this.summary) {
      this.summary = summary;
      this.title.textContent = summary;
      Object.assign(this.figure.dataset, { processes: p, threads: t, sockets: s, pipes, zombies: z, queue: q });
      say(find("heard"), summary, `${p} 个进程，${t} 个线程，${s} 个已连接的套接字`);
    }
  }
}

function columns({ kernel: [x, width], height }, withClients) {
  return [
    svg("rect", { class: "kernel", x, y: 20, width, height: height - 22, rx: 8 }),
    svg("text", { class: "head", x: x + width / 2, y: 14 }, "kernel 内核"),
    svg("text", { class: "head", x: 30, y: 14 }, withClients ? "clients" : ""),
    svg("text", { class: "head", x: 300, y: 14 }, "processes 进程"),
  ];
}

// Draw a wave for each thread: a single wave beside the PID, or rows of waves below the PID.
function waves(threads, inRow, width, y) {
  if (threads.length === 1) {
    return [wave(width - 52, y)];
  }
  return threads.map(({ name }, i) => wave(12 + (i % inRow) * 21, y + 22 + Math.floor(i / inRow) * 20, name));
}

function wave(x, y, name = "") {
  const path = svg("path", { class: "thread", d: `M${x} ${y} q2 -7 4 0 t4 0 t4 0 t4 0` });
  path.append(svg("title", {}, name));
  return path;
}

function sign({ kind, local }) {
  if (kind === "pipe") {
    return [svg("rect", { class: "pipe", x: -10, y: -4.5, width: 28, height: 9, rx: 4.5 }), svg("text", { class: "small", x: -22, y: 4.5, "text-anchor": "end" }, "pipe")];
  }
  const text = { listen: `:${local.split(":").at(-1)}`, udp: `udp :${local.split(":").at(-1)}`, unix: "unix" }[kind] ?? "";
  return [
    svg("circle", { class: "socket", r: 8 }),
    ...(kind === "listen" ? [svg("circle", { class: "listening", r: 3.5 })] : []),
    svg("text", { class: "small", x: -22, y: 4.5, "text-anchor": "end" }, text),
  ];
}

// Draw the number of a descriptor: in a cell if epoll watches the descriptor, and with an arrow if the descriptor is an end of a pipe.
function number(fd, watched, end) {
  const arrow = { read: "M20 -4 L27 0 L20 4 Z", write: "M-14 -4 L-21 0 L-14 4 Z" }[end];
  return [
    ...(watched ? [svg("rect", { class: "cell", x: -13, y: -10, width: 26, height: 20 })] : [svg("rect", { class: "plate", x: -11, y: -7, width: 22, height: 14 })]),
    svg("text", { class: "fd", y: 5 }, fd),
    ...(arrow ? [svg("path", { class: "tip", d: arrow })] : []),
  ];
}

function screen(client) {
  return [
    svg("rect", { class: "screen", x: -15, y: -11, width: 30, height: 18, rx: 3 }),
    svg("path", { class: "foot", d: "M-19 10 h38" }),
    svg("text", { class: "fd", y: 3.5 }, client),
  ];
}

function svg(name, attributes = {}, text = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) {
    element.setAttribute(key, value);
  }
  element.textContent = text;
  return element;
}
