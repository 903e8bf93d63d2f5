"""Closed cases in the archive: found there, brought back by what comes late, and never in two places or none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest

from archive_site import DAY, ORDERS, Site, files
from sagacity.errors import LedgerError
from sagacity.ledger.live import Action, CaseFilter, FindingFilter, Outlook

MOVES = """
workflow: orders
keys: item
sources:
  bus: {}
events:
  Left: {source: bus, time: left, key: from}
  Came: {source: bus, time: came, key: to}
timeout: 2d
rules:
  - existence: Left
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path / "ledger")
    yield made
    made.close()


def _archive_one(site: Site) -> None:
    site.complete("a")
    site.judge(120)
    assert site.upkeep() == (1, 0)


def test_a_complete_case_goes_to_the_archive_and_is_found_there(site: Site) -> None:
    site.complete("a")
    site.judge(120)
    before, events = site.ledger.case("orders", "a"), site.ledger.events("orders", "a")
    counts = site.ledger.counts("orders")
    assert site.upkeep() == (1, 0)
    row = site.ledger.case("orders", "a")
    assert before is not None
    assert row is not None
    assert row.archived
    assert not before.archived
    assert (row.status, row.ended, row.events, row.first, row.last, row.as_of, row.due) == (
        before.status, before.ended, before.events, before.first, before.last, before.as_of, None,
    )  # fmt: skip
    assert site.ledger.events("orders", "a") == events
    assert site.ledger.counts("orders") == counts
    assert [it.case for it in site.ledger.cases(CaseFilter(text="a")).items] == ["a"]
    assert site.ledger.case("orders", "b") is None


def test_its_records_lie_in_one_file_of_the_day_of_its_last_event(site: Site) -> None:
    _archive_one(site)
    day = date(1970, 4, 13).isoformat()
    assert files(site) == [f"orders/day={day}/1.parquet"]
    table = pq.read_table(site.folder / "archive" / files(site)[0], partitioning=None)
    assert table["case_id"].to_pylist() == ["a"] * 3
    assert table["n"].to_pylist() == [1, 2, 3]
    assert all(b'"order":"a"' in body.encode() for body in table["body"].to_pylist())


def test_a_case_that_is_open_or_has_not_settled_stays(tmp_path: Path) -> None:
    site = Site(tmp_path, after=5 * DAY)
    site.complete("settled", at=100)
    site.complete("young", at=107)
    site.send("Placed", 100, "open", order="open")
    for at in (103, 109):
        site.judge(at)
    assert site.upkeep() == (1, 0)
    assert [site.archived(case) for case in ("settled", "young", "open")] == [True, False, False]
    site.judge(111)
    site.judge(115)
    assert site.upkeep() == (1, 0)
    assert [site.archived(case) for case in ("young", "open")] == [True, False], "the open one ended a while after"
    site.judge(117)
    assert site.upkeep() == (1, 0)
    site.close()


def test_a_case_that_has_yet_to_be_judged_stays(site: Site) -> None:
    site.complete("a")
    site.judge(120)
    site.send("Shipped", 103, "a-again", order="a")
    assert site.upkeep() == (0, 0)
    site.judge(120)
    assert site.kinds("a") == [("duplicate", "open")]
    assert site.upkeep() == (1, 0)


def test_a_late_event_brings_the_case_back_and_changes_its_verdict(site: Site) -> None:
    _archive_one(site)
    site.send("Shipped", 103, "a-again", order="a")
    assert site.archived("a") is False
    site.judge(130)
    row = site.ledger.case("orders", "a")
    assert row is not None
    assert (row.status.value, row.events, row.archived) == ("violated", 4, False)
    assert site.kinds("a") == [("duplicate", "open")]
    assert site.told("a") == ["a-0", "a-1", "a-2", "a-again"]


