"""The workflow as an SVG: event types as boxes, expectations as lines between them, counts on both where there are any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from sagacity.reconcile.result import Tally
from sagacity.report.layout import Box, Layout, Link, Path, lay_out
from sagacity.report.map import Line, Map, Node, Tie, map_of
from sagacity.report.markup import Markup, tag
from sagacity.report.text import plural, size_of, visible, wrapped
from sagacity.workflow.model import Workflow

__all__ = ["PICTURE_CSS", "Direction", "picture", "picture_of", "ways"]

Direction: TypeAlias = Literal["right", "down"]

_NAME, _SMALL = 13.0, 11.0
_NAME_LINE, _SMALL_LINE = 17.0, 15.0
_PAD, _MARGIN = 10.0, 16.0
_WIDEST = 168.0
_SHOWN = 3
_PAGE = 1280

PICTURE_CSS = """
.map{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
.map text{fill:var(--ink);font-size:11px;unicode-bidi:plaintext}
.map .name{font-size:13px;font-weight:600}
.map .soft{fill:var(--muted)}
.map .num{font-variant-numeric:tabular-nums;font-weight:600}
.map .box{fill:var(--surface);stroke:var(--line-strong);stroke-width:1.25}
.map .tie{fill:none;stroke-width:1.6;stroke-linecap:round}
.map .never{stroke-dasharray:5 4}
.map .both{stroke-dasharray:1 4}
.map .plate{fill:var(--canvas)}
.map .plain{--tone:var(--muted)}
.map .good{--tone:var(--good)}
.map .open{--tone:var(--open)}
.map .bad{--tone:var(--bad)}
.map .tie,.map .ring{stroke:var(--tone)}
.map .head,.map .tone{fill:var(--tone)}
.map .ring{fill:var(--canvas);stroke-width:1.6}
.map .mark{fill:var(--muted);stroke:none}
.map .rule{stroke:var(--line);stroke-width:1}
"""

_STANDALONE_CSS = """
svg{--ink:#1b1f24;--muted:#59616b;--line:#dcdfe4;--line-strong:#aab1ba;--surface:#ffffff;--canvas:#f7f7f5;
--good:#1a7a55;--open:#8f5f00;--bad:#bd3124}
@media (prefers-color-scheme:dark){svg{--ink:#e8eaed;--muted:#a4abb5;--line:#353b44;--line-strong:#59616d;--surface:#1d2127;
--canvas:#14171b;--good:#4fc38d;--open:#e0ad47;--bad:#ff8279}}
.ground{fill:var(--canvas)}
"""


def picture(
    workflow: Workflow,
    tallies: Sequence[Tally] = (),
    event_counts: Mapping[str, int] | None = None,
    found: Mapping[str, int] | None = None,
    *,
    direction: Direction | Literal["auto"] = "auto",
    standalone: bool = True,
    prefix: str = "map",
) -> str:
    """The workflow as an SVG document, or (not `standalone`) as an element for a page that brings `PICTURE_CSS`.

    `found` are open findings by expectation, shown in place of the tallies' cases. `direction` is where time runs to;
    `auto` takes what comes nearest to a landscape page. `prefix` keeps ids apart where a page holds several. The same
    workflow always yields the same text.
    """
    drawn = map_of(workflow, tallies, event_counts, found)
    return picture_of(drawn, f"The workflow {workflow.name}", direction=direction, standalone=standalone, prefix=prefix)


def picture_of(
    drawn: Map,
    title: str,
    *,
    direction: Direction | Literal["auto"] = "auto",
    standalone: bool = True,
    prefix: str = "map",
) -> str:
    """Any map as an SVG. Parameters are those of `picture`."""
    layouts = {way: _placed(drawn, way) for way in ("right", "down") if direction in (way, "auto")}
    way = min(layouts, key=lambda key: _awkward(key, layouts[key]))
    return _Drawing(drawn, layouts[way], way, title, standalone, prefix).document()


def ways(workflow: Workflow) -> tuple[Direction, ...]:
    """The directions worth offering to a page that shows one or the other by its width; the first is for wide ones."""
    drawn = map_of(workflow, (), dict.fromkeys(workflow.events, 0))
    right, down = _placed(drawn, "right").along, _placed(drawn, "down").across
    return ("down",) if right > _PAGE and down < right else ("right", "down")


def _awkward(way: str, layout: Layout) -> float:
    """How far a picture is from what a page takes well; time running to the right reads best as long as it fits."""
    width, height = (layout.along, layout.across) if way == "right" else (layout.across, layout.along)
    if way == "right" and width <= _PAGE:
        return 0
    ratio = (width + 1) / (height + 1) / 1.6
    return max(ratio, 1 / ratio)


def _placed(drawn: Map, way: str) -> Layout:
    sizes = {node.name: _turned(_node_size(node), way) for node in drawn.nodes}
    links = [Link(tie.source, tie.target, tie.kind == "order", *_turned(_label_size(tie), way)) for tie in drawn.ties]
    return lay_out(sizes, links, gap=24 if way == "right" else 20, space=20 if way == "right" else 26)


def _turned(size: tuple[float, float], way: str) -> tuple[float, float]:
    return size if way == "right" else (size[1], size[0])


def _node_size(node: Node) -> tuple[float, float]:
    names = wrapped(visible(node.name), _NAME, _WIDEST, 3)
    widths = [size_of(name, _NAME) + 14 for name in names]
    widths += [size_of(_beside(node), _SMALL)]
    widths += [size_of(line.words, _SMALL) + size_of(_count(line), _SMALL) + 14 for line in node.lines]
    width = min(_WIDEST + 14, max(76.0, *widths))
    rules = _SMALL_LINE * len(node.lines) + (9 if node.lines else 0)
    return width + 2 * _PAD, len(names) * _NAME_LINE + _SMALL_LINE + rules + 2 * _PAD - 4


def _label_size(tie: Tie) -> tuple[float, float]:
    widths = [size_of(words, _SMALL) + (size_of(count, _SMALL) + 8 if count else 0) for words, count, _ in _label(tie)]
    return max(widths) + 10, len(widths) * _SMALL_LINE + 4


def _label(tie: Tie) -> list[tuple[str, str, str]]:
    """The label's lines: words, count, state."""
    shown: list[tuple[str, str, str]] = [(line.words, _count(line), line.state) for line in tie.lines[:_SHOWN]]
    more = len(tie.lines) - _SHOWN
    return [*shown, (f"and {more} more", "", "plain")] if more > 0 else shown


def _count(line: Line) -> str:
    if line.found is not None:
        return f"{line.found:,} open" if line.found else ""
    return "" if line.applies is None else f"{line.violated:,} / {line.applies:,}"


def _beside(node: Node) -> str:
    return visible(node.source)[:24] if node.events is None else plural(node.events, "event")


class _Drawing:
    """One picture being drawn; coordinates are turned from along and across to x and y on the way."""

    def __init__(self, drawn: Map, layout: Layout, way: str, title: str, standalone: bool, prefix: str) -> None:
        self.drawn, self.layout, self.down = drawn, layout, way == "down"
        self.title, self.standalone, self.prefix = title, standalone, prefix

    def document(self) -> str:
        """The whole SVG."""
        width, height = self.xy(self.layout.along + 2 * _MARGIN, self.layout.across + 2 * _MARGIN)
        ties = list(zip(self.drawn.ties, self.layout.paths, strict=True))
        beneath = self.beneath(height, width)
        if beneath:
            width = max(width, 420.0)
            height += _SMALL_LINE * len(self.drawn.beneath) + 30
        ids = f"{self.prefix}-title {self.prefix}-desc"
        body = (
            tag("title", self.title, id=f"{self.prefix}-title"),
            tag("desc", self.description(), id=f"{self.prefix}-desc"),
            tag("style", Markup(_STANDALONE_CSS + PICTURE_CSS)) if self.standalone else None,
            tag("rect", class_="ground", width=width, height=height) if self.standalone else None,
            [self.tie(tie, path) for tie, path in ties],
            [self.node(node, self.layout.boxes[node.name]) for node in self.drawn.nodes],
            [self.label(tie, path) for tie, path in ties],
            beneath,
        )
        size = {"width": f"{width:.0f}", "height": f"{height:.0f}", "viewbox": f"0 0 {width:.0f} {height:.0f}"}
        namespace = "http://www.w3.org/2000/svg" if self.standalone else None
        return str(tag("svg", body, class_="map", xmlns=namespace, role="img", aria_labelledby=ids, **size))

    def description(self) -> str:
        """The picture in words, for those who do not see it."""
        parts = [f"{len(self.drawn.nodes)} event types: {', '.join(node.name for node in self.drawn.nodes)}."]
        in_nodes = [line for node in self.drawn.nodes for line in node.lines]
        in_ties = [line for tie in self.drawn.ties for line in tie.lines]
        for line in [*in_nodes, *in_ties, *self.drawn.beneath]:
            counted = "" if line.applies is None else f": {line.violated:,} of {line.applies:,} violated"
            counted = f": {line.found:,} open" if line.found else counted
            parts.append(f"{line.definition}{counted}.")
        return " ".join(parts)

    def xy(self, along: float, across: float) -> tuple[float, float]:
        return (across, along) if self.down else (along, across)

    def at(self, point: tuple[float, float]) -> str:
        x, y = self.xy(point[0] + _MARGIN, point[1] + _MARGIN)
        return f"{x:.1f} {y:.1f}"

    def node(self, node: Node, box: Box) -> Markup:
        width, height = self.xy(box.size_along, box.size_across)
        middle_x, middle_y = self.xy(box.along + _MARGIN, box.across + _MARGIN)
        x, y = middle_x - width / 2, middle_y - height / 2
        names = wrapped(visible(node.name), _NAME, _WIDEST, 3)
        parts: list[Markup] = [
            tag("title", node.name),
            tag("rect", class_="box", x=x, y=y, width=width, height=height, rx=7),
        ]
        line = y + _PAD + 10
        for name in names:
            parts.append(tag("text", name, class_="name", x=x + _PAD, y=line))
            line += _NAME_LINE
        parts.append(tag("text", _beside(node), class_="soft", x=x + _PAD, y=line - 1))
        if node.begins:
            corner = x + width - 13, y + 13
            parts.append(tag("path", class_="mark", d=f"M{corner[0] - 3:.1f} {corner[1] - 4.5:.1f}l7 4.5l-7 4.5z"))
        if node.ends:
            parts.append(tag("rect", class_="mark", x=x + width - 17, y=y + 9, width=8, height=8))
        if node.lines:
            line += 4
            parts.append(tag("path", class_="rule", d=f"M{x:.1f} {line:.1f}h{width:.1f}"))
            line += 3
        for rule in node.lines:
            line += _SMALL_LINE - 1
            parts.append(self.words(rule, x + _PAD, x + width - _PAD, line))
            line += 1
        return tag("g", parts)

    def words(self, line: Line, left: float, right: float, y: float) -> Markup:
        hint, count = tag("title", f"{line.name}: {line.definition}"), _count(line)
        counted = tag("text", count, class_="num tone", x=right, y=y, text_anchor="end") if count else None
        words = tag("text", line.words, x=left, y=y, class_=None if count else "soft")
        return tag("g", hint, words, counted, class_=line.state)

    def tie(self, tie: Tie, path: Path) -> Markup:
        points, bulge = path.points, path.bulge
        way = f"M{self.at(points[0])}"
        if bulge is not None:
            # A cubic reaches three quarters of the way to its control points.
            reach = [(end[0] + (bulge - end[0]) * 4 / 3, end[1]) for end in (points[0], points[-1])]
            way += f"C{self.at(reach[0])} {self.at(reach[1])} {self.at(points[-1])}"
        else:
            for step in range(1, len(points)):
                (start, level), (end, next_level) = points[step - 1], points[step]
                if level == next_level:
                    way += f"L{self.at(points[step])}"
                else:
                    middle = (start + end) / 2
                    way += f"C{self.at((middle, level))} {self.at((middle, next_level))} {self.at(points[step])}"
        sign = -1 if bulge is not None or points[-1][0] < points[0][0] else 1
        return tag(
            "g",
            tag("path", class_=f"tie {tie.kind}", d=way),
            self.head(points[-1], sign) if tie.kind == "order" else self.dot(points[-1]),
            self.dot(points[0]),
            class_=tie.state,
        )

    def head(self, tip: tuple[float, float], sign: int) -> Markup:
        along, across = tip
        back = along - 8 * sign
        corners = [self.at((along, across)), self.at((back, across - 4.5)), self.at((back, across + 4.5))]
        return tag("polygon", class_="head", points=" ".join(corner.replace(" ", ",") for corner in corners))

    def dot(self, end: tuple[float, float]) -> Markup:
        x, y = self.xy(end[0] + _MARGIN, end[1] + _MARGIN)
        return tag("circle", class_="ring", cx=x, cy=y, r=3)

    def label(self, tie: Tie, path: Path) -> Markup:
        width, height = _label_size(tie)
        middle_x, middle_y = self.xy(path.label[0] + _MARGIN, path.label[1] + _MARGIN)
        left, top = middle_x - width / 2, middle_y - height / 2
        parts = [tag("rect", class_="plate", x=left, y=top, width=width, height=height, rx=4)]
        for place, (words, count, state) in enumerate(_label(tie)):
            line = tie.lines[place] if place < _SHOWN else None
            y = top + 2 + _SMALL_LINE * place + 11
            hint = tag("title", f"{line.name}: {line.definition}") if line else None
            counted = (" ", tag("tspan", count, class_="num tone")) if count else None
            said = tag("text", words, counted, x=middle_x, y=y, text_anchor="middle", class_=None if count else "soft")
            parts.append(tag("g", hint, said, class_=state))
        return tag("g", parts)

    def beneath(self, top: float, width: float) -> list[Markup]:
        if not self.drawn.beneath:
            return []
        rows = [tag("text", "Also expected", class_="name", x=_MARGIN, y=top + 8)]
        for place, line in enumerate(self.drawn.beneath):
            y = top + 28 + _SMALL_LINE * place
            room = max(width, 420.0) - 2 * _MARGIN - (100 if _count(line) else 0)
            words = wrapped(visible(line.definition), _SMALL, room, 1)[0]
            count = _count(line)
            counted = tag("text", count, class_="num tone", x=_MARGIN, y=y) if count else None
            shift = 90 if count else 0
            rows.append(
                tag("g", tag("title", line.name), counted, tag("text", words, x=_MARGIN + shift, y=y), class_=line.state)
            )
        return rows
