"""Small pieces that pages say things with: instants, states, severities, kinds, counts."""

from __future__ import annotations

from collections.abc import Sequence

from sagacity.ledger.live import FindingState, LiveFinding
from sagacity.report.markup import Child, Markup, join, tag
from sagacity.report.text import shortened
from sagacity.workflow.instants import instant, iso, span
from sagacity.workflow.trace import FOREVER
from sagacity.workflow.verdict import Status

__all__ = [
    "STATES",
    "STATUS_STATES",
    "ago",
    "card",
    "empty",
    "facts",
    "grid",
    "identified",
    "kind",
    "lined",
    "moment",
    "named",
    "section",
    "severity",
    "state",
    "status",
    "until",
]

STATES: dict[str, str] = {
    "open": "bad",
    "acknowledged": "open",
    "waived": "idle",
    "resolved": "good",
    "complete": "good",
    "violated": "bad",
    "current": "good",
    "behind": "open",
    "down": "bad",
}
"""The colour of each state; a case that is open is only waiting, see `status`."""

STATUS_STATES = {Status.VIOLATED: "bad", Status.PENDING: "open", Status.SATISFIED: "good", Status.VACUOUS: "idle"}
_SECOND = 1_000_000
_WHOLE = 40
"""So long an id stays on one line; a UUID has 36 signs."""


def moment(us: int | None, now: int, *, never: str = "never") -> Markup:
    """An instant with how long ago it was, or how far off it is."""
    if us is None or us == FOREVER:
        return tag("span", never, class_="soft")
    shown = tag("time", _second(us), datetime=iso(us), class_="when")
    return tag("span", shown, " ", tag("span", ago(us, now), class_="soft ago"), class_="moment")


def ago(us: int, now: int) -> str:
    """How long before (or after) the present an instant is: `3m 20s ago`, `in 2d 4h`, `just now`."""
    away = now - us
    if abs(away) < _SECOND:
        return "just now"
    whole = abs(away) - abs(away) % _SECOND
    said = span(whole, 1 if whole >= 100 * 3_600 * _SECOND else 2)
    return f"{said} ago" if away > 0 else f"in {said}"


def until(us: int) -> str:
    """An instant to the second, as text."""
    return _second(us)


def _second(us: int) -> str:
    return instant(us - us % _SECOND) if us != FOREVER else instant(us)


def named(text: str, length: int = 120) -> Markup:
    """A name that came from outside: kept short, and from reordering what stands around it."""
    return tag("bdi", shortened(text, length))


def identified(text: str, length: int = 120) -> Markup:
    """As `named`, for the id of something: unless it is long it stays on one line where there is room, to be read as one."""
    return tag("bdi", shortened(text, length), class_="id" if len(text) <= _WHOLE else None)


def state(name: FindingState | str) -> Markup:
    return tag("span", name, class_=f"tag state {STATES.get(name, 'idle')}")


def status(name: str) -> Markup:
    """The status of a case."""
    return tag("span", name, class_=f"tag state {'open' if name == 'open' else STATES.get(name, 'idle')}")


def severity(name: str) -> Markup:
    return tag("span", name, class_=f"sev {name}")


def kind(finding: LiveFinding) -> Markup:
    return tag("span", finding.kind.replace("_", " "), class_=f"kind k-{finding.kind}")


def lined(text: str) -> Markup:
    """Text whose line ends count, for `pre`."""
    return Markup("\n".join(join(line) for line in text.splitlines()))


def facts(entries: Sequence[tuple[str, Child]]) -> Markup:
    """Names and values, one under the other; those without a value are left out."""
    rows = [tag("div", tag("dt", name), tag("dd", value)) for name, value in entries if value not in (None, "")]
    return tag("dl", rows, class_="facts")


def empty(*said: Child) -> Markup:
    return tag("p", said, class_="empty")


def card(*children: Child, flush: bool = False, **attributes: str | None) -> Markup:
    given: dict[str, str | None] = {"class_": "card flush" if flush else "card"}
    return tag("div", children, **(given | attributes))


def section(key: str, title: str, *children: Child, lead: Child = None, live: bool = True) -> Markup:
    """A part of a page under its heading. A `live` one is refreshed in place."""
    return tag(
        "section",
        tag("h2", title, id=f"{key}-title", tabindex="-1"),
        tag("p", lead, class_="lead") if lead else None,
        children,
        id=key,
        aria_labelledby=f"{key}-title",
        data_live=True if live else None,
    )


def grid(
    caption: str,
    heads: Sequence[tuple[str, str | None]],
    rows: Sequence[tuple[str | None, Sequence[Child]]],
    *,
    foot: Sequence[Child] | None = None,
    headed: int = 0,
) -> Markup:
    """A table that becomes a list of cards where it is narrow.

    `heads` are names with classes (`num`); `rows` are keys (which tell a row from others when it is refreshed) with cells.
    The cell at `headed` is the row's heading.
    """

    def cells(values: Sequence[Child]) -> list[Markup]:
        made = []
        for place, (value, (name, class_)) in enumerate(zip(values, heads, strict=True)):
            label = name.strip("=+ ").capitalize()
            if place == headed:
                made.append(tag("th", value, scope="row", class_=class_))
            else:
                made.append(tag("td", tag("div", value, class_="cell") if class_ is None else value,
                                class_=class_, data_label=label or None))  # fmt: skip
        return made

    head = tag("tr", [tag("th", name, scope="col", class_=class_) for name, class_ in heads])
    body = [tag("tr", cells(values), data_key=key) for key, values in rows]
    table = tag(
        "table",
        tag("caption", caption, class_="hidden"),
        tag("thead", head),
        tag("tbody", body),
        tag("tfoot", tag("tr", cells(foot))) if foot is not None else None,
        class_="stack",
    )
    return tag("div", table, class_="scroll")
