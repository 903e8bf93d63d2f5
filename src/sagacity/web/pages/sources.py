"""Sources: whether each is heard, how far it has been read, and what became of its records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sagacity.ledger.live import Account, PartState, Refusal
from sagacity.reconcile.live import Status
from sagacity.report.markup import Child, Markup, tag
from sagacity.report.text import plural
from sagacity.sources.stream import Reach
from sagacity.web.pages.frame import Frame, document
from sagacity.web.pages.words import STATES, ago, card, empty, grid, moment, named, section, state, until

__all__ = ["health_list", "sources_page"]

_RANK = {"down": 0, "behind": 1, "current": 2}
_PARTS = ("matched", "redelivered", "late", "unmatched", "orphan", "rejected")
_MEANINGS = (
    ("matched", "became an event of a case"),
    ("redelivered", "a further copy of an event"),
    ("late", "came after its case had been judged beyond its time, and amended it"),
    ("unmatched", "of a type that the workflow does not name"),
    ("orphan", "with no key that leads to a case"),
    ("rejected", "could not be read"),
)


def _by_source(status: Status) -> dict[str, list[Reach]]:
    found: dict[str, list[Reach]] = {}
    for reach in status.reaches:
        found.setdefault(reach.source, []).append(reach)
    return dict(sorted(found.items(), key=lambda entry: (min(_RANK[reach.state] for reach in entry[1]), entry[0])))


def _lag(reaches: Sequence[Reach]) -> str:
    known = [reach.lag for reach in reaches if reach.lag is not None]
    if not sum(known) and len(known) < len(reaches):
        return "not known"
    return f"{sum(known):,}" + (" and more" if len(known) < len(reaches) else "")


def _worst(reaches: Sequence[Reach]) -> str:
    return min((reach.state for reach in reaches), key=_RANK.__getitem__)


def health_list(status: Status, rejected: Mapping[str, int] | None = None) -> Markup:
    """Each source in a line: state, what waits, how many of its records were rejected."""
    rejected = {source: count for source, count in (rejected or {}).items() if count}
    sources = _by_source(status) | {
        source: [] for source in rejected if source not in {each.source for each in status.reaches}
    }
    if not sources:
        return empty("No source is read. Events may be pushed to ", tag("code", "/ingest"), ".")
    items = []
    for source, reaches in sources.items():
        worst = _worst(reaches) if reaches else "not read now"
        lag = _lag(reaches)
        waits = (
            "nothing waits"
            if lag == "0"
            else f"{lag} {'waits' if lag == '1' else 'wait'}"
            if lag != "not known"
            else "what waits is not known"
        )
        error = next((reach.error for reach in reaches if reach.error), None)
        items.append(
            tag(
                "li",
                tag("span", worst, class_=f"dot {STATES.get(worst, 'idle')}"),
                tag("a", named(source, 60), href="/sources"),
                tag("span", f"{plural(len(reaches), 'part')}, {waits}", class_="soft") if reaches else None,
                tag("a", f"{rejected[source]:,} rejected", href="/sources#rejected", class_="fault")
                if source in rejected
                else None,
                tag("span", tag("bdi", error), class_="soft fault") if error else None,
                data_key=source,
            )
        )
    return tag("ul", items, class_="health")


def sources_page(
    frame: Frame, parts: Sequence[PartState], accounts: Sequence[Account], refusals: Sequence[Refusal] = ()
) -> str:
    known = {(part.source, part.part): part for part in parts}
    body = (
        tag("div", tag("h1", "Sources"), class_="head"),
        section(
            "health",
            "Health",
            _health(frame, known),
            lead="What is waited for, and how far each part has been read. Positions are offsets, bytes or counters, "
            "as the source counts.",
        ),
        section(
            "accounting",
            "Where the records went",
            _accounting(accounts),
            lead="Every record is accounted for: the parts of each row add up to its records.",
        ),
        section("rejected", "Rejected lately", _refused(frame, refusals), lead=_REFUSED) if refusals else None,
    )
    return document(frame, "sources", "Sources", *body)


_REFUSED = "Records that could not be read, the latest first, with the reason and how each began."


def _refused(frame: Frame, refusals: Sequence[Refusal]) -> Markup:
    heads: list[tuple[str, str | None]] = [
        ("Arrived", None),
        ("Where", None),
        ("Why", None),
        ("Record", None),
    ]
    rows: list[tuple[str | None, Sequence[Child]]] = [
        (
            None,
            [
                moment(each.arrived, frame.status.now),
                tag("code", named(f"{each.source}, {each.part} at {each.position:,}", 120)),
                tag("bdi", each.reason),
                tag("code", tag("bdi", each.shown)),
            ],
        )
        for each in refusals
    ]
    return card(grid("Rejected records", heads, rows), flush=True)


def _health(frame: Frame, known: dict[tuple[str, str], PartState]) -> Markup:
    status, now = frame.status, frame.status.now
    sources = _by_source(status)
    for source, _ in known:
        sources.setdefault(source, [])
    if not sources:
        return card(empty("No source is read yet. Events may be pushed to ", tag("code", "/ingest"), "."), flush=True)
    cards = []
    for source, reaches in sources.items():
        given = {reach.part: reach for reach in reaches}
        names = sorted({*given, *(part for name, part in known if name == source)})
        rows = [(name, _part(given.get(name), known.get((source, name)), name, now)) for name in names]
        worst = _worst(reaches) if reaches else None
        heads = [("Part", None), ("State", None), ("Waiting", "num"), ("Last heard", None), ("Latest event", None),
                 ("Position", "num"), ("Records", "num"), ("Rejected", "num")]  # fmt: skip
        behind = status.behind.get(source)
        said = None
        if behind is not None:
            heard = f"has been heard as far as {until(behind)} ({ago(behind, now)})" if behind else "was never heard"
            said = tag("p", f"It {heard}. What only this source could still bring is pending.", class_="soft note")
        errors = [tag("p", tag("bdi", reach.error), class_="note fault") for reach in reaches if reach.error]
        cards.append(
            tag(
                "article",
                tag("h3", tag("span", worst or "not read now", class_=f"dot {STATES.get(worst or '', 'idle')}"),
                    " ", named(source, 80)),
                said,
                errors[:3],
                grid(f"Parts of {source}", heads, rows),
                class_="card flush source",
                data_key=source,
            )
        )  # fmt: skip
    return tag("div", cards, class_="cases")


def _part(reach: Reach | None, part: PartState | None, name: str, now: int) -> list[Child]:
    return [
        tag("code", named(name, 120)),
        state(reach.state) if reach else tag("span", "not read now", class_="soft"),
        "?" if reach is None or reach.lag is None else reach.lag,
        moment(part.heard if part else None, now),
        moment(part.latest if part else None, now, never="none"),
        f"{part.position:,}" if part and part.position is not None else "–",
        part.records if part else 0,
        part.rejected if part else 0,
    ]


def _accounting(accounts: Sequence[Account]) -> Markup:
    if not accounts:
        return card(empty("No record has come in yet."), flush=True)
    heads: list[tuple[str, str | None]] = [("Source", None), ("Workflow", None), ("Records", "num")]
    heads += [(f"{'=' if place == 0 else '+'} {part}", "num") for place, part in enumerate(_PARTS)]
    rows: list[tuple[str | None, Sequence[Child]]] = []
    odd = []
    for account in accounts:
        parts = [getattr(account, part) for part in _PARTS]
        if sum(parts) != account.records:
            odd.append(f"{account.source} of {account.workflow}: {account.records:,} records, {sum(parts):,} accounted for")
        cells: list[Child] = [named(account.source, 60), named(account.workflow, 60), account.records, *parts]
        rows.append((f"{account.workflow}/{account.source}", cells))
    foot: list[Child] | None = None
    if len(accounts) > 1:
        sums = [sum(getattr(account, part) for account in accounts) for part in ("records", *_PARTS)]
        foot = ["All", "", *sums]
    meanings = tag(
        "dl", [tag("div", tag("dt", name), tag("dd", words)) for name, words in _MEANINGS], class_="facts meanings"
    )
    warned = [tag("p", f"Does not add up: {text}.", class_="wrong", role="alert") for text in odd]
    table = grid("Records by source and by what became of them", heads, rows, foot=foot)
    rejected = sum(account.rejected for account in accounts)
    hint = None
    if rejected:
        hint = tag(
            "p",
            f"{plural(rejected, 'record')} could not be read. The latest are listed below, with the reason.",
            class_="soft note",
        )
    return tag("div", warned, card(table, hint, flush=True), tag("details", tag("summary", "What the words mean"), meanings))
