"""What a real ledger counts by the period in which cases began: the same before and after they go to the archive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive_site import DAY, ORDERS, Site
from sagacity.ledger.live import Action, FindingFilter
from sagacity.web.drifting import Drifting
from sagacity.web.reading import Readings

WEEK = 7 * DAY
TEXT = ORDERS.replace("ends:", "unexpected: forbid\nends:")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path / "ledger", TEXT)
    yield made
    made.close()


def _orders(site: Site) -> None:
    """Two complete orders and one that is not shipped in week 14, one of each in week 15, and one that goes on still."""
    for name, at in (("a", 98), ("b", 101), ("c", 107)):
        site.complete(name, at)
    for name, at in (("d", 100), ("e", 106)):
        site.send("Placed", at, f"{name}-0", order=name)
        site.send("Paid", at, f"{name}-1", order=name)
    site.send("Called", 106, "e-2", order="e")
    site.send("Placed", 118, "f-0", order="f")
    site.judge(119)


def test_cases_are_counted_by_the_week_in_which_they_began(site: Site) -> None:
    _orders(site)
    found = site.ledger.by_period("orders", 0, WEEK, 0)
    assert (found.begun, found.decided) == ({14: 3, 15: 2, 16: 1}, {14: 3, 15: 2, 16: 0})
    assert found.violated["Shipped once"] == {14: 1, 15: 1}
    assert found.violated["no unexpected event"] == {15: 1}
    assert found.types == {
        "Placed": {14: 3, 15: 2}, "Paid": {14: 3, 15: 2}, "Shipped": {14: 2, 15: 1}, "Called": {15: 1},
    }  # fmt: skip
    assert site.ledger.by_period("orders", 0, WEEK, 15 * WEEK).begun == {15: 2, 16: 1}


def test_the_archive_changes_no_count(site: Site) -> None:
    _orders(site)
    before = site.ledger.by_period("orders", 0, WEEK, 0)
    assert site.upkeep()[0] == 5
    after = site.ledger.by_period("orders", 0, WEEK, 0)
    assert (after.begun, after.decided, after.violated) == (before.begun, before.decided, before.violated)
    assert {name: after.types[name] for name in ("Placed", "Paid", "Shipped")} == {
        name: before.types[name] for name in ("Placed", "Paid", "Shipped")
    }


def test_a_waived_finding_counts_and_a_resolved_one_does_not(site: Site) -> None:
    _orders(site)
    (late,) = site.ledger.findings(FindingFilter(case="d")).items
    site.ledger.act(late.id, Action(what="waive", by="anna", reason="known"), site.now)
    assert site.ledger.by_period("orders", 0, WEEK, 0).violated["Shipped once"] == {14: 1, 15: 1}
    site.send("Shipped", 119, "d-2", order="d")
    site.judge(120)
    assert site.ledger.by_period("orders", 0, WEEK, 0).violated["Shipped once"] == {15: 1}


def test_it_is_looked_back_from_as_of_and_not_from_the_clock(site: Site) -> None:
    _orders(site)
    found = Drifting(site.ledger, Readings(site.ledger), lambda: site.now).of("orders", "week")
    assert found is not None
    assert sum(period.cases for period in found.periods) == 5
