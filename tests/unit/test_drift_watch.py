"""What has changed in a live ledger's cases: which periods count, what is told, and how often it is looked at."""

from __future__ import annotations

from fakes.live_ledger import MemoryLedger
from sagacity.discover.periods import MONDAY, width_of
from sagacity.discover.standing import drift_of
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


def _counts(decided: list[int], violated: list[int]) -> PeriodCounts:
    days = dict(enumerate(decided))
    return PeriodCounts(
        begun=dict.fromkeys(days, 100),
        decided=days,
        violated={"Shipped once": dict(enumerate(violated))},
        types={"Placed": days, "Stray": {n: 30 for n in days if n > 3}},
    )


def test_a_rule_that_weakens_is_told_with_the_day_since_when() -> None:
    found = drift_of(WORKFLOW, _counts([100] * 8, [2, 2, 3, 2, 20, 22, 19, 21]), MONDAY, DAY)
    told = {(change.what, change.name): change for change in found.changes}
    rule = told["rule", "Shipped once"]
    assert rule.since == MONDAY + 4 * DAY
    assert "before, 97.8 %. When it was accepted, it held in 95.0 % of 100." in rule.sentence
    assert ("new type", "Stray") in told


def test_nothing_is_told_where_nothing_changed() -> None:
    counts = PeriodCounts(begun=dict.fromkeys(range(8), 100), decided=dict.fromkeys(range(8), 100), violated={}, types={})
    assert drift_of(WORKFLOW, counts, MONDAY, DAY).changes == ()


def test_the_latest_periods_wait_until_their_cases_are_decided() -> None:
    found = drift_of(WORKFLOW, _counts([100, 100, 90, 89, 3], [0, 0, 0, 80, 3]), MONDAY, DAY)
    assert [period.cases for period in found.periods] == [100, 100, 90]
    gap = drift_of(WORKFLOW, _counts([100, 5, 100, 20], [0] * 4), MONDAY, DAY)
    assert [period.cases for period in gap.periods] == [100, 5, 100]


def test_a_ledger_without_cases_has_no_periods() -> None:
    empty = PeriodCounts(begun={}, decided={}, violated={}, types={})
    assert drift_of(WORKFLOW, empty, MONDAY, DAY).periods == ()


class _Asked(MemoryLedger):
    """Counts how often it is asked."""

    asked = 0
    counted = PeriodCounts(begun={3: 10}, decided={3: 10}, violated={}, types={})

    def by_period(self, workflow: str, origin: int, width: int, since: int) -> PeriodCounts:  # noqa: ARG002
        self.asked += 1
        return self.counted


def test_however_many_ask_the_ledger_is_asked_once_in_a_while() -> None:
    ledger, clock = _Asked(), [0.0]
    ledger.adopt(WORKFLOW, TEXT, by="anna", now=1)
    drifting = Drifting(ledger, Readings(ledger), lambda: 100 * DAY, clock=lambda: clock[0])
    assert drifting.of("other") is None
    for _ in range(5):
        assert drifting.of("order") is not None
        assert len(drifting.all()) == 1
    assert ledger.asked == 1
    drifting.of("order", "week")
    assert ledger.asked == 2
    clock[0] = 31.0
    drifting.all()
    assert ledger.asked == 2
    drifting.of("order")
    assert ledger.asked == 3


def test_where_there_was_nothing_yet_it_is_looked_for_again() -> None:
    ledger = _Asked()
    ledger.adopt(WORKFLOW, TEXT, by="anna", now=1)
    ledger.counted = PeriodCounts(begun={}, decided={}, violated={}, types={})
    drifting = Drifting(ledger, Readings(ledger), lambda: 100 * DAY, clock=lambda: 0.0)
    drifting.all()
    drifting.all()
    assert ledger.asked == 2
