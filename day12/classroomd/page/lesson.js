// The view of one script: the source, with the processes and the output beside the source.
import { get, post } from "./api.js";
import { complain, say } from "./page.js";
import { Lanes } from "./output.js";
import { Picture } from "./system.js";
import { Run } from "./run.js";
import { markLines, showSource, unmark } from "./source.js";

const SLOWLY = "slowly";                  // the choice that adds a pause after each print

export function showLesson(root, course, script) {
  const scripts = course.days.flatMap((day) => day.scripts);
  const at = scripts.indexOf(script);
  const part = (selector) => root.querySelector(selector);
  const [source, startButton, slowButton, stopButton, choice, state, typing] =
    [".source", ".start", ".slow", ".stop", ".choice", ".state", ".typing"].map(part);
  const lanes = new Lanes(part(".log"));
  const picture = new Picture(part(".system"));
  let run = null;
  let server = null;                      // the run of the server, if the script is a client
  let errors = "";
  let names = {};

  say(part("h1"), script.title.en);
  say(part(".zh"), script.title.zh);
  say(part(".title code"), `${script.path}  ${at + 1}/${scripts.length}`);
  for (const [selector, other, words] of [[".before", scripts[at - 1], "previous: 上一个："], [".after", scripts[at + 1], "next: 下一个："]]) {
    const link = part(selector);
    link.href = other ? `#${other.path}` : "#";
    link.ariaLabel = words + (other?.name ?? "all scripts 全部脚本");
    link.title = link.ariaLabel;
  }
  const choices = script.choices.filter(({ id }) => id !== SLOWLY);
  choice.append(...choices.map(({ id, en, zh }) => new Option(`${en} ${zh}`, id)));
  choice.hidden = choices.length < 2;
  slowButton.hidden = choices.length === script.choices.length;
  startButton.hidden = stopButton.hidden = choices.length === 0;
  part(".more").hidden = script.kind !== "server" || !["echo", "http", "ftp"].includes(script.protocol);
  part(".more").href = `#servers/${script.path}`;
  say(state, script.choices.length ? "" : "you are looking at this program", script.choices.length ? "" : "就是这个页面");
  get("source", { script: script.path }).then((answer) => showSource(source, answer.source), complain);

  function output(answer) {
    names = Object.fromEntries(answer.lanes.map(({ pid, name }) => [pid, `${name.en} ${name.zh}`]));
    errors += answer.pieces.filter(({ stream }) => stream === "err").map(({ text }) => text).join("");
    lanes.add(answer);
    if (answer.state !== "running") {
      done(answer);
    }
  }

  function done({ state: how, status, seconds }) {
    const time = `${seconds.toFixed(seconds < 10 ? 2 : 0)} s`;
    const fine = how === "ended" && status === 0;
    state.className = `state ${fine ? "fine" : how === "ended" ? "wrong" : ""}`;
    if (how === "ended") {
      const [english, chinese] = status < 0 ? [`ended by signal ${-status}`, `被信号 ${-status} 终止`] : [`exit status ${status}`, `退出状态 ${status}`];
      say(state, `${english}, ${time}`, chinese);
    } else {
      say(state, `stopped after ${time}`, "已停止");
    }
    part(".log").classList.toggle("failed", how === "ended" && !fine);
    markLines(source, script.path, errors);
    errors = "";
    picture.finish();
    ready(true);
  }

  function ready(yes) {
    stopButton.disabled = yes;
    typing.hidden = yes || !script.typed;
    say(startButton, run ? "Run again" : "Run", run ? "再运行" : "运行");
  }

  async function begin(way = choice.value) {
    end();
    unmark(source);
    lanes.clear();
    part(".log").classList.remove("failed");
    picture.clear();
    errors = "";
    names = {};
    state.className = "state";
    say(state, "running", "运行中");
    const mine = run = new Run({ output, system: (system) => picture.draw(system, [], names), problem: complain });
    ready(false);
    try {
      const more = script.needs ? await startServer(script.needs) : {};
      if (run === mine) {
        await mine.start(script.path, way, more);
      }
    } catch (error) {
      complain(error);
      ready(true);
      say(state, "");
    }
  }

  // Start the server that a client needs, and wait until the server listens.
  async function startServer(path) {
    server = await new Run({}).start(path);
    await server.open;
    return { server: server.id, name: "小明" };
  }

  function end() {
    run?.drop();
    server?.drop();
    server = null;
  }

  startButton.addEventListener("click", () => begin());
  slowButton.addEventListener("click", () => begin(SLOWLY));
  stopButton.addEventListener("click", () => run?.stop());
  typing.addEventListener("submit", (event) => {
    event.preventDefault();
    post(`runs/${run.id}/type`, { text: typing.text.value }).catch(complain);
    typing.text.value = "";
  });
  const go = (other) => () => { location.hash = other ? other.path : ""; };
  return {
    leave: end,
    keys: {
      ArrowLeft: go(scripts[at - 1]), ArrowRight: go(scripts[at + 1]), PageUp: go(scripts[at - 1]), PageDown: go(scripts[at + 1]),
      ...(script.choices.length ? { r: () => begin(), Escape: () => run?.stop() } : {}),
      ...(slowButton.hidden ? {} : { s: () => begin(SLOWLY) }),
    },
  };
}
