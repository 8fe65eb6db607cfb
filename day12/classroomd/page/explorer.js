// The explorer: counts the outcomes of all schedules of a few threads, and steps through one schedule for each outcome.
import { get } from "./api.js";
import { complain, make, say } from "./page.js";
import { drawBars } from "./race.js";
import { pause } from "./run.js";

const AGAIN = 300;                        // milliseconds until we ask again whether all schedules are explored

export function showExplorer(root, course) {
  const [programs, outcomes] = ["program", "outcome"].map((name) => root.querySelector(`[name=${name}]`));
  const [state, count, bars, head, body] = [".state", ".count", ".bars", "thead", "tbody"].map((selector) => root.querySelector(selector));
  let found = null;
  let outcome = null;
  let at = 0;                             // how many steps are shown

  programs.append(...course.interleavings.map(({ program, title }) => new Option(title, program)));

  async function load() {
    const program = programs.value;
    say(state, "exploring all schedules", "正在枚举");
    for (found = { state: "working" }; found.state === "working" && programs.value === program && root.isConnected;) {
      found = await get("interleavings", { program });
      if (found.state === "working") {
        await pause(AGAIN);
      }
    }
    if (programs.value !== program || !found.outcomes) {
      return;
    }
    say(count, `${found.title}: ${found.schedules.toLocaleString("en")} schedules${found.is_complete ? "" : ` of ${found.total.toLocaleString("en")}`}`, `${found.schedules} 种先后次序${found.is_complete ? "" : `，共 ${found.total} 种`}`);
    drawBars(bars, found.outcomes.map((one) => ({ name: one.text, value: one.count, text: one.count.toLocaleString("en"), wrong: one.kind !== "right" })));
    outcomes.replaceChildren(...found.outcomes.map(({ text, kind }, i) => new Option(`${text}${kind === "right" ? "" : "  ✗"}`, i)));
    outcomes.value = found.losing ?? 0;
    choose();
  }

  function choose() {
    outcome = found.outcomes[outcomes.value];
    at = 0;
    const row = make("tr");
    row.append(...[["shared", "共享"], ...found.threads.map((name) => [name, ""])].map(([english, chinese]) => {
      const cell = make("th", "", english, chinese);
      cell.scope = "col";
      return cell;
    }));
    head.replaceChildren(row);
    body.replaceChildren();
    move(0);
  }

  function move(by) {
    if (!outcome) {
      return;
    }
    at = Math.min(Math.max(at + by, 0), outcome.steps.length);
    while (body.rows.length > at) {
      body.deleteRow(-1);
    }
    while (body.rows.length < at) {
      body.append(row(outcome.steps[body.rows.length], outcome.steps[body.rows.length - 1]));
    }
    [...body.rows].forEach((one, i) => one.classList.toggle("now", i === at - 1));
    body.lastElementChild?.scrollIntoView({ block: "nearest" });
    const over = at === outcome.steps.length;
    state.className = `state ${over ? (outcome.kind === "right" ? "fine" : "wrong") : ""}`;
    if (over) {
      say(state, `the end: ${outcome.text}`, outcome.kind === "right" ? "结束：正确" : "结束：出错");
    } else {
      say(state, `step ${at} of ${outcome.steps.length}`, `第 ${at} 步，共 ${outcome.steps.length} 步`);
    }
  }

  function row(step, before) {
    const element = make("tr", before && before.thread !== step.thread ? "switch" : "");
    const shared = Object.entries(step.shared).map(([name, value]) => `${name} = ${value}`).join("  ");
    element.append(make("td", "", shared), ...found.threads.map((name) => {
      const cell = make("td", name === step.thread ? "did" : "");
      if (name === step.thread) {
        cell.append(make("b", "", `${step.line}  ${step.source}`), make("div", "soft", step.does));
      }
      return cell;
    }));
    return element;
  }

  const begin = () => load().catch(complain);
  programs.addEventListener("change", begin);
  outcomes.addEventListener("change", choose);
  root.querySelector(".step").addEventListener("click", () => move(1));
  root.querySelector(".back").addEventListener("click", () => move(-1));
  setTimeout(begin);                      // later, when the view is on the page
  return { keys: { ArrowRight: () => move(1), ArrowLeft: () => move(-1), Home: () => move(-Infinity), End: () => move(Infinity) } };
}
