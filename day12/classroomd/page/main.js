// The page of `make class`: chooses the view, handles the keys, and sets the size of the content.
import { get } from "./api.js";
import { complain, find, make } from "./page.js";
import { showLesson } from "./lesson.js";
import { showServers } from "./servers.js";
import { showChat } from "./chat.js";
import { showExplorer } from "./explorer.js";
import { showRace } from "./race.js";

const VIEWS = { servers: showServers, chat: showChat, explorer: showExplorer, race: showRace };
const SIZES = [0.7, 0.85, 1, 1.2, 1.45, 1.75, 2.1];

// The view that is shown. keys: {name of a key: function}. leave(): ends the runs of the view.
let view = {};
let course = null;

async function route() {
  view.leave?.();
  complain(null);
  const [name, ...rest] = decodeURIComponent(location.hash.slice(1)).split("/");
  try {
    course ??= await get("course");
    const script = course.days.flatMap(({ scripts }) => scripts).find(({ path }) => path === [name, ...rest].join("/"));
    const template = VIEWS[name] ? name : script ? "lesson" : "course";
    const root = find(`view-${template}`).content.cloneNode(true).firstElementChild;
    find("view").replaceChildren(root);
    document.body.className = template === "lesson" ? "fixed" : "";
    document.title = `${script?.name ?? "Classroom"} · 课堂`;
    view = VIEWS[name]?.(root, course, rest.join("/")) ?? (script ? showLesson(root, course, script) : showCourse(root, name));
    scrollTo(0, 0);
    find("scripts").hash = script ? name : "";         // the link leads from a lesson back to its day
    (find(`to-${name}`) ?? find("view")).focus({ preventScroll: true });
    find(name)?.scrollIntoView();
  } catch (error) {
    complain(error);
  }
  for (const link of document.querySelectorAll(".bar nav a")) {
    const here = VIEWS[name] ? link.hash.slice(1) === name : link.id === "scripts";
    link[here ? "setAttribute" : "removeAttribute"]("aria-current", "page");
  }
}

// Show the list of all days and their scripts.
function showCourse(root) {
  root.querySelector(".jump").append(...course.days.map(({ day, title }) => {
    const link = make("a", "", `${Number(day)}`);
    link.href = `#day${day}`;
    link.id = `to-day${day}`;
    link.title = `${title.en} ${title.zh}`;
    link.ariaLabel = link.title;
    return link;
  }));
  root.querySelector(".days").append(...course.days.map(({ day, title, scripts }) => {
    const section = make("section", "day");
    section.id = `day${day}`;
    const list = make("ul");
    list.append(...scripts.map((script) => {
      const item = make("li");
      const link = make("a");
      link.href = `#${script.path}`;
      const what = make("span", "what", script.title.en, script.title.zh);
      link.append(make("b", "", script.path.slice(6)), what);
      item.append(link);
      return item;
    }));
    section.append(make("h2", "", title.en, title.zh), list);
    return section;
  }));
  return {};
}


// ---- Size and keys ----

function resize(step) {
  const now = SIZES.indexOf(Number(localStorage.getItem("size") ?? 1));
  const size = SIZES[Math.min(Math.max((now < 0 ? 2 : now) + step, 0), SIZES.length - 1)];
  localStorage.setItem("size", size);
  document.documentElement.style.setProperty("--zoom", size);
  find("smaller").disabled = size === SIZES[0];
  find("larger").disabled = size === SIZES.at(-1);
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) {
    return;
  }
  if (event.key.startsWith("Page") && event.target.closest(".source, .log, .system")) {
    return;                               // the key scrolls this element; elsewhere, the key is from a presenter's clicker
  }
  const act = { "+": () => resize(1), "=": () => resize(1), "-": () => resize(-1) }[event.key] ?? view.keys?.[event.key];
  if (act) {
    event.preventDefault();
    act();
  }
});

find("smaller").addEventListener("click", () => resize(-1));
find("larger").addEventListener("click", () => resize(1));
addEventListener("hashchange", route);
resize(0);
route();
