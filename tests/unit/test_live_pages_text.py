"""The live pages as text: complete, escaped, and sound for nothing, for much, and for what means harm."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

import live_page_samples as samples
from fakes.live_ledger import MemoryLedger
from fakes.samples import ORDER
from page_reader import read_page
from report_samples import HOSTILE
from report_workflows import DAY, HOUR, START
from sagacity.errors import UsageError
from sagacity.ledger.live import Account, Counts, StoredWorkflow
from sagacity.sources.stream import Reach
from sagacity.web.pages.actions import done_said, until_of
from sagacity.web.pages.assets import asset_url, assets, version
from sagacity.web.pages.banners import banners
from sagacity.web.pages.case import Shown, case_page
from sagacity.web.pages.counting import Counting
from sagacity.web.pages.finding import finding_page
from sagacity.web.pages.findings import Asked, Listed, inbox_page, incidents_list, matches_text
from sagacity.web.pages.first import first_line
from sagacity.web.pages.frame import Viewer, document, favicon
from sagacity.web.pages.links import case_url, local
from sagacity.web.pages.sources import health_list, sources_page
from sagacity.web.pages.traces import trace_facts
from sagacity.web.pages.workflow import Submitted, editor_page, workflow_page
from sagacity.web.timeline import timeline
from sagacity.workflow.language.reader import read
from sagacity.workflow.verdict import Status


@pytest.fixture(scope="module")
def made() -> Mapping[str, Mapping[str, str]]:
    return {size: samples.pages(text, n) for size, (text, n) in samples.SIZES.items()}


@pytest.mark.parametrize(("size", "name"), samples.ALL)
def test_every_element_is_closed_and_nothing_runs_that_is_not_a_file_of_the_server(
    made: Mapping[str, Mapping[str, str]], size: str, name: str
) -> None:
    reader = read_page(made[size][name])
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


@pytest.mark.parametrize(("size", "name"), [entry for entry in samples.ALL if entry[0] == "hostile"])
def test_what_comes_from_outside_is_only_text(made: Mapping[str, Mapping[str, str]], size: str, name: str) -> None:
    page = made[size][name]
    assert HOSTILE not in page
    assert "\x00" not in page
    assert page.encode("utf-8", "replace")


@pytest.mark.parametrize(("size", "name"), [entry for entry in samples.ALL if entry[0] in ("plain", "empty")])
def test_ids_are_unique_and_every_form_that_changes_something_carries_its_token(
    made: Mapping[str, Mapping[str, str]], size: str, name: str
) -> None:
    reader = read_page(made[size][name])
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
    frame = samples.frame(viewer=Viewer(operator=False, guest=True))
    listed = Listed(asked=Asked(), findings=[samples.finding()], cursor=None)
    for page in (
        inbox_page(frame, listed),
        finding_page(frame, samples.finding(), [], None, None),
        case_page(frame, samples.shown(), "type"),
    ):
        reader = read_page(page)
        assert not [attributes for _, attributes in reader.elements if "data-act" in attributes]
        assert not [attributes for _, attributes in reader.elements if attributes.get("type") == "checkbox"]


def test_a_resolved_finding_offers_no_action() -> None:
    page = finding_page(samples.frame(), samples.finding(state="resolved"), [], None, None)
    assert "data-act" not in page


def test_the_title_and_the_icon_say_how_many_findings_are_open() -> None:
    page = document(samples.frame(open=1_234), "overview", "Overview")
    assert "<title>(1,234) Overview" in page
    assert 'href="/favicon.svg?open=100"' in page
    assert ">7</text>" in favicon(7)
    assert ">99+</text>" in favicon(100)
    assert "<text" not in favicon(0)


def _behind(**lags: int | None) -> tuple[Reach, ...]:
    return tuple(Reach(source=name, part="0", state="behind", lag=lag) for name, lag in lags.items())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": "stalled", "problem": "the disk is full"}, "the disk is full"),
        ({"state": "starting"}, "Starting"),
        ({"reaches": (Reach(source="pay", part="0", state="down", error="no broker"),)}, "Source pay is down"),
        ({"reaches": _behind(pay=70), "behind": {"pay": START}}, "70 records wait. "),
        ({"reaches": _behind(pay=1), "behind": {"pay": START}}, "1 record waits. "),
        ({"reaches": _behind(pay=None), "behind": {"pay": START}}, "how much waits is not known"),
        ({"reaches": _behind(pay=7), "behind": {"pay": 0}}, "has not been heard at all"),
        ({"reaches": _behind(pay=7), "since": {("pay", "0"): samples.NOW - 10_000_000}}, "Source pay is behind. "),
    ],
)
def test_a_banner_says_what_is_wrong_with_the_server(changes: Mapping[str, Any], said: str) -> None:
    assert said in document(samples.frame(status=samples.status(**changes)), "overview", "Overview")


def test_a_source_that_is_behind_for_a_moment_is_no_news_while_nothing_is_pending_for_it() -> None:
    status = samples.status(reaches=_behind(pay=70, orders=1), since={("pay", "0"): samples.NOW - 9_000_000})
    assert banners(status) == []


def test_all_sources_that_are_behind_share_a_banner() -> None:
    reaches = (*_behind(pay=1, orders=70, stock=None, mail=3), Reach(source="risk", part="0", state="down", error="gone"))
    long = {("stock", "0"): samples.NOW - 60_000_000, ("mail", "0"): samples.NOW}
    found = banners(samples.status(reaches=reaches, behind={"pay": START, "orders": 0, "risk": START}, since=long))
    down, behind = (re.sub("<[^>]*>", "", each) for each in found)
    assert "Source risk is down" in down
    assert "3 sources are behind. pay: 1 record waits, judged as far as 2026-" in behind
    assert "; orders: 70 records wait, never heard; stock: how much waits is not known. " in behind
    assert "mail" not in behind


def test_very_many_sources_that_are_behind_are_not_all_named() -> None:
    reaches = _behind(**{f"source{n}": 2 for n in range(40)})
    (found,) = banners(samples.status(reaches=reaches, behind={each.source: START for each in reaches}))
    assert "40 sources are behind" in found
    assert "and 34 more. " in found
    assert "source6" not in found


@pytest.mark.parametrize(
    ("going_on", "asked", "listed", "more"),
    [(4, "", 4, False), (5, "", 3, True), (5, "all", 5, False)],
)
def test_every_incident_is_counted_and_the_largest_is_never_left_out(
    going_on: int, asked: str, listed: int, more: bool
) -> None:
    incidents = [samples.incident(f"storm {n}", open=2 + n, last=samples.NOW - n) for n in range(going_on)]
    page = inbox_page(samples.frame(), Listed(asked=Asked(incidents=asked), findings=[], cursor=None, incidents=incidents))
    assert f"{going_on} incidents going on" in page
    order = re.findall(r'<li data-key="storm (\d)">', page)
    assert order == [str(n) for n in reversed(range(going_on))][:listed]
    assert ('<a href="/findings?incidents=all">and 2 more</a>' in page) == more
    assert "Nothing is open." in page


@pytest.mark.parametrize(
    ("source", "owner", "said"),
    [
        (None, "shop", "workflow shop, owner shop"),
        ("shop", "shop", "workflow shop, source shop, owner shop"),
        (None, None, "workflow shop, no owner"),
    ],
)
def test_an_incident_says_which_name_is_its_workflow_and_which_its_owner(
    source: str | None, owner: str | None, said: str
) -> None:
    listed = incidents_list([samples.incident(workflow="shop", source=source, owner=owner)], samples.NOW, 3)
    assert said in re.sub("<[^>]*>", "", listed)


def test_the_overview_says_how_many_records_of_a_source_were_rejected() -> None:
    listed = health_list(samples.status(), {"orders": 14, "payments": 2, "refunds": 0})
    assert '<a href="/sources#rejected" class="fault">14 rejected</a>' in listed
    assert "2 rejected" in listed
    assert "refunds" not in listed


def test_one_record_waits_and_two_wait() -> None:
    one, two = (health_list(samples.status(reaches=_behind(pay=lag))) for lag in (1, 2))
    assert "1 part, 1 waits<" in one
    assert "1 part, 2 wait<" in two


def test_accounts_that_do_not_add_up_are_shown_as_such() -> None:
    wrong = Account(
        workflow="order", source="orders", records=9, matched=4, redelivered=0, late=0, unmatched=0, orphan=0, rejected=0
    )
    assert "Does not add up" in sources_page(samples.frame(), [], [wrong])


def test_an_event_after_as_of_is_marked_and_a_missed_one_stands_where_it_was_due() -> None:
    page = case_page(samples.frame(), samples.shown(count=5), "type")
    assert 'class="later"' in page
    assert "not judged yet" in page
    assert 'class="now"' in page


def test_expectations_that_do_not_apply_are_folded_under_their_number_below_the_findings() -> None:
    shown = samples.shown()
    idle = [each.expected.name for each in shown.timeline.standings if each.expected.status == Status.VACUOUS]
    page = case_page(samples.frame(), shown, "type")
    before, _, folded = page.partition(f"<summary>{len(idle)} expectations do not apply</summary>")
    assert [name in folded and f'data-key="{name}"' not in before for name in idle] == [True] * len(idle) != []
    assert len(re.findall("<li[^>]* data-key=", before)) == len(shown.timeline.standings) - len(idle) > 0
    assert page.index('id="found-title"') < page.index('id="expectations-title"')


def test_an_expectation_that_waits_for_a_source_says_so() -> None:
    row = samples.row("123", as_of=START + 5 * DAY, behind=("shipments",))
    known = timeline(samples.WORKFLOW, row, samples.events("123"), [], {"shipments": START})
    page = case_page(samples.frame(), Shown(timeline=known), "type")
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
    assert until_of("", "", samples.NOW) is None
    assert until_of("7d", "", samples.NOW) == samples.NOW + 7 * DAY
    assert until_of("7d", "2026-11-30T18:00", samples.NOW) == START + 29 * DAY + 18 * HOUR
    for term, until in (("2y", ""), ("", "soon"), ("", "2020-01-01T00:00")):
        with pytest.raises(UsageError):
            until_of(term, until, samples.NOW)


def test_what_was_done_and_what_was_not_is_said() -> None:
    assert done_said("waive", 2, ()) == ("2 findings waived.", None)
    assert done_said("reopen", 0, ["no such finding", "b"]) == (None, "no such finding (and 1 more)")


def test_the_search_takes_every_word_from_anywhere_in_a_finding() -> None:
    finding = samples.finding("ItemShipped did not happen")
    assert matches_text(finding, "happen ITEMSHIPPED")
    assert not matches_text(finding, "happen invoice")


def test_the_first_line_fits_the_workflow() -> None:
    line = first_line(samples.WORKFLOW, "http://127.0.0.1:8420", START)
    assert line.startswith("curl -X POST http://127.0.0.1:8420/ingest/orders ")
    assert '"type": "OrderPlaced"' in line
    assert '"data": {"order_id": "123"}' in line
    assert "OrderPlaced" in first_line(None, "http://127.0.0.1:8420", START)


def test_trace_ids_are_found_where_records_carry_them() -> None:
    records = ['{"traceparent": "00-4bf92f-00f0-01", "headers": {"correlation_id": "c-1"}}', "[1]", "no json", None]
    rows = dict(trace_facts(records))
    assert set(rows) == {"Trace", "Correlation"}
    assert "text=4bf92f" in str(rows["Trace"])


def test_a_finding_leads_to_its_trace_where_traces_are_shown() -> None:
    frame = msgspec.structs.replace(samples.frame(), traces="https://traces.example/trace/{trace}?from=sagacity")
    records = ['{"traceparent": "00-4bf92f-00f0-01"}', '{"trace_id": "a/b\\"c", "correlation_id": "c-1"}']
    page = finding_page(frame, samples.finding(), [], None, None, records)
    assert 'href="https://traces.example/trace/4bf92f?from=sagacity"' in page
    assert 'href="https://traces.example/trace/a%2Fb%22c?from=sagacity"' in page
    assert page.count("open the trace") == 2
    assert "open the trace" not in finding_page(samples.frame(), samples.finding(), [], None, None, records)


def test_the_address_of_a_file_changes_with_what_the_files_hold() -> None:
    assert asset_url("live.js") == f"/assets/{version()}/live.js"
    sheets = {name for name in assets() if name.endswith(".css")}
    assert sheets == {"report.css", "picture.css", "live.css", "sagas.css"}


def test_modules_ask_nothing_of_other_servers() -> None:
    for name, (_, content) in assets().items():
        assert b"http://" not in content.replace(b"http://www.w3.org", b""), name
        assert b"https://" not in content, name
        assert b"innerHTML" not in content, name
        assert Path(name).suffix in (".css", ".js")


def test_the_map_shows_open_findings_where_they_belong() -> None:
    counts = samples.counts("paid or cancelled", 7)
    page = workflow_page(samples.frame(), samples.STORED, samples.WORKFLOW, counts)
    assert '<tspan class="num tone">7 open</tspan>' in page
    assert ">7 events<" in page


def test_lanes_may_stand_for_sources() -> None:
    by_type, by_source = (case_page(samples.frame(), samples.shown(), by) for by in ("type", "source"))
    assert "<title>PaymentReceived</title>" in by_type
    assert "<title>PaymentReceived</title>" not in by_source
    assert "<title>payments</title>" in by_source


def test_a_refused_text_is_shown_around_its_problems_and_can_be_mended() -> None:
    text = ORDER.replace("source: compliance,", "source: nowhere,")
    _, problems = read(text)
    page = editor_page(samples.frame(), Submitted(text, problems))
    line = text.split("\n").index(next(each for each in text.split("\n") if "nowhere" in each)) + 1
    assert f'id="line-{line}"' in page
    assert 'id="line-1"' not in page
    assert page.count("source: nowhere,") == 2


def test_many_who_look_at_once_cost_the_ledger_one_count() -> None:
    ledger, time = _Counted(), [0.0]
    counting = Counting(ledger, moment=1.0, clock=lambda: time[0])
    assert [counting.all() for _ in range(50)][-1] == [samples.counts()]
    assert ledger.asked == 1
    time[0] = 1.0
    counting.all()
    assert ledger.asked == 2
    counting.again()
    counting.all()
    assert ledger.asked == 3


class _Counted(MemoryLedger):
    """Notes how often it has counted."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def workflows(self) -> list[StoredWorkflow]:
        return [samples.STORED]

    def counts(self, workflow: str) -> Counts:
        self.asked += 1
        return msgspec.structs.replace(samples.counts(), workflow=workflow)
