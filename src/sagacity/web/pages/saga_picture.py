"""A saga's steps as a picture: which come after which, how each stands. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal, TypeAlias

from sagacity.report.layout import Box, Link, Path, lay_out
from sagacity.report.markup import Markup, tag
from sagacity.report.text import shortened, size_of, visible, wrapped
from sagacity.web.saga_documents import SagaStep

__all__ = ["STEP_STATES", "steps_picture", "turned_back"]

Way: TypeAlias = Literal["right", "down"]

STEP_STATES: Mapping[str, str] = {
    "pending": "idle", "asked": "open", "resting": "open", "done": "good", "failed": "bad", "unknown": "bad",
    "parked": "bad", "skipped": "good", "undoing": "open", "undo-resting": "open", "undone": "idle", "undo-parked": "bad",
    "undo-skipped": "idle",
}  # fmt: skip
"""The colour of each status of a step."""

_MARKS = {
    "done": "✓", "skipped": "✓", "undone": "↶", "undo-skipped": "↶", "failed": "✕", "unknown": "?", "parked": "!",
    "undo-parked": "!", "asked": "…", "undoing": "↶", "resting": "…", "undo-resting": "↶", "pending": "",
}  # fmt: skip
"""A sign beside each status, so that colour is not all that tells them apart."""

_NAME, _SMALL = 13.0, 11.0
_NAME_LINE, _SMALL_LINE = 17.0, 15.0
_PAD, _MARGIN, _WIDEST = 10.0, 14.0, 150.0


def turned_back(steps: Sequence[SagaStep]) -> bool:
    """Whether what was done is being undone, or was."""
    return any(step.status.startswith("und") for step in steps)


def steps_picture(steps: Sequence[SagaStep], way: Way, prefix: str) -> Markup:
    """The steps as an SVG element; time runs to the right, or down. `prefix` keeps ids apart."""
    sizes = {step.name: _turned(_size(step), way) for step in steps}
    links = [Link(before, step.name, True, 4, 4) for step in steps for before in step.after or () if before in sizes]
    layout = lay_out(sizes, links, gap=22 if way == "right" else 13, space=18)
    along, across = layout.along + 2 * _MARGIN, layout.across + 2 * _MARGIN
    width, height = (along, across) if way == "right" else (across, along)
    said = "; ".join(
        f"{step.name} is {step.status}" + (f", after {' and '.join(step.after)}" if step.after else "") for step in steps
    )
    backward = _backward(steps)
    if backward:
        said += "; turned back: " + ", ".join(f"{later} before {earlier}" for earlier, later in sorted(backward))
    body = (
        tag("title", "The steps of the saga", id=f"{prefix}-title"),
        tag("desc", f"{said}.", id=f"{prefix}-desc"),
        [
            _line(path, way, back=(link.source, link.target) in backward)
            for link, path in zip(links, layout.paths, strict=True)
        ],
        [_box(step, layout.boxes[step.name], way) for step in steps],
    )
    size = {"width": f"{width:.0f}", "height": f"{height:.0f}", "viewbox": f"0 0 {width:.0f} {height:.0f}"}
    ids = f"{prefix}-title {prefix}-desc"
    return tag("svg", body, class_="map steps", role="img", aria_labelledby=ids, **size)


def _size(step: SagaStep) -> tuple[float, float]:
    names = wrapped(visible(step.name), _NAME, _WIDEST, 2)
    widths = [size_of(each, _NAME) for each in names] + [size_of(each, _SMALL) for each in (_status(step), step.kind or "")]
    return min(_WIDEST, max(86.0, *widths)) + 2 * _PAD, len(names) * _NAME_LINE + 2 * _SMALL_LINE + 2 * _PAD - 2


def _turned(size: tuple[float, float], way: Way) -> tuple[float, float]:
    return size if way == "right" else (size[1], size[0])


def _status(step: SagaStep) -> str:
    return f"{_MARKS.get(step.status, '')} {step.status}".strip()


def _at(point: tuple[float, float], way: Way) -> str:
    along, across = point[0] + _MARGIN, point[1] + _MARGIN
    return f"{along:.1f} {across:.1f}" if way == "right" else f"{across:.1f} {along:.1f}"


def _box(step: SagaStep, box: Box, way: Way) -> Markup:
    width, height = (box.size_along, box.size_across) if way == "right" else (box.size_across, box.size_along)
    x, y = (float(part) for part in _at((box.along, box.across), way).split())
    left, top = x - width / 2, y - height / 2
    hint = f"{step.name}: {step.status}" + (f", {shortened(step.cause, 200)}" if step.cause else "")
    parts = [tag("title", hint), tag("rect", class_="box", x=left, y=top, width=width, height=height, rx=7)]
    parts.append(tag("rect", class_="edge", x=left, y=top + 7, width=4, height=height - 14, rx=2))
    line = top + _PAD + 10
    for name in wrapped(visible(step.name), _NAME, _WIDEST, 2):
        parts.append(tag("text", name, class_="name", x=left + _PAD, y=line))
        line += _NAME_LINE
    parts.append(tag("text", _status(step), class_="tone", x=left + _PAD, y=line - 1))
    parts.append(tag("text", step.kind or "", class_="soft", x=left + _PAD, y=line - 1 + _SMALL_LINE))
    return tag("g", parts, class_=STEP_STATES.get(step.status, "idle"))


def _backward(steps: Sequence[SagaStep]) -> frozenset[tuple[str, str]]:
    """Pairs of an earlier and a later step between which a saga that has turned back goes, the later first."""
    if not turned_back(steps):
        return frozenset()
    status = {step.name: step.status for step in steps}
    return frozenset(
        (before, step.name)
        for step in steps
        for before in step.after or ()
        if step.status != "pending" and (status.get(before) == "done" or status.get(before, "").startswith("und"))
    )


def _line(path: Path, way: Way, *, back: bool) -> Markup:
    """From step to step; `back`: with its head where it comes from, since that is what is undone next."""
    points = path.points
    drawn = f"M{_at(points[0], way)}"
    for (start, level), (end, next_level) in pairwise(points):
        if level == next_level:
            drawn += f"L{_at((end, next_level), way)}"
        else:
            middle = (start + end) / 2
            ends = (_at((middle, level), way), _at((middle, next_level), way), _at((end, next_level), way))
            drawn += f"C{ends[0]} {ends[1]} {ends[2]}"
    (tip, across), tail = (points[0], 7) if back else (points[-1], -7)
    corners = (_at((tip, across), way), _at((tip + tail, across - 4), way), _at((tip + tail, across + 4), way))
    head = tag("polygon", class_="head", points=" ".join(corner.replace(" ", ",") for corner in corners))
    return tag("g", tag("path", class_="tie never" if back else "tie", d=drawn), head, class_="open" if back else "plain")
