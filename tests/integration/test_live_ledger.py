"""What a live ledger keeps, and how it is asked: positions, accounts, search, pages, who may open it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest

from live_records import iso
from live_story import SECOND, START, Story
from sagacity.errors import LedgerError, UsageError
from sagacity.ledger.duckdb.live import DuckDBLiveLedger
from sagacity.ledger.live import CaseFilter, FindingFilter

KEYED = """\
workflow: order
keys: [order, payment]
sources: {orders: {type: type, time: time, id: id, key: {order: order, payment: payment}}}
events:
  Placed:
    capture: {amount: amount as decimal, when: due as time, gift: gift as boolean, items: items as integer, note: note}
  Paid:
timeout: 1h
unexpected: forbid
expect:
  Paid: within 10s of Placed
"""
BY_ROW = """\
workflow: order
keys: order
sources: {log: {type: type, time: time, seq: row, key: order}}
events: {Placed: , Paid: }
timeout: 1h
rules: [{precedence: [Placed, Paid]}]
"""


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    with Story(tmp_path) as story:
        yield story


# Opening ------------------------------------------------------------------------------------------------------------


def test_a_ledger_that_this_process_has_open_is_refused(story: Story) -> None:
    with pytest.raises(LedgerError, match="open in this process already"):
        DuckDBLiveLedger(story.folder, threads=1, memory="256MB")
    story.tell("Placed", "1", 0)
    story.round(1)
    assert story.cases() == ["1"]


def test_a_ledger_that_another_process_has_open_is_refused_by_the_name_of_that(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from sagacity.ledger.duckdb.live import DuckDBLiveLedger
ledger = DuckDBLiveLedger(Path({str(tmp_path)!r}), threads=1, memory="256MB")
print("open", flush=True)
sys.stdin.readline()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        try:
            assert other.stdout.readline() == "open\n"
            with pytest.raises(LedgerError, match=f"held open by process {other.pid}") as refused:
                DuckDBLiveLedger(tmp_path, threads=1, memory="256MB")
            assert "folder of its own" in str(refused.value)
        finally:
            other.stdin.write("\n")
            other.stdin.close()
            other.wait(30)
    DuckDBLiveLedger(tmp_path, threads=1, memory="256MB").close()


def test_a_ledger_of_a_later_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    with Story(tmp_path):
        pass
    with duckdb.connect(str(tmp_path / "ledger.duckdb")) as connection:
        connection.execute("UPDATE ledger SET version = version + 1")
    for _ in range(2):
        with pytest.raises(LedgerError, match="made by a later version"):
            DuckDBLiveLedger(tmp_path, threads=1, memory="256MB")


def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.duckdb").write_bytes(b"something else entirely" * 1_000)
    with pytest.raises(LedgerError, match="could not be opened"):
        DuckDBLiveLedger(tmp_path, threads=1, memory="256MB")


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be made"):
        DuckDBLiveLedger(tmp_path / "file" / "ledger", threads=1, memory="256MB")


# Records ------------------------------------------------------------------------------------------------------------


def test_the_positions_of_every_part_survive(story: Story) -> None:
    for part in ("a", "b"):
        for number in range(3):
            story.tell("Placed", f"{part}{number}", number, part=part)
    story.round(5)
    story.tell("Placed", "b9", 9, part="b")
    story.round(10)
    story.restart()
    assert story.ledger.positions() == {("orders", "a"): 3, ("orders", "b"): 4}
    states = {state.part: state for state in story.ledger.parts()}
    assert (states["b"].latest, states["b"].records, states["b"].rejected) == (START + 9 * SECOND, 4, 0)


def test_every_record_ends_in_the_accounts(story: Story) -> None:
    story.tell("Placed", "1", 0)
    story.tell("Placed", "1", 0)
    story.tell("Placed", None, 0)
    story.tell("Painted", "1", 0)
    story.hand("orders", b"no json", b'{"type": "Placed", "time": "tomorrow", "order": "1"}', b"[]", b"\xff\xfe")
    story.round(1)
    story.round(60)
    story.tell("Paid", "1", 1)
    story.round(61)
    account = story.account()
    assert (account.matched, account.redelivered, account.late) == (1, 1, 1)
    assert (account.unmatched, account.orphan, account.rejected) == (1, 1, 4)
    (part,) = [state for state in story.ledger.parts() if state.part == "0"]
    assert (part.records, part.rejected) == (9, 4)


def test_a_record_that_came_thrice_is_one_event_redelivered_twice_whenever_it_came(story: Story) -> None:
    story.tell("Placed", "1", 0)
    story.round(1)
    for at in (10, 30):
        story.tell("Placed", "1", 0)
        story.round(at)
        story.round(at + 5)
    assert (story.account().redelivered, story.account().records) == (2, 3)
    assert story.case().events == 3


def test_garbage_of_one_source_does_not_disturb_the_others(tmp_path: Path) -> None:
    text = KEYED.replace("sources: {", "sources: {more: {type: type, time: time, id: id, key: {order: order}}, ").replace(
        "  Placed:\n", "  Placed:\n    source: orders\n"
    )
    text = text.replace("  Paid:\n", "  Paid: {source: more}\n", 1)
    with Story(tmp_path, text, sources=("orders", "more")) as story:
        story.hand("orders", b"garbage")
        story.hand("more", msgspec.json.encode({"type": "Paid", "time": iso(START), "id": "1", "order": "1"}))
        story.round(1)
        story.hand("more", b"garbage")
        story.tell("Placed", "1", 1)
        story.round(2)
        story.round(10)  # a case tells its events as of its latest verdict
        assert (story.account("orders").rejected, story.account("more").rejected) == (1, 1)
        assert story.case().events == 2


def test_an_event_of_an_unnamed_type_is_a_finding_where_it_is_forbidden(tmp_path: Path) -> None:
    with Story(tmp_path, KEYED) as story:
        story.tell("Painted", "1", 0)
        story.round(1)
        story.round(5)
        assert [(finding.kind, finding.type) for finding in story.findings()] == [("unexpected", "Painted")]


def test_of_equal_times_the_place_in_the_log_decides_also_across_batches(tmp_path: Path) -> None:
    with Story(tmp_path, BY_ROW, sources=("log",)) as story:
        for order, types in {"right": ("Placed", "Paid"), "wrong": ("Paid", "Placed")}.items():
            for type in types:
                story.tell(type, order, 1, source="log")
                story.round()
        story.round(20)
        story.restart()
        story.tell("Paid", "later", 21, source="log")
        story.round(21)
        story.tell("Placed", "later", 21, source="log")
        story.round(30)
        assert sorted(finding.case for finding in story.findings()) == ["later", "wrong"]


def test_an_event_tells_where_it_came_from_and_what_it_carries(story: Story) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    carried = {"correlationid": "c-7", "traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    story.tell("Placed", "1", 0, part="7", **carried)
    story.round(1)
    (stored,) = story.ledger.events("order", "1")
    assert (stored.source, stored.part, stored.position, stored.arrived) == ("orders", "7", 0, START + SECOND)
    assert (stored.correlation, stored.trace) == ("c-7", trace)
    assert msgspec.json.decode(stored.record or "")["order"] == "1"


# Search and pages ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["1", "p-1", "e-1", "12.5", "12.50", "a gift", "3", "c-7", "4bf92f3577b34da6a3ce929d0e0e4736", "e-2"],
    ids=["case", "key", "id", "amount", "the same amount", "text", "integer", "correlation", "trace", "linked event"],
)
def test_a_case_is_found_by_whatever_its_events_carry(tmp_path: Path, text: str) -> None:
    with Story(tmp_path, KEYED) as story:
        fields: dict[str, Any] = {"amount": "12.50", "note": "a gift", "items": 3, "correlationid": "c-7"}
        trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        story.tell("Placed", "1", 0, id="e-1", payment="p-1", traceparent=trace, **fields)
        story.tell("Paid", None, 1, id="e-2", payment="p-1")
        story.tell("Placed", "other", 0, id="e-3", payment="p-9", amount="99", items=4)
        story.round(2)
        assert story.cases(text=text) == ["1"]
        assert story.cases(text="nothing of the kind") == []


def test_what_is_searched_for_is_taken_as_it_is(story: Story) -> None:
    story.tell("Placed", "o'1; --", 0)
    story.tell("Placed", "%", 0)
    story.round(1)
    assert story.cases(text="o'1; --") == ["o'1; --"]
    assert story.cases(text="%") == ["%"]


def test_pages_of_cases_and_findings_hold_each_once_while_more_come(story: Story) -> None:
    for number in range(25):
        story.tell("Placed", f"a{number:02}", number / 100)
    story.round(1)
    story.round(15)
    first = {finding.case for finding in story.findings()}
    seen: list[str] = []
    cursor = None
    for turn in range(6):
        page = story.ledger.findings(FindingFilter(), cursor=cursor, limit=5)
        seen += [finding.case for finding in page.items]
        cursor = page.cursor
        story.tell("Placed", f"b{turn}", 20 + turn * 15)
        story.round(20 + turn * 15 + 0.1)
        story.round(20 + turn * 15 + 13)
        if cursor is None:
            break
    assert len(seen) == len(set(seen))
    assert first <= set(seen)


def test_pages_of_cases_come_latest_first_and_end(story: Story) -> None:
    for number in range(7):
        story.tell("Placed", str(number), number)
    story.round(10)
    seen: list[str] = []
    page = story.ledger.cases(CaseFilter(), limit=3)
    while page.cursor is not None:
        seen += [row.case for row in page.items]
        page = story.ledger.cases(CaseFilter(), cursor=page.cursor, limit=3)
    seen += [row.case for row in page.items]
    assert seen == ["6", "5", "4", "3", "2", "1", "0"]


@pytest.mark.parametrize("cursor", ["", "x", "bm9uc2Vuc2U", "W10", "WzEsMiwzLDQsNV0", "é"])
def test_a_cursor_that_is_none_is_refused(story: Story, cursor: str) -> None:
    with pytest.raises(UsageError, match="this is no cursor"):
        story.ledger.findings(FindingFilter(), cursor=cursor)
    with pytest.raises(UsageError, match="this is no cursor"):
        story.ledger.cases(CaseFilter(), cursor=cursor)


def test_a_cursor_of_another_list_is_refused_or_harmless(story: Story) -> None:
    for number in range(3):
        story.tell("Placed", str(number), 0)
    story.round(1)
    story.round(20)
    cursor = story.ledger.findings(FindingFilter(), limit=1).cursor
    with pytest.raises(UsageError, match="this is no cursor"):
        story.ledger.cases(CaseFilter(), cursor=cursor)


def test_counts_are_those_of_the_lists(story: Story) -> None:
    for number in range(6):
        story.tell("Placed", str(number), 0)
        if number % 2:
            story.tell("Paid", str(number), 1)
        if number == 3:
            story.tell("Shipped", "3", 2)
    story.round(3)
    story.round(20)
    counts = story.ledger.counts("order")
    assert counts.cases == {"violated": 3, "open": 2, "complete": 1}
    assert counts.findings == {"open": 3, "acknowledged": 0, "waived": 0, "resolved": 0}
    assert (counts.by_owner, counts.by_expectation) == ({"payments": 3}, {"paid in time": 3})
    assert counts.events == {"Placed": 6, "Paid": 3, "Shipped": 1}
    with pytest.raises(UsageError, match="there is order"):
        story.ledger.counts("nothing")


def test_a_reader_sees_a_state_that_was_while_the_writer_goes_on(story: Story) -> None:
    story.tell("Placed", "1", 0)
    story.round(1)
    with story.ledger._store.reading() as reading:
        before = reading.execute("SELECT count(*) FROM record").fetchall()
        story.tell("Placed", "2", 0)
        story.round(2)
        assert reading.execute("SELECT count(*) FROM record").fetchall() == before
    assert story.cases() == ["1", "2"]
