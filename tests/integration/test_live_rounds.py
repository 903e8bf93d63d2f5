"""The rounds of a live ledger, on a clock of the test's own: deadlines, late events, sources that idle or are away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from live_records import iso
from live_story import ORDER, SECOND, START, Story
from sagacity.errors import FullError
from sagacity.ledger.duckdb.live import DuckDBLiveLedger
from sagacity.ledger.live import Judged, Outlook
from sagacity.reconcile.clock import SystemClock
from sagacity.reconcile.live import Change, Live
from sagacity.sources.push import PushStream
from sagacity.workflow.checks import check
from sagacity.workflow.language.reader import loads

TWO_SOURCES = """\
workflow: order
keys: order
sources:
  orders: {type: type, time: time, id: id, key: order}
  payments: {type: type, time: time, id: id, key: order}
events:
  Placed: {source: orders}
  Paid: {source: payments}
timeout: 1h
expect:
  Paid: within 10s of Placed
"""


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    with Story(tmp_path) as story:
        yield story


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Story]:
    with Story(tmp_path, TWO_SOURCES, sources=("orders", "payments")) as story:
        yield story


def test_a_deadline_passes_with_no_traffic_and_the_finding_opens_within_the_round(story: Story) -> None:
    story.tell("Placed", "1", 0)
    story.round(0.1)
    assert story.round(11.999999).opened == 0  # a payment of the tenth second may still be on its way
    assert story.case().status.value == "open"
    assert story.round(12).opened == 1
    finding = story.finding()
    assert (finding.kind, finding.state, finding.owner) == ("missing", "open", "payments")
    assert (finding.since, finding.opened) == (START + 10 * SECOND, START + 12 * SECOND)
    assert story.case().status.value == "violated"


def test_a_payment_in_the_last_microsecond_is_in_time(story: Story) -> None:
    story.tell("Placed", "1", 0)
    story.tell("Paid", "1", 10)
    story.round(11)
    story.round(60)
    assert story.findings() == []


def test_a_round_without_anything_to_do_judges_nothing(story: Story) -> None:
    story.tell("Placed", "1", 0)
    story.round(0.1)
    story.round(3)
    assert [story.round(at).cases for at in (4, 5, 9.9)] == [0, 0, 0]


def test_an_event_of_the_future_waits_until_as_of_reaches_it(story: Story) -> None:
    story.tell("Placed", "1", 100)
    story.round(0.1)
    assert (story.case().events, story.case().as_of) == (1, None)
    story.round(50)
    assert story.findings() == []
    story.round(102.5)
    assert story.case().as_of is not None
    story.round(112.5)
    assert story.finding().since == START + 110 * SECOND


def test_events_in_any_order_within_the_allowed_lateness_are_not_late(story: Story) -> None:
    story.tell("Paid", "1", 1.5)
    story.round(1.6)
    story.tell("Placed", "1", 0)
    story.round(2)
    assert (story.account().matched, story.account().late) == (2, 0)


def test_an_event_behind_as_of_amends_its_case_and_is_told_to_be_late(story: Story) -> None:
    story.tell("Placed", "1", 0)
    story.round(20)
    story.round(30)
    story.tell("Paid", "1", 5)
    assert story.round(31).resolved == 1
    assert (story.account().matched, story.account().late) == (1, 1)


def test_an_idle_source_does_not_hold_as_of_back(two: Story) -> None:
    two.tell("Placed", "1", 0)
    two.round(0.1)
    two.round(0.7)
    assert two.as_of == pytest.approx(-1.3)


def test_a_source_that_is_behind_keeps_what_it_could_still_bring_pending(two: Story) -> None:
    two.tell("Placed", "1", 0)
    two.round(0.1)
    two.round(1)
    two.stream.states["payments", "0"] = "behind"
    for at in (1.1, 2, 8, 15, 20):
        two.round(at)
    assert two.findings() == []
    assert (two.case().status.value, two.case().behind) == ("open", ("payments",))
    assert two.live.status().behind == {"payments": START - SECOND}


def test_the_status_tells_since_when_a_source_has_been_behind(two: Story) -> None:
    two.round(0)
    two.round(5)
    two.stream.states["payments", "0"] = "behind"
    assert ("payments", "0") not in two.live.status().since  # no round has seen it so far
    two.round(6)
    two.round(20)
    assert two.live.status().since == {("orders", "0"): START, ("payments", "0"): START + 6 * SECOND}


def test_what_a_source_brings_when_it_catches_up_satisfies_what_was_pending(two: Story) -> None:
    two.tell("Placed", "1", 0)
    two.round(1)
    two.stream.states["payments", "0"] = "behind"
    two.round(2)
    two.round(20)
    two.tell("Paid", "1", 9, source="payments")
    two.stream.states["payments", "0"] = "current"
    two.round(21)
    two.round(22)
    assert two.findings() == []
    assert two.case().behind == ()


@pytest.mark.parametrize("meanwhile", ["nothing", "a restart", "a restart of a ledger that knows no horizons"])
def test_a_finding_stands_while_its_source_is_behind_and_nobody_is_told_anything(two: Story, meanwhile: str) -> None:
    two.tell("Placed", "1", 0)
    two.round(1)
    two.round(20)
    finding = two.finding()
    assert finding.state == "open"
    told = two.told()
    if meanwhile == "a restart of a ledger that knows no horizons":
        with two.ledger._store.transaction() as connection:
            connection.execute("UPDATE ledger SET horizons = NULL")
    if meanwhile != "nothing":
        two.restart()
    two.stream.states["payments", "0"] = "behind"
    two.stream.states["payments", "1"] = "behind"  # a part that was not there before
    for at in (20.1, 21, 25):
        two.round(at)
    two.ledger.replay(START, START + 100 * SECOND, two.live._outlook or Outlook(0), two.clock.now())
    assert [each.what for each in two.ledger.history(finding.id)] == ["opened"]
    assert two.told() == told
    two.tell("Paid", "1", 5, source="payments")
    two.stream.states["payments", "0"] = two.stream.states["payments", "1"] = "current"
    two.round(26)
    two.round(27)
    assert {each.state for each in two.findings() if each.id == finding.id} <= {"resolved", "open"}
    assert two.told() != told


def test_what_waits_for_several_sources_is_judged_once_the_last_of_them_is_heard(two: Story) -> None:
    two.tell("Placed", "1", 0)
    two.round(1)
    two.stream.states["payments", "0"] = two.stream.states["orders", "0"] = "behind"
    two.round(2)
    two.stream.states["orders", "0"] = "current"
    two.round(20)
    before = two.case().as_of
    two.round(25)
    assert two.case().as_of == before  # held, and not judged again and again
    two.stream.states["payments", "0"] = "current"
    two.round(26)
    two.round(27)
    assert two.finding().kind == "missing"


def test_what_a_source_did_not_bring_when_it_caught_up_is_missing(two: Story) -> None:
    two.tell("Placed", "1", 0)
    two.round(1)
    two.stream.states["payments", "0"] = "behind"
    two.round(2)
    two.round(20)
    two.stream.states["payments", "0"] = "current"
    two.round(21)
    two.round(22)
    assert (two.finding().kind, two.finding().since) == ("missing", START + 10 * SECOND)
    assert two.case().behind == ()


def test_absence_from_a_source_that_is_down_is_no_evidence_of_absence(two: Story) -> None:
    two.stream.states["payments", "0"] = "down"
    two.tell("Placed", "1", 0)
    two.round(0.1)
    two.round(1)
    two.round(500)
    assert two.findings() == []
    assert two.case().behind == ("payments",)


def test_where_every_source_is_down_nothing_is_judged(two: Story) -> None:
    two.tell("Placed", "1", 0)
    two.round(1)
    before = two.as_of
    two.stream.states |= {("orders", "0"): "down", ("payments", "0"): "down"}
    two.round(2)
    two.round(100)
    assert two.as_of == before
    assert two.findings() == []


def test_a_restart_forgets_neither_deadlines_nor_verdicts(story: Story) -> None:
    story.tell("Placed", "1", 0)
    story.tell("Placed", "2", 0)
    story.round(0.1)
    story.round(5)
    story.restart()
    assert story.stream.started == {("orders", "0"): 2}
    story.tell("Paid", "2", 5)
    story.round(8)
    story.restart()
    assert story.round(13).opened == 1
    assert story.finding().case == "1"


def test_replaying_everything_finds_nothing_new_and_tells_nobody(story: Story) -> None:
    for number in range(20):
        story.tell("Placed", str(number), number / 10)
    story.round(5)
    story.round(60)
    told, found = story.told(), story.findings()
    outlook = story.live._outlook
    assert outlook is not None
    cases, after, calls = 0, None, 0
    while after is not None or not calls:
        replayed = story.ledger.replay(START - SECOND, START + 100 * SECOND, outlook, story.clock.now(), after=after, most=7)
        assert (replayed.opened, replayed.reopened, replayed.resolved) == (0, 0, 0)
        cases, after, calls = cases + replayed.cases, replayed.after, calls + 1
    assert (cases, calls) == (20, 3)
    assert (story.told(), story.findings()) == (told, found)


def test_records_of_other_types_do_not_hold_deadlines_up(story: Story) -> None:
    story.tell("Placed", "1", 0)
    for halves in range(1, 28):
        story.tell("Painted", "1", halves / 2)
        story.hand("orders", b"garbage")
        story.round(halves / 2)
    assert story.finding().kind == "missing"


def test_old_events_that_keep_coming_do_not_hold_deadlines_up(story: Story) -> None:
    story.tell("Placed", "1", 0)
    for halves in range(1, 28):
        story.tell("Shipped", f"old-{halves}", -1_000)
        story.round(halves / 2)
    assert [finding.case for finding in story.findings()] == ["1"]


def test_who_listens_is_told_of_every_round_that_changed_something(story: Story) -> None:
    heard: list[Change] = []
    end = story.live.listen(heard.append)
    story.tell("Placed", "1", 0)
    story.round(1)
    story.round(2)
    story.round(20)
    end()
    story.tell("Placed", "2", 20)
    story.round(21)
    assert [(change.records, change.opened) for change in heard] == [(1, 0), (0, 1)] or [
        (change.records, change.opened) for change in heard
    ] == [(1, 0), (0, 0), (0, 1)]


def test_what_is_asked_of_the_writing_thread_is_done_between_rounds(story: Story) -> None:
    done = story.live.ask(lambda ledger: ledger.audit("ann", "looked", 1))
    assert not done.done()
    story.round(1)
    assert done.result(0) is None
    assert [(by, what) for _, by, what in story.ledger.audits().items] == [("ann", "looked")]


def test_the_allowed_lateness_is_waited_for_also_while_events_come(story: Story) -> None:
    story.tell("Placed", "1", 0)
    for tenths in range(1, 125):
        if tenths % 20 == 0:
            story.tell("Placed", f"x{tenths}", tenths / 10)
            story.round(tenths / 10)
    assert [finding.case for finding in story.findings()] == ["1"]


class FullOnce(DuckDBLiveLedger):
    """A ledger that finds the disk full the first time that it judges anything."""

    full = True

    def judge(self, outlook: Outlook, now: int, most: int = 200_000) -> Judged:
        if self.full and self.parts():
            self.full = False
            raise FullError("the disk is full")
        return super().judge(outlook, now, most)


def test_what_was_kept_is_not_kept_again_when_judging_it_finds_the_disk_full(tmp_path: Path) -> None:
    ledger = FullOnce(tmp_path, threads=1, memory="256MB")
    try:
        ledger.adopt(loads(ORDER), ORDER, by="test", now=START)
        push = PushStream(["orders"])
        live = Live(ledger, [push], clock=SystemClock())
        judged = threading.Event()
        live.listen(lambda change: judged.set() if change.cases else None)
        rounds = threading.Thread(target=live.run)
        rounds.start()
        kept = push.offer("orders", [b'{"type":"Placed","time":"2026-01-01T00:00:00Z","id":"1","order":"1"}'])
        try:
            kept.result(60)
            assert judged.wait(60)
        finally:
            live.stop()
            rounds.join(60)
        assert not ledger.full
        assert [(account.records, account.matched) for account in ledger.accounts()] == [(1, 1)]
    finally:
        ledger.close()


def test_what_is_pushed_later_stands_later_in_the_log(tmp_path: Path) -> None:
    text = """\
