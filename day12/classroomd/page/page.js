// Small helpers of all views: elements with text, in two languages, and what is said to screen readers.

// make("button", "main", "Run", "运行"): an element with a class and its text, English and Chinese.
export function make(name, className = "", english = "", chinese = "") {
  const element = document.createElement(name);
  if (className) {
    element.className = className;
  }
  say(element, english, chinese);
  return element;
}

// Give an element its text; Chinese gets its language, so that it is pronounced and set as such. Nothing is ever HTML.
export function say(element, english, chinese = "") {
  if (element.dataset.text === `${english}|${chinese}`) {
    return;                               // what is said again would be read out again by a screen reader
  }
  element.dataset.text = `${english}|${chinese}`;
  element.replaceChildren(english);
  if (chinese) {
    const zh = document.createElement("span");
    zh.lang = "zh";
    zh.textContent = chinese;
    element.append(english ? " " : "", zh);
  }
}

export function find(id) {
  return document.getElementById(id);
}

// A problem that the user has to know: what the server refuses, or that it does not answer.
export function complain(error) {
  const box = find("problem");
  say(box, error ? String(error.message ?? error) : "", error?.zh ?? "");
  box.hidden = !error;
}
