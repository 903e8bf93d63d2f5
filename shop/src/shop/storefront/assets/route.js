// Where one is on the page: what stands behind the # of its address, as a path and a query.

/** The route of an address's hash: its parts, and its query. */
export function parsed(hash) {
  const [path, query = ""] = hash.replace(/^#/, "").split("?", 2);
  const parts = path.split("/").filter(Boolean).map(decoded);
  return { parts, query: new URLSearchParams(query), hash: hash || "#/" };
}

/** The hash that leads to a route; what is empty in the query is left out. */
export function to(parts, query = {}) {
  const asked = new URLSearchParams(Object.entries(query).filter(([, value]) => value));
  return `#/${parts.map(encodeURIComponent).join("/")}${asked.size ? `?${asked}` : ""}`;
}

/** A hash to come back to, as a query gave it; home for anything else. */
export const back = (text) => (text?.startsWith("#/") ? text : "#/");

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
