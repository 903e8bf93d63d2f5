"""The page of sagas: those that need an operator first, then all that fit what is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, get_args

import msgspec

from sagacity.report.markup import Child, Markup, tag
from sagacity.report.text import plural
from sagacity.saga.state import SagaStatus
from sagacity.web.pages.frame import Frame, back_field, document
from sagacity.web.pages.links import saga_url, sagas_url
from sagacity.web.pages.words import card, empty, grid, identified, moment, named, section

if TYPE_CHECKING:
    from sagacity.saga.postgres.listing import Line
    from sagacity.web.saga_documents import SagaLetter

__all__ = ["AT_HAND", "EVERY", "SAGA_STATES", "AskedSagas", "Found", "away_page", "saga_status", "sagas_page"]

SAGA_STATES: Mapping[str, str] = {
    "parked": "bad", "running": "open", "compensating": "open", "waiting": "idle", "completed": "good",
    "compensated": "idle", "abandoned": "bad",
}  # fmt: skip
"""The colour of each status of a saga."""

EVERY = 3_000
"""Milliseconds after which a page of sagas is read anew."""

AT_HAND = tag("div", "", id="away", data_live=True)
"""Where it is said that the sagas' database is away, while it is not."""


class AskedSagas(msgspec.Struct, frozen=True, kw_only=True):
    """What the address asks for."""

    state: str = ""
    definition: str = ""
    resource: str = ""
    cursor: str = ""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to show. `parked` are some that are, the longest started first; `letters` some dead letters."""

    where: str
    lines: Sequence[Line]
    parked: Sequence[Line]
    counts: Mapping[tuple[str, int, str], int]
    letters: Sequence[SagaLetter]
    next: str | None


def sagas_page(frame: Frame, asked: AskedSagas, found: Found) -> str:
    names = sorted({name for name, _, _ in found.counts})
    narrowed = asked != AskedSagas()
    body = (
        AT_HAND,
        tag("div", tag("h1", "Sagas"), _numbers(found.counts), class_="head", id="head", data_live=True),
        None if narrowed else section("parked", "Parked", _parked(frame, found),
                                      lead="These go on once an operator has said how."),
        section(
            "all",
            "All sagas",
            _search(asked, names),
            tag("div", card(_table(frame, found.lines), _pager(asked, found.next), flush=True), id="found", data_live=True),
            live=False,
        ),
        section("letters", "Dead letters", _letters(frame, found.letters),
                lead="Messages in this database that could not be done, the oldest first.") if found.letters else None,
        tag("p", "In the database ", named(found.where, 120), ".", class_="soft"),
    )  # fmt: skip
    return document(frame, "sagas", "Sagas", *body, every=EVERY)


def away_page(frame: Frame, title: str, reason: str, hint: str | None) -> str:
    """Where the sagas' database is away. A page that is open already says so above what it shows; this one is shown to
    whoever comes now. Both look again by themselves."""
    said = (
        tag("p", tag("strong", "Sagas cannot be shown now. "), named(f"{reason[:1].upper()}{reason[1:]}", 600), "."),
        tag("p", named(f"{hint[:1].upper()}{hint[1:]}", 300), ".") if hint else None,
    )
    body = (
        tag("div", tag("div", said, class_="banner bad", role="status"), id="away", data_live=True),
        tag("div", tag("h1", title), class_="head"),
        card(empty("The rest of this server goes on. This page looks again by itself."), id="missing", class_="card flush"),
    )
    return document(frame, "sagas", title, *body, every=EVERY)


def saga_status(name: str) -> Markup:
    """The status of a saga."""
    return tag("span", name, class_=f"tag state {SAGA_STATES.get(name, 'idle')}")


def _numbers(counts: Mapping[tuple[str, int, str], int]) -> Markup:
    """How many sagas there are, by status; each leads to those."""
    total: Counter[str] = Counter()
    for (_, _, status), count in counts.items():
        total[status] += count
    order = ("parked", "running", "compensating", "waiting", "completed", "compensated", "abandoned")
    shown = [
        tag("li", tag("a", tag("b", total[name]), " ", name, href=sagas_url(state=name)),
            class_=SAGA_STATES[name] if total[name] else "idle")
        for name in order
        if total[name] or name == "parked"
    ]  # fmt: skip
    return tag("ul", shown, class_="numbers", aria_label="Sagas by status")


def _parked(frame: Frame, found: Found) -> Markup:
    if not found.parked:
        return card(empty("No saga is parked."), flush=True)
    now = frame.status.now
    heads = [("Saga", None), ("Parked", None), ("At", None), ("Why", None)]
    rows: list[tuple[str | None, Sequence[Child]]] = [
        (
            line.id,
            [
                (tag("a", identified(line.id, 80), href=saga_url(line.id)),
                 tag("div", named(f"{line.definition} {line.version}", 60), class_="soft light")),
                moment(line.stands, now),
                named(", ".join(line.parked) or "in quarantine", 120),
                named(_why(line), 400),
            ],
        )
        for line in sorted(found.parked, key=lambda line: line.stands)
    ]  # fmt: skip
    total = sum(count for (_, _, status), count in found.counts.items() if status == "parked")
    more = None
    if total > len(rows):
        more = tag(
            "p", tag("a", f"All {plural(total, 'saga')} that are parked", href=sagas_url(state="parked")), class_="more"
        )
    return card(grid("Parked sagas, the one that has stood longest first", heads, rows), more, flush=True)


def _why(line: Line) -> str:
    """The cause, without the step where there is but one."""
    cause = line.cause or ""
    return cause.removeprefix(f"{line.parked[0]}: ") if len(line.parked) == 1 else cause


def _search(asked: AskedSagas, names: Sequence[str]) -> Markup:
    states = [("", "all"), *((name, name) for name in get_args(SagaStatus))]
    definitions = [("", "all"), *((name, name) for name in names)]
    return tag(
        "form",
        tag("label", "Saga", tag("input", type="search", name="saga", value="", maxlength=2000, placeholder="its whole id",
            autocomplete="off"), class_="search"),
        tag("label", "Status", tag("select", _options(states, asked.state), name="state"), class_="pick"),
        tag("label", "Definition", tag("select", _options(definitions, asked.definition), name="definition"), class_="pick"),
        tag("label", "Resource", tag("input", type="text", name="resource", value=asked.resource, maxlength=500,
            placeholder="such as an account", autocomplete="off"), class_="pick"),
        tag("div", tag("button", "Search", type="submit"),
            tag("a", "Clear", href="/sagas") if asked != AskedSagas(cursor=asked.cursor) else None, class_="buttons"),
        method="get", action="/sagas", class_="filters card", role="search", aria_label="Search the sagas",
    )  # fmt: skip


def _options(options: Sequence[tuple[str, str]], chosen: str) -> list[Markup]:
    return [tag("option", shown, value=value, selected=value == chosen) for value, shown in options]


def _table(frame: Frame, lines: Sequence[Line]) -> Markup:
    if not lines:
        return empty("No saga is found by this.")
    now = frame.status.now
    heads = [
        ("Saga", None),
        ("Definition", None),
        ("Status", None),
        ("Stands so since", None),
        ("Started", None),
        ("Why", None),
    ]
    rows: list[tuple[str | None, Sequence[Child]]] = [
        (
            line.id,
            [
                tag("a", identified(line.id, 80), href=saga_url(line.id)),
                named(f"{line.definition} {line.version}", 60),
                saga_status(line.status),
                moment(line.ended if line.ended is not None else line.stands, now),
                moment(line.started, now),
                named(line.cause or "", 240),
            ],
        )
        for line in lines
    ]
    return tag("div", grid("Sagas", heads, rows), class_="caselist")


def _pager(asked: AskedSagas, cursor: str | None) -> Markup | None:
    if not cursor and not asked.cursor:
        return None
    given = msgspec.structs.asdict(asked)
    back = tag("a", "Back to the beginning", href=sagas_url(**(given | {"cursor": ""}))) if asked.cursor else tag("span", "")
    on = tag("a", "More sagas", href=sagas_url(**(given | {"cursor": cursor})), rel="next") if cursor else tag("span", "")
    return tag("div", back, on, class_="pager")


def _letters(frame: Frame, letters: Sequence[SagaLetter]) -> Markup:
    heads = [("Message", None), ("Consumer", None), ("Why it could not be done", None), ("", None)]
    rows: list[tuple[str | None, Sequence[Child]]] = []
    for each in letters:
        about = tag("a", identified(each.saga, 80), href=saga_url(each.saga)) if each.saga else None
        again: Child = None
        if frame.viewer.operator and each.type is not None:
            label = tag("span", f" letter {each.number}", class_="hidden")
            again = tag("form", back_field(frame), tag("input", type="hidden", name="number", value=str(each.number)),
                        tag("button", "Do again", label, type="submit"), method="post", action="/sagas/redrive")  # fmt: skip
        what = (named(each.type or "not readable", 80), " of " if about else None, about)
        rows.append((f"letter-{each.number}", [what, named(each.consumer, 60), named(each.reason, 300), again]))
    return card(grid("Dead letters", heads, rows), flush=True)
