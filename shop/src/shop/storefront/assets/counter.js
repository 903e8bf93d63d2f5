// The basket, and buying what is in it: one purchase for each currency, since a purchase has one.
import { asked } from "./api.js";
import { art } from "./art.js";
import * as basket from "./basket.js";
import { el, write } from "./element.js";
import { Away, Refused, sentence, SignedOut } from "./failures.js";
import { money, plural } from "./figures.js";
import { drawn, rememberTrace } from "./links.js";
import { productsOf, stock } from "./products.js";
import { to } from "./route.js";
import { say } from "./said.js";
import { known } from "./session.js";
import { paused } from "./stream.js";

const TRIES = 5;

/** The view of the basket. */
export async function counter({ signal, go, again }) {
  const [wares, signed] = await Promise.all([
    productsOf(
      basket.items().map(([id]) => id),
      signal,
    ),
    known(),
  ]);
  const rows = basket.items().map(([id, many]) => row(id, many, wares.get(id)));
  const sold = rows.filter((each) => each.ware);
  const currencies = [...new Set(sold.map((each) => each.ware.currency))].sort();
  let leaving = false;
  const placed = (lines, id) => {
    leaving = true;
    basket.bought(lines);
    if (!signal.aborted) go(to(["purchases", id]));
  };
  const tills = currencies.map((currency) =>
    till(
      currency,
      sold.filter((each) => each.ware.currency === currency),
      { signed, signal, go, placed },
    ),
  );
  const left = () => tills.forEach((each) => each.counted());
  for (const each of rows) each.onChange(left);
  const ids = rows.map((each) => each.id).join();
  // Another tab may have put something in, or bought it.
  basket.onChange(
    () =>
      basket
        .items()
        .map(([id]) => id)
        .join() !== ids &&
      !leaving &&
      again(),
    signal,
  );
  left();
  const gone = rows.filter((each) => !each.ware);
  const node = el(
    "div",
    { class: "counter" },
    el("h1", { tabindex: -1 }, "Your basket"),
    rows.length === 0 &&
      el("p", { class: "card" }, "There is nothing in it yet. ", el("a", { href: "#/" }, "See what there is")),
    gone.length > 0 &&
      el(
        "ul",
        { class: "card lines" },
        gone.map((each) => each.node),
      ),
    tills.map((each) => each.node),
  );
  return { title: "Your basket", node, page: "basket" };
}

function row(id, many, ware) {
  const name = ware?.name ?? "A product that is sold no more";
  const wrong = el("span", { class: "wrong-field", id: `wrong-${id}` });
  const sum = el("strong", { class: "sum" });
  let heard = () => {};
  const input = el("input", {
    type: "number",
    min: 1,
    max: basket.MOST,
    value: many,
    inputmode: "numeric",
    id: `many-${id}`,
    "aria-describedby": `wrong-${id}`,
    oninput: changed,
  });
  const remove = el("button", { class: "link", type: "button", "aria-label": `Remove ${name}`, onclick: removed }, "Remove");

  function quantity() {
    const value = Number(input.value);
    return Number.isInteger(value) && value >= 1 && value <= basket.MOST ? value : null;
  }

  function tell(why) {
    write(wrong, why);
    if (why) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }

  function changed() {
    const value = quantity();
    tell(
      value === null
        ? "Quantity must be a whole number, 1 or more."
        : ware && value > ware.inventory
          ? `${stock(ware).words}.`
          : "",
    );
    if (value !== null) basket.put(id, value);
    heard();
  }

  function removed() {
    say(`${name} removed`);
    basket.put(id, 0);
  }

  const node = el(
    "li",
    { class: "line" },
    art(id),
    el(
      "div",
      { class: "what" },
      ware ? el("a", { href: to(["products", id]) }, name) : el("span", {}, name),
      ware && el("span", { class: "soft small" }, `${money(ware.price, ware.currency)} each`),
      wrong,
    ),
    ware && el("label", { class: "many" }, el("span", { class: "hidden" }, `Quantity of ${name}`), input),
    ware && sum,
    remove,
  );
  if (ware && many > ware.inventory) tell(`${stock(ware).words}.`);
  const counted = () => ware && write(sum, money(ware.price * (quantity() ?? 0), ware.currency));
  return { id, ware, node, input, quantity, tell, counted, onChange: (listener) => (heard = listener) };
}

function till(currency, rows, { signed, signal, go, placed }) {
  const total = el("output", { class: "total" });
  const told = el("div", { class: "banner bad", role: "alert", hidden: true });
  const progress = el("p", { class: "soft", role: "status" });
  const button = el("button", { class: "primary wide", type: "submit" });
  let buying = false;

  function counted() {
    rows.forEach((each) => each.counted());
    const sum = rows.reduce((so, each) => so + each.ware.price * (each.quantity() ?? 0), 0);
    write(total, money(sum, currency));
    write(button, signed ? `Buy for ${money(sum, currency)}` : "Log in to buy");
  }

  function tell(words, at = button) {
    told.hidden = !words;
    write(told, words);
    if (words) at.focus();
  }

  async function bought(event) {
    event.preventDefault();
    if (buying) return;
    if (!signed) return go(to(["login"], { then: "#/basket", why: "buy" }));
    const unclear = rows.find((each) => each.quantity() === null);
    if (unclear) return unclear.input.focus();
    buying = true;
    button.setAttribute("aria-disabled", "true");
    tell("");
    try {
      await buy();
    } catch (error) {
      if (!signal.aborted) refused(error);
    } finally {
      buying = false;
      button.removeAttribute("aria-disabled");
      write(progress, "");
    }
  }

  async function buy() {
    const lines = rows.map((each) => [each.id, each.quantity()]);
    const { key, trace } = basket.intent(lines, currency);
    const body = { items: lines.map(([product_id, quantity]) => ({ product_id, quantity })), currency };
    // The trace begins here, so that it is known; sent again, it is the same purchase and the same trace.
    const headers = { "idempotency-key": key, traceparent: `00-${trace}-${drawn(8)}-01` };
    for (let tries = 1; ; tries += 1) {
      try {
        const { id } = await asked("/purchases", { method: "POST", body, headers, signed: true });
        rememberTrace(id, trace);
        return placed(lines, id);
      } catch (error) {
        if (!(error instanceof Away) || tries === TRIES || signal.aborted) throw error;
        write(progress, "The shop cannot be reached: asking again. It is bought once only.");
        await paused(1000 * tries, signal);
      }
    }
  }

  function refused(error) {
    if (error instanceof SignedOut) return go(to(["login"], { then: "#/basket", why: "ended" }));
    if (error instanceof Away)
      return tell("The shop cannot be reached just now. Nothing is lost: buy again, and it is bought once only.");
    if (!(error instanceof Refused)) throw error;
    let first = null;
    const rest = [];
    for (const [path, why] of Object.entries(error.fields)) {
      const meant = rows[/^items\.(\d+)\./.exec(path)?.[1]];
      if (meant) {
        meant.tell(sentence(why));
        first ??= meant.input;
      } else if (path !== "Idempotency-Key") rest.push(sentence(why));
    }
    return tell([sentence(error.message), ...rest].join(" "), first ?? button);
  }

  const many = plural(rows.length, "product");
  const node = el(
    "form",
    { class: "card till", novalidate: true, onsubmit: bought, "aria-label": `What costs ${currency}` },
    told,
    el(
      "ul",
      { class: "lines" },
      rows.map((each) => each.node),
    ),
    el("div", { class: "pay" }, el("p", {}, el("span", { class: "soft" }, `${many} · `), "Total ", total), button, progress),
  );
  return { node, counted };
}
