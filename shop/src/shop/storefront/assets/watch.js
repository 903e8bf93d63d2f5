// A purchase as it happens: each step as it is told, the way back where it turns back, and how it ended.
import { asked } from "./api.js";
import { el, svg, write } from "./element.js";
import { sentence } from "./failures.js";
import { clockTime, microseconds, money, plural } from "./figures.js";
import { caseUrl, traceUrl } from "./links.js";
import { paymentOf } from "./orders.js";
import { namesOf } from "./products.js";
import { to } from "./route.js";
import { say } from "./said.js";
import { after, NOTHING, standing, STEPS, turnedBack, why, words } from "./steps.js";
import { follow, paused } from "./stream.js";

const LOST_FOR = 800;
const TRIES = 5;

/** The view of a purchase. */
export async function watch({ parts, signal, fail }) {
  const id = parts[1];
  const purchase = await asked(`/purchases/${encodeURIComponent(id)}`, { signal, signed: true });
  const names = await namesOf(
    purchase.items.map((each) => each.product_id),
    signal,
  );
  const began = microseconds(purchase.created_at);
  const quiet = purchase.status !== "PENDING";
  let state = known(purchase);

  const heading = el("h1", { tabindex: -1 });
  const track = el("ol", { class: "track" }, STEPS.map(station));
  const outcome = el("div", { class: "outcome", hidden: true });
  const lost = el("p", { class: "banner open", role: "status", hidden: true });
  const log = el("ol", { class: "log" });
  const node = el(
    "div",
    { class: "watch" },
    el("p", { class: "kicker" }, "Purchase ", el("bdi", {}, id)),
    heading,
    el("p", { class: "lead" }, bought(purchase, names)),
    lost,
    el(
      "div",
      { class: "sides" },
      el("div", { class: "card flush" }, outcome, track, elsewhere(id)),
      el("details", { open: true }, el("summary", {}, "What has happened"), log),
    ),
  );

  function shown() {
    const steps = standing(state);
    track.classList.toggle("turned", turnedBack(state));
    steps.forEach((each) => drawn(track.children[each.at], each));
    write(
      heading,
      state.result ? HEADINGS[state.result.result] : turnedBack(state) ? "Your purchase turns back" : "Your purchase",
    );
  }

  function heard(number, type, data) {
    const before = state;
    state = after(state, number, type, data);
    if (state === before) return type === "result";
    const told = entry(type, data);
    logged(microseconds(data.time), data.result === "EXECUTE", told);
    if (!quiet) say(told);
    shown();
    if (type !== "result") return false;
    ended();
    return true;
  }

  // What is told comes by several ways: it stands in the order in which it happened, what ended before what began.
  function logged(time, begins, told) {
    const key = time * 2 + Number(begins);
    const before = [...log.children].findLast((each) => Number(each.dataset.key) <= key);
    const since = el("span", { class: "soft" }, passed(began, time));
    const line = el("li", { "data-key": key }, el("time", {}, clockTime(time)), since, el("span", {}, told));
    if (before) before.after(line);
    else log.prepend(line);
  }

  async function ended() {
    const { result, reason } = state.result;
    const tone = result === "SUCCESS" ? "good" : "bad";
    const thanks = el("p", {}, OUTCOMES[result](reason));
    outcome.replaceChildren(el("div", { class: `banner ${tone}` }, thanks));
    outcome.hidden = false;
    shown();
    if (result !== "SUCCESS") return;
    thanks.append(" ", el("a", { href: to(["orders"]) }, "See your orders"));
    const paid = await payment();
    if (paid) thanks.prepend(`You paid ${money(paid.amount, paid.currency)}. `);
  }

  async function payment() {
    for (let tries = 1; tries <= TRIES && !signal.aborted; tries += 1) {
      const found = await paymentOf(id, signal).catch(() => null);
      if (found) return found;
      await paused(1000 * tries, signal);
    }
    return null;
  }

  let waiting = null;
  function onState(now) {
    clearTimeout(waiting);
    if (now === "open") lost.hidden = true;
    else
      waiting = setTimeout(() => {
        write(
          lost,
          "The shop is away for a moment. Your purchase goes on; what happens is shown here as soon as it is back.",
        );
        lost.hidden = false;
      }, LOST_FOR);
  }

  shown();
  if (state.result) ended();
  signal.addEventListener("abort", () => clearTimeout(waiting));
  follow(`/purchases/${encodeURIComponent(id)}/events`, { last: 0, heard, onState, signal }).catch(
    (error) => !signal.aborted && fail(error),
  );
  return { title: "Your purchase", node, page: "orders" };
}

