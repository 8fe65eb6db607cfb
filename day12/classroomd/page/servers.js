// One server, or two side by side, with the same clients: shows which processes, threads and sockets each client causes.
import { get, post } from "./api.js";
import { complain, find, say } from "./page.js";
import { Picture } from "./system.js";
import { Pace, Run } from "./run.js";

const PERIOD = 250;                       // milliseconds between two requests for the clients, while something changes
const ENDED_SHOWN = 3;                    // how many of the ended clients remain in the table
const STATES = { waiting: ["waits for an answer", "在等"], open: ["", ""], ended: ["closed by the server", "服务器已关闭"], left: ["left", "已离开"], reset: ["reset", "已重置"] };
const FIRST_WORDS = { http: "GET /", ftp: "USER anonymous" };

export function showServers(root, course, wanted) {
  const servers = course.days.flatMap(({ scripts }) => scripts).filter(({ kind, protocol }) => kind === "server" && protocol !== "chat" && protocol);
  const form = root.querySelector(".choose");
  const act = root.querySelector(".act");
  const stop = root.querySelector(".stop");
  const pair = root.querySelector(".pair");
  let panels = [];

  const options = () => servers.flatMap(({ path, name, choices }) => choices.map(({ id, en }, i) => new Option(i ? `${name}: ${en}` : name, `${path}|${id}`)));
  const has = (path) => servers.some((server) => server.path === path);
  form.one.append(...options());
  form.two.append(new Option("no second server 不并排", ""), ...options());
  form.one.value = `${has(wanted) ? wanted : "day10/fork_server.py"}|`;
  form.two.value = has(wanted) ? "" : "day12/epoll_server.py|";

  function begin() {
    end();
    panels = [form.one.value, form.two.value].filter(Boolean).map((value) => {
      const [path, choice] = value.split("|");
      return new Panel(servers.find((server) => server.path === path), choice, update);
    });
    pair.className = `pair ${panels.length > 1 ? "two" : ""}`;
    pair.replaceChildren(...panels.map((panel) => panel.root));
    act.elements.text.value = FIRST_WORDS[panels[0].script.protocol] ?? "hello 你好";
    update();
  }

  // Enable the buttons that can be used now, and list the clients to choose from.
  function update() {
    const running = panels.filter(({ run }) => run.runs);
    // Wait until both servers listen. Otherwise one of them would get more clients than the other.
    act.disabled = !running.length || running.some(({ run }) => !run.port);
    stop.disabled = !running.length;
    const open = [...new Set(panels.flatMap((panel) => panel.open()))].sort((a, b) => a - b);
    const select = act.elements.client;
    if ([...select.options].slice(1).map(({ value }) => Number(value)).join() !== open.join()) {
      const chosen = select.value;
      select.replaceChildren(select.options[0], ...open.map((client) => new Option(client, client)));
      select.value = open.includes(Number(chosen)) ? chosen : "all";
    }
    for (const button of act.querySelectorAll("[data-action]")) {
      button.disabled = !open.length;
    }
  }

  function end() {
    panels.forEach((panel) => panel.run.drop());
    panels = [];
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    begin();
  });
  stop.addEventListener("click", () => panels.forEach(({ run }) => run.stop()));
  act.addEventListener("click", ({ target }) => {
    const { count, action } = target.closest("button")?.dataset ?? {};
    if (count || action) {
      const { client, text } = act.elements;
      const body = count ? { action: "connect", count: Number(count) } : { action, client: client.value === "all" ? "all" : Number(client.value), text: text.value };
      complain(null);
      panels.forEach((panel) => panel.order(body));
    }
  });
  act.elements.text.addEventListener("keydown", ({ key }) => key === "Enter" && act.querySelector("[data-action=say]").click());
  return { leave: end, keys: { Escape: () => stop.click() } };
}

class Panel {
  constructor(script, choice, changed) {
    this.script = script;
    this.root = find("view-server").content.cloneNode(true).firstElementChild;
    this.part = (selector) => this.root.querySelector(selector);
    this.picture = new Picture(this.part(".system"));
    this.clients = [];
    this.changed = changed;
    say(this.part("h2"), script.path.split("/").at(-1), script.title.zh.split(/[：:，。]/)[0]);
    this.run = new Run({ output: (answer) => this.hear(answer), system: (system) => this.picture.draw(system, this.clients, this.names), problem: complain });
    this.run.start(script.path, choice).then(() => this.follow(), (error) => {
      complain(error);
      this.changed();
    });
  }

  open() {
    return this.clients.filter(({ state }) => state === "open" || state === "waiting").map(({ client }) => client);
  }

  // Give an order to the clients of this server. Both panels get the same orders, but the client may have left one of the servers.
  order(body) {
    if (this.run.port && this.run.runs && (body.action === "connect" || body.client === "all" || this.open().includes(body.client))) {
      post(`runs/${this.run.id}/clients`, body).then(() => this.look(), complain);
    }
  }

  hear({ state, status, port, lanes, pieces }) {
    this.names = Object.fromEntries(lanes.map(({ pid, name }) => [pid, `${name.en} ${name.zh}`]));
    const last = pieces.map(({ text }) => text).join("").trimEnd().split("\n").at(-1);
    const box = this.part(".state");
    if (state !== "running") {
      box.className = `state ${state === "ended" && status ? "wrong" : ""}`;
      say(box, ...(state === "ended" ? [`ended with exit status ${status}`, `已结束，退出状态 ${status}`] : ["stopped", "已停止"]));
      this.picture.finish();
    } else if (last && port) {
      box.textContent = last;
    }
    this.changed();
  }

  async follow() {
    await this.run.open;
    for (const pace = new Pace(PERIOD); this.run.runs;) {
      await pace.rest(await this.look());
    }
    this.changed();
  }

  // Ask for the clients, and return whether something is new.
  async look() {
    const answer = await get(`runs/${this.run.id}/clients`).catch(() => null);
    const news = Boolean(answer) && JSON.stringify(answer.clients) !== JSON.stringify(this.clients);
    if (news && this.run.runs) {
      this.clients = answer.clients;
      this.list();
      this.changed();
    }
    return news;
  }

  // Show a row for each client. Only cells that have changed are written, so the others can be selected or read out undisturbed.
  list() {
    const body = this.part("tbody");
    const open = this.open();
    const ended = this.clients.filter(({ client }) => !open.includes(client)).slice(-ENDED_SHOWN);
    const shown = this.clients.filter((one) => open.includes(one.client) || ended.includes(one));
    while (body.rows.length > shown.length) {
      body.deleteRow(-1);
    }
    shown.forEach((one, i) => {
      const row = body.rows[i] ?? body.insertRow();
      const last = (who) => one.transcript.findLast((line) => line.who === who)?.text.trimEnd() ?? "";
      const [english, chinese] = STATES[one.state] ?? [one.state, ""];
      const note = one.transcript.at(-1)?.who === "note" ? one.transcript.at(-1).text : "";
      const cells = [[one.client], [note || last("client")], one.unsent ? [`${one.unsent.toLocaleString("en")} bytes cannot be sent yet`, "字节发不出去"]
        : one.state === "open" ? [last("server")] : [english, chinese], [one.echo_ms === null ? "" : one.echo_ms.toFixed(2)]];
      row.className = one.state;
      cells.forEach(([en, zh], column) => say(row.cells[column] ?? row.insertCell(), String(en), zh));
    });
  }
}
