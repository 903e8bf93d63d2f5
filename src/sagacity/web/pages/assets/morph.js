// Makes one part of a page equal to a newer one, touching only what differs: focus, selection, scroll and what the reader
// has opened or typed stay as they are.

// A form's own `id` may be hidden by a field of that name, its attribute never.
const key = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.dataset.key || node.getAttribute("id") || null : null);
const alike = (one, other) => one.nodeType === other.nodeType && one.nodeName === other.nodeName && key(one) === key(other);

// What belongs to the reader and not to the server.
const KEPT = { DETAILS: ["open"], DIALOG: ["open"], INPUT: ["value", "checked"], G: ["tabindex"] };
const LOCAL = "data-here";

function attributes(old, fresh) {
  const kept = KEPT[old.nodeName.toUpperCase()] ?? [];
  for (const { name, value } of fresh.attributes) {
    if (!kept.includes(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !kept.includes(name) && name !== LOCAL) old.removeAttribute(name);
  }
}

export function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  attributes(old, fresh);
  if (["TEXTAREA", "SELECT"].includes(old.nodeName) || old.dataset.own !== undefined) return;
  children(old, fresh);
}

function children(old, fresh) {
  const wanted = new Set([...fresh.childNodes].map(key).filter(Boolean));
  const byKey = new Map();
  for (const node of [...old.childNodes]) {
    const named = key(node);
    if (named && !wanted.has(named)) node.remove();
    else if (named) byKey.set(named, node);
  }
  let at = old.firstChild;
  for (const next of [...fresh.childNodes]) {
    const named = key(next);
    let found = named ? byKey.get(named) : null;
    if (found && found.nodeName !== next.nodeName) found = null;
    if (!named) {
      let look = at;
      while (look && key(look)) look = look.nextSibling;
      if (look && alike(look, next)) found = look;
    }
    if (!found) {
      old.insertBefore(document.importNode(next, true), at);
      continue;
    }
    if (found !== at) old.insertBefore(found, at);
    else at = at.nextSibling;
    morph(found, next);
    at = found.nextSibling;
  }
  while (at) {
    const rest = at.nextSibling;
    at.remove();
    at = rest;
  }
}
