"""The inbox of findings: filters in the address, incidents, a table that can be worked from the keyboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from sagacity.ledger.live import FindingFilter, FindingState, Incident, LiveFinding
from sagacity.report.markup import Child, Markup, tag
from sagacity.report.summary import BY_SEVERITY, KINDS
from sagacity.report.text import plural, shortened
from sagacity.web.pages.actions import buttons, waive_dialog
from sagacity.web.pages.frame import Frame, back_field, document
from sagacity.web.pages.keys import help_dialog
from sagacity.web.pages.links import case_url, finding_url, inbox_url
from sagacity.web.pages.words import ago, card, empty, grid, identified, kind, moment, named, severity, state

__all__ = ["Asked", "Listed", "inbox_page", "incidents_list", "matches_text", "table"]

_INCIDENTS = 3
_STATES: tuple[tuple[str, str], ...] = (
    ("", "open"),
    ("acknowledged", "acknowledged"),
    ("unresolved", "open or acknowledged"),
    ("waived", "waived"),
    ("resolved", "resolved"),
    ("all", "all"),
)
_MEANT: dict[str, tuple[FindingState, ...]] = {
    "": ("open",),
    "acknowledged": ("acknowledged",),
    "unresolved": ("open", "acknowledged"),
    "waived": ("waived",),
    "resolved": ("resolved",),
    "all": (),
}


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the address asks for. `incidents` is `all` where every one is to be listed."""

    workflow: str = ""
    state: str = ""
    owner: str = ""
    severity: str = ""
    kind: str = ""
    expectation: str = ""
    text: str = ""
    case: str = ""
    incident: str = ""
    incidents: str = ""
    cursor: str = ""

    def filter(self) -> FindingFilter:
        """The same as the ledger understands it, but for `text`. What no finding can be is left out."""
        return FindingFilter(
            workflow=self.workflow or None,
            states=_MEANT.get(self.state, ("open",)),
            owner=self.owner or None,
            severity=next((name for name in BY_SEVERITY if name == self.severity), None),
            kind=next((name for name in KINDS if name == self.kind), None),
            expectation=self.expectation or None,
            case=self.case or None,
            incident=self.incident or None,
        )

    def query(self, **changes: str) -> str:
        """The address of this list, with changes."""
        return inbox_url(**(msgspec.structs.asdict(self) | changes))


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """What the inbox shows: findings, where the next are, what may be filtered by, and open incidents.

    `cut` says that not every finding was searched for the text.
    """

    asked: Asked
    findings: Sequence[LiveFinding]
    cursor: str | None
    workflows: Sequence[str] = ()
    owners: Mapping[str, int] = {}
    expectations: Mapping[str, int] = {}
    incidents: Sequence[Incident] = ()
    cut: bool = False


def matches_text(finding: LiveFinding, text: str) -> bool:
    """Whether every word of the text stands in what the table shows of the finding."""
    said = " ".join(
        part
        for part in (finding.case, finding.message, finding.expectation, finding.owner, finding.type, finding.activation,
                     finding.reason, finding.id)
        if part
    ).casefold()  # fmt: skip
    return all(word in said for word in text.casefold().split())


def inbox_page(frame: Frame, listed: Listed) -> str:
    asked = listed.asked
    body = (
        tag("div", tag("h1", "Findings"), tag("p", _said(listed), class_="about", id="inbox-said", data_live=True),
            class_="head"),
        _filters(listed),
        _incidents(frame, listed),
        tag("button", "", type="button", id="arrivals", class_="arrivals", hidden=True),
        tag(
            "form",
            tag("h2", "Findings that match", class_="hidden", id="table-title"),
            _action_bar(frame),
            tag("div", _rows(frame, listed), id="inbox-table", data_live="keep"),
            _pager(asked, listed),
            method="post",
            action="/findings/act",
            id="inbox",
            class_="card flush",
            aria_labelledby="table-title",
        ),
        waive_dialog(frame),
        help_dialog(),
    )  # fmt: skip
    return document(frame, "findings", "Findings", *body, scripts=("inbox.js",))


