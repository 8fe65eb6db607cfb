// The live panel of index.html: ask the server once a second how it is, and show what it says.
"use strict";

const PERIOD = 1000;                    // milliseconds from one reading to the next
const PATIENCE = 4000;                  // milliseconds without an answer, then we say so
const READINGS = 60;                    // how many of them the curve shows

const MESSAGES = {
  waiting: ["asking the server ...", "正在询问服务器……"],
  live: ["read from the server every second; the panel itself makes one request each time",
    "每秒读取一次；面板每次读取本身也算一个请求"],
  paused: ["paused while nobody looks", "页面不可见，已暂停"],
  down: ["the server does not answer; asking again every second", "服务器没有响应，每秒重试一次"],
  busy: ["the server answers with an error; asking again every second", "服务器返回错误，每秒重试一次"],
  none: ["this server has no /api/status, so there is nothing to show here; the course's own has: python day12/http_server.py",
    "当前服务器没有 /api/status，这里没有数据可看；想看实时数据，请运行 python day12/http_server.py"],
  file: ["opened as a file, so there is no server to ask: start python day12/http_server.py and go to http://127.0.0.1:8000/",
    "页面是从文件打开的，没有服务器可问：运行 python day12/http_server.py，再访问 http://127.0.0.1:8000/"],
};

const panel = document.getElementById("status");
let timer = 0;
let asking = false;
let last = null;                        // the reading before this one: the rate is what lies between two
const rates = [];


// ---- Asking ----

async function ask() {
  if (asking || document.hidden) {
    return;
  }
  asking = true;
  const state = await read();
  asking = false;
  show(document.hidden ? "paused" : state);
  if (state !== "none" && !document.hidden) {
    timer = setTimeout(ask, PERIOD);
  }
}

// Ask once, and return the state that the panel is in now.
async function read() {
  let response;
  let status;
  try {
    response = await fetch("/api/status", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
    status = await response.text();
  } catch {                             // nobody listens, or not in time, or the connection broke
    last = null;
    return "down";
  }
  if (!response.ok) {                   // 404 and its like will not change; 500 or 503 may
    return response.status < 500 || response.status === 501 ? "none" : "busy";
  }
  try {
    status = JSON.parse(status);
  } catch {
    return "none";                      // some server that answers everything with a page
  }
  if (!Array.isArray(status?.workers)) {
    return "none";
  }
  update(status);
  return "live";
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (panel.dataset.state === "none" || panel.dataset.state === "file") {
    return;                             // nothing is going on that could pause
  }
  if (document.hidden) {
    last = null;                        // no rate over the pause
    show("paused");
  } else {
    show("waiting");
    ask();
  }
});


// ---- Showing ----

function show(state) {
  if (panel.dataset.state === state) {
    return;                             // what is said again would be read out again by a screen reader
  }
  panel.dataset.state = state;
  const [english, chinese] = MESSAGES[state];
  write("status-state", english);
  write("status-state-zh", chinese);
}

function update({ uptime, workers }) {
  const now = { uptime, requests: sum(workers, "requests") };
  const rate = perSecond(last, now);
  last = now;

  number("status-connections", sum(workers, "connections"), count);
  number("status-requests", now.requests, count);
  number("status-bytes", sum(workers, "bytes"), bytes);
  number("status-uptime", uptime, duration);
  if (rate !== null) {
    number("status-rate", rate, (n) => (n < 10 ? n.toFixed(1) : count(n)));
    draw(rate);
  }
  list(workers);
}

// Requests per second between two readings, by the server's clock; null if there are not two of the same run.
function perSecond(before, now) {
  if (!before || now.uptime <= before.uptime || now.requests < before.requests) {
    return null;
  }
  return (now.requests - before.requests) / (now.uptime - before.uptime);
}

// One row for each worker. Rows and cells are kept and only their text changes: no flicker.
function list(workers) {
  const body = document.getElementById("status-workers");
  while (body.rows.length > workers.length) {
    body.deleteRow(-1);
  }
  while (body.rows.length < workers.length) {
    const row = body.insertRow();
    const head = document.createElement("th");
    head.scope = "row";
    row.append(head);
    for (let i = 0; i < 3; i++) {
      row.insertCell();
    }
  }
  workers.forEach((worker, i) => {
    const row = body.rows[i];
    const texts = [String(worker.pid), count(worker.connections), count(worker.requests), bytes(worker.bytes)];
    row.dataset.pid = worker.pid;
    texts.forEach((text, column) => write(row.cells[column], text));
  });
}

// The curve of the last minute, in a box of 60 by 30; its top is the highest rate in it, or 5. It grows from the left, and
// moves on once the box is full. A rate is that of the second before it, so the first one is a line already.
function draw(rate) {
  rates.push(rate);
  rates.splice(0, rates.length - READINGS);
  const top = Math.max(...rates, 5);
  const points = [rates[0], ...rates].map((n, i) => `${i},${(29 - 28 * n / top).toFixed(1)}`);
  document.getElementById("status-trace").setAttribute("points", points.join(" "));
}

// Show a number for people, and keep it as it is for programs.
function number(id, value, format) {
  const element = document.getElementById(id);
  element.dataset.value = value;
  write(element, format(value));
}

function write(element, text) {
  if (typeof element === "string") {
    element = document.getElementById(element);
  }
  if (element.textContent !== text) {
    element.textContent = text;
  }
}


// ---- Numbers for people ----

function sum(workers, key) {
  return workers.reduce((total, worker) => total + worker[key], 0);
}

function count(n) {
  return Math.round(n).toLocaleString("en");
}

function bytes(n) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (n >= 999.5 && unit < units.length - 1) {
    n /= 1000;
    unit++;
  }
  return `${unit === 0 || n >= 99.95 ? n.toFixed(0) : n.toFixed(1)} ${units[unit]}`;
}

function duration(seconds) {
  const s = Math.floor(seconds);
  const two = (n) => String(n).padStart(2, "0");
  if (s < 60) {
    return `${s} s`;
  }
  if (s < 3600) {
    return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
  }
  if (s < 86400) {
    return `${Math.floor(s / 3600)} h ${two(Math.floor(s / 60) % 60)} min`;
  }
  return `${Math.floor(s / 86400)} d ${two(Math.floor(s / 3600) % 24)} h`;
}


// ---- Beginning: last, for only now all of the above exists ----

if (location.protocol === "file:") {
  show("file");
} else if (document.hidden) {
  show("paused");
} else {
  show("waiting");
  ask();
}
