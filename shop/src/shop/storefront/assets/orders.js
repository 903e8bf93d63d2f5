// One's own orders, the newest first, each with what became of its payment.
import { asked } from "./api.js";
import { el } from "./element.js";
import { money, when } from "./figures.js";
import { caseUrl } from "./links.js";
import { namesOf } from "./products.js";
import { to } from "./route.js";

const PAGE = 10;

/** The payment of a purchase; undefined where there is none. */
export async function paymentOf(purchase, signal) {
  const found = await asked(`/payments?purchase_id=${encodeURIComponent(purchase)}`, { signal, signed: true });
  return found.payments[0];
}

/** The view of orders. */
export async function orders({ query, signal }) {
  const after = query.get("after");
  const page = await asked(`/orders?${new URLSearchParams({ limit: PAGE, ...(after && { after }) })}`, {
    signal,
    signed: true,
  });
  const products = page.orders.flatMap((each) => each.items.map((item) => item.product_id));
  const [payments, names] = await Promise.all([
    Promise.all(page.orders.map((each) => paymentOf(each.purchase_id, signal))),
    namesOf(products, signal),
  ]);
  const node = el(
    "div",
    {},
    el("h1", { tabindex: -1 }, "Your orders"),
    page.orders.length === 0 &&
      el(
        "p",
        { class: "card" },
        after ? "There are none before these. " : "You have not ordered anything yet. ",
        el("a", { href: "#/" }, "See what there is"),
      ),
    page.orders.length > 0 &&
      el(
        "ul",
        { class: "orders" },
        page.orders.map((each, at) => order(each, payments[at], names)),
      ),
    (after || page.next) &&
      el(
        "nav",
        { class: "turns", "aria-label": "Pages of orders" },
        after ? el("a", { class: "button", href: to(["orders"]) }, "← The newest") : el("span"),
        page.next && el("a", { class: "button", href: to(["orders"], { after: page.next }), rel: "next" }, "Earlier →"),
      ),
  );
  return { title: "Your orders", node, page: "orders" };
}

function order(each, payment, names) {
  const cancelled = each.status === "CANCELLED";
  const case_ = caseUrl(each.purchase_id);
  return el(
    "li",
    { class: "card order" },
    el(
      "div",
      { class: "head" },
      el("h2", {}, el("time", { datetime: each.created_at }, when(each.created_at))),
      el("span", { class: `tag state ${cancelled ? "bad" : "good"}` }, cancelled ? "Cancelled" : "Ordered"),
      el("strong", { class: "sum" }, money(each.amount, each.currency)),
    ),
    el(
      "ul",
      { class: "bought" },
      each.items.map((item) =>
        el(
          "li",
          {},
          el("a", { href: to(["products", item.product_id]) }, names.get(item.product_id)),
          el("span", { class: "soft" }, ` ${item.quantity.toLocaleString()} × ${money(item.price, each.currency)}`),
        ),
      ),
    ),
    el("p", { class: "payment" }, paymentWords(payment, cancelled)),
    el(
      "p",
      { class: "elsewhere" },
      el("a", { href: to(["purchases", each.purchase_id]) }, "How it went"),
      case_ && el("a", { href: case_ }, "Its case in Sagacity"),
    ),
  );
}

function paymentWords(payment, cancelled) {
  if (!payment) return cancelled ? "Nothing was paid." : "The payment is not known yet.";
  const amount = money(payment.amount, payment.currency);
  if (payment.status === "REFUNDED") return `${amount} were paid, and refunded on ${when(payment.refunded_at)}.`;
  return `${amount} paid on ${when(payment.received_at)}.`;
}
