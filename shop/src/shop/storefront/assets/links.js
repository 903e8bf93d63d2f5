// Where else a purchase can be looked at: its case in Sagacity and its trace, by the templates that the page was given.

const TRACES = "shop-traces";
const KEPT = 50;

const template = (name) => document.querySelector(`meta[name=${name}]`)?.content ?? "";

/** A template with its ids; null where there is no template, or it needs an id that is not known. */
export function filledIn(text, ids) {
  if (!text) return null;
  let whole = true;
  const address = text.replace(/\{(\w+)\}/g, (_, name) => {
    whole &&= Boolean(ids[name]);
    return encodeURIComponent(ids[name] ?? "");
  });
  return whole ? address : null;
}

function traces() {
  try {
    return JSON.parse(sessionStorage.getItem(TRACES)) ?? {};
  } catch {
    return {};
  }
}

/** Keep in this tab which trace a purchase has. */
export function rememberTrace(purchase, trace) {
  const known = Object.entries(traces()).filter(([id]) => id !== purchase);
  try {
    sessionStorage.setItem(TRACES, JSON.stringify(Object.fromEntries([...known.slice(1 - KEPT), [purchase, trace]])));
  } catch {
    // The link is then not shown.
  }
}

export const caseUrl = (purchase) => filledIn(template("case-url"), { purchase });
export const traceUrl = (purchase) => filledIn(template("trace-url"), { purchase, trace: traces()[purchase] });

/** So many bytes drawn by chance, in hexadecimal. */
export const drawn = (bytes) =>
  [...crypto.getRandomValues(new Uint8Array(bytes))].map((each) => each.toString(16).padStart(2, "0")).join("");
