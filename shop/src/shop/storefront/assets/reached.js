// A request that ends: with an answer, or after so long that nobody waits for it any more.
import { Away, Refused } from "./failures.js";

const WITHIN = 30000;
const asItIs = (answer) => answer;

/** What `read` makes of the answer of `fetch`, within so many milliseconds. Raises Away, and whatever `given.signal` ends it with.
 *
 * A replica that hangs keeps its connection open: without a bound nobody would ever ask another. */
export async function reached(url, given, { within = WITHIN, read = asItIs } = {}) {
  const slow = new AbortController();
  const timer = setTimeout(() => slow.abort(), within);
  const signal = given.signal ? AbortSignal.any([given.signal, slow.signal]) : slow.signal;
  try {
    return await read(await fetch(url, { ...given, signal, cache: "no-cache", credentials: "omit" }));
  } catch (error) {
    if (given.signal?.aborted || error instanceof Refused || error instanceof Away) throw error;
    throw new Away(slow.signal.aborted ? "no answer in time" : "it cannot be reached");
  } finally {
    clearTimeout(timer);
  }
}
