"""The page of drift: what has changed and since when, and each series over the periods."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sagacity.discover.drift import Bins, Change, Drift, Series, What
from sagacity.discover.drift_kinds import SLOW, quantile
from sagacity.report.html.assets import asset
from sagacity.report.html.page import framed
from sagacity.report.html.trends import Trend, trend_chart, trend_table
from sagacity.report.markup import Markup, tag
from sagacity.report.text import plural, shortened
from sagacity.workflow.durations import format_duration
from sagacity.workflow.instants import instant, span

__all__ = ["drift_sections", "render_drift"]

_MOST = 48
_NOTHING = "Nothing changed that is more than chance."
_ONE = "All cases began in one period: there is nothing to compare."
_HEADS = {"delay": ("Usually takes", "Measured"), "volume": ("Cases", "Cases"), "events": ("Times", "Of cases")}
_DAY = 86_400_000_000

_KINDS: tuple[tuple[tuple[What, ...], str, str, str], ...] = (
    (
        ("rule",),
        "rules",
        "Rules",
        "In what share of the cases that it concerns each holds; dashed, when it was accepted.",
    ),
    (
        ("delay",),
        "delays",
        "Delays",
        "How long it usually takes (the median) from one event to another that is to follow it; what takes longest is "
        "looked at as well.",
    ),
    (("type", "new type"), "types", "Event types", "In what share of the cases each occurs; new ones first."),
    (("events",), "events", "Events", "How often a type comes in a case that has it, where it comes more than once."),
    (("variant",), "variants", "Variants", "What share of the cases goes which way, the most frequent ones."),
    (("volume",), "volume", "Cases", "How many cases begin in each period."),
)


def render_drift(drift: Drift) -> str:
    """One page that holds everything it needs: no request leaves it, and nothing in the data can run in it."""
    cases = sum(period.cases for period in drift.periods)
    about = (
        f"{plural(cases, 'case')} in {plural(len(drift.periods), 'period')} of {format_duration(drift.width)}, from "
        f"{_day(drift.periods[0].start)}. {plural(len(drift.changes), 'thing')} changed. {' '.join(drift.notes)}"
    )
    return framed(
        f"{drift.workflow}: what has changed",
        "What has changed in how cases go",
        drift.workflow,
        about,
        drift_sections(drift),
        modules=[Markup(asset("hints.js"))],
        skip=("changes", "Skip to the changes"),
    )


def drift_sections(drift: Drift, rules: str | None = None) -> list[tuple[str, str, str, Markup]]:
    """The sections: `(id, title, lead, body)` of each; `rules` leads that about rules, where it counts otherwise."""
    changed: dict[tuple[What, str], list[Change]] = {}
    for change in drift.changes:
        changed.setdefault((change.what, change.name), []).append(change)
    places = {period.start: place for place, period in enumerate(drift.periods)}
    found = [
        ("changes", "What has changed", "The earliest first; each by the period since which it is so.", _changes(drift))
    ]
    for kinds, key, title, about in _KINDS:
        series = [each for each in drift.series if each.what in kinds and any(each.of)]
        series.sort(key=lambda each: (_rank(each, changed), each.what != "new type"))
        if series:
            cards = [_card(drift, each, changed.get((each.what, each.name), []), places) for each in series[:_MOST]]
            more = tag("p", f"and {len(series) - _MOST:,} more", class_="soft") if len(series) > _MOST else None
            about = rules if rules is not None and key == "rules" else about
            found.append((key, title, about, tag("div", tag("div", cards, class_="grid2"), more)))
    return found


def _rank(series: Series, changed: Mapping[tuple[What, str], Sequence[Change]]) -> int:
    changes = changed.get((series.what, series.name))
    return changes[0].since if changes else 1 << 62


def _changes(drift: Drift) -> Markup:
    if not drift.changes:
        compared = sum(period.cases > 0 for period in drift.periods) > 1
        return tag("div", tag("p", _NOTHING if compared else _ONE, class_="empty"), class_="card flush")
    rows = [
        tag(
            "tr",
            tag("th", _when(change), scope="row", class_="when"),
            tag("td", tag("span", change.what, class_="tag"), data_label="What"),
            tag("td", tag("bdi", shortened(_sentence(change), 400)), data_label="Change"),
        )
        for change in drift.changes
    ]
    head = tag("tr", [tag("th", name, scope="col") for name in ("Since", "What", "Change")])
    table = tag("table", tag("thead", head), tag("tbody", rows), class_="stack")
    return tag("div", tag("div", table, class_="scroll", tabindex="0"), class_="card flush")


def _sentence(change: Change) -> str:
    """Without the date, which stands beside it."""
    return _sentence_case(change.sentence.partition(": ")[2]) or change.sentence


def _sentence_case(said: str) -> str:
    return said[:1].upper() + said[1:]


def _when(change: Change) -> str:
    return _day(change.since) if change.until is None else f"{_day(change.since)} to {_day(change.until)}"


def _card(drift: Drift, series: Series, changes: Sequence[Change], places: Mapping[int, int]) -> Markup:
    slow = next((change.quantile for change in changes if change.quantile in SLOW), None)
    until = [places[change.until] if change.until is not None else len(drift.periods) for change in changes]
    changed = [(places[change.since], end) for change, end in zip(changes, until, strict=True)]
    trend = _trend(drift, series, changed, slow or 0.5)
    said = [change.sentence if len(changes) > 1 else _sentence(change) for change in changes]
    value, of = _HEADS.get(series.what, ("Share", "Of cases"))
    value = _sentence_case(SLOW[slow]) if slow else value
    return tag(
        "div",
        tag("h3", tag("bdi", shortened(series.name, 120))),
        [tag("p", tag("bdi", shortened(each, 300)), class_="soft") for each in said or [_NOTHING]],
        trend_chart(trend, f"{value} of {shortened(series.name, 80)}"),
        tag("details", tag("summary", "As a table"), trend_table(trend, value, of, series.of)),
        class_="card",
    )


def _trend(drift: Drift, series: Series, changed: Sequence[tuple[int, int]], share: float) -> Trend:
    starts = [period.start for period in drift.periods]
    values: list[float | None]
    if series.what == "volume":
        values = [held if period.whole else None for held, period in zip(series.held, drift.periods, strict=True)]
        parts = [f"cases; {held:,} in a part of it" for held in series.held]
        counts = ["cases" if period.whole else part for part, period in zip(parts, drift.periods, strict=True)]
        hints = _hints(starts, values, _count, counts)
        return Trend(starts, values, hints, _count, _neutral(changed), least=0)
    if series.what == "delay":
        values = [held if of else None for held, of in zip(series.held, series.of, strict=True)]
        if series.bins and share != 0.5:
            values = [quantile(bins, share) if bins else None for bins in series.bins]
        hints = _hints(starts, values, _span, list(map(_slow, series.bins)) or [f"of {of:,}" for of in series.of])
        return Trend(starts, values, hints, _span, _neutral(changed), least=0)
    if series.what == "events":
        values = [held / of if of else None for held, of in zip(series.held, series.of, strict=True)]
        counts = [f"{held:,} in {of:,} cases" for held, of in zip(series.held, series.of, strict=True)]
        return Trend(starts, values, _hints(starts, values, _often, counts), _often, _neutral(changed), least=0)
    values = [100 * held / of if of else None for held, of in zip(series.held, series.of, strict=True)]
    counts = [f"{held:,} of {of:,} cases" for held, of in zip(series.held, series.of, strict=True)]
    level = 100 * series.accepted[0] / series.accepted[1] if series.accepted and series.accepted[1] else None
    rule = series.what == "rule"
    otherwise = [(since, until, rule and _worse(values, since, until)) for since, until in changed]
    return Trend(starts, values, _hints(starts, values, _percent, counts), _percent, otherwise, level, 0, 100)


def _neutral(changed: Sequence[tuple[int, int]]) -> list[tuple[int, int, bool]]:
    return [(since, until, False) for since, until in changed]


def _slow(bins: Bins) -> str:
    """How long the slow ones take, beside the median."""
    n = sum(n for n, _ in bins.values())
    return (
        f"of {n:,}; one in ten longer than {_span(quantile(bins, 0.9))}, one in a hundred than {_span(quantile(bins, 0.99))}"
    )


def _worse(values: Sequence[float | None], since: int, until: int) -> bool:
    then, now = [v for v in values[:since] if v is not None], [v for v in values[since:until] if v is not None]
    return bool(then and now) and sum(now) / len(now) < sum(then) / len(then)


def _hints(
    starts: Sequence[int], values: Sequence[float | None], shown: Callable[[float], str], counts: Sequence[str]
) -> list[str]:
    return [
        f"from {_day(start)}: {'none' if value is None else shown(value)}, {count}"
        for start, value, count in zip(starts, values, counts, strict=True)
    ]


def _percent(value: float) -> str:
    return f"{value:.1f} %" if value != round(value) else f"{value:.0f} %"


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _often(value: float) -> str:
    return f"{value:.2f}"


def _span(value: float) -> str:
    us = int(value)
    unit = next((size for size in (60_000_000, 1_000_000, 1_000) if us >= 10 * size), 1)
    return span(us // unit * unit, 2) if us else "0"


def _day(us: int) -> str:
    return instant(us)[:10] if us % _DAY == 0 else instant(us)[:16]