def test_a_copy_of_an_archived_event_is_a_redelivery_and_changes_nothing(site: Site) -> None:
    _archive_one(site)
    site.send("Shipped", 102, "a-2", order="a")
    site.judge(130)
    assert site.kinds("a") == []
    (account,) = site.ledger.accounts()
    assert (account.records, account.redelivered, account.matched + account.late) == (4, 1, 3)
    assert site.upkeep() == (1, 0)
    site.send("Shipped", 102, "a-2", order="a")
    site.judge(140)
    (account,) = site.ledger.accounts()
    assert (account.records, account.redelivered, account.matched + account.late) == (5, 2, 3)
    assert site.ledger.counts("orders").events == {"Placed": 1, "Paid": 1, "Shipped": 1}


def test_findings_keep_their_lives_through_the_archive(site: Site) -> None:
    site.send("Placed", 100, "p", order="a")
    site.judge(120)
    assert sorted(site.kinds("a")) == [("missing", "open"), ("missing", "open")]
    waived = site.ledger.findings(FindingFilter(case="a")).items[0]
    site.ledger.act(waived.id, Action(what="waive", by="ann", reason="known"), site.now)
    assert site.upkeep() == (1, 0)
    notices = len(site.ledger.notices(site.now))
    site.send("Paid", 101, "q", order="a")
    site.judge(130)
    states = {it.id: it.state for it in site.ledger.findings(FindingFilter(case="a")).items}
    assert len(states) == 2
    assert len([it for it in site.ledger.notices(site.now) if it.kind == "opened"]) == notices
    again = site.ledger.replay(0, 1_000 * DAY, Outlook(130 * DAY), site.now)
    assert (again.opened, again.reopened, again.resolved, again.archived) == (0, 0, 0, 0)


def test_a_replay_counts_the_archived_cases_that_it_does_not_judge_again(site: Site) -> None:
    _archive_one(site)
    row = site.ledger.case("orders", "a")
    assert row is not None
    period = (row.first, row.last + 1)
    again = site.ledger.replay(*period, Outlook(130 * DAY), site.now)
    assert (again.cases, again.archived) == (0, 1)
    assert site.ledger.replay(period[1], period[1] + DAY, Outlook(130 * DAY), site.now).archived == 0
    assert site.ledger.replay(period[0] - DAY, period[0], Outlook(130 * DAY), site.now).archived == 0


def test_what_came_back_goes_again_and_the_file_that_it_left_is_removed(site: Site) -> None:
    _archive_one(site)
    (first,) = files(site)
    site.send("Shipped", 104, "a-3", order="a")
    site.judge(130)
    site.upkeep()
    assert site.archived("a") is True
    (second,) = files(site)
    assert second != first
    assert site.told("a") == ["a-0", "a-1", "a-2", "a-3"]


def test_numbers_of_records_that_have_gone_are_not_given_again(site: Site) -> None:
    _archive_one(site)
    site.send("Placed", 120, "b", order="b")
    site.send("Paid", 104, "a-3", order="a")
    site.judge(121)
    assert site.told("a") == ["a-0", "a-1", "a-2", "a-3"]
    assert site.told("b") == ["b"]


def test_a_crash_between_the_file_and_the_transaction_loses_and_doubles_nothing(tmp_path: Path) -> None:
    site = Site(tmp_path / "ledger")
    site.complete("a")
    site.judge(120)
    site.close()
    shutil.copytree(site.folder, tmp_path / "crashed")
    site.open()
    site.upkeep()
    site.close()
    shutil.copytree(site.folder / "archive", tmp_path / "crashed" / "archive")
    left = tmp_path / "crashed" / "archive" / "orders" / "day=1970-04-13"
    (left / "2.parquet.part").write_bytes(b"PAR1")
    (left / "notes.txt").write_text("of somebody else")
    site.folder = tmp_path / "crashed"
    site.open()
    assert site.archived("a") is False
    site.complete("b", at=101)
    site.judge(130)
    assert site.upkeep() == (2, 0)
    assert {case: site.told(case) for case in "ab"} == {case: [f"{case}-{n}" for n in range(3)] for case in "ab"}
    assert [it for it in files(site) if "2.parquet.part" in it] == []
    assert "orders/day=1970-04-13/notes.txt" in files(site)
    site.close()


