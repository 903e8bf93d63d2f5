// Products as the API has them, and those of which a name alone is needed, asked for once.
import { asked } from "./api.js";
import { Refused } from "./failures.js";

const FEW = 5;
const names = new Map();

/** A product. Raises Refused 404 where there is none. */
export async function product(id, signal) {
  const found = await asked(`/products/${encodeURIComponent(id)}`, { signal });
  names.set(id, found.name);
  return found;
}

/** The same for several: by id, null for those that there are no more. */
export async function productsOf(ids, signal) {
  const one = async (id) => [id, await product(id, signal).catch(noMore)];
  return new Map(await Promise.all([...new Set(ids)].map(one)));
}

/** What products are called: by id. */
export async function namesOf(ids, signal) {
  const unknown = ids.filter((id) => !names.has(id));
  const found = await productsOf(unknown, signal);
  for (const [id, each] of found) if (!each) names.set(id, "A product that is sold no more");
  return new Map(ids.map((id) => [id, names.get(id)]));
}

/** What is left of a product: a tone, and words. */
export function stock({ inventory }) {
  if (inventory <= 0) return { tone: "bad", words: "Sold out" };
  if (inventory <= FEW) return { tone: "open", words: `Only ${inventory} left` };
  return { tone: "good", words: `${inventory.toLocaleString()} in stock` };
}

function noMore(error) {
  if (error instanceof Refused && error.status === 404) return null;
  throw error;
}
