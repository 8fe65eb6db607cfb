// The live panel of index.html: ask the server once a second for its numbers, and show them.
"use strict";

const PERIOD = 1000;                    // milliseconds from one reading to the next
const PATIENCE = 4000;                  // milliseconds to wait for an answer
const READINGS = 60;                    // how many readings the curve shows

const MESSAGES = {
  waiting: ["asking the server for its numbers ...", "正在询问服务器……"],
  live: ["these numbers are read from the server every second; each reading is itself a request",
    "每秒读取一次；面板每次读取本身也算一个请求"],
  paused: ["the panel pauses while the page is not visible", "页面不可见，已暂停"],
  down: ["the server does not answer; the panel asks again every second", "服务器没有响应，每秒重试一次"],
  busy: ["the server answers with an error; the panel asks again every second", "服务器返回错误，每秒重试一次"],
  none: ["this server has no /api/status, so there are no numbers to show; run the course's own server instead: python day12/http_server.py",
    "当前服务器没有 /api/status，这里没有数据可看；想看实时数据，请运行 python day12/http_server.py"],
  file: ["this page was opened as a file, so there is no server to ask: run python day12/http_server.py and open http://127.0.0.1:8000/",
    "页面是从文件打开的，没有服务器可问：运行 python day12/http_server.py，再访问 http://127.0.0.1:8000/"],
};

const panel = document.getElementById("status");
let timer = 0;
let asking = false;
let last = null;                        // the previous reading: two readings give a rate
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

// Ask once, and return the new state of the panel.
async function read() {
  let response;
  let status;
  try {
    response = await fetch("/api/status", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
    status = await response.text();
  } catch {                             // no server, no answer in time, or the connection broke
    last = null;
    return "down";
  }
  if (!response.ok) {                   // a 404 will remain a 404; a 500 or 503 may go away
    return response.status < 500 || response.status === 501 ? "none" : "busy";
  }
  try {
    status = JSON.parse(status);
  } catch {
    return "none";                      // another server, which answers every request with a page
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
    return;                             // the panel does not ask, so it cannot pause
  }
  if (document.hidden) {
    last = null;                        // show no rate across the pause
    show("paused");
  } else {
    show("waiting");
    ask();
  }
});


// ---- Showing ----

function show(state) {
  if (panel.dataset.state === state) {
    return;                             // a screen reader would read the same text again
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

// Return the requests per second between two readings, by the server's clock; null without two readings of the same run.
function perSecond(before, now) {
  if (!before || now.uptime <= before.uptime || now.requests < before.requests) {
    return null;
  }
  return (now.requests - before.requests) / (now.uptime - before.uptime);
}

// Show a row for each worker. Rows and cells remain, and only their text changes, so the table does not flicker.
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

// Draw the curve of the last minute in a box of 60 by 30; the top of the box is the highest rate, at least 5. The curve grows from
// the left, and moves once the box is full. Each rate belongs to the second before it, so the first rate is already a line.
function draw(rate) {
  rates.push(rate);
  rates.splice(0, rates.length - READINGS);
  const top = Math.max(...rates, 5);
  const points = [rates[0], ...rates].map((n, i) => `${i},${(29 - 28 * n / top).toFixed(1)}`);
  document.getElementById("status-trace").setAttribute("points", points.join(" "));
}

// Show a number for people, and keep the exact number for programs.
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


// ---- Start: at the end, because everything above must exist first ----

if (location.protocol === "file:") {
  show("file");
} else if (document.hidden) {
  show("paused");
} else {
  show("waiting");
  ask();
}
