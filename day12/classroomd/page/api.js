// Requests to the classroom's API. Each carries the token from the address that classroom.py printed.
const given = new URLSearchParams(location.search).get("token");
if (given) {
  sessionStorage.setItem("token", given);
}
const token = given ?? sessionStorage.getItem("token") ?? "";
const page = Array.from(crypto.getRandomValues(new Uint8Array(12)), (n) => n.toString(16).padStart(2, "0")).join("");
const PATIENCE = 15000;                   // milliseconds to wait for an answer

// An error with its reason in English and Chinese. status: the HTTP status, or 0 if the server does not answer at all.
export class Refusal extends Error {
  constructor(status, { en, zh }) {
    super(en);
    Object.assign(this, { status, zh });
  }
}

export function get(path, params = {}) {
  const query = new URLSearchParams(params).toString();
  return ask(`/api/${path}${query && `?${query}`}`, { cache: "no-store", headers: { "X-Token": token } });
}

// The event "acted" makes all functions that poll the server ask immediately.
export async function post(path, body = {}) {
  const answer = await ask(`/api/${path}`, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json", "X-Token": token } });
  dispatchEvent(new Event("acted"));
  return answer;
}

// Start a script, and return the number of its run. The server ends the run when this page is closed.
export async function start(script, choice = "", more = {}) {
  return (await post("runs", { script, choice, page, ...more })).id;
}

async function ask(target, options) {
  let response;
  try {
    response = await fetch(target, { ...options, signal: AbortSignal.timeout(PATIENCE) });
  } catch {
    throw new Refusal(0, { en: "The classroom does not answer: is `make class` still running?", zh: "课堂服务没有响应：make class 还在运行吗？" });
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    throw new Refusal(response.status, answer.error ?? { en: `The classroom answered with status ${response.status}.`, zh: `课堂服务返回状态 ${response.status}。` });
  }
  return answer;
}

addEventListener("pagehide", () => navigator.sendBeacon("/api/bye", JSON.stringify({ token, page })));
