// Shows the source of a script, with line numbers and colours, and marks the line that a traceback names.
const WORDS = new Set(("and as assert async await break case class continue def del elif else except finally for from global if import in is"
  + " lambda match nonlocal not or pass raise return try while with yield None True False").split(" "));
const TOKENS = /(?<s>[rbfuRBFU]{0,2}(?:"""[^]*?"""|'''[^]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))|(?<c>#.*)|(?<w>[^\W\d]\w*)|\n/gu;

// Show a source in an element, with a row for each line. The source is added as text, never as HTML.
export function showSource(element, source) {
  const rows = source.replace(/\n$/, "").split("\n").map((line) => {
    const row = document.createElement("span");
    row.className = "row";
    row.style.setProperty("--in", line.search(/\S|$/) + 2);         // the indent of the wrapped part of a long line
    return row;
  });
  let line = 0;
  for (const [kind, text] of tokens(source)) {
    text.split("\n").forEach((part, i) => {
      line += i > 0;
      if (part && rows[line]) {
        rows[line].append(kind ? coloured(kind, part) : part);
      }
    });
  }
  element.replaceChildren(...rows);
  element.scrollTop = 0;
}

// Yields [kind, text] for each part of the source. kind: k keyword, d defined name, s string, c comment, or "" for the rest.
function* tokens(source) {
  let end = 0;
  let before = "";
  for (const token of source.matchAll(TOKENS)) {
    const { s, c, w } = token.groups;
    const kind = s ? "s" : c ? "c" : WORDS.has(w) ? "k" : w && /^(def|class)$/.test(before) ? "d" : "";
    before = w ?? "";
    if (kind) {
      yield ["", source.slice(end, token.index)];
      yield [kind, token[0]];
      end = token.index + token[0].length;
    }
  }
  yield ["", source.slice(end)];
}

function coloured(kind, text) {
  const element = document.createElement("i");
  element.className = kind;
  element.textContent = text;
  return element;
}

// Mark the line of this script that a traceback names last, and scroll to it. text: what the script wrote to stderr.
export function markLines(element, path, text) {
  const name = path.split("/").at(-1).replace(".", "\\.");
  const frames = [...text.matchAll(new RegExp(`File ".*?${name}", line (\\d+)`, "g"))];
  const row = element.children[Number(frames.at(-1)?.[1]) - 1];
  if (row) {
    row.classList.add("marked");
    element.scrollTop = row.offsetTop - element.offsetTop - element.clientHeight / 3;
  }
}

export function unmark(element) {
  for (const row of element.querySelectorAll(".marked")) {
    row.classList.remove("marked");
  }
}