def _said(listed: Listed) -> str:
    asked = listed.asked
    shown = len(listed.findings)
    more = " so far; more follow" if listed.cursor else ""
    narrowed = dict(_STATES).get(asked.state, "open")
    first = "on this page" if asked.cursor else "shown"
    return f"{plural(shown, 'finding')} {first}, {narrowed if narrowed != 'all' else 'in any state'}{more}. Newest first."


def _filters(listed: Listed) -> Markup:
    asked = listed.asked
    search = tag("input", type="search", name="text", value=asked.text, placeholder="case, event, words",
                 autocomplete="off", id="search", aria_keyshortcuts="/", maxlength=200)  # fmt: skip
    owners = [(name, f"{shortened(name or 'nobody', 40)} ({count:,})") for name, count in listed.owners.items() if name]
    expectations = [(name, f"{shortened(name, 60)} ({count:,})") for name, count in listed.expectations.items()]
    hidden = [
        tag("input", type="hidden", name=name, value=value)
        for name, value in (("incident", asked.incident), ("case", asked.case))
        if value
    ]
    narrowed = any(value for name, value in msgspec.structs.asdict(asked).items() if name != "cursor")
    return tag(
        "form",
        tag("label", "Search", search, class_="search"),
        _pick("State", "state", _STATES, asked.state, all_=False),
        _pick("Severity", "severity", [(name, name) for name in BY_SEVERITY], asked.severity),
        _pick("Kind", "kind", [(name, name.replace("_", " ")) for name in KINDS], asked.kind),
        _pick("Owner", "owner", owners, asked.owner),
        _pick("Workflow", "workflow", [(name, shortened(name, 60)) for name in listed.workflows], asked.workflow),
        _pick("Expectation", "expectation", expectations, asked.expectation),
        hidden,
        tag("div", tag("button", "Filter", type="submit"), tag("a", "Clear", href="/findings") if narrowed else None,
            class_="buttons"),
        _narrowed(asked),
        class_="filters card",
        method="get",
        action="/findings",
        role="search",
        aria_label="Filter the findings",
        id="filters",
    )  # fmt: skip


def _narrowed(asked: Asked) -> Markup | None:
    """What the address narrows the list to that has no field of its own."""
    said = [
        tag("span", f"{words} ", named(value, 60), " ",
            tag("a", "not only this", href=asked.query(**{name: "", "cursor": ""})), class_="tag")
        for name, words, value in (("incident", "incident", asked.incident), ("case", "case", asked.case))
        if value
    ]  # fmt: skip
    return tag("p", said, class_="narrowed") if said else None


def _pick(label: str, name: str, options: Sequence[tuple[str, str]], chosen: str, *, all_: bool = True) -> Markup:
    given = [("", "all"), *options] if all_ else list(options)
    if chosen and chosen not in [value for value, _ in given]:
        given.append((chosen, shortened(chosen, 60)))
    choices = [tag("option", shown, value=value, selected=value == chosen) for value, shown in given]
    return tag("label", label, tag("select", choices, name=name), class_="pick")


def _incidents(frame: Frame, listed: Listed) -> Markup:
    going_on = () if listed.asked.incident else listed.incidents
    if not going_on:
        return tag("div", "", id="incidents", data_live="still")
    most = len(going_on) if listed.asked.incidents == "all" else _INCIDENTS
    body = card(incidents_list(going_on, frame.status.now, most), flush=True)
    title = f"{plural(len(going_on), 'incident')} going on"
    return tag("div", tag("section", tag("h2", title, id="incidents-title"), body, aria_labelledby="incidents-title"),
               id="incidents", data_live="still")  # fmt: skip