def test_records_that_belong_to_nothing_go_to_the_archive_too(site: Site) -> None:
    site.bodies([b"not json", b'{"type":"Other","order":"x"}', b'{"type":"Paid","at":"1970-04-01T00:00:00Z"}'])
    _archive_one(site)
    kept = [pq.read_table(site.folder / "archive" / it, partitioning=None) for it in files(site) if "_unmatched" in it]
    assert [body for table in kept for body in table["body"].to_pylist()] == [
        "not json", '{"type":"Other","order":"x"}', '{"type":"Paid","at":"1970-04-01T00:00:00Z"}',
    ]  # fmt: skip
    (account,) = site.ledger.accounts()
    assert (account.records, account.rejected, account.unmatched, account.orphan) == (6, 1, 1, 1)


def test_after_the_retention_a_case_and_its_settled_findings_are_forgotten(tmp_path: Path) -> None:
    site = Site(tmp_path, retain=30 * DAY)
    site.complete("good", at=100)
    site.complete("mended", at=100)
    site.send("Placed", 100, "p", order="broken")
    site.judge(100)
    site.judge(120)
    (missing, other) = site.ledger.findings(FindingFilter(case="broken")).items
    site.ledger.act(missing.id, Action(what="waive", by="ann", reason="known"), site.now)
    assert site.upkeep() == (3, 0)
    site.complete("last", at=140)
    site.judge(150)
    assert site.upkeep() == (1, 3)
    assert [site.archived(case) for case in ("good", "mended", "broken", "last")] == [None, None, None, True]
    assert [it.id for it in site.ledger.findings(FindingFilter()).items] == [other.id]
    assert site.ledger.history(missing.id) == []
    assert len(files(site)) == 1
    site.ledger.act(other.id, Action(what="waive", by="ann", reason="too late"), site.now)
    site.upkeep()
    assert site.ledger.findings(FindingFilter()).items == ()
    site.close()


def test_an_event_for_a_forgotten_case_starts_it_anew(tmp_path: Path) -> None:
    site = Site(tmp_path, retain=30 * DAY)
    site.complete("a")
    site.judge(140)
    site.upkeep()
    site.upkeep()
    assert site.archived("a") is None
    site.send("Shipped", 141, "x", order="a")
    assert site.told("a") == ["x"]
    site.close()


@pytest.mark.parametrize("harm", ["deleted", "damaged"])
def test_a_file_that_cannot_be_read_is_named_and_stops_nothing(site: Site, harm: str) -> None:
    _archive_one(site)
    (name,) = files(site)
    file = site.folder / "archive" / name
    if harm == "deleted":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:40])
    row = site.ledger.case("orders", "a")
    assert row is not None
    assert row.archived
    with pytest.raises(LedgerError, match=name):
        site.ledger.events("orders", "a")
    site.send("Shipped", 104, "a-3", order="a")
    site.judge(130)
    assert site.told("a") == ["a-3"]
    (_, by, what), *_ = site.ledger.audits().items
    assert by == "sagacity"
    assert name in what
    assert what.endswith("start anew: a")
    site.send("Shipped", 105, "a-4", order="a")
    assert site.told("a") == ["a-3", "a-4"]


def test_an_archived_case_outlives_a_change_of_the_workflow(site: Site) -> None:
    _archive_one(site)
    site.change(ORDERS.replace("expect:", "expect:\n  Placed: once"))
    while site.ledger.rejudge(site.now) < 1:
        pass
    row = site.ledger.case("orders", "a")
    assert row is not None
    assert row.archived
    assert row.status.value == "complete"
    assert site.told("a") == ["a-0", "a-1", "a-2"]
    site.send("Placed", 104, "a-3", order="a")
    site.judge(130)
    assert site.kinds("a") == [("duplicate", "open")]
    assert site.told("a") == ["a-0", "a-1", "a-2", "a-3"]