const HEADINGS = { SUCCESS: "It is yours", FAILED: "Nothing was bought", ROLLBACK_FAILED: "Not all of it could be undone" };
const OUTCOMES = {
  SUCCESS: () => "Thank you. Your goods are on their way.",
  FAILED: (reason) => `${sentence(why(reason))} Whatever had been done was undone, the last of it first.`.trim(),
  ROLLBACK_FAILED: (reason) => `${sentence(why(reason))} Somebody at the shop sees to what is left of it.`.trim(),
};
const ENDS = {
  SUCCESS: "The purchase is done",
  FAILED: "The purchase has turned back; nothing of it is left",
  ROLLBACK_FAILED: "The purchase has ended, and not all of it could be undone",
};
const TOLD = {
  EXECUTE: () => "under way",
  SUCCESS: (step) => step.does,
  FAILED: () => "did not work",
  ROLLBACK: (step) => step.undone,
  ROLLBACK_FAILED: () => "could not be undone yet",
};

function entry(type, data) {
  if (type === "result") return sentence(ENDS[data.result]);
  const step = STEPS.find((each) => each.step === data.step);
  const because = data.reason && data.result !== "ROLLBACK" ? `: ${why(data.reason)}` : "";
  return sentence(`${step?.title ?? data.step}: ${TOLD[data.result]?.(step) ?? data.result}${because}`);
}

// What is known before the stream is open.
function known(purchase) {
  const told = purchase.steps
    .filter((each) => each.result)
    .map((each) => [each.step, { result: each.result, reason: each.reason, time: each.at }]);
  const result = purchase.status === "PENDING" ? null : { result: purchase.status, reason: purchase.reason };
  return { ...NOTHING, told: Object.fromEntries(told), result };
}

function station({ title }) {
  return el(
    "li",
    {},
    el("span", { class: "mark", "aria-hidden": "true" }),
    el("h2", {}, title),
    el("p", { class: "state" }),
    el("p", { class: "why" }),
  );
}

const MARKS = {
  done: "M5 11l4 4 8-9",
  failed: "M6 6l10 10M16 6L6 16",
  undone: "M6 9h7a4 4 0 0 1 0 8H8M6 9l4-4M6 9l4 4",
  undo: "M6 9h7a4 4 0 0 1 0 8H8M6 9l4-4M6 9l4 4",
  stuck: "M11 5v8M11 16v1",
};

function drawn(item, each) {
  if (item.dataset.state === each.state) return;
  item.dataset.state = each.state;
  const path = MARKS[each.state];
  item
    .querySelector(".mark")
    .replaceChildren(path ? svg("svg", { viewBox: "0 0 22 22" }, svg("path", { d: path })) : String(each.at + 1));
  write(item.querySelector(".state"), sentence(words(each)).replace(/ …\.$/, " …"));
  write(item.querySelector(".why"), each.state === "failed" || each.state === "stuck" ? sentence(why(each.reason)) : "");
}

function bought(purchase, names) {
  const many = purchase.items.map((each) => `${each.quantity.toLocaleString()} × ${names.get(each.product_id)}`);
  const shown = many.length > 4 ? [...many.slice(0, 3), `and ${plural(many.length - 3, "product")} more`] : many;
  return `${shown.join(", ")} for ${money(purchase.quoted, purchase.currency)}`;
}

function passed(began, time) {
  const seconds = Math.max(0, time - began) / 1e6;
  return `+${seconds < 10 ? seconds.toFixed(2) : Math.round(seconds).toLocaleString()} s`;
}

function elsewhere(id) {
  const found = [
    [caseUrl(id), "Its case in Sagacity"],
    [traceUrl(id), "Its trace"],
  ].filter(([address]) => address);
  if (!found.length) return null;
  return el(
    "p",
    { class: "elsewhere" },
    found.map(([href, name]) => el("a", { href }, name)),
  );
}
