"""Live pages to be drawn: every page, with whatever names and however many of whatever is listed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from fakes.samples import ORDER, record
from report_samples import HOSTILE
from report_workflows import DAY, HOUR, START
from sagacity.discover.drift import Drift, Period, Series, What, changes_of
from sagacity.ledger.live import (
    Account,
    CaseRow,
    Counts,
    FindingState,
    HistoryEntry,
    Incident,
    LiveFinding,
    Page,
    PartState,
    Refusal,
    StoredEvent,
    StoredWorkflow,
)
from sagacity.reconcile.live import Status
from sagacity.sources.stream import Reach
from sagacity.web.pages.actions import waive_page
from sagacity.web.pages.audit import audit_page
from sagacity.web.pages.case import Shown, case_page, no_case_page
from sagacity.web.pages.cases import AskedCases, cases_page
from sagacity.web.pages.drift import drift_page
from sagacity.web.pages.finding import finding_page
from sagacity.web.pages.findings import Asked, Listed, inbox_page
from sagacity.web.pages.frame import Frame, Viewer, document
from sagacity.web.pages.login import login_page
from sagacity.web.pages.overview import Glance, overview_page
from sagacity.web.pages.sources import sources_page
from sagacity.web.pages.workflow import Submitted, editor_page, workflow_page, workflows_page
from sagacity.web.timeline import timeline
from sagacity.workflow.language.reader import loads, read
from sagacity.workflow.trace import Event
from sagacity.workflow.verdict import CaseStatus

__all__ = [
    "ALL",
    "NOW",
    "SIZES",
    "STORED",
    "WORKFLOW",
    "counts",
    "events",
    "finding",
    "frame",
    "incident",
    "pages",
    "row",
    "shown",
    "status",
]

NOW = START + 3 * DAY
WORKFLOW = loads(ORDER)
STORED = StoredWorkflow(name="order", revision=2, text=ORDER, adopted=START, by="maria")


def status(**changes: Any) -> Status:
    usual = Status(
        state="running",
        problem=None,
        now=NOW,
        started=START,
        as_of=NOW - 2_000_000,
        behind={},
        reaches=(Reach(source="orders", part="orders/0", state="current", lag=0),),
        records=1_000,
        rate=12.5,
    )
    return msgspec.structs.replace(usual, **changes)


def frame(**changes: Any) -> Frame:
    return msgspec.structs.replace(
        Frame(viewer=Viewer(csrf="c5rf"), status=status(), open=3, address="/findings"), **changes
    )


def finding(text: str = "ItemShipped did not happen", *, id: str = "f1", state: FindingState = "open") -> LiveFinding:
    return LiveFinding(
        id=id,
        workflow="order",
        case=text[:60],
        expectation=text,
        kind="missing",
        severity="critical",
        owner=text,
        since=NOW - HOUR,
        type=text,
        time=NOW - DAY,
        activation=text,
        message=text,
        state=state,
        opened=NOW - HOUR,
        changed=NOW - HOUR,
        by=text,
        reason=text,
        incident="i1",
    )


def counts(text: str = "paid or cancelled", n: int = 5) -> Counts:
    return Counts(
        workflow="order",
        cases={"complete": n, "open": n, "violated": n},
        findings={"open": n, "acknowledged": n},
        by_owner={text: n, "": 1},
        by_expectation={text: n},
        events={"OrderPlaced": n},
    )


def incident(text: str = "paid or cancelled", **changes: Any) -> Incident:
    usual = Incident(
        id=text,
        workflow=text,
        expectation=text,
        severity="error",
        owner=text,
        source=text,
        opened=START,
        last=NOW,
        findings=9,
        open=2,
    )
    return msgspec.structs.replace(usual, **changes)


def drifted(text: str, n: int) -> Drift:
    """A day on which everything became otherwise; with no `n`, nothing to go by."""
    periods = tuple(Period(NOW + place * 86_400_000_000, 50) for place in range(4 * min(n, 1)))
    halves = (50, 50, 25, 25)[: len(periods)]
    of = (50,) * len(periods)
    kinds: tuple[What, ...] = ("rule", "type", "new type", "events", "volume")
    series = [Series(what, f"{text} {what}", halves, of, squares=halves) for what in kinds]
    return Drift(text, 86_400_000_000, periods, tuple(series), changes_of(periods, series) if periods else (), (text,))


def row(text: str = "123", **changes: Any) -> CaseRow:
    row = CaseRow(
        workflow="order",
        case=text,
        status=CaseStatus.OPEN,
        ended=False,
        events=2,
        findings=1,
        first=START,
        last=START + HOUR,
        as_of=START + 2 * HOUR,
        due=NOW,
        behind=(text,),
    )
    return msgspec.structs.replace(row, **changes)


def events(text: str = "o-1", count: int = 1) -> list[StoredEvent]:
    body = record("OrderPlaced", text, START, {"order_id": text, "correlation_id": text}).decode()
    placed = Event("OrderPlaced", START, id=text, attributes={"amount": text})
    paid = [Event("PaymentReceived", START + HOUR * n, id=f"p-{n}") for n in range(1, count + 1)]
    return [
        StoredEvent(event=event, source=text, part=text, position=place, arrived=event.time, record=body)
        for place, event in enumerate([placed, placed, *paid])
    ]


def shown(text: str = "123", count: int = 1, **changes: Any) -> Shown:
    known = timeline(WORKFLOW, row(text, **changes), events(text, count), [finding(text)], {text: START})
    entries = [HistoryEntry(finding="f1", at=NOW, what="opened", by=text, reason=text)] * 2
    return Shown(timeline=known, histories={"f1": entries})


def pages(text: str, n: int) -> Mapping[str, str]:
    """Every page, with names that are `text`, and `n` of whatever is listed."""
    reaches = tuple(
        Reach(source=f"{text}{place}", part=text, state=state, error=text)
        for place in range(min(n, 4))
        for state in ("current", "behind", "down")
    )
    doing = status(reaches=reaches, behind={f"{text}0": START}, state="stalled", problem=text)
    around = frame(status=doing, said=text, wrong=text, viewer=Viewer(name=text, guest=False, csrf=text))
    findings = [finding(text, id=f"f{place}") for place in range(n)]
    storm = incident(text)
    stored = msgspec.structs.replace(STORED, by=text, text=f"{ORDER}\n# {text}")
    glances = [Glance(stored, WORKFLOW, counts(text, n), {"critical": n})] if n else []
    parts = [
        PartState(source=text, part=f"{text}{place}", position=place, latest=NOW, heard=NOW, records=n, rejected=0)
        for place in range(n)
    ]
    accounts = [
        Account(
            workflow=text,
            source=f"{text}{place}",
            records=9,
            matched=4,
            redelivered=1,
            late=1,
            unmatched=1,
            orphan=1,
            rejected=1,
        )
        for place in range(n)
    ]
    refusals = [
        Refusal(workflow=text, source=text, part=text, position=place, arrived=NOW, reason=text, shown=text)
        for place in range(n)
    ]
    asked = Asked(text=text, owner=text, expectation=text, incident=text, case=text)
    listed = Listed(
        asked=asked,
        findings=findings,
        cursor=text,
        workflows=[text] * n,
        owners={text: n},
        expectations={text: n},
        incidents=[storm] * min(n, 1),
        cut=True,
    )
    _, problems = read(f"workflow: {text}\nevents: 3\n")
    history = [HistoryEntry(finding="f1", at=NOW, what="waived", by=text, reason=text, until=NOW)] * n
    return {
        "overview": overview_page(
            around, glances, findings, [storm] * min(n, 1), "http://127.0.0.1:1", {text: n, f"{text}0": n}
        ),
        "inbox": inbox_page(around, listed),
        "finding": finding_page(around, finding(text), history, text, storm),
        "case": case_page(around, shown(text, max(n, 1)), "type"),
        "case by source": case_page(around, shown(text, max(n, 1)), "source"),
        "case unjudged": case_page(around, shown(text, as_of=None), "type"),
        "no case": no_case_page(around, text, text),
        "cases": cases_page(
            around, AskedCases(text=text), Page(tuple(row(f"{text}{place}") for place in range(n)), text), [text]
        ),
        "workflows": workflows_page(around, glances),
        "workflow": workflow_page(around, stored, WORKFLOW, counts(text, n)),
        "drift": drift_page(around, drifted(text, n), "day"),
        "editor": editor_page(around, Submitted(f"workflow: {text}\nevents: 3\n", problems)),
        "sources": sources_page(around, parts, accounts, refusals),
        "audit": audit_page(around, Page(tuple((NOW, text, text) for _ in range(n)), text), None),
        "login": login_page("/", text, text),
        "waive": document(around, "findings", text, waive_page(around, findings)),
    }


SIZES = {
    "empty": ("123", 0),
    "plain": ("123", 2),
    "hostile": (HOSTILE + "\"' onerror=\u202e\x00\ud800", 2),
    "huge": ("w" * 3_000, 120),
}
ALL = [(size, name) for size in SIZES for name in pages("123", 1)]
