// What there is to buy: by category, page by page.
import { asked } from "./api.js";
import { art } from "./art.js";
import { el } from "./element.js";
import { money } from "./figures.js";
import { stock } from "./products.js";
import { to } from "./route.js";

const PAGE = 12;
const CATEGORY_PAGES = 5;
const cameFrom = new Map();

/** The view of products. */
export async function shelf({ query, signal, hash }) {
  const chosen = query.get("category");
  const after = query.get("after");
  const asks = new URLSearchParams({ limit: PAGE, ...(chosen && { category_id: chosen }), ...(after && { after }) });
  const [page, kinds] = await Promise.all([asked(`/products?${asks}`, { signal }), categories(signal)]);
  const kind = kinds.find((each) => each.id === chosen);
  const title = kind?.name ?? "Products";
  const next = page.next && to([], { category: chosen, after: page.next });
  if (next) cameFrom.set(next, hash);
  const node = el(
    "div",
    {},
    el("h1", { tabindex: -1 }, title),
    kind?.description && el("p", { class: "lead" }, kind.description),
    kinds.length > 0 && chips(kinds, chosen),
    page.products.length > 0 && el("ul", { class: "shelf" }, page.products.map(card)),
    page.products.length === 0 && empty(chosen, after),
    turns(after && (cameFrom.get(hash) ?? to([], { category: chosen })), next),
  );
  return { title, node, page: "shelf" };
}

async function categories(signal) {
  const found = [];
  for (let after = "", pages = 0; pages < CATEGORY_PAGES; pages += 1) {
    const page = await asked(`/categories?limit=200${after && `&after=${after}`}`, { signal });
    found.push(...page.categories);
    if (!page.next) break;
    after = page.next;
  }
  return found.sort((a, b) => a.name.localeCompare(b.name));
}

function chips(kinds, chosen) {
  const chip = (id, name) =>
    el("li", {}, el("a", { href: to([], { category: id }), "aria-current": (id ?? null) === chosen && "true" }, name));
  return el(
    "nav",
    { "aria-label": "Categories", class: "chips" },
    el(
      "ul",
      {},
      chip(null, "All"),
      kinds.map(({ id, name }) => chip(id, name)),
    ),
  );
}

function card(each) {
  const left = stock(each);
  return el(
    "li",
    { class: "ware" },
    art(each.id),
    el(
      "div",
      { class: "about" },
      el("p", { class: "brand-name" }, each.brand_name),
      el("h2", {}, el("a", { href: to(["products", each.id]), class: "cover" }, each.name)),
      el(
        "p",
        { class: "foot" },
        el("strong", {}, money(each.price, each.currency)),
        el("span", { class: `stock ${left.tone}` }, left.words),
      ),
    ),
  );
}

function empty(chosen, after) {
  if (after)
    return el(
      "p",
      { class: "card" },
      "There is nothing beyond this. ",
      el("a", { href: to([], { category: chosen }) }, "Back to the first page"),
    );
  if (chosen)
    return el("p", { class: "card" }, "There is nothing of this for sale now. ", el("a", { href: "#/" }, "See everything"));
  return el("p", { class: "card" }, "The shelves are empty: an administrator has yet to put products on them.");
}

function turns(previous, next) {
  if (!previous && !next) return null;
  return el(
    "nav",
    { class: "turns", "aria-label": "Pages of products" },
    previous ? el("a", { class: "button", href: previous, rel: "prev" }, "← Back") : el("span"),
    next && el("a", { class: "button", href: next, rel: "next" }, "More →"),
  );
}
