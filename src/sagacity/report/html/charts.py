"""Charts as SVG elements, each with a table that says the same."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from sagacity.reconcile.result import Delays, FindingsOverTime
from sagacity.report.markup import Markup, lines, tag
from sagacity.report.summary import KINDS
from sagacity.report.text import percent, plural
from sagacity.workflow.durations import format_duration
from sagacity.workflow.words.wording import instant, span

__all__ = ["delays_chart", "delays_said", "delays_table", "kind_legend", "over_time_chart", "over_time_table", "share_bar"]

_HOUR, _DAY = 3_600_000_000, 86_400_000_000


def share_bar(shares: Sequence[tuple[str, int, str]], class_: str, label: str) -> Markup:
    """A bar of shares (name, count, state class); the last share is hatched, so that it shows without colour, too."""
    total = sum(count for _, count, _ in shares)
    x, parts = 0.0, []
    for name, count, state in shares:
        if not count:
            continue
        width = max(30.0, 1000 * count / total)
        hint = tag("title", f"{name}: {count:,} ({percent(count, total)})")
        fill = tag("rect", class_=f"{state} fill", x=x, y=0, width=width, height=20)
        lines = [f"M{x + step:.1f} 20l9 -20" for step in range(6, max(7, int(width)), 9)] if state == "bad" else []
        parts.append(tag("g", hint, fill, tag("path", class_="hatch", d=" ".join(lines)) if lines else None))
        x += width
    if not total:
        parts.append(tag("rect", class_="idle fill", x=0, y=0, width=1000, height=20, opacity=0.25))
    box = f"0 0 {max(x, 1000):.0f} 20"
    return tag("svg", parts, class_=class_, viewbox=box, preserveaspectratio="none", role="img", aria_label=label)


def _nice(most: int) -> tuple[int, int]:
    """The top of an axis that holds `most`, and the step of its lines."""
    step = 1
    while most > step * 4:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return max(step * -(-most // step), 1), step


def over_time_chart(over_time: FindingsOverTime) -> Markup:
    """Findings by the instant since which they stand, a column for each period, stacked by kind."""
    width, height, left, bottom = 1180.0, 240.0, 62.0, 34.0
    kinds = [kind for kind in KINDS if kind in over_time.counts]
    sums = [sum(row) for row in zip(*(over_time.counts[kind] for kind in kinds), strict=True)]
    top, step = _nice(max(sums, default=0))
    high, wide = height - bottom - 12, (width - left - 8) / max(1, len(sums))
    parts: list[Markup] = []
    for line in range(0, top + 1, step):
        y = 12 + high * (1 - line / top)
        parts.append(tag("path", class_="axis" if line == 0 else "grid", d=f"M{left} {y:.1f}H{width}"))
        parts.append(tag("text", f"{line:,}", x=left - 8, y=y + 4, text_anchor="end"))
    every = max(1, -(-len(sums) * 92 // int(width - left)))
    for place, start in enumerate(over_time.starts):
        x, y = left + wide * place, 12 + high
        column: list[Markup] = []
        said = [f"{_period(start, over_time.width)}: {plural(sums[place], 'finding')}"]
        for kind in kinds:
            count = over_time.counts[kind][place]
            if count:
                size = high * count / top
                y -= size
                gap = min(3.0, wide * 0.16)
                mark = tag("rect", class_="kindfill", x=x + gap, y=y, width=wide - 2 * gap, height=size)
                column.append(tag("g", mark, class_=f"k-{kind}"))
                said.append(f"{kind.replace('_', ' ')}: {count:,}")
        cover = tag("rect", class_="column", x=x, y=12, width=wide, height=high)
        parts.append(tag("g", column, cover, data_hint=lines(said)))
        if place % every == 0:
            parts.append(tag("text", _day(start, over_time.width), x=x + wide / 2, y=height - 12, text_anchor="middle"))
    label = f"Findings over time, {len(sums)} periods of {span(over_time.width)}; the table below says the same"
    return tag("svg", parts, class_="chart", viewbox=f"0 0 {width:.0f} {height:.0f}", role="img", aria_label=label)


def _day(us: int, width: int) -> str:
    text = instant(us)
    return text[:10] if width >= _DAY else text[5:16] if width >= 60_000_000 else text[11:19]


def _period(start: int, width: int) -> str:
    return instant(start)[:10] if width == _DAY else f"{span(width)} from {instant(start)}"


def over_time_table(over_time: FindingsOverTime) -> Markup:
    """The numbers of the chart."""
    kinds = [kind for kind in KINDS if kind in over_time.counts]
    head = [
        tag("th", "From", scope="col"),
        *(tag("th", kind.replace("_", " "), scope="col", class_="num") for kind in kinds),
    ]
    rows = []
    for place, start in enumerate(over_time.starts):
        counts = [over_time.counts[kind][place] for kind in kinds]
        if any(counts):
            cells = [tag("td", count, class_="num") for count in counts]
            rows.append(tag("tr", tag("th", instant(start), scope="row"), cells))
    return tag("table", tag("thead", tag("tr", head)), tag("tbody", rows))


def kind_legend(counts: Sequence[tuple[str, int]]) -> Markup:
    """Kinds with their colours and totals."""
    items = [
        tag("li", tag("span", kind.replace("_", " "), class_=f"kind k-{kind}"), f" {count:,}") for kind, count in counts
    ]
    return tag("ul", items, class_="legend")


def delays_chart(delays: Delays) -> Markup:
    """How long it took, in bins, and where the deadline lies."""
    width, height, bottom, high = 360.0, 168.0, 30.0, 112.0
    most = max(1, *delays.counts)
    wide = (width - 8) / len(delays.counts)
    lows = (0, *delays.edges)
    parts: list[Markup] = []
    for place, count in enumerate(delays.counts):
        late = place >= len(delays.edges) or delays.edges[place] > delays.within
        size = max(1.5, high * count / most) if count else 0
        x, y = 4 + wide * place, height - bottom - size
        column = tag("rect", class_="fill", x=x + 1, y=y, width=wide - 2, height=size)
        cover = tag("rect", class_="column", x=x, y=height - bottom - high, width=wide, height=high)
        to = f"to {span(delays.edges[place], 2)}" if place < len(delays.edges) else "and more"
        said = f"{span(lows[place], 2)} {to}: {plural(count, 'case')}"
        parts.append(tag("g", column, cover, class_="bad" if late else "good", data_hint=said))
    parts.append(tag("path", class_="axis", d=f"M4 {height - bottom}H{width - 4}"))
    within = sum(1 for edge in delays.edges if edge <= delays.within)
    at = 4 + wide * within
    parts.append(tag("path", class_="due", d=f"M{at:.1f} 12V{height - bottom + 5}"))
    anchor = "end" if at > width * 0.55 else "start"
    shift = -6 if anchor == "end" else 6
    parts.append(
        tag("text", f"deadline {format_duration(delays.within)}", class_="ink", x=at + shift, y=18, text_anchor=anchor)
    )
    parts.append(tag("text", "0", x=4, y=height - 12))
    if at < width - 90 and delays.edges:
        parts.append(tag("text", f"over {span(delays.edges[-1], 2)}", x=width - 4, y=height - 12, text_anchor="end"))
    label = f"{delays_said(delays)}; the table below has the numbers"
    return tag("svg", parts, class_="chart", viewbox=f"0 0 {width:.0f} {height:.0f}", role="img", aria_label=label)


def delays_said(delays: Delays) -> str:
    """The chart in one sentence."""
    total = sum(delays.counts)
    inside = sum(count for edge, count in zip(delays.edges, delays.counts, strict=False) if edge <= delays.within)
    if not total:
        return "no delay could be measured"
    running = list(accumulate(delays.counts))
    middle = next(place for place, count in enumerate(running) if count * 2 >= total)
    typical = (
        f"half took no longer than {span(delays.edges[middle], 2)}" if middle < len(delays.edges) else "most took longer"
    )
    return f"{percent(inside, total)} within {format_duration(delays.within)}; {typical}"


def delays_table(delays: Delays) -> Markup:
    """The numbers of the chart."""
    head = tag("tr", tag("th", "Took", scope="col"), tag("th", "Cases", scope="col", class_="num"))
    names = [f"up to {span(edge, 2)}" for edge in delays.edges]
    names.append(f"more than {span(delays.edges[-1], 2)}" if delays.edges else "any time")
    rows = [
        tag("tr", tag("th", name, scope="row"), tag("td", count, class_="num"))
        for name, count in zip(names, delays.counts, strict=True)
    ]
    return tag("table", tag("thead", head), tag("tbody", rows))
