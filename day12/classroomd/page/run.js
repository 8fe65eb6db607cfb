// One run of a script, followed from its first piece of output to its end.
import { get, post, start } from "./api.js";

const OUTPUT_PERIOD = 120;                // milliseconds between two questions for output, while there is some
const SYSTEM_PERIOD = 200;                // and for the picture of its processes, while it changes
const LONGEST = 500;                      // while nothing is new
const BEGINNING = 20;                     // so many questions come faster, since many scripts are over soon
const OUTPUT_PERIOD_FIRST = 40;
const SYSTEM_PERIOD_FIRST = 30;
const AGAIN = 1000;                       // after a question without an answer

// How often to ask: at the shortest period while there is news, less and less often while there is none, and at once
// when something is done on this page, since then something will come.
export class Pace {
  static acts = 0;
  static resting = new Set();

  constructor(shortest) {
    this.shortest = this.period = shortest;
    this.acts = 0;
  }

  // Wait until it is time for the next question. news: whether the last one has brought some; or give the time.
  async rest(news, { least = 0, time = 0 } = {}) {
    const acted = this.acts !== Pace.acts;
    this.acts = Pace.acts;
    this.period = news || acted ? this.shortest : Math.min(1.25 * this.period, LONGEST);
    await new Promise((resolve) => {
      this.hurry = resolve;
      Pace.resting.add(this);
      setTimeout(resolve, time || Math.max(this.period, least));
    });
    Pace.resting.delete(this);
  }

  hurry() {}                              // while it rests: end the rest
}

addEventListener("acted", () => {
  Pace.acts++;
  Pace.resting.forEach((pace) => pace.hurry());
});

export class Run {
  // on: functions that are called with what is new: output(answer), system(answer), problem(error or null).
  constructor(on) {
    this.on = on;
    this.id = null;
    this.port = null;
    this.state = "none";
    this.outputPace = new Pace(OUTPUT_PERIOD);
    this.systemPace = new Pace(SYSTEM_PERIOD);
    this.over = new Promise((resolve) => { this.end = resolve; });
    this.open = new Promise((resolve) => { this.opened = resolve; });
  }

  async start(script, choice, more) {
    this.state = "running";
    try {
      this.id = await start(script, choice, more);
    } catch (error) {
      this.finish("refused");
      throw error;
    }
    this.follow();
    this.watch();
    return this;
  }

  get runs() {
    return this.state === "running";
  }

  async stop() {
    if (this.id !== null && this.runs) {
      await post(`runs/${this.id}/stop`).catch((error) => this.on.problem?.(error));
    }
  }

  // Stop it, and hear no more of it.
  drop() {
    this.on = {};
    const stopped = this.stop();
    this.finish("dropped");
    return stopped;
  }

  finish(state) {
    this.state = state;
    this.end();
    this.opened();
  }

  async follow() {
    let printed = false;
    for (let from = 0, asked = 0; this.runs; asked++) {
      const answer = await this.ask(`runs/${this.id}`, { from });
      const news = answer && (answer.pieces.length > 0 || answer.state !== "running");
      printed ||= news;
      if (answer) {
        this.take(answer, from);
        from = answer.next;
      }
      if (this.runs) {
        await this.outputPace.rest(news, { time: !answer ? AGAIN : !printed && asked < BEGINNING ? OUTPUT_PERIOD_FIRST : 0 });
      }
    }
  }

  take(answer, from) {
    if (answer.port && !this.port) {
      this.port = answer.port;
      this.opened();
    }
    this.on.output?.(answer);
    if (answer.state !== "running" && answer.next === from && !answer.pieces.length) {
      this.finish(answer.state);
    }
  }

  // What on.system returns is whether it shows something new.
  async watch() {
    for (let asked = 0; this.runs; asked++) {
      const began = performance.now();
      const answer = await this.ask(`runs/${this.id}/system`);
      const least = 2 * (performance.now() - began);
      const news = Boolean(answer && this.runs && this.on.system?.(answer));
      if (answer && answer.state !== "running") {
        this.outputPace.hurry();          // its last output, and how it has ended
      }
      if (this.runs) {
        const time = !answer ? AGAIN : asked < BEGINNING ? Math.max(SYSTEM_PERIOD_FIRST, least) : 0;
        await this.systemPace.rest(news, { least, time });
      }
    }
  }

  // The answer; null if there is none now. A run that is not known any more has ended.
  async ask(path, params) {
    try {
      const answer = await get(path, params);
      this.on.problem?.(null);
      return answer;
    } catch (error) {
      if (this.runs) {
        this.on.problem?.(error);
        if (error.status === 404) {
          this.finish("forgotten");
        }
      }
      return null;
    }
  }
}

export function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
