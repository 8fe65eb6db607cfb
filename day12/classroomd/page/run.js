// One run of a script, followed from its first piece of output to its end.
import { get, post, start } from "./api.js";

const OUTPUT_PERIOD = 120;                // milliseconds between two questions for output
const SYSTEM_PERIOD = 200;                // and for the picture of its processes; often in the beginning, since many scripts are over soon
const BEGINNING = 20;                     // so many questions
const SYSTEM_PERIOD_FIRST = 30;
const AGAIN = 1000;                       // after a question without an answer

export class Run {
  // on: functions that are called with what is new: output(answer), system(answer), problem(error or null).
  constructor(on) {
    this.on = on;
    this.id = null;
    this.port = null;
    this.state = "none";
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
    for (let from = 0; this.runs;) {
      const answer = await this.ask(`runs/${this.id}`, { from });
      if (answer) {
        this.take(answer, from);
        from = answer.next;
      }
      if (this.runs) {
        await pause(answer ? OUTPUT_PERIOD : AGAIN);
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

  async watch() {
    for (let asked = 0; this.runs; asked++) {
      const began = performance.now();
      const answer = await this.ask(`runs/${this.id}/system`);
      const took = performance.now() - began;
      if (answer && this.runs) {
        this.on.system?.(answer);
      }
      await pause(!answer ? AGAIN : Math.max(asked < BEGINNING ? SYSTEM_PERIOD_FIRST : SYSTEM_PERIOD, 2 * took));
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
