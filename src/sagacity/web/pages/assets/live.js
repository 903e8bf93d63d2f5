// Keeps a page fresh: listens to the server's changes, reads the page anew, and renews the parts marked `data-live` in place.
// A part marked `keep` holds a list that is being worked on: its rows change where they stand, and none comes or goes by itself.
// One marked `still` stands above such a list: what is there is renewed, and nothing else, so that nothing is pushed down.
import { morph } from "./morph.js";

const AT_MOST_EVERY = 2000;
const AT_LEAST_EVERY = Number(document.body.dataset.every) || 10000;
const HIDDEN_EVERY = 15000;

const parser = new DOMParser();
const spoken = document.getElementById("announce");
let last = Date.now();
let timer = null;
let running = Promise.resolve();
let opened = 0;
let connected = true;
let source = null;
let era = 0;

export function announce(text) {
  if (!spoken) return;
  spoken.textContent = "";
  setTimeout(() => (spoken.textContent = text), 50);
}

const said = (n) => (n === 1 ? "1 finding" : `${n.toLocaleString("en")} findings`);
const rowsOf = (part) => new Map([...part.querySelectorAll("[data-key]")].map((row) => [row.dataset.key, row]));

function pulse() {
  const word = document.getElementById("pulse-word");
  if (!word || connected) return;
  word.textContent = "reconnecting";
  word.className = "dot open";
}

// Rows that are in both are renewed; what is gone is marked; what has come on top is counted and offered.
function keep(part, fresh) {
  const here = rowsOf(part);
  const there = rowsOf(fresh);
  if (!here.size) {
    if (there.size) announce(`${said(there.size)} arrived`);
    return morph(part, fresh);
  }
  let arrived = 0;
  let top = true;
  for (const [key, row] of there) {
    const known = here.get(key);
    if (known) {
      top = false;
      known.classList.remove("gone");
      morph(known, row);
    } else if (top) {
      arrived += 1;
    }
  }
  for (const [key, row] of here) if (!there.has(key)) row.classList.add("gone");
  offer(arrived);
}

function still(part, fresh) {
  const there = rowsOf(fresh);
  for (const [key, row] of rowsOf(part)) if (there.has(key)) morph(row, there.get(key));
}

function offer(arrived) {
  const button = document.getElementById("arrivals");
  if (!button) return;
  const words = `${said(arrived)} arrived: show`;
  if (arrived && (button.hidden || button.textContent !== words)) announce(`${said(arrived)} arrived; press n to show`);
  button.textContent = words;
  button.hidden = !arrived;
}

// Renews the page from a newer one. `all`: lists that are worked on, too.
export function renew(fresh, { all = false } = {}) {
  const held = document.activeElement?.closest?.("[data-key]");
  const stood = held?.getBoundingClientRect().top;
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = part.id && fresh.getElementById(part.id);
    if (!next || !part.isConnected) continue;
    if (part.dataset.live === "keep" && !all) keep(part, next);
    else if (part.dataset.live === "still" && !all) still(part, next);
    else morph(part, next);
  }
  if (all) offer(0);
  if (held?.isConnected) scrollBy({ top: held.getBoundingClientRect().top - stood, behavior: "instant" });
  document.title = fresh.title;
  const icon = document.querySelector("link[rel=icon]");
  const other = fresh.querySelector("link[rel=icon]");
  if (icon && other && icon.getAttribute("href") !== other.getAttribute("href")) icon.href = other.getAttribute("href");
  pulse();
  document.dispatchEvent(new CustomEvent("renewed"));
}

export const parsed = (text) => parser.parseFromString(text, "text/html");

// What was asked for before something was done is not shown after it.
export const outdate = () => (era += 1);

export const refresh = (options) => (running = running.then(() => once(options)));

async function once(options) {
  last = Date.now();
  const asked = era;
  try {
    const address = new URL(location.href);
    address.hash = "";
    address.searchParams.delete("done");
    const answer = await fetch(address, { headers: { accept: "text/html" }, credentials: "same-origin" });
    if (answer.redirected && new URL(answer.url).pathname === "/login") return location.reload();
    const text = await answer.text();
    if (!answer.ok || asked !== era) return;
    const fresh = parsed(text);
    if (document.getElementById("missing") && !fresh.getElementById("missing")) return location.reload();
    renew(fresh, options);
  } catch {
    // The server is away: the next change, or the next look, tries again.
  }
}

function soon() {
  if (timer) return;
  const every = document.hidden ? HIDDEN_EVERY : AT_MOST_EVERY;
  timer = setTimeout(async () => {
    timer = null;
    const count = opened;
    opened = 0;
    await refresh();
    if (count && !document.getElementById("arrivals")) announce(`${said(count)} opened`);
  }, Math.max(120, last + every - Date.now()));
}

function listen() {
  const address = document.body.dataset.changes;
  if (!address || source) return;
  source = new EventSource(address);
  const heard = (event) => {
    try {
      const change = JSON.parse(event.data);
      opened += (change.opened ?? 0) + (change.reopened ?? 0);
    } catch {
      // `reload` carries nothing: what is shown is read anew either way.
    }
    soon();
  };
  for (const kind of ["change", "reload", "message"]) source.addEventListener(kind, heard);
  source.addEventListener("open", () => {
    if (!connected) soon();
    connected = true;
  });
  source.addEventListener("error", () => {
    connected = false;
    pulse();
    if (source?.readyState === EventSource.CLOSED) {
      deaf();
      setTimeout(listen, 5000);
    }
  });
}

function deaf() {
  source?.close();
  source = null;
}

addEventListener("pagehide", deaf);
addEventListener("pageshow", (event) => {
  if (event.persisted) {
    listen();
    soon();
  }
});
// Browsers hold few connections to a server: a page that nobody sees gives its own up, and looks now and then.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return deaf();
  listen();
  if (Date.now() - last > AT_MOST_EVERY) soon();
});
setInterval(() => {
  if (Date.now() - last >= (document.hidden ? HIDDEN_EVERY : AT_LEAST_EVERY)) soon();
}, 1000);

// What was just done is said once: the address forgets it, so that it is not said again.
const address = new URL(location.href);
if (address.searchParams.has("done")) {
  address.searchParams.delete("done");
  history.replaceState(null, "", address);
}
// On narrow screens the page one is on may stand beyond the edge of the navigation.
const here = document.querySelector(".bar nav [aria-current]");
if (here) here.closest("nav").scrollLeft = Math.max(0, here.offsetLeft - 120);
document.addEventListener("click", (event) => {
  const pressed = event.target.closest?.("#arrivals");
  if (pressed) refresh({ all: true });
});
if (document.body.dataset.changes) listen();
