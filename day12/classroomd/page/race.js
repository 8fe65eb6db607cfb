// The race between all echo servers: shows its progress, and then its figures as bars.
import { get } from "./api.js";
import { complain, make, say } from "./page.js";
import { Lanes } from "./output.js";
import { Run } from "./run.js";

const SCRIPT = "day12/server_race.py";

// Draw bars: [{name, value, text, wrong}]. The longest takes the whole width. Bars that are already shown grow or shrink.
export function drawBars(box, bars) {
  const top = Math.max(...bars.map(({ value }) => value), 1e-9);
  if (box.children.length !== bars.length * 3) {
    box.replaceChildren(...bars.flatMap(() => [make("b"), make("span"), make("output")]));
    [...box.children].forEach((part, i) => i % 3 === 1 && part.append(make("div", "fill")));
    box.offsetWidth;                      // make the browser lay out the empty bars, so that they grow from nothing
  }
  bars.forEach(({ name, value, text, wrong }, i) => {
    const [label, track, output] = [...box.children].slice(3 * i, 3 * i + 3);
    say(label, name);
    say(output, text);
    track.lastChild.className = `fill ${wrong ? "wrong" : ""}`;
    track.lastChild.style.width = `${100 * value / top}%`;
  });
}

export function showRace(root, course) {
  const script = course.days.flatMap(({ scripts }) => scripts).find(({ path }) => path === SCRIPT);
  const [start, stop, state, bars] = [".start", ".stop", ".state", ".bars"].map((selector) => root.querySelector(selector));
  const [choice, scenario] = ["choice", "scenario"].map((name) => root.querySelector(`[name=${name}]`));
  const lanes = new Lanes(root.querySelector(".log"));
  let result = null;
  let run = null;

  choice.append(...script.choices.map(({ id, en, zh }) => new Option(`${en} ${zh}`, id)));

  function show(answer) {
    result = answer;
    const names = Object.keys(result.medians).filter((name) => Object.values(result.medians[name]).some(({ cpu_us: cpu }) => cpu !== undefined && cpu !== null));
    scenario.replaceChildren(...names.map((name) => new Option(name.replace(/^(\w+)-(\d+)$/, "$1: $2"), name)));
    draw();
  }

  function draw() {
    const figures = Object.entries(result?.medians[scenario.value] ?? {}).filter(([, { cpu_us: cpu }]) => cpu);
    const sorted = figures.sort(([, one], [, other]) => one.cpu_us - other.cpu_us);
    drawBars(bars, sorted.map(([name, { cpu_us: cpu }]) => ({ name, value: cpu, text: `${cpu.toFixed(0)} µs` })));
  }

  async function begin() {
    run?.drop();
    lanes.clear();
    stop.disabled = false;
    say(state, "running", "运行中");
    const mine = run = new Run({
      output: (answer) => {
        const progress = answer.pieces.filter(({ stream }) => stream === "err").at(-1);
        if (progress) {
          say(state, progress.text.trimEnd().split("\n").at(-1));
        }
        lanes.add({ ...answer, pieces: answer.pieces.filter(({ stream }) => stream === "out") });
        if (answer.state !== "running") {
          stop.disabled = true;
          say(state, ...(answer.state === "ended" ? [`exit status ${answer.status}`, `退出状态 ${answer.status}`] : ["stopped", "已停止"]));
        }
      },
      problem: complain,
    });
    try {
      await mine.start(SCRIPT, choice.value);
      await mine.over;
      if (mine.state === "ended") {
        show(await get(`runs/${mine.id}/result`));
      }
    } catch (error) {
      complain(error);
    }
  }

  start.addEventListener("click", begin);
  stop.addEventListener("click", () => run?.stop());
  scenario.addEventListener("change", draw);
  get("race").then((answer) => answer.medians ? show(answer) : say(state, "no race has ended yet", "还没有比赛结果"), complain);
  return { leave: () => run?.drop(), keys: { Escape: () => run?.stop() } };
}
