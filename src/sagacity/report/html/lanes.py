"""Swim-lane timelines: a lane for each event type, events as marks, what is missing as a ghost where it was due."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import log2
from typing import Literal

import msgspec

from sagacity.report.case import Awaited, CaseView, Ghost, Happened, values
from sagacity.report.markup import Markup, lines, tag
from sagacity.report.text import shortened, size_of, visible
from sagacity.workflow.instants import about
from sagacity.workflow.model import Workflow
from sagacity.workflow.words.wording import instant, span

__all__ = ["EVENTS_SHOWN", "lanes", "timeline_table"]

EVENTS_SHOWN = 80
"""A timeline of more events than these shows the first of them."""

_LABEL, _LANE, _TOP, _SMALL = 178.0, 34.0, 30.0, 11.0
_WIDTH = 1108.0
_NUDGE = 15.0


def lanes(
    workflow: Workflow, view: CaseView, case: str, *, by: Literal["type", "source"] = "type", as_of: int | None = None
) -> Markup:
    """The picture. Its axis shortens long gaps, and says how long each of them is.

    A lane for each event type, or each source. With `as_of`, that instant is marked, and what is awaited after it.
    """
    happened = view.happened[:EVENTS_SHOWN]
    last = happened[-1].event.time if happened else 0
    cut = len(view.happened) > EVENTS_SHOWN
    ghosts = [ghost for ghost in view.ghosts if not cut or ghost.due <= last]
    awaited = _once(view.awaited) if as_of is not None and not cut else []
    present = dict.fromkeys(
        [entry.event.type for entry in happened] + [each.type for each in ghosts] + [each.type for each in awaited]
    )
    lane_of = {name: _lane(workflow, name, by) for name in present}
    standing_lanes = _lanes(workflow, lane_of, by)
    places, crowd = _places(happened, lane_of)
    now = as_of if awaited or any(not entry.judged for entry in happened) else None
    dues = [ghost.due for ghost in ghosts] + [each.due for each in awaited]
    at, width = _axis(happened, dues if now is None else [*dues, now], crowd)
    lane_rows = {name: _TOP + _LANE * place + _LANE / 2 for place, name in enumerate(standing_lanes)}
    rows = {name: lane_rows[lane_of[name]] for name in present}
    height = _TOP + _LANE * len(standing_lanes) + 34
    parts: list[Markup] = []
    for name, y in lane_rows.items():
        parts.append(tag("path", class_="lane", d=f"M{_LABEL} {y}H{width}"))
        called = shortened(visible(name), 26)
        while size_of(called, 12) > _LABEL - 14 and len(called) > 2:
            called = called[:-2] + "\u2026"
        parts.append(tag("text", tag("title", name), called, class_="name", x=0, y=y + 4))
    instants = sorted(at)
    for place, time in enumerate(instants):
        parts.append(tag("path", class_="tick", d=f"M{at[time]:.1f} {_TOP}V{height - 30}"))
        if place:
            before = instants[place - 1]
            middle = (at[before] + at[time]) / 2
            parts.append(
                tag("text", f"+{about(time - before)}", class_="soft", x=middle, y=height - 12, text_anchor="middle")
            )
    if now is not None:
        parts.append(tag("path", class_="now", d=f"M{at[now]:.1f} {_TOP - 6}V{height - 30}"))
        said = tag("title", f"Judged as of {instant(now)}")
        parts.append(tag("text", said, "as of", class_="soft", x=at[now], y=_TOP - 9, text_anchor="middle"))
    if instants and now is None:
        first, final = instants[0], instants[-1]
        parts.append(tag("text", instant(first), class_="soft", x=at[first] - 6, y=16))
        if width - _LABEL > 420:
            parts.append(tag("text", instant(final), class_="soft", x=width - 6, y=16, text_anchor="end"))
    standing = {(entry.event.type, entry.event.time) for entry in happened}
    parts += [_tether(ghost, ghost.asked, at, rows) for ghost in ghosts if ghost.asked in standing]
    marks = [_awaited(each, at[each.due], rows[each.type]) for each in awaited]
    marks += [_ghost(ghost, at[ghost.due], rows[ghost.type]) for ghost in ghosts]
    for entry, place in zip(happened, places, strict=True):
        marks.append(_event(entry, at[entry.event.time] + _NUDGE * place, rows[entry.event.type]))
    # The first mark is reached by Tab, the others by the arrow keys.
    parts += [_drawn(mark, place == 0) for place, mark in enumerate(sorted(marks, key=lambda mark: (mark.x, mark.y)))]
    label = f"Timeline of case {case}: {len(happened)} events in {len(standing_lanes)} lanes; the arrow keys move along it"
    size = {"width": f"{width:.0f}", "height": f"{height:.0f}", "viewbox": f"0 0 {width:.0f} {height:.0f}"}
    return tag("svg", parts, class_="lanes", role="group", aria_label=label, **size)


def _lane(workflow: Workflow, name: str, by: Literal["type", "source"]) -> str:
    if by == "type":
        return name
    return workflow.events[name].source if name in workflow.events else "not named by the workflow"


def _lanes(workflow: Workflow, lane_of: Mapping[str, str], by: Literal["type", "source"]) -> list[str]:
    """The lanes that something stands in, in the order of the workflow, then of their coming."""
    named = [_lane(workflow, name, by) for name in workflow.events if name in lane_of]
    return list(dict.fromkeys([*named, *lane_of.values()]))


def _once(awaited: Sequence[Awaited]) -> list[Awaited]:
    """What is awaited, one mark for each type and instant."""
    found: dict[tuple[str, int], Awaited] = {}
    for each in awaited:
        found.setdefault((each.type, each.due), each)
    return list(found.values())


def _places(happened: Sequence[Happened], lane_of: Mapping[str, str]) -> tuple[list[int], dict[int, int]]:
    """How many events of its lane and instant stand before each, and the most of them at each instant."""
    seen: defaultdict[tuple[str, int], int] = defaultdict(int)
    places, crowd = [], defaultdict[int, int](int)
    for entry in happened:
        same = (lane_of[entry.event.type], entry.event.time)
        places.append(seen[same])
        crowd[entry.event.time] = max(crowd[entry.event.time], seen[same])
        seen[same] += 1
    return places, crowd


def _axis(happened: Sequence[Happened], others: Sequence[int], crowd: dict[int, int]) -> tuple[dict[int, float], float]:
    """Where each instant stands: gaps grow with the logarithm of their length, and have room for its name."""
    instants = sorted({entry.event.time for entry in happened}.union(others))
    gaps = []
    for before, time in pairwise(instants):
        named = size_of(f"+{about(time - before)}", _SMALL) + 10
        gaps.append(max(named, 20 + 5 * log2(1 + (time - before) / 1_000_000)) + _NUDGE * crowd.get(before, 0))
    start, end = _LABEL + 26, 40 + _NUDGE * (crowd.get(instants[-1], 0) if instants else 0)
    stretch = min(3.0, max(1.0, (_WIDTH - start - end) / (sum(gaps) or 1)))
    at, x = {}, start
    for place, time in enumerate(instants):
        x += gaps[place - 1] * stretch if place else 0
        at[time] = x
    return at, max(x + end, _LABEL + 300)


class _Mark(msgspec.Struct, frozen=True):
    """What stands at a place of the picture, and what is said of it."""

    x: float
    y: float
    said: tuple[str, ...]
    kind: str | None
    shape: Literal["event", "later", "ghost", "awaited"]


def _event(entry: Happened, x: float, y: float) -> _Mark:
    event = entry.event
    said = [f"{event.type}{f', {event.id}' if event.id else ''}", instant(event.time)]
    if entry.gap is not None:
        said.append(f"{span(entry.gap, 2)} after the event before")
    said += [f"{name}: {value}" for name, value in values(event)]
    said += [f"{kind.replace('_', ' ')}: {name}" for name, kind in entry.involved]
    if not entry.judged:
        said.append("not judged yet")
    shape: Literal["event", "later"] = "event" if entry.judged else "later"
    return _Mark(x, y, tuple(said), entry.involved[0][1] if entry.involved else None, shape)


def _ghost(ghost: Ghost, x: float, y: float) -> _Mark:
    said = (f"{ghost.type}: {ghost.kind}", f"was due by {instant(ghost.due)}", ghost.expectation)
    return _Mark(x, y, said, ghost.kind, "ghost")


def _awaited(awaited: Awaited, x: float, y: float) -> _Mark:
    said = (f"{awaited.type}: awaited", f"due by {instant(awaited.due)}", awaited.expectation)
    return _Mark(x, y, said, None, "awaited")


def _drawn(mark: _Mark, first: bool) -> Markup:
    said = [shortened(line, 300) for line in mark.said]
    shapes = [tag("circle", class_="hover", cx=mark.x, cy=mark.y, r=14)]
    if mark.shape != "event":
        shapes.append(tag("circle", class_=mark.shape, cx=mark.x, cy=mark.y, r=6 if mark.shape == "later" else 7))
    else:
        if mark.kind:
            shapes.append(tag("circle", class_="halo", cx=mark.x, cy=mark.y, r=10))
        shapes.append(tag("circle", class_="event hit" if mark.kind else "event", cx=mark.x, cy=mark.y, r=6))
    return tag(
        "g",
        shapes,
        role="img",
        aria_label="; ".join(said),
        data_hint=lines(said),
        class_=f"k-{mark.kind}" if mark.kind else None,
        tabindex="0" if first else "-1",
    )


def _tether(ghost: Ghost, asked: tuple[str, int] | None, at: dict[int, float], rows: dict[str, float]) -> Markup:
    """A line from the event that asked for another to where that was due."""
    event_type, time = asked or (ghost.type, ghost.due)
    x, y, to_x, to_y = at[time], rows[event_type], at[ghost.due], rows[ghost.type]
    bend, end = min(x + 40, to_x - 8), to_x - 8
    way = f"M{x:.1f} {y:.1f}C{x + 18:.1f} {to_y:.1f} {x + 10:.1f} {to_y:.1f} {bend:.1f} {to_y:.1f}H{end:.1f}"
    return tag("g", tag("path", class_="edge", d=way), class_=f"k-{ghost.kind}")


def timeline_table(view: CaseView) -> Markup:
    """The timeline as a table."""
    heads = ("Time", "Since the last", "Event", "Id", "Attributes", "Involved in")
    rows: list[tuple[int, int, Markup]] = []
    for entry in view.happened[:EVENTS_SHOWN]:
        event = entry.event
        captured = ", ".join(f"{name} {value}" for name, value in values(event))
        notes = [f"{kind.replace('_', ' ')}: {name}" for name, kind in entry.involved]
        involved = ", ".join(notes if entry.judged else [*notes, "not judged yet"])
        gap = "" if entry.gap is None else f"+{span(entry.gap, 2)}"
        cells = (
            instant(event.time),
            gap,
            tag("bdi", event.type),
            tag("bdi", event.id or ""),
            tag("bdi", captured),
            involved,
        )
        rows.append((event.time, 1, tag("tr", [tag("td", cell) for cell in cells])))
    for ghost in view.ghosts:
        said = (instant(ghost.due), "", tag("bdi", f"{ghost.type} was due"), "", "", f"{ghost.kind}: {ghost.expectation}")
        rows.append((ghost.due, 0, tag("tr", [tag("td", cell) for cell in said], class_="soft")))
    rows.sort(key=lambda row: row[:2])
    head = tag("tr", [tag("th", name, scope="col") for name in heads])
    return tag("table", tag("thead", head), tag("tbody", [row for _, _, row in rows]))
