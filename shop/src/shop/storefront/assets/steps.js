// How a purchase stands, of what was told of it. Pure: the same events in any order, however often, are the same purchase.
import { readable } from "./figures.js";

/** The steps of a purchase in their order, in people's words: what is done, once it is done, and once that is undone. */
export const STEPS = [
  {
    step: "UPDATE_PRODUCT_INVENTORY",
    title: "Stock",
    does: "The units are set aside for you",
    undone: "The units are back on the shelf",
  },
  { step: "CREATE_ORDER", title: "Order", does: "Your order is written", undone: "The order is cancelled" },
  { step: "CREATE_PAYMENT", title: "Payment", does: "The payment is taken", undone: "The payment is refunded" },
];

const RANK = { EXECUTE: 1, SUCCESS: 2, FAILED: 2, ROLLBACK_FAILED: 3, ROLLBACK: 4 };

/** Nothing told yet. */
export const NOTHING = { told: {}, result: null, last: 0 };

/** The same after one more event: its number, its type (`step` or `result`), and its data. */
export function after(before, number, type, data) {
  if (number <= before.last) return before;
  const next = { ...before, last: number };
  if (type === "result") return { ...next, result: { result: data.result, reason: data.reason, time: data.time } };
  const known = before.told[data.step];
  if (type !== "step" || !(data.result in RANK) || (known && RANK[known.result] > RANK[data.result])) return next;
  return { ...next, told: { ...before.told, [data.step]: { result: data.result, reason: data.reason, time: data.time } } };
}

/** Each step with its state: waits, runs, done, failed, undoing, undo (will be undone), undone, stuck, or never (it is not
 * begun any more). A purchase turns back once a step has failed: then what is done is undone, the last of it first. */
export function standing(state) {
  const results = STEPS.map(({ step }) => state.told[step]?.result ?? null);
  const turned = results.some((each) => ["FAILED", "ROLLBACK", "ROLLBACK_FAILED"].includes(each));
  const stuck = results.includes("ROLLBACK_FAILED");
  const next = turned && !state.result && !stuck ? results.lastIndexOf("SUCCESS") : -1;
  return STEPS.map((each, at) => {
    const told = state.told[each.step];
    return {
      ...each,
      at,
      state: stateOf(results[at], { turned, ended: state.result !== null, next: at === next }),
      ...pick(told),
    };
  });
}

/** Whether a purchase goes back what it has come. */
export const turnedBack = (state) => standing(state).some((each) => ["failed", "undone", "stuck"].includes(each.state));

function stateOf(result, { turned, ended, next }) {
  if (result === null) return turned || ended ? "never" : "waits";
  if (result === "SUCCESS") return !turned || ended ? "done" : next ? "undoing" : "undo";
  return { EXECUTE: "runs", FAILED: "failed", ROLLBACK: "undone", ROLLBACK_FAILED: "stuck" }[result];
}

const pick = (told) => ({ reason: told?.reason ?? null, time: told?.time ?? null });

/** Why something did not work, for people: without the name of its step, which the saga puts before it. */
export const why = (reason) =>
  readable((reason ?? "").replace(/^([A-Z_]+): /, (whole, step) => (NAMES.has(step) ? "" : whole)));

const NAMES = new Set(STEPS.map(({ step }) => step));

const WORDS = {
  waits: () => "waits for its turn",
  runs: () => "under way …",
  done: (each) => each.does,
  failed: () => "did not work",
  undoing: () => "is being undone …",
  undo: () => "will be undone",
  undone: (each) => each.undone,
  stuck: () => "could not be undone yet; somebody sees to it",
  never: () => "not begun any more",
};

/** The state of a step in people's words. */
export const words = (each) => WORDS[each.state](each);
