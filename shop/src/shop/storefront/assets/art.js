// A picture for a product that has none: always the same one for the same product, drawn of its id.
import { svg } from "./element.js";

const PALETTES = 6;

/** A picture, 160 by 120. It says nothing that the product's name does not. */
export function art(id) {
  let seed = [...String(id)].reduce((sum, each) => (Math.imul(sum, 31) + each.charCodeAt(0)) >>> 0, 7);
  const upTo = (most) => {
    seed = (Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return (seed >>> 9) % most;
  };
  upTo(2);
  const palette = upTo(PALETTES);
  const shapes = MOTIFS[upTo(MOTIFS.length)](upTo);
  return svg(
    "svg",
    { viewBox: "0 0 160 120", class: `art art-${palette}`, "aria-hidden": "true", preserveAspectRatio: "xMidYMid slice" },
    svg("rect", { width: 160, height: 120, class: "ground" }),
    shapes,
  );
}

const circle = (cx, cy, r, kind) => svg("circle", { cx, cy, r, class: kind });

const MOTIFS = [
  (upTo) => {
    const x = 60 + upTo(60);
    return [circle(x, 52, 30, "first"), svg("path", { d: "M0 92q40-34 80-12t80-18v58H0z", class: "second" })];
  },
  (upTo) => {
    const x = 60 + upTo(50);
    return [46, 34, 22, 10].map((r, at) => circle(x, 58, r, at % 2 ? "ground" : at ? "second" : "first"));
  },
  (upTo) => {
    const many = 4 + upTo(3);
    const bars = Array.from({ length: many }, (_, at) => [40 + at * (112 / many), 30 + upTo(50)]);
    return bars.map(([x, h], at) =>
      svg("rect", { x, y: 104 - h, width: 84 / many, height: h, rx: 4, class: at % 2 ? "second" : "first" }),
    );
  },
  (upTo) => {
    const turned = upTo(4) * 90;
    return svg(
      "g",
      { transform: `rotate(${turned} 88 58)` },
      svg("path", { d: "M52 94V58a36 36 0 0 1 36-36v72z", class: "first" }),
      svg("path", { d: "M88 22a36 36 0 0 1 0 72z", class: "second" }),
    );
  },
  (upTo) => {
    const cells = Array.from({ length: 12 }, (_, at) => [52 + (at % 4) * 26, 22 + Math.floor(at / 4) * 26, upTo(3)]);
    return cells.map(([x, y, kind]) =>
      kind === 2
        ? circle(x + 10, y + 10, 4, "second")
        : svg("rect", { x, y, width: 20, height: 20, rx: kind ? 10 : 4, class: kind ? "second" : "first" }),
    );
  },
  (upTo) => {
    const bend = 20 + upTo(30);
    return [
      svg("path", { d: `M84 104C${84 - bend} 84 60 40 96 14c${bend} 30 14 70-12 90z`, class: "first" }),
      svg("path", { d: "M85 104C86 70 90 44 96 14", class: "vein" }),
    ];
  },
];
