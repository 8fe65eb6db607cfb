// Helpers that all views use: they make elements with text in two languages, and show errors.

// make("button", "main", "Run", "运行") returns an element with this class and this text, in English and Chinese.
export function make(name, className = "", english = "", chinese = "") {
  const element = document.createElement(name);
  if (className) {
    element.className = className;
  }
  say(element, english, chinese);
  return element;
}

// Set the text of an element. The Chinese part is marked as Chinese, for screen readers and fonts. The text is never read as HTML.
export function say(element, english, chinese = "") {
  if (element.dataset.text === `${english}|${chinese}`) {
    return;                               // a screen reader would read the same text again
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

// Show an error to the user, such as a refusal of the server; null removes it.
export function complain(error) {
  const box = find("problem");
  say(box, error ? String(error.message ?? error) : "", error?.zh ?? "");
  box.hidden = !error;
}