workflow: order
keys: order
sources: {log: {type: type, time: time, id: id, seq: row, key: order}}
events: {Placed: , Paid: }
timeout: 1h
rules: [{precedence: [Placed, Paid]}]
"""
    with Story(tmp_path, text, sources=("log",)) as story:
        push = PushStream(["log"])
        live = Live(story.ledger, [push], clock=story.clock)
        live.begin()
        for types in (("Other", "Placed"), ("Paid",), ("Placed", "Paid")):
            times = {"time": iso(START), "order": "1"}
            push.offer("log", [msgspec.json.encode({"type": it, "id": it, **times}) for it in types])
            live.tick()
        story.clock.at = START + 60 * SECOND
        live.tick()
        assert story.findings() == []
        assert (story.case().status.value, story.account("log").redelivered) == ("open", 2)


def test_the_stories_workflow_is_sound() -> None:
    assert [problem.message for text in (ORDER, TWO_SOURCES) for problem in check(loads(text))] == []


def test_a_quiet_server_goes_on_archiving_and_a_restart_does_not_fall_back(tmp_path: Path) -> None:
    with Story(tmp_path) as story:
        story.ledger.close()
        story.ledger = DuckDBLiveLedger(tmp_path, threads=1, memory="256MB", archive_after=60 * SECOND)
        story.live = Live(story.ledger, [story.stream], clock=story.clock)
        story.live.begin()
        for kind, at in (("Placed", 0), ("Paid", 0.5), ("Shipped", 1)):
            story.tell(kind, "1", at)
        for at in (1.1, 20, 100, 200):
            story.round(at)
        assert story.case().archived
        assert story.as_of == 198
        story.restart()
        assert story.as_of == 198


def test_an_event_from_before_a_quiet_time_is_late(story: Story) -> None:
    for kind, at in (("Placed", 0), ("Paid", 0.5), ("Shipped", 1)):
        story.tell(kind, "1", at)
    for at in (1.1, 20, 100):
        story.round(at)
    story.tell("Paid", "1", 50, id="again")
    story.round(101)
    assert story.account().late == 1
