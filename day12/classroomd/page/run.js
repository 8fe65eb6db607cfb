// One run of a script: starts the run and asks for its output and its processes until it ends.
import { get, post, start } from "./api.js";

// All periods are in milliseconds, from an answer to the next request.
const OUTPUT_PERIOD = 120;                // for the output, while there is new output
const SYSTEM_PERIOD = 200;                // for the processes, while the picture of them changes
const LONGEST = 500;                      // the longest period, reached while nothing is new
const BEGINNING = 20;                     // how many requests at the beginning use the periods below: many scripts end soon
const OUTPUT_PERIOD_FIRST = 40;
const SYSTEM_PERIOD_FIRST = 30;
const AGAIN = 1000;                       // after a request without an answer

// Decides how often to ask: at the shortest period while there is news, and less and less often while there is none. After an
// action on this page, the next request follows immediately, because the action will soon have an effect.
export class Pace {
  static acts = 0;
  static resting = new Set();

  constructor(shortest) {
    this.shortest = this.period = shortest;
    this.acts = 0;
  }

  // Wait until it is time for the next request. news: whether the last answer had something new. least: the shortest wait.
  // time: wait for this time, whether there is news or not.
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

  hurry() {}                              // during a rest, rest() replaces this with a function that ends the rest
}

addEventListener("acted", () => {
  Pace.acts++;
  Pace.resting.forEach((pace) => pace.hurry());
});

export class Run {
  // on: functions to call: output(answer) and system(answer) after each answer, problem(error) after a failure, problem(null) after success.
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

  // Stop the run, and do not call the functions in this.on any more.
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

  // Ask for the processes again and again. on.system returns whether the picture has changed.
  async watch() {
    for (let asked = 0; this.runs; asked++) {
      const began = performance.now();
      const answer = await this.ask(`runs/${this.id}/system`);
      const least = 2 * (performance.now() - began);
      const news = Boolean(answer && this.runs && this.on.system?.(answer));
      if (answer && answer.state !== "running") {
        this.outputPace.hurry();          // ask at once for the last output and the exit status
      }
      if (this.runs) {
        const time = !answer ? AGAIN : asked < BEGINNING ? Math.max(SYSTEM_PERIOD_FIRST, least) : 0;
        await this.systemPace.rest(news, { least, time });
      }
    }
  }

  // Return the answer, or null if there is none. Status 404 means that the server has forgotten the run, so the run has ended.
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
