// One product: what it is, what it costs, how many are left, and into the basket with it.
import { art } from "./art.js";
import * as basket from "./basket.js";
import { el, write } from "./element.js";
import { money } from "./figures.js";
import { product, stock } from "./products.js";
import { to } from "./route.js";
import { say } from "./said.js";

const EVERY = 10000;

/** The view of a product. What is left is looked at anew while it is seen. */
export async function ware({ parts, signal }) {
  const id = parts[1];
  let seen = await product(id, signal);
  const left = el("p", { class: "stock" });
  const price = el("p", { class: "price" });
  const inBasket = el("p", { class: "soft", role: "status" });
  const wrong = el("span", { class: "wrong-field", id: "many-wrong" });
  const many = el("input", {
    id: "many",
    type: "number",
    min: 1,
    value: 1,
    inputmode: "numeric",
    "aria-describedby": "many-wrong",
  });
  const add = el("button", { class: "primary", type: "submit" }, "Add to the basket");
  const form = el(
    "form",
    { novalidate: true, class: "add", onsubmit: added },
    el("p", { class: "field" }, el("label", { for: "many" }, "Quantity"), many),
    add,
    wrong,
  );

  function shown() {
    const now = stock(seen);
    write(left, now.words);
    left.className = `stock ${now.tone}`;
    write(price, money(seen.price, seen.currency));
    many.max = String(Math.min(seen.inventory, basket.MOST));
    form.hidden = seen.inventory <= 0;
  }

  function counted() {
    const there = basket.quantity(id);
    inBasket.replaceChildren(
      ...(there ? [`${there.toLocaleString()} in `, el("a", { href: to(["basket"]) }, "your basket")] : []),
    );
  }

  function added(event) {
    event.preventDefault();
    const wanted = Number(many.value);
    const all = basket.quantity(id) + wanted;
    const why =
      !Number.isInteger(wanted) || wanted < 1
        ? "Quantity must be 1 or more."
        : all > seen.inventory
          ? `There are only ${seen.inventory.toLocaleString()} of it, and with your basket that would be ${all.toLocaleString()}.`
          : basket.full(id)
            ? "Your basket is full: buy what is in it first."
            : "";
    write(wrong, why);
    many.toggleAttribute("aria-invalid", Boolean(why));
    if (why) return many.focus();
    basket.put(id, all);
    many.value = "1";
  }

  async function looked() {
    if (document.hidden) return;
    try {
      const before = seen.inventory;
      seen = await product(id, signal);
      shown();
      if (before > 0 && seen.inventory === 0) say(`${seen.name} is sold out`);
    } catch {
      // What is shown stays, until it can be looked at again.
    }
  }

  basket.onChange(counted, signal);
  const timer = setInterval(looked, EVERY);
  signal.addEventListener("abort", () => clearInterval(timer));
  document.addEventListener("visibilitychange", looked, { signal });
  shown();
  counted();
  const back = seen.category_id ? to([], { category: seen.category_id }) : "#/";
  const node = el(
    "article",
    { class: "product" },
    el("div", { class: "picture" }, art(seen.id)),
    el(
      "div",
      {},
      el("p", { class: "kicker" }, el("a", { href: back }, "Products"), ` · ${seen.brand_name}`),
      el("h1", { tabindex: -1 }, seen.name),
      price,
      left,
      form,
      inBasket,
      seen.description &&
        el(
          "div",
          { class: "description" },
          seen.description.split(/\n{2,}/).map((each) => el("p", {}, each)),
        ),
    ),
  );
  return { title: seen.name, node, page: "shelf" };
}
