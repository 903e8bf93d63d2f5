// Elements, made of plain values: what is a text stays a text.

const SVG = "http://www.w3.org/2000/svg";

function filled(element, given, children) {
  for (const [name, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An element of HTML. `on…` are listeners; null, undefined and false are left out. */
export const el = (name, given = {}, ...children) => filled(document.createElement(name), given, children);

/** An element of SVG. */
export const svg = (name, given = {}, ...children) => filled(document.createElementNS(SVG, name), given, children);

/** Give an element this text, unless it has it: what a screen reader stands on is left alone. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
