// The output of a run: new lines appear at the bottom, each process has a lane, and even a flood of output does not block the page.
import { make, say } from "./page.js";

const KEPT = 400;                         // lines on the page; the server keeps more
const AT_ONCE = 30;                       // lines added in one frame: a few milliseconds of work
const KEPT_OF_MORE = 120;                 // how many lines to show if more than KEPT arrive at once
const FLOOD = 10;                         // if a frame adds more lines than this, screen readers do not read them out
const NEAR_THE_END = 80;                  // pixels: if the end is no further away than this, the page scrolls with new lines

export class Lanes {
  // log: an element that scrolls. The constructor adds a row of heads, a note, and a box for the lines to this element.
  constructor(log) {
    this.log = log;
    this.heads = make("div", "heads");
    this.lines = make("div", "lines");
    this.lines.setAttribute("role", "log");
    this.lines.setAttribute("aria-label", "Output 输出");
    this.note = make("p", "empty");       // says how many lines came before the first line that is shown
    log.replaceChildren(this.heads, this.note, this.lines);
    this.clear();
  }

  clear() {
    this.waiting = [];
    this.hidden = 0;                      // how many lines came before the first line that is shown
    this.gap = false;                     // whether lines are missing between the page and this.waiting
    this.dropped = 0;                     // lines that the server no longer keeps
    this.seen = 0;                        // how many lanes have a head
    this.unfinished = new Set();          // lanes and streams whose last line has no end yet
    this.last = null;                     // the last row on the page, with its lane and stream
    this.heads.replaceChildren();
    say(this.note, "");
    this.lines.replaceChildren();
  }

  // Add the output in an answer of the API. A piece of text need not end with a whole line.
  add({ lanes, pieces, missed, dropped }) {
    if (lanes.length !== this.seen) {
      this.spread(lanes);
    }
    for (const { lane, stream, text } of pieces) {
      const lines = text.split("\n");
      const rest = lines.pop();
      this.waiting.push(...lines.map((line) => ({ lane, stream, text: line, ends: true })));
      if (rest) {
        this.waiting.push({ lane, stream, text: rest, ends: false });
      }
    }
    const tooMany = this.waiting.length > KEPT ? this.waiting.length - KEPT_OF_MORE : 0;
    this.waiting.splice(0, tooMany);
    this.hidden += tooMany + (missed ? dropped - this.dropped : 0);
    this.gap ||= tooMany > 0 || missed;
    this.dropped = dropped;
    this.plan();
  }

  plan() {
    const more = this.waiting.length > 0;
    this.log.toggleAttribute("data-waiting", more);
    if (more && !this.frame) {
      this.frame = requestAnimationFrame(() => this.draw());
    }
  }

  draw() {
    this.frame = 0;
    const { log, lines } = this;
    const following = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_THE_END;
    if (this.gap) {                       // remove the lines before the gap, so that the lines shown have no holes
      this.hide(lines.childElementCount);
      this.gap = false;
    }
    const rows = document.createDocumentFragment();
    const now = this.waiting.splice(0, AT_ONCE);
    lines.ariaLive = now.length > FLOOD ? "off" : "polite";
    now.forEach((line) => this.write(rows, line));
    lines.append(rows);
    this.hide(lines.childElementCount - KEPT);
    say(this.note, this.hidden ? `${this.hidden.toLocaleString("en")} earlier lines` : "", this.hidden ? `前面还有 ${this.hidden} 行` : "");
    if (following) {
      log.scrollTop = log.scrollHeight;
    }
    this.plan();
  }

  hide(count) {
    for (; count > 0; count--) {
      this.hidden++;
      this.lines.firstElementChild.remove();
    }
  }

  // Add a line, or the next part of an unfinished line. If another process has written in between, the part gets a row of its own.
  write(rows, { lane, stream, text, ends }) {
    const writer = `${lane} ${stream}`;
    const begun = this.unfinished.has(writer);
    if (begun && this.last?.writer === writer) {
      this.last.row.append(text);
    } else if (text || !begun) {
      const row = document.createElement("div");
      row.className = `line ${stream}${this.last?.lane === lane ? "" : " turn"}`;
      row.style.setProperty("--lane", lane);
      if (this.last?.lane !== lane && this.names.length > 1) {
        row.append(make("span", "heard", `${this.names[lane]}: `));
      }
      row.append(text || "\u200b");
      rows.append(row);
      this.last = { writer, lane, row };
    }
    this.unfinished[ends ? "delete" : "add"](writer);
  }

  // Show the heads of the lanes. With each new lane, the heads move closer together; the last lane keeps 40 % of the width.
  spread(lanes) {
    this.seen = lanes.length;
    this.names = lanes.map(({ name }) => name.en);
    const step = lanes.length > 1 ? Math.min(30, 60 / (lanes.length - 1)) : 0;
    this.log.style.setProperty("--step", step);
    this.heads.replaceChildren(...lanes.map(({ pid, name }, i) => {
      const head = make("span");
      const isLast = i === lanes.length - 1;
      head.style.width = isLast ? "auto" : `${step}%`;
      head.title = `${name.en} ${name.zh}, PID ${pid}`;
      head.dataset.pid = pid;
      say(head, lanes.length > 3 ? name.en.replace(/(\w)\w+ /, "$1 ") : `${name.en} ${pid}`);
      return head;
    }));
  }
}
