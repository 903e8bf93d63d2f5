// The page: which view is shown, who is logged in, and what is said when the shop is away.
import { asked } from "./api.js";
import * as basket from "./basket.js";
import { counter } from "./counter.js";
import { el, write } from "./element.js";
import { login, register } from "./entry.js";
import { Away, Refused, sentence, SignedOut } from "./failures.js";
import { plural } from "./figures.js";
import { orders } from "./orders.js";
import { ware } from "./product.js";
import { parsed, to } from "./route.js";
import { say } from "./said.js";
import { current, leave, named, onChange } from "./session.js";
import { shelf } from "./shelf.js";
import { paused } from "./stream.js";
import { watch } from "./watch.js";

// By the first part of a route, and how many there are.
const VIEWS = {
  "/0": shelf,
  "products/2": ware,
  "basket/1": counter,
  "login/1": login,
  "register/1": register,
  "orders/1": orders,
  "purchases/2": watch,
};
const PAUSES = [1000, 2000, 3000, 5000, 8000];
const SLOW = 300;

const main = document.getElementById("main");
const away = document.getElementById("away");
let shown = new AbortController();
let first = true;

const go = (hash) => {
  if (location.hash === hash) open();
  else location.hash = hash;
};

async function open() {
  shown.abort();
  shown = new AbortController();
  const { signal } = shown;
  const route = parsed(location.hash);
  const view = VIEWS[`${route.parts[0] ?? ""}/${route.parts.length}`] ?? missing;
  const again = () => signal.aborted || open();
  const fail = (error) => {
    const found = problem(error, route);
    if (found.redirect) go(found.redirect);
    else place(found);
  };
  const busy = setTimeout(() => main.setAttribute("aria-busy", "true"), SLOW);
  for (let tries = 0; !signal.aborted; tries += 1) {
    try {
      const found = await view({ ...route, signal, go, again, fail });
      clearTimeout(busy);
      if (signal.aborted) return;
      if (found.redirect) return go(found.redirect);
      return place(found);
    } catch (error) {
      if (signal.aborted) return clearTimeout(busy);
      if (!(error instanceof Away)) {
        clearTimeout(busy);
        return fail(error);
      }
      tellAway(true);
      await paused(PAUSES[Math.min(tries, PAUSES.length - 1)], signal);
    }
  }
  clearTimeout(busy);
}

function place({ node, title, page }) {
  tellAway(false);
  main.removeAttribute("aria-busy");
  main.replaceChildren(node);
  document.title = title === "The shop" ? title : `${title} · The shop`;
  for (const link of document.querySelectorAll("[data-page]")) {
    if (link.dataset.page === page) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  // A reader who has followed a link begins at the top of what it led to; who has just come begins where a page begins.
  if (!first && !main.contains(document.activeElement)) {
    main.querySelector("h1")?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
  first = false;
}

function problem(error, route) {
  if (error instanceof SignedOut) {
    const why = lastLogin && !current() ? "ended" : "buy";
    return { redirect: to(["login"], { then: route.hash, why }) };
  }
  if (error instanceof Refused && error.status < 500)
    return missing(route, error.status === 403 || error.status === 404 ? sentence(error.message) : undefined);
  console.error(error);
  const words = error instanceof Refused ? sentence(error.message) : "Something went wrong on this page.";
  const retry = el("button", { type: "button", onclick: open }, "Try again");
  return {
    title: "Something went wrong",
    node: el("div", {}, el("h1", { tabindex: -1 }, "Something went wrong"), el("p", { class: "card" }, words, " ", retry)),
  };
}

function missing(_, words = "There is nothing at this address.") {
  const link = el("a", { href: "#/" }, "See what there is");
  return {
    title: "Not found",
    node: el("div", {}, el("h1", { tabindex: -1 }, "Not found"), el("p", { class: "card" }, words, " ", link)),
  };
}

function tellAway(now) {
  if (!now) return away.replaceChildren();
  if (away.firstChild) return undefined;
  return away.append(
    el(
      "p",
      { class: "banner open" },
      el("strong", {}, "The shop cannot be reached. "),
      "It is asked again and again; what you wanted comes as soon as it is back.",
    ),
  );
}

let lastLogin = null;
async function whoIsHere() {
  const who = document.getElementById("who");
  const session = current();
  if (session) {
    const out = el("button", { class: "link", type: "button", onclick: loggedOut }, "Log out");
    who.replaceChildren(el("span", { class: "soft" }, session.name ?? ""), out);
    if (session.name === null)
      await asked("/account/customer/personal", { signed: true })
        .then((found) => named(session.login, found.first_name))
        .catch(() => {});
  } else {
    const then = ["login", "register"].includes(parsed(location.hash).parts[0]) ? "" : location.hash;
    who.replaceChildren(el("a", { href: to(["login"], { then }) }, "Log in"));
  }
  lastLogin = session?.login ?? lastLogin;
}

function loggedOut() {
  lastLogin = null;
  leave();
  say("You are logged out");
  lastLogin = null;
  if (["orders", "purchases"].includes(parsed(location.hash).parts[0])) go("#/");
  else open();
}

function counted() {
  const badge = document.getElementById("basket-count");
  const many = basket.size();
  badge.hidden = many === 0;
  badge.replaceChildren(
    many > 999 ? "999+" : String(many),
    el("span", { class: "hidden" }, ` ${many === 1 ? "unit" : "units"} in it`),
  );
}

let size = basket.size();
basket.onChange(() => {
  counted();
  if (basket.size() > size) say(`In your basket: ${plural(basket.size(), "unit")}`);
  size = basket.size();
});
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
addEventListener("hashchange", () => {
  whoIsHere();
  open();
});
onChange(whoIsHere);
write(document.getElementById("opening"), "");
counted();
whoIsHere();
open();