def test_findings_of_archived_cases_stand_when_the_workflow_changes(site: Site) -> None:
    site.send("Placed", 100, "p", order="a")
    site.judge(120)
    assert site.upkeep() == (1, 0)
    site.change(ORDERS.replace("expect:", "expect:\n  Placed: once"))
    while site.ledger.rejudge(site.now) < 1:
        pass
    site.judge(121)
    assert site.kinds("a") == [("missing", "open"), ("missing", "open")]


def test_a_case_that_comes_back_while_a_change_is_being_read_for_is_whole_afterwards(site: Site) -> None:
    _archive_one(site)
    site.complete("b", at=110)
    site.change(ORDERS.replace("expect:", "expect:\n  Placed: once"))
    assert site.ledger.rejudge(site.now, most=4) < 1
    site.send("Placed", 104, "a-3", order="a")
    assert site.upkeep() == (0, 0), "nothing moves meanwhile"
    while site.ledger.rejudge(site.now) < 1:
        pass
    site.judge(130)
    assert {case: site.told(case) for case in "ab"} == {
        "a": ["a-0", "a-1", "a-2", "a-3"], "b": ["b-0", "b-1", "b-2"],
    }  # fmt: skip
    assert site.kinds("a") == [("duplicate", "open")]


def test_a_record_that_another_workflow_needs_stays_until_that_lets_it_go(site: Site) -> None:
    site.change(ORDERS.replace("workflow: orders", "workflow: slow").replace("ends: [Shipped]\ntimeout: 10d\n", ""))
    _archive_one(site)
    assert [str(it.event.id) for it in site.ledger.events("slow", "a")] == ["a-0", "a-1", "a-2"]
    assert all(it.record for it in site.ledger.events("slow", "a"))
    site.send("Paid", 104, "a-3", order="a")
    site.judge(130)
    assert site.told("a") == [str(it.event.id) for it in site.ledger.events("slow", "a")] == ["a-0", "a-1", "a-2", "a-3"]


def test_a_record_with_events_of_two_cases_serves_both_wherever_they_are(tmp_path: Path) -> None:
    site = Site(tmp_path, MOVES)
    move = {"from": "a", "to": "b", "left": "1970-04-11T00:00:00Z", "came": "1970-04-20T00:00:00Z"}
    site.bodies([msgspec.json.encode(move)])
    site.judge(108)
    assert site.upkeep() == (1, 0)
    assert [site.archived(case) for case in "ab"] == [True, False]
    site.bodies([msgspec.json.encode({"from": "a", "left": "1970-04-12T00:00:00Z"})])
    site.judge(109)
    assert {case: events for case, (_, _, events) in site.cases().items()} == {"a": 2, "b": 1}
    site.judge(130)
    site.judge(140)
    site.upkeep()
    assert [site.archived(case) for case in "ab"] == [True, True]
    site.bodies([msgspec.json.encode({"to": "b", "came": "1970-04-21T00:00:00Z"})])
    site.judge(141)
    assert {case: events for case, (_, _, events) in site.cases().items()} == {"a": 2, "b": 2}
    assert len(site.ledger.events("orders", "a")) == 2
    assert [site.archived(case) for case in "ab"] == [True, False]
    site.close()


def test_an_archive_that_cannot_be_written_loses_nothing_and_goes_on_later(site: Site) -> None:
    site.complete("a")
    site.judge(120)
    (site.folder / "archive").write_text("in the way")
    with pytest.raises(LedgerError, match="archive"):
        site.upkeep()
    assert site.archived("a") is False
    assert site.told("a") == ["a-0", "a-1", "a-2"]
    (site.folder / "archive").unlink()
    assert site.upkeep() == (1, 0)


def test_a_ledger_of_the_version_before_is_brought_up_to_this_one(site: Site) -> None:
    import duckdb

    site.close()
    with duckdb.connect(str(site.folder / "ledger.duckdb")) as connection:
        for table in ("archive", "archived_file", "archived", "archived_key", "owed", "forgotten", "given", "expected"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("ALTER TABLE ledger DROP COLUMN horizons")
        connection.execute("UPDATE ledger SET version = 1")
    site.open()
    _archive_one(site)
    assert site.archived("a") is True
