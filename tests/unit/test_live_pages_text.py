"""The live pages as text: complete, escaped, and sound for nothing, for much, and for what means harm."""

from __future__ import annotations

from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fakes.samples import ORDER, record
from report_samples import HOSTILE
from report_workflows import DAY, HOUR, START
from sagacity.errors import UsageError
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
    StoredEvent,
    StoredWorkflow,
)
from sagacity.reconcile.live import Status
from sagacity.sources.stream import Reach
from sagacity.web.pages.actions import done_said, until_of, waive_page
from sagacity.web.pages.assets import asset_url, assets, version
from sagacity.web.pages.audit import audit_page
from sagacity.web.pages.case import Shown, case_page, no_case_page
from sagacity.web.pages.cases import AskedCases, cases_page
from sagacity.web.pages.finding import finding_page
from sagacity.web.pages.findings import Asked, Listed, inbox_page, matches_text
from sagacity.web.pages.first import first_line
from sagacity.web.pages.frame import Frame, Viewer, document, favicon
from sagacity.web.pages.links import case_url, local
from sagacity.web.pages.login import login_page
from sagacity.web.pages.overview import Glance, overview_page
from sagacity.web.pages.sources import sources_page
from sagacity.web.pages.traces import trace_facts
from sagacity.web.pages.workflow import Submitted, editor_page, workflow_page, workflows_page
from sagacity.web.timeline import timeline
from sagacity.workflow.language.reader import loads, read
from sagacity.workflow.trace import Event
from sagacity.workflow.verdict import CaseStatus

NOW = START + 3 * DAY
VOID = {"meta", "link", "input", "br", "hr", "col"}
WORKFLOW = loads(ORDER)
STORED = StoredWorkflow(name="order", revision=2, text=ORDER, adopted=START, by="maria")


