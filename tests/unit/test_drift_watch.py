"""What has changed in a live ledger's cases: which periods count, what is told, and how often it is looked at."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from fakes.live_ledger import MemoryLedger
from sagacity.discover.drift import Drift
from sagacity.discover.periods import MONDAY, width_of
from sagacity.discover.standing import drift_of
from sagacity.errors import LedgerError
from sagacity.ledger.live import PeriodCounts
from sagacity.web.drifting import Drifting
from sagacity.web.reading import Readings
from sagacity.workflow.language.reader import loads

TEXT = """
workflow: order
sources: {log: {format: jsonl, key: data.order_id}}
events: {Placed: {}, Shipped: {}}
timeout: 1d
expect: {Shipped: once}
accepted: {Shipped once: {held: 95, of: 100}}
"""
WORKFLOW = loads(TEXT)
DAY = width_of("day")


def _counts(decided: list[int], violated: list[int], begun: list[int] | None = None) -> PeriodCounts:
    days = dict(enumerate(decided))
    return PeriodCounts(
        begun=dict(enumerate(begun)) if begun else dict.fromkeys(days, 100),
        decided=days,
        violated={"Shipped once": dict(enumerate(violated))},
        types={"Placed": days, "Stray": {n: 30 for n in days if n > 3}},
    )


def _drift(counts: PeriodCounts) -> Drift:
    return drift_of(WORKFLOW, counts, MONDAY, DAY)


# What is told --------------------------------------------------------------------------------------------------------


def test_a_rule_that_weakens_is_told_with_the_day_since_when() -> None:
    found = _drift(_counts([100] * 8, [2, 2, 3, 2, 20, 22, 19, 21]))
    told = {(change.what, change.name): change for change in found.changes}
    rule = told["rule", "Shipped once"]
    assert rule.since == MONDAY + 4 * DAY
    assert rule.sentence == "Since 1970-01-09: 80 % of the cases have no finding of Shipped once; before, 97.8 %."
    assert ("new type", "Stray") in told


def test_how_often_it_held_when_it_was_accepted_is_of_other_cases_and_not_shown() -> None:
    found = _drift(_counts([100] * 8, [2, 2, 3, 2, 20, 22, 19, 21]))
    assert all(series.accepted is None for series in found.series)


def test_nothing_is_told_where_nothing_changed() -> None:
    counts = PeriodCounts(begun=dict.fromkeys(range(8), 100), decided=dict.fromkeys(range(8), 100), violated={}, types={})
    assert _drift(counts).changes == ()


def test_cases_that_were_archived_before_a_rule_was_in_place_do_not_count_for_it() -> None:
    counts = PeriodCounts(
        begun=dict.fromkeys(range(60), 100),
        decided=dict.fromkeys(range(60), 100),
        violated={"Shipped once": dict.fromkeys(range(40, 60), 5)},
        types={},
        unjudged={"Shipped once": dict.fromkeys(range(40), 100)},
    )
    found = _drift(counts)
    assert found.changes == ()
    assert found.series[0].of == (0,) * 40 + (100,) * 20
    assert found.notes == ("Archived cases from before these were in place do not count for them: Shipped once.",)


def test_a_type_that_is_sent_again_and_again_is_told() -> None:
    days = range(12)
    counts = PeriodCounts(
        begun=dict.fromkeys(days, 100),
        decided=dict.fromkeys(days, 100),
        violated={},
        types={"Placed": dict.fromkeys(days, 100)},
        repeated={"Placed": {n: (100, 100) if n < 8 else (190, 1_090) for n in days}},
    )
    (change,) = _drift(counts).changes
    assert change.sentence == "Since 1970-01-13: a case with Placed has it 1.9 times on average; before, 1.0."


# Which periods count -------------------------------------------------------------------------------------------------


def test_the_latest_periods_wait_until_their_cases_are_decided() -> None:
    found = _drift(_counts([100, 100, 90, 89, 3], [0, 0, 0, 80, 3]))
    assert [period.cases for period in found.periods] == [100, 100, 90]


def test_an_undecided_day_before_an_empty_weekend_waits_too() -> None:
    found = _drift(_counts([100] * 5 + [60, 0, 0, 10], [5] * 9, [100] * 6 + [0, 0, 100]))
    assert [period.cases for period in found.periods] == [100] * 5


def test_a_day_in_between_that_is_not_decided_counts_nothing() -> None:
    found = _drift(_counts([100, 5, 100, 20], [10, 5, 10, 0]))
    assert [period.cases for period in found.periods] == [100, 0, 100]
    assert found.series[0].held == (90, 0, 90)


def test_a_server_put_up_at_noon_and_a_day_that_has_just_begun_are_no_change_of_volume() -> None:
    days = [500] + [1_000] * 58 + [10]
    counts = PeriodCounts(
        begun=dict(enumerate(days)), decided=dict(enumerate(days)), violated={}, types={}, until=MONDAY + 59 * DAY + DAY // 8
    )
    found = _drift(counts)
    assert found.changes == ()
    assert [period.whole for period in found.periods] == [False] + [True] * 58 + [False]


def test_a_ledger_without_cases_has_no_periods() -> None:
    empty = PeriodCounts(begun={}, decided={}, violated={}, types={})
    assert _drift(empty).periods == ()


# How often it is looked at -------------------------------------------------------------------------------------------


class _Asked(MemoryLedger):
    """Counts how often it is asked; fails where told to; lets who asks for days wait for `go_on`."""

    asked = 0
    broken = gave_up = False
    counted = PeriodCounts(begun={3: 10}, decided={3: 10}, violated={}, types={})

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()

    def by_period(self, workflow: str, origin: int, width: int, since: int) -> PeriodCounts:  # noqa: ARG002
        self.asked += 1
        if width == DAY:
            self.reached.set()
            self.gave_up = not self.go_on.wait(60)
        if self.broken:
            raise LedgerError("out of memory")
        return self.counted


class _World:
    """A ledger that is looked at, a clock of the test's, and a background in which nothing is done until it is told to."""

    def __init__(self) -> None:
        self.ledger, self.time = _Asked(), 0.0
        self.ledger.adopt(WORKFLOW, TEXT, by="anna", now=1)
        self.waiting: list[Callable[[], None]] = []
        self.drifting = Drifting(
            self.ledger, Readings(self.ledger), lambda: 100 * DAY, lambda: self.time, self.waiting.append
        )

    def work(self) -> None:
        while self.waiting:
            self.waiting.pop()()


