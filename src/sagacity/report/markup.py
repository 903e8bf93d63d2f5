"""HTML and SVG by construction: everything that is not markup already is text, and is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

from sagacity.report.text import visible

__all__ = ["Child", "Markup", "join", "lines", "tag"]


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


Child: TypeAlias = "str | int | Iterable[Child] | None"

_EMPTY = frozenset(
    ("br", "circle", "col", "ellipse", "hr", "input", "line", "link", "meta", "path", "polygon", "polyline", "rect")
)  # fmt: skip


def tag(name: str, /, *children: Child, **attributes: str | float | bool | None) -> Markup:
    """An element. In attribute names `_` stands for `-` (and is cut at the end); None and False leave one out."""
    given = "".join(_attribute(key, value) for key, value in attributes.items() if value is not None and value is not False)
    if name in _EMPTY:
        return Markup(f"<{name}{given}/>")
    return Markup(f"<{name}{given}>{join(children)}</{name}>")


def join(children: Child) -> Markup:
    """Children in a row: markup as it is, anything else as escaped text."""
    if children is None:
        return Markup()
    if isinstance(children, Markup):
        return children
    if isinstance(children, str):
        return Markup(escape(visible(children), quote=False))
    if isinstance(children, int):
        return Markup(f"{children:,}")
    return Markup("".join(join(child) for child in children))


def lines(texts: Iterable[str]) -> Markup:
    """Lines of text as the value of an attribute: what parts them is kept, whatever they hold is not markup."""
    return Markup("&#10;".join(escape(visible(text)) for text in texts))


def _attribute(key: str, value: str | float | bool) -> str:
    name = key.rstrip("_").replace("_", "-")
    if value is True:
        return f' {name}=""'
    if isinstance(value, Markup):
        return f' {name}="{value}"'
    text = f"{value:.1f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return f' {_CASED.get(name, name)}="{escape(visible(text))}"'


_CASED = {"viewbox": "viewBox", "preserveaspectratio": "preserveAspectRatio"}
