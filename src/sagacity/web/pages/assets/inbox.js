// Working through findings by keyboard, and acting on them without leaving the page.
import { announce, outdate, parsed, refresh, renew } from "./live.js";

const SENSIBLE = { acknowledge: ["open"], waive: ["open", "acknowledged"], reopen: ["acknowledged", "waived"] };
const form = document.getElementById("inbox") ?? document.getElementById("one");
const waive = document.getElementById("waive");
const help = document.getElementById("help");
const rows = () => [...document.querySelectorAll(".findings tbody tr[data-key]")];
const boxes = () => [...document.querySelectorAll(".findings input[name=id]")];
const current = () => document.activeElement?.closest?.(".findings tbody tr[data-key]") ?? marked();
const marked = () => rows().find((row) => row.dataset.here !== undefined) ?? null;
let asked = [];

function mark(row) {
  for (const each of rows()) if (each !== row) delete each.dataset.here;
  if (row) row.dataset.here = "";
}

function go(row) {
  if (!row) return;
  mark(row);
  row.querySelector("a.say")?.focus();
  row.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(current());
  go(all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)]);
}

// The chosen findings; else the one that is being looked at; on a finding's page, that.
function chosen() {
  const checked = boxes().filter((box) => box.checked).map((box) => box.value);
  if (checked.length) return checked;
  const row = current();
  if (row) return [row.dataset.key];
  return [...document.querySelectorAll("#one input[name=id]")].map((field) => field.value);
}

function sensible(what, ids) {
  const states = new Map(boxes().map((box) => [box.value, box.dataset.state]));
  return ids.filter((id) => !states.has(id) || SENSIBLE[what].includes(states.get(id)));
}

function tell() {
  const place = document.getElementById("chosen");
  if (!place) return;
  const count = boxes().filter((box) => box.checked).length;
  const words = count ? `${count} chosen` : "";
  if (place.textContent !== words) place.textContent = words;
}

async function send(what, ids, more = {}) {
  const body = new URLSearchParams({ csrf: field("csrf"), back: field("back"), what, ...more });
  for (const id of ids) body.append("id", id);
  const next = after(ids);
  let answer;
  outdate();
  try {
    answer = await fetch("/findings/act", { method: "POST", body, credentials: "same-origin" });
  } catch {
    return announce("The server cannot be reached; nothing was done.");
  }
  if (answer.redirected && new URL(answer.url).pathname === "/login") return location.reload();
  const page = parsed(await answer.text());
  outdate();
  if (!answer.ok) {
    const wrong = page.querySelector(".wrong")?.textContent ?? "It could not be done.";
    show("wrong", wrong);
    return refresh();
  }
  for (const box of boxes()) if (ids.includes(box.value)) box.checked = false;
  const stay = new Set([...page.querySelectorAll(".findings tbody tr[data-key]")].map((row) => row.dataset.key));
  for (const row of rows()) if (ids.includes(row.dataset.key) && !stay.has(row.dataset.key)) row.remove();
  renew(page, { all: !rows().length });
  tell();
  show("done", page.querySelector("#said .done")?.textContent ?? "");
  if (next && next.isConnected) go(next);
  else if (rows().length && ids.length) go(rows().at(-1));
}

// Where to go on after these are dealt with: the next row that is not one of them.
function after(ids) {
  const all = rows();
  const at = all.findIndex((row) => ids.includes(row.dataset.key));
  if (at < 0) return null;
  return all.slice(at).find((row) => !ids.includes(row.dataset.key)) ?? all[at];
}

// Said above what is being read, and gone after a while, so that it pushes nothing down.
let fading = null;
function show(kind, text) {
  const place = document.getElementById("said");
  if (!place) return;
  clearTimeout(fading);
  place.replaceChildren();
  place.className = "toast";
  if (kind === "done") fading = setTimeout(() => place.replaceChildren(), 8000);
  if (!text) return;
  const line = document.createElement("p");
  line.className = kind;
  line.textContent = text;
  place.append(line);
  announce(text);
}

const field = (name) => document.querySelector(`form[method=post][action^="/findings"] input[name=${name}]`)?.value ?? "";

function act(what, from) {
  if (!form || !document.querySelector("[data-act]")) return;
  const all = from ?? chosen();
  const ids = sensible(what, all);
  if (!all.length) return announce("Choose a finding first, with j and k.");
  if (!ids.length) return show("wrong", what === "reopen" ? "Only acknowledged or waived findings can be reopened."
    : `The chosen findings cannot be ${what === "waive" ? "waived" : "acknowledged"} any more.`);
  if (what !== "waive") return void send(what, ids);
  asked = ids;
  waive.querySelector("h2").textContent = ids.length === 1 ? "Waive this finding" : `Waive ${ids.length} findings`;
  waive.showModal();
  waive.querySelector("[name=reason]").focus();
}

if (form) {
  form.addEventListener("submit", (event) => {
    const what = event.submitter?.dataset.act;
    if (!what) return;
    event.preventDefault();
    act(what);
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches?.(".findings input[name=id]")) tell();
  });
}
document.addEventListener("focusin", (event) => {
  const row = event.target.closest?.(".findings tbody tr[data-key]");
  if (row) mark(row);
});

waive?.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const given = new FormData(event.target);
  waive.close();
  send("waive", asked, { reason: given.get("reason"), term: given.get("term") ?? "", until: given.get("until") ?? "" });
  event.target.reset();
});
for (const box of [waive, help]) {
  box?.addEventListener("click", (event) => {
    if (event.target === box || event.target.closest("[data-close]")) box.close();
  });
  box?.addEventListener("close", () => go(marked()));
}

const showKeys = document.getElementById("show-keys");
if (showKeys && help) {
  showKeys.hidden = false;
  showKeys.addEventListener("click", () => help.showModal());
}

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  a: () => act("acknowledge"),
  w: () => act("waive"),
  r: () => act("reopen"),
  n: () => refresh({ all: true }),
  "/": () => document.getElementById("search")?.focus(),
  "?": () => help?.showModal(),
  x: () => {
    const box = current()?.querySelector("input[name=id]");
    if (box) {
      box.checked = !box.checked;
      tell();
    }
  },
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const typing = event.target.closest?.("input:not([type=checkbox]), select, textarea");
  if (typing) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "Enter" && event.target === document.body) return marked()?.querySelector("a.say")?.click();
  const todo = KEYS[event.key];
  if (!todo) return;
  event.preventDefault();
  todo();
});

// Filters take effect as they are chosen; the address says what is shown.
const filters = document.getElementById("filters");
filters?.addEventListener("change", (event) => {
  if (event.target.matches("select")) filters.requestSubmit();
});
filters?.addEventListener("submit", (event) => {
  event.preventDefault();
  const query = new URLSearchParams([...new FormData(filters)].filter(([, value]) => value));
  location.assign(`${filters.action}${query.size ? `?${query}` : ""}`);
});
document.addEventListener("renewed", tell);
tell();
