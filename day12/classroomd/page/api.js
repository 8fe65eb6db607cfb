// The classroom's API: the same requests that one can make with curl. A POST carries the token of the printed address.
const given = new URLSearchParams(location.search).get("token");
if (given) {
  sessionStorage.setItem("token", given);
}
const token = given ?? sessionStorage.getItem("token") ?? "";
const page = Array.from(crypto.getRandomValues(new Uint8Array(12)), (n) => n.toString(16).padStart(2, "0")).join("");
const PATIENCE = 15000;                   // milliseconds without an answer

// What the server refuses, in both languages; status 0: it does not answer at all.
export class Refusal extends Error {
  constructor(status, { en, zh }) {
    super(en);
    Object.assign(this, { status, zh });
  }
}

export function get(path, params = {}) {
  const query = new URLSearchParams(params).toString();
  return ask(`/api/${path}${query && `?${query}`}`, { cache: "no-store" });
}

// After each, those who ask again and again ask at once: event "acted".
export async function post(path, body = {}) {
  const answer = await ask(`/api/${path}`, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json", "X-Token": token } });
  dispatchEvent(new Event("acted"));
  return answer;
}

// Start a script; return the number of its run. Its runs end with the page.
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
