// The chat room: its server and two members. Each of the three programs is a separate run with an input line on the page.
import { post } from "./api.js";
import { complain, find, say } from "./page.js";
import { Lanes } from "./output.js";
import { Picture } from "./system.js";
import { Run } from "./run.js";

const ROOM = "day07/chat/chat_server.py";
const MEMBER = "day07/chat/chat_client.py";

export function showChat(root) {
  const [start, stop, pair] = [".start", ".stop", ".pair"].map((selector) => root.querySelector(selector));
  const columns = [["server", "服务器"], ["member 小明", ""], ["member 小红", ""]].map(([english, chinese]) => column(english, chinese));
  pair.replaceChildren(...columns.map((one) => one.root));
  let runs = [];

  async function begin() {
    end();
    complain(null);
    start.disabled = true;
    try {
      const room = await columns[0].start(ROOM);
      runs.push(room);
      stop.disabled = false;
      await room.open;
      for (const [i, name] of ["小明", "小红"].entries()) {
        runs.push(await columns[i + 1].start(MEMBER, { server: room.id, name }));
      }
      columns[1].root.querySelector("input").focus();
    } catch (error) {
      complain(error);
    }
    start.disabled = false;
  }

  function end() {
    runs.forEach((run) => run.drop());
    runs = [];
    columns.forEach((one) => one.open(false));
    stop.disabled = true;
  }

  start.addEventListener("click", begin);
  stop.addEventListener("click", () => {
    runs.toReversed().forEach((run) => run.stop());
    stop.disabled = true;
  });
  return { leave: end, keys: {} };
}

// A column of the page for one of the programs: an input line, the program's output and its processes.
function column(english, chinese) {
  const root = find("view-member").content.cloneNode(true).firstElementChild;
  const form = root.querySelector("form");
  const lanes = new Lanes(root.querySelector(".log"));
  const picture = new Picture(root.querySelector(".system"));
  let run = null;

  function open(yes) {
    form.text.disabled = form.querySelector("button").disabled = !yes;
  }

  function start(path, more) {
    lanes.clear();
    picture.clear();
    let names = {};
    run = new Run({
      output: (answer) => {
        names = Object.fromEntries(answer.lanes.map(({ pid, name }) => [pid, `${name.en} ${name.zh}`]));
        lanes.add(answer);
        open(answer.state === "running");
        if (answer.state !== "running") {
          picture.finish();
        }
      },
      system: (system) => picture.draw(system, [], names),
      problem: complain,
    });
    return run.start(path, "", more);
  }

  say(root.querySelector("h2"), english, chinese);
  form.text.ariaLabel = `${english} ${chinese}: type a line 输入一行`;
  form.text.placeholder = "type a line · 输入一行";
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    post(`runs/${run.id}/type`, { text: form.text.value }).catch(complain);
    form.text.value = "";
  });
  return { root, start, open };
}
