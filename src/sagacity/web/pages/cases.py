"""The list of cases, and the search over every captured key."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sagacity.ledger.live import CaseFilter, CaseRow, Page
from sagacity.report.markup import Child, Markup, tag
from sagacity.report.text import shortened
from sagacity.web.pages.frame import Frame, document
from sagacity.web.pages.links import case_url, cases_url, workflow_url
from sagacity.web.pages.words import card, empty, grid, identified, moment, named, status
from sagacity.workflow.verdict import CaseStatus

__all__ = ["AskedCases", "cases_page"]


class AskedCases(msgspec.Struct, frozen=True, kw_only=True):
    """What the address asks for."""

    workflow: str = ""
    status: str = ""
    text: str = ""
    cursor: str = ""

    def filter(self) -> CaseFilter:
        known = next((each for each in CaseStatus if each.value == self.status), None)
        return CaseFilter(workflow=self.workflow or None, status=known, text=self.text.strip() or None)


def cases_page(frame: Frame, asked: AskedCases, found: Page[CaseRow], workflows: Sequence[str]) -> str:
    body = (
        tag("div", tag("h1", "Cases"), class_="head"),
        _search(asked, workflows),
        tag("div", card(_table(frame, asked, found), _pager(asked, found.cursor), flush=True), id="found", data_live="keep"),
    )
    return document(frame, "cases", "Cases", *body)


def _search(asked: AskedCases, workflows: Sequence[str]) -> Markup:
    statuses = [("", "all"), *((each.value, each.value) for each in CaseStatus)]
    names = [("", "all"), *((name, shortened(name, 60)) for name in workflows)]
    return tag(
        "form",
        tag("label", "Search", tag("input", type="search", name="text", value=asked.text, id="search", maxlength=200,
            placeholder="case id, payment, parcel, event id, correlation or trace id", autocomplete="off"), class_="search"),
        tag("label", "Status", tag("select", _options(statuses, asked.status), name="status"), class_="pick"),
        tag("label", "Workflow", tag("select", _options(names, asked.workflow), name="workflow"), class_="pick"),
        tag("div", tag("button", "Search", type="submit"),
            tag("a", "Clear", href="/cases") if asked != AskedCases(cursor=asked.cursor) else None, class_="buttons"),
        method="get", action="/cases", class_="filters card", role="search", aria_label="Search the cases",
    )  # fmt: skip


def _options(options: Sequence[tuple[str, str]], chosen: str) -> list[Markup]:
    return [tag("option", shown, value=value, selected=value == chosen) for value, shown in options]


def _table(frame: Frame, asked: AskedCases, found: Page[CaseRow]) -> Markup:
    if not found.items:
        return empty(
            "No case is found by this. A key counts where the workflow captures it, whole and as it was written."
            if asked.text else "There is no case yet."
        )  # fmt: skip
    now = frame.status.now
    heads = [("Case", None), ("Workflow", None), ("Status", None), ("Findings", "num"), ("Events", "num"), ("First", None),
             ("Last", None), ("Judged next", None)]  # fmt: skip
    rows: list[tuple[str | None, Sequence[Child]]] = []
    for row in found.items:
        waits: Child = moment(row.due, now, never="–")
        if row.due is not None and row.due <= now:
            waits = "now"
        if row.behind:
            waits = tag("span", "waits for ", named(", ".join(row.behind), 60))
        archived = tag("span", " archived", class_="soft") if row.archived else None
        cells: list[Child] = [
            tag("a", identified(row.case, 80), href=case_url(row.workflow, row.case)),
            tag("a", named(row.workflow, 40), href=workflow_url(row.workflow)),
            (status(row.status.value), archived),
            row.findings,
            row.events,
            moment(row.first, now),
            moment(row.last, now),
            waits,
        ]
        rows.append((f"{row.workflow}/{row.case}", cells))
    return tag("div", grid("Cases", heads, rows), class_="caselist")


def _pager(asked: AskedCases, cursor: str | None) -> Markup | None:
    if not cursor and not asked.cursor:
        return None
    given = msgspec.structs.asdict(asked)
    back = tag("a", "Back to the beginning", href=cases_url(**(given | {"cursor": ""}))) if asked.cursor else tag("span", "")
    on = tag("a", "More cases", href=cases_url(**(given | {"cursor": cursor})), rel="next") if cursor else tag("span", "")
    return tag("div", back, on, class_="pager")
