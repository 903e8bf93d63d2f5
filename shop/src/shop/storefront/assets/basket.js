// What is to be bought, for all tabs of this browser; and under which key, so that whatever is asked for twice is bought once.
import { drawn } from "./links.js";

const KEY = "shop-basket";
const MOST_KINDS = 100;
export const MOST = 1000000;

const changes = new EventTarget();
let kept = read();

addEventListener("storage", (event) => {
  if (event.key !== KEY && event.key !== null) return;
  kept = read();
  changes.dispatchEvent(new Event("change"));
});

/** Call this whenever the basket has changed, here or in another tab. */
export const onChange = (heard, signal) => changes.addEventListener("change", heard, { signal });

/** What is in it: pairs of a product's id and how many. */
export const items = () => Object.entries(kept.items);
export const quantity = (id) => kept.items[id] ?? 0;
export const size = () => items().reduce((sum, [, many]) => sum + many, 0);
export const full = (id) => !(id in kept.items) && items().length >= MOST_KINDS;

/** So many of a product from now on; 0 takes it out. */
export function put(id, many) {
  const others = items().filter(([each]) => each !== id);
  const wanted = Math.min(Math.max(0, Math.trunc(many) || 0), MOST);
  const now = items().map(([each, before]) => [each, each === id ? wanted : before]);
  const next = id in kept.items ? now : [...others, [id, wanted]];
  // A key stands for what was in the basket: another basket is another purchase.
  write({ items: Object.fromEntries(next.filter(([, each]) => each > 0)), intents: {} });
}

/** What a purchase of these lines is asked for with, however often: its idempotency key and the id of its trace. */
export function intent(lines, currency) {
  const asks = JSON.stringify([currency, [...lines].sort(([a], [b]) => (a < b ? -1 : 1))]);
  if (!kept.intents[asks]) write({ ...kept, intents: { ...kept.intents, [asks]: { key: drawn(16), trace: drawn(16) } } });
  return kept.intents[asks];
}

/** These lines are bought: they leave the basket, but for what was added since. */
export function bought(lines) {
  const left = new Map(items());
  for (const [id, many] of lines) left.set(id, (left.get(id) ?? 0) - many);
  write({ items: Object.fromEntries([...left].filter(([, many]) => many > 0)), intents: {} });
}

function write(next) {
  kept = next;
  try {
    localStorage.setItem(KEY, JSON.stringify(next));
  } catch {
    // It then lasts as long as the page.
  }
  changes.dispatchEvent(new Event("change"));
}

function read() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY));
    const sound = Object.entries(found?.items ?? {}).filter(([id, many]) => /^\d+$/.test(id) && many >= 1 && many <= MOST);
    return { items: Object.fromEntries(sound), intents: found?.intents ?? {} };
  } catch {
    return { items: {}, intents: {} };
  }
}