class _Reader(HTMLParser):
    """Keeps the elements, and fails where one is closed that is not the last opened."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def _read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert reader.stack == []
    return reader


def _status(**changes: Any) -> Status:
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


def _frame(**changes: Any) -> Frame:
    return msgspec.structs.replace(
        Frame(viewer=Viewer(csrf="c5rf"), status=_status(), open=3, address="/findings"), **changes
    )


def _finding(text: str = "ItemShipped did not happen", *, id: str = "f1", state: FindingState = "open") -> LiveFinding:
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


def _counts(text: str = "paid or cancelled", n: int = 5) -> Counts:
    return Counts(
        workflow="order",
        cases={"complete": n, "open": n, "violated": n},
        findings={"open": n, "acknowledged": n},
        by_owner={text: n, "": 1},
        by_expectation={text: n},
        events={"OrderPlaced": n},
    )


def _row(text: str = "123", **changes: Any) -> CaseRow:
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


def _events(text: str = "o-1", count: int = 1) -> list[StoredEvent]:
    body = record("OrderPlaced", text, START, {"order_id": text, "correlation_id": text}).decode()
    placed = Event("OrderPlaced", START, id=text, attributes={"amount": text})
    paid = [Event("PaymentReceived", START + HOUR * n, id=f"p-{n}") for n in range(1, count + 1)]
    return [
        StoredEvent(event=event, source=text, part=text, position=place, arrived=event.time, record=body)
        for place, event in enumerate([placed, placed, *paid])
    ]


def _shown(text: str = "123", count: int = 1, **changes: Any) -> Shown:
    known = timeline(WORKFLOW, _row(text, **changes), _events(text, count), [_finding(text)], {text: START})
    entries = [HistoryEntry(finding="f1", at=NOW, what="opened", by=text, reason=text)] * 2
    return Shown(timeline=known, histories={"f1": entries})


def _pages(text: str, n: int) -> Mapping[str, str]:
    """Every page, with names that are `text`, and `n` of whatever is listed."""
    reaches = tuple(
        Reach(source=f"{text}{place}", part=text, state=state, error=text)
        for place in range(min(n, 4))
        for state in ("current", "behind", "down")
    )
    status = _status(reaches=reaches, behind={f"{text}0": START}, state="stalled", problem=text)
    frame = _frame(status=status, said=text, wrong=text, viewer=Viewer(name=text, guest=False, csrf=text))
    findings = [_finding(text, id=f"f{place}") for place in range(n)]
    incident = Incident(
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
    stored = msgspec.structs.replace(STORED, by=text, text=f"{ORDER}\n# {text}")
    glances = [Glance(stored, WORKFLOW, _counts(text, n), {"critical": n})] if n else []
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
    asked = Asked(text=text, owner=text, expectation=text, incident=text, case=text)
    listed = Listed(
        asked=asked,
        findings=findings,
        cursor=text,
        workflows=[text] * n,
        owners={text: n},
        expectations={text: n},
        incidents=[incident] * min(n, 1),
        cut=True,
    )
    _, problems = read(f"workflow: {text}\nevents: 3\n")
    history = [HistoryEntry(finding="f1", at=NOW, what="waived", by=text, reason=text, until=NOW)] * n
    return {
        "overview": overview_page(frame, glances, findings, [incident] * min(n, 1), "http://127.0.0.1:1"),
        "inbox": inbox_page(frame, listed),
        "finding": finding_page(frame, _finding(text), history, text, incident),
        "case": case_page(frame, _shown(text, max(n, 1)), "type"),
        "case by source": case_page(frame, _shown(text, max(n, 1)), "source"),
        "case unjudged": case_page(frame, _shown(text, as_of=None), "type"),
        "no case": no_case_page(frame, text, text),
        "cases": cases_page(
            frame, AskedCases(text=text), Page(tuple(_row(f"{text}{place}") for place in range(n)), text), [text]
        ),
        "workflows": workflows_page(frame, glances),
        "workflow": workflow_page(frame, stored, WORKFLOW, _counts(text, n)),
        "editor": editor_page(frame, Submitted(f"workflow: {text}\nevents: 3\n", problems)),
        "sources": sources_page(frame, parts, accounts),
        "audit": audit_page(frame, Page(tuple((NOW, text, text) for _ in range(n)), text), None),
        "login": login_page("/", text, text),
        "waive": document(frame, "findings", text, waive_page(frame, findings)),
    }


SIZES = {
    "empty": ("123", 0),
    "plain": ("123", 2),
    "hostile": (HOSTILE + "\"' onerror=\u202e\x00\ud800", 2),
    "huge": ("w" * 3_000, 120),
}
ALL = [(size, name) for size in SIZES for name in _pages("123", 1)]


@pytest.fixture(scope="module")
def made() -> Mapping[str, Mapping[str, str]]:
    return {size: _pages(text, n) for size, (text, n) in SIZES.items()}


@pytest.mark.parametrize(("size", "name"), ALL)
def test_every_element_is_closed_and_nothing_runs_that_is_not_a_file_of_the_server(
    made: Mapping[str, Mapping[str, str]], size: str, name: str
) -> None:
    reader = _read(made[size][name])
    for element, attributes in reader.elements:
        assert element not in ("style", "iframe", "object", "embed", "base")
        assert "style" not in attributes
        assert not [key for key in attributes if key.startswith("on")]
        if element == "script":
            assert str(attributes["src"]).startswith("/assets/")
        for key in ("href", "action", "formaction", "src"):
            address = attributes.get(key)
            assert address is None or address.startswith(("/", "#")), (element, key, address)
            assert address is None or not address.startswith("//")


@pytest.mark.parametrize(("size", "name"), [entry for entry in ALL if entry[0] == "hostile"])
def test_what_comes_from_outside_is_only_text(made: Mapping[str, Mapping[str, str]], size: str, name: str) -> None:
    page = made[size][name]
    assert HOSTILE not in page
    assert "\x00" not in page
    assert page.encode("utf-8", "replace")


@pytest.mark.parametrize(("size", "name"), [entry for entry in ALL if entry[0] in ("plain", "empty")])
def test_ids_are_unique_and_every_form_that_changes_something_carries_its_token(
    made: Mapping[str, Mapping[str, str]], size: str, name: str
) -> None:
    reader = _read(made[size][name])
    ids = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    posts = [
        attributes for element, attributes in reader.elements if element == "form" and attributes.get("method") == "post"
    ]
    tokens = [
        attributes for element, attributes in reader.elements if element == "input" and attributes.get("name") == "csrf"
    ]
    assert len(tokens) == len(posts)


def test_a_viewer_is_given_nothing_to_act_with() -> None:
    frame = _frame(viewer=Viewer(operator=False, guest=True))
    listed = Listed(asked=Asked(), findings=[_finding()], cursor=None)
    for page in (
        inbox_page(frame, listed),
        finding_page(frame, _finding(), [], None, None),
        case_page(frame, _shown(), "type"),
    ):
        reader = _read(page)
        assert not [attributes for _, attributes in reader.elements if "data-act" in attributes]
        assert not [attributes for _, attributes in reader.elements if attributes.get("type") == "checkbox"]


def test_a_resolved_finding_offers_no_action() -> None:
    page = finding_page(_frame(), _finding(state="resolved"), [], None, None)
    assert "data-act" not in page


def test_the_title_and_the_icon_say_how_many_findings_are_open() -> None:
    page = document(_frame(open=1_234), "overview", "Overview")
    assert "<title>(1,234) Overview" in page
    assert 'href="/favicon.svg?open=100"' in page
    assert ">7</text>" in favicon(7)
    assert ">99+</text>" in favicon(100)
    assert "<text" not in favicon(0)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": "stalled", "problem": "the disk is full"}, "the disk is full"),
        ({"state": "starting"}, "Starting"),
        ({"reaches": (Reach(source="pay", part="0", state="down", error="no broker"),)}, "Source pay is down"),
        ({"reaches": (Reach(source="pay", part="0", state="behind", lag=70),)}, "70 records wait"),
        ({"reaches": (Reach(source="pay", part="0", state="behind"),)}, "how much waits is not known"),
        (
            {"reaches": (Reach(source="pay", part="0", state="behind", lag=7),), "behind": {"pay": 0}},
            "has not been heard at all",
        ),
    ],
)
def test_a_banner_says_what_is_wrong_with_the_server(changes: Mapping[str, Any], said: str) -> None:
    assert said in document(_frame(status=_status(**changes)), "overview", "Overview")


def test_accounts_that_do_not_add_up_are_shown_as_such() -> None:
    wrong = Account(
        workflow="order", source="orders", records=9, matched=4, redelivered=0, late=0, unmatched=0, orphan=0, rejected=0
    )
    assert "Does not add up" in sources_page(_frame(), [], [wrong])


def test_an_event_after_as_of_is_marked_and_a_missed_one_stands_where_it_was_due() -> None:
    page = case_page(_frame(), _shown(count=5), "type")
    assert 'class="later"' in page
    assert "not judged yet" in page
    assert 'class="now"' in page


def test_an_expectation_that_waits_for_a_source_says_so() -> None:
    row = _row("123", as_of=START + 5 * DAY, behind=("shipments",))
    known = timeline(WORKFLOW, row, _events("123"), [], {"shipments": START})
    page = case_page(_frame(), Shown(timeline=known), "type")
    assert "source behind: what would settle this may still come from shipments" in page


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("/findings?state=all", "/findings?state=all"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("/a\nb", "/"),
        ("/x\\y", "/"),
        ("", "/"),
        (None, "/"),
    ],
)
def test_one_is_never_led_to_another_server(address: str | None, safe: str) -> None:
    assert local(address) == safe


def test_any_name_of_a_case_makes_an_address() -> None:
    assert case_url("a/b", "../..?x=1&y") == "/case?workflow=a%2Fb&case=..%2F..%3Fx%3D1%26y"
    assert case_url("w", "\ud800") == "/case?workflow=w&case=%3F"


def test_a_waiver_ends_when_it_is_said_to() -> None:
    assert until_of("", "", NOW) is None
    assert until_of("7d", "", NOW) == NOW + 7 * DAY
    assert until_of("7d", "2026-11-30T18:00", NOW) == START + 29 * DAY + 18 * HOUR
    for term, until in (("2y", ""), ("", "soon"), ("", "2020-01-01T00:00")):
        with pytest.raises(UsageError):
            until_of(term, until, NOW)


def test_what_was_done_and_what_was_not_is_said() -> None:
    assert done_said("waive", 2, ()) == ("2 findings waived.", None)
    assert done_said("reopen", 0, ["no such finding", "b"]) == (None, "no such finding (and 1 more)")


def test_the_search_takes_every_word_from_anywhere_in_a_finding() -> None:
    finding = _finding("ItemShipped did not happen")
    assert matches_text(finding, "happen ITEMSHIPPED")
    assert not matches_text(finding, "happen invoice")


def test_the_first_line_fits_the_workflow() -> None:
    line = first_line(WORKFLOW, "http://127.0.0.1:8420", START)
    assert line.startswith("curl -X POST http://127.0.0.1:8420/ingest/orders ")
    assert '"type": "OrderPlaced"' in line
    assert '"data": {"order_id": "123"}' in line
    assert "OrderPlaced" in first_line(None, "http://127.0.0.1:8420", START)


def test_trace_ids_are_found_where_records_carry_them() -> None:
    records = ['{"traceparent": "00-4bf92f-00f0-01", "headers": {"correlation_id": "c-1"}}', "[1]", "no json", None]
    rows = dict(trace_facts(records))
    assert set(rows) == {"Trace", "Correlation"}
    assert "text=4bf92f" in str(rows["Trace"])


def test_the_address_of_a_file_changes_with_what_the_files_hold() -> None:
    assert asset_url("live.js") == f"/assets/{version()}/live.js"
    assert {name for name in assets() if name.endswith(".css")} == {"report.css", "picture.css", "live.css"}


def test_modules_ask_nothing_of_other_servers() -> None:
    for name, (_, content) in assets().items():
        assert b"http://" not in content.replace(b"http://www.w3.org", b""), name
        assert b"https://" not in content, name
        assert b"innerHTML" not in content, name
        assert Path(name).suffix in (".css", ".js")