def incidents_list(incidents: Sequence[Incident], now: int, most: int) -> Markup:
    """Findings of one cause, a line for each, those with most open first. Of more than `most` the rest is linked to; one
    alone is listed as well, since the link would take its place."""
    ordered = sorted(incidents, key=lambda each: (-each.open, -each.last))
    shown = ordered if len(ordered) <= most + 1 else ordered[:most]
    items = []
    for incident in shown:
        source = (", source ", named(incident.source, 60)) if incident.source else None
        owner = ("owner ", named(incident.owner, 60)) if incident.owner else "no owner"
        counted = f"{incident.open:,} open of {plural(incident.findings, 'finding')}"
        items.append(
            tag(
                "li",
                severity(incident.severity),
                tag("div", tag("a", named(incident.expectation), href=inbox_url(incident=incident.id, state="all")),
                    tag("div", "workflow ", named(incident.workflow, 60), source, ", ", owner, class_="soft")),
                tag("div", tag("strong", counted),
                    tag("div", f"began {ago(incident.opened, now)}, last {ago(incident.last, now)}", class_="soft")),
                data_key=incident.id,
            )
        )  # fmt: skip
    more = len(ordered) - len(shown)
    on = tag("p", tag("a", f"and {more:,} more", href=inbox_url(incidents="all")), class_="more") if more else None
    return tag("div", tag("ul", items, class_="incidents"), on)


def _action_bar(frame: Frame) -> Markup:
    if not frame.viewer.operator:
        return tag("div", tag("p", "You may look; an operator may acknowledge and waive.", class_="soft"), class_="actions")
    return tag(
        "div",
        back_field(frame),
        tag("span", "", id="chosen", class_="soft", role="status"),
        tag("div", buttons(), class_="buttons", role="group", aria_label="For the chosen findings"),
        class_="actions",
    )


def _rows(frame: Frame, listed: Listed) -> Markup:
    if listed.findings:
        cut = tag("p", "Only the newest findings were searched; narrow by workflow, owner or kind to search further back.",
                  class_="soft note") if listed.cut else None  # fmt: skip
        return tag("div", table(frame, listed.findings, "Findings that match"), cut)
    plain = listed.asked == Asked(cursor=listed.asked.cursor, incidents=listed.asked.incidents)
    return empty(
        "Nothing is open. New findings appear here by themselves." if plain else "No finding matches these filters."
    )


def table(frame: Frame, findings: Sequence[LiveFinding], caption: str, *, case: bool = True) -> Markup:
    """Findings as rows that can be chosen; without the column of cases where all are of one."""
    now = frame.status.now
    heads: list[tuple[str, str | None]] = [("", "check"), ("Severity", None), ("Finding", None)]
    heads += [("Case", None)] if case else []
    heads += [("Since", None), ("Owner", None), ("State", None)]
    rows: list[tuple[str | None, Sequence[Child]]] = []
    for finding in findings:
        cells: list[Child] = [_choice(frame, finding), severity(finding.severity), _sentence(finding)]
        if case:
            cells.append(tag("a", identified(finding.case, 60), href=case_url(finding.workflow, finding.case)))
        cells += [moment(finding.since, now), named(finding.owner or "nobody", 40), _state(finding, now)]
        rows.append((finding.id, cells))
    return tag("div", grid(caption, heads, rows, headed=2), class_="findings")


def _choice(frame: Frame, finding: LiveFinding) -> Markup | None:
    if not frame.viewer.operator:
        return None
    said = f"Choose: {shortened(finding.message, 120)}"
    return tag("input", type="checkbox", name="id", value=finding.id, aria_label=said, data_state=finding.state)


def _sentence(finding: LiveFinding) -> Markup:
    return tag(
        "div",
        tag("a", tag("bdi", shortened(finding.message, 400)), href=finding_url(finding.id), class_="say"),
        tag("div", kind(finding), tag("span", named(finding.expectation)), class_="under"),
        class_="cell",
    )


def _state(finding: LiveFinding, now: int) -> Markup:
    said: Child = None
    if finding.state == "resolved" and finding.resolved is not None:
        said = ago(finding.resolved, now)
    elif finding.state in ("acknowledged", "waived") and finding.by:
        said = ("by ", named(finding.by, 30))
        if finding.state == "waived" and finding.until is not None:
            said = (said, f", ends {ago(finding.until, now)}")
    return tag("div", state(finding.state), tag("div", said, class_="soft") if said else None, class_="cell")


def _pager(asked: Asked, listed: Listed) -> Markup:
    back = tag("a", "Back to the newest", href=asked.query(cursor="")) if asked.cursor else tag("span", "")
    on = tag("a", "Older findings", href=asked.query(cursor=listed.cursor), rel="next") if listed.cursor else tag("span", "")
    return tag("div", back, on, class_="pager", id="pager", data_live=True)
