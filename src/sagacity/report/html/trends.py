"""A series over periods as a line, with the period since which it is otherwise, and a table that says the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from sagacity.report.markup import Markup, tag
from sagacity.workflow.instants import instant

__all__ = ["Trend", "trend_chart", "trend_table"]

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 380.0, 150.0, 58.0, 12.0, 124.0
_DAY = 86_400_000_000
_ROOM = 0.12


class Trend(msgspec.Struct, frozen=True):
    """Values by period; None where there is none. `shown` words a value. `otherwise` has the places of the periods from
    which on it is otherwise, and up to which (exclusive), each with whether that is for the worse; `level` is a value to
    hold it against; `least` and `most` bound the axis."""

    starts: Sequence[int]
    values: Sequence[float | None]
    hints: Sequence[str]
    shown: Callable[[float], str]
    otherwise: Sequence[tuple[int, int, bool]] = ()
    level: float | None = None
    least: float | None = None
    most: float | None = None


def trend_chart(trend: Trend, label: str) -> Markup:
    """The line, its axis from the least to the greatest value, and a mark where it changed."""
    known = [value for value in trend.values if value is not None]
    if not known:
        return tag("p", "Nothing was counted.", class_="soft")
    low, high = _range(trend, known)
    wide = (_WIDTH - _LEFT - 8) / max(len(trend.values), 1)

    def x(place: int) -> float:
        return _LEFT + wide * (place + 0.5)

    def y(value: float) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * (value - low) / (high - low)

    parts: list[Markup] = []
    for line in (low, (low + high) / 2, high):
        parts.append(tag("path", class_="axis" if line == low else "grid", d=f"M{_LEFT} {y(line):.1f}H{_WIDTH - 4}"))
        parts.append(tag("text", trend.shown(line), x=_LEFT - 6, y=y(line) + 4, text_anchor="end"))
    if trend.level is not None:
        parts.append(tag("path", class_="level", d=f"M{_LEFT} {y(trend.level):.1f}H{_WIDTH - 4}"))
    for since, _, _ in trend.otherwise:
        at = _LEFT + wide * since
        parts.append(tag("path", class_="due", d=f"M{at:.1f} {_TOP - 6}V{_BOTTOM + 4}"))
    for state, path in _lines(trend, x, y):
        parts.append(tag("path", class_=f"trend {state}", d=path))
    for place, value in enumerate(trend.values):
        cover = tag("rect", class_="column", x=_LEFT + wide * place, y=_TOP, width=wide, height=_BOTTOM - _TOP)
        dot = (
            tag("circle", class_=f"fill {_state(trend, place)}", cx=x(place), cy=y(value), r=2.6)
            if value is not None
            else None
        )
        parts.append(tag("g", dot, cover, data_hint=trend.hints[place]))
    parts.append(tag("text", _day(trend.starts[0]), x=_LEFT, y=_HEIGHT - 6))
    if len(trend.starts) > 1:
        parts.append(tag("text", _day(trend.starts[-1]), x=_WIDTH - 4, y=_HEIGHT - 6, text_anchor="end"))
    said = f"{label}, {len(trend.values)} periods; the table below says the same"
    return tag("svg", parts, class_="chart narrow", viewbox=f"0 0 {_WIDTH:.0f} {_HEIGHT:.0f}", role="img", aria_label=said)


def _range(trend: Trend, known: Sequence[float]) -> tuple[float, float]:
    """The ends of the axis: a little beyond what there is, within what there can be."""
    held = [*known, *([trend.level] if trend.level is not None else [])]
    low, high = min(held), max(held)
    room = (high - low) * _ROOM or abs(high) * _ROOM or 1.0
    low, high = low - room, high + room
    low = low if trend.least is None else max(low, trend.least)
    high = high if trend.most is None else min(high, trend.most)
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _state(trend: Trend, place: int) -> str:
    bad = next((bad for since, until, bad in trend.otherwise if since <= place < until), None)
    return "idle" if bad is None else "bad" if bad else "open"


def _lines(trend: Trend, x: Callable[[int], float], y: Callable[[float], float]) -> list[tuple[str, str]]:
    """The line in pieces: before and after the change, broken where there is no value."""
    found: list[tuple[str, str]] = []
    points: list[str] = []
    state = ""
    for place, value in enumerate(trend.values):
        now = _state(trend, place)
        if value is None or (now != state and points):
            if len(points) > 1:
                found.append((state, f"M{'L'.join(points)}"))
            points = []
        if value is not None:
            points.append(f"{x(place):.1f} {y(value):.1f}")
        state = now
    if len(points) > 1:
        found.append((state, f"M{'L'.join(points)}"))
    return found


def trend_table(trend: Trend, value: str, of: str, counts: Sequence[int]) -> Markup:
    """The numbers of the line, and of how many each is."""
    head = tag(
        "tr", [tag("th", name, scope="col", class_=kind) for name, kind in (("From", None), (value, "num"), (of, "num"))]
    )
    rows = [
        tag(
            "tr",
            tag("th", _day(start), scope="row"),
            tag("td", "" if each is None else trend.shown(each), class_="num"),
            tag("td", n, class_="num"),
        )
        for start, each, n in zip(trend.starts, trend.values, counts, strict=True)
    ]
    return tag("div", tag("table", tag("thead", head), tag("tbody", rows)), class_="scroll")


def _day(us: int) -> str:
    return instant(us)[:10] if us % _DAY == 0 else instant(us)[:16]
