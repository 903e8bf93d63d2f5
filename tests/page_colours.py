"""How a page looks in a browser: its ground, and texts that hardly stand out from theirs."""

from __future__ import annotations

from playwright.sync_api import Page

__all__ = ["background", "faint_texts"]


def background(page: Page) -> str:
    """The colour behind everything."""
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def faint_texts(page: Page) -> list[str]:
    """Texts whose contrast with their ground is below 4.5, each with its figure."""
    found: list[str] = page.evaluate(_FAINT)
    return found


_FAINT = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const light = (colour) => {
    const [r, g, b] = rgba(colour).slice(0, 3).map((part) => linear(part / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const poor = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode.textContent.trim();
    const element = walk.currentNode.parentElement;
    if (!text || element.closest("svg, script, :disabled, .hidden, .skip") || !element.checkVisibility()) continue;
    let below = element;
    while (below && rgba(getComputedStyle(below).backgroundColor)[3] < 255) below = below.parentElement;
    const colours = [getComputedStyle(element).color, getComputedStyle(below ?? document.body).backgroundColor];
    const [darker, lighter] = colours.map(light).sort((a, b) => a - b);
    const ratio = (lighter + 0.05) / (darker + 0.05);
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${element.className} ${text.slice(0, 40)}`);
  }
  return [...new Set(poor)];
}"""