@pytest.fixture
def world() -> _World:
    return _World()


def test_however_many_ask_the_ledger_is_asked_once_in_a_while(world: _World) -> None:
    assert world.drifting.of("other") is None
    for _ in range(5):
        assert world.drifting.of("order") is not None
    assert world.ledger.asked == 1
    world.drifting.of("order", "week")
    assert world.ledger.asked == 2
    world.time = 31.0
    world.drifting.of("order")
    assert world.ledger.asked == 3


def test_where_there_was_nothing_it_is_not_looked_for_again_at_once(world: _World) -> None:
    world.ledger.counted = PeriodCounts(begun={}, decided={}, violated={}, types={})
    for _ in range(3):
        world.drifting.of("order")
    assert world.ledger.asked == 1


def test_a_scrape_waits_for_no_look(world: _World) -> None:
    assert world.drifting.kept() == []
    assert (world.ledger.asked, len(world.waiting)) == (0, 1)
    assert world.drifting.kept() == []
    assert len(world.waiting) == 1
    world.work()
    assert [drift.workflow for drift in world.drifting.kept()] == ["order"]
    world.time = 299.0
    world.drifting.kept()
    assert world.waiting == []
    world.time = 301.0
    assert [drift.workflow for drift in world.drifting.kept()] == ["order"]
    assert len(world.waiting) == 1


def test_a_look_that_fails_leaves_what_was_found_and_is_tried_again_later(world: _World) -> None:
    world.drifting.kept()
    world.work()
    world.ledger.broken, world.time = True, 301.0
    world.drifting.kept()
    world.work()
    assert [drift.workflow for drift in world.drifting.kept()] == ["order"]
    assert world.waiting == []
    world.ledger.broken, world.time = False, 602.0
    world.drifting.kept()
    world.work()
    assert world.ledger.asked == 3


def test_who_looks_at_one_width_holds_up_nobody_who_looks_at_another(world: _World) -> None:
    world.ledger.go_on.clear()
    looking = threading.Thread(target=world.drifting.of, args=("order", "day"))
    looking.start()
    try:
        assert world.ledger.reached.wait(60)
        assert world.drifting.of("order", "week") is not None
        assert world.drifting.kept() == []
        assert not world.ledger.gave_up
    finally:
        world.ledger.go_on.set()
        looking.join(60)


def test_after_the_end_nothing_is_looked_at_any_more(world: _World) -> None:
    world.drifting.close()
    world.drifting.kept()
    assert world.waiting == []
    drifting = Drifting(world.ledger, Readings(world.ledger), lambda: 100 * DAY)
    drifting.kept()
    drifting.close()
    assert world.ledger.asked <= 1
