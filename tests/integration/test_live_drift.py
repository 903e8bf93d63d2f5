"""What a real ledger counts by the period in which cases began: the same before and after they go to the archive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive_site import DAY, ORDERS, Site
from sagacity.discover.standing import drift_of
from sagacity.ledger.live import Action, FindingFilter, Outlook
from sagacity.web.drifting import Drifting
from sagacity.web.reading import Readings
from sagacity.workflow.language.reader import loads

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
    assert site.ledger.by_period("orders", 0, WEEK, 0) == before


def test_a_case_that_has_an_event_several_times_counts_them_all_hot_or_archived(site: Site) -> None:
    for name, at in (("a", 98), ("b", 99)):
        site.complete(name, at)
    site.send("Paid", 99, "a-again", order="a")
    site.send("Paid", 99, "a-again", order="a")
    site.judge(119)
    before = site.ledger.by_period("orders", 0, WEEK, 0)
    assert before.repeated == {"Paid": {14: (3, 5)}}
    assert site.upkeep()[0] == 2
    assert site.ledger.by_period("orders", 0, WEEK, 0) == before


def test_a_case_that_has_ended_with_a_deadline_still_to_come_is_not_decided(tmp_path: Path) -> None:
    text = TEXT.replace("  Shipped: once", "  Shipped: once\n  Called: within 20d of Shipped").replace(
        "  Shipped: {source: bus}", "  Shipped: {source: bus}\n  Called: {source: bus}"
    )
    site = Site(tmp_path / "later", text)
    site.complete("a", 100)
    site.judge(110)
    assert site.ledger.by_period("orders", 0, WEEK, 0).decided == {14: 0}
    site.judge(123)
    found = site.ledger.by_period("orders", 0, WEEK, 0)
    assert (found.decided, found.violated) == ({14: 1}, {"Called within 20d of Shipped": {14: 1}})
    site.close()


def test_a_case_that_a_source_could_still_mend_is_not_decided(site: Site) -> None:
    site.send("Placed", 98, "a-0", order="a")
    site.send("Paid", 98, "a-1", order="a")
    site.ledger.judge(Outlook(119 * DAY, behind={"bus": 100 * DAY}), site.now)
    assert site.ledger.by_period("orders", 0, WEEK, 0).decided == {14: 0}
    site.judge(119)
    assert site.ledger.by_period("orders", 0, WEEK, 0).decided == {14: 1}


def test_where_nothing_says_when_a_case_is_over_it_is_decided_when_it_is_older_than_others_grow(tmp_path: Path) -> None:
    text = ORDERS.replace("ends: [Shipped]\n", "").replace("timeout: 10d\n", "")
    site = Site(tmp_path / "endless", text)
    for name in ("a", "b", "c"):
        site.complete(name, 100)
    site.send("Placed", 103, "d-0", order="d")
    site.judge(104)
    assert site.ledger.by_period("orders", 0, DAY, 0).decided == {100: 3, 103: 0}
    site.judge(106)
    assert site.ledger.by_period("orders", 0, DAY, 0).decided == {100: 3, 103: 1}
    site.close()


def test_archived_cases_do_not_count_for_a_rule_that_was_put_in_place_after_they_had_gone(site: Site) -> None:
    _orders(site)
    site.upkeep()
    site.change(TEXT.replace("  Shipped: once", "  Shipped: [once, within 1d of Paid]"))
    _read_anew(site)
    site.complete("g", 113)
    site.judge(130)
    found = site.ledger.by_period("orders", 0, WEEK, 0)
    new = "Shipped within 1d of Paid"
    assert {name: dict(counts) for name, counts in found.unjudged.items()} == {new: {14: 3, 15: 2}}
    drifted = drift_of(loads(TEXT.replace("  Shipped: once", "  Shipped: [once, within 1d of Paid]")), found, 0, WEEK)
    of = {series.name: series.of for series in drifted.series if series.what == "rule"}
    assert of[new] == (0, 0, 2)
    assert of["Shipped once"] == (3, 2, 2)
    site.upkeep()
    assert site.ledger.by_period("orders", 0, WEEK, 0).unjudged == found.unjudged
    site.change(TEXT)
    _read_anew(site)
    assert site.ledger.by_period("orders", 0, WEEK, 0).unjudged == {}


def test_where_cases_are_forgotten_only_those_count_that_began_since(tmp_path: Path) -> None:
    site = Site(tmp_path / "short", TEXT, retain=20 * DAY)
    for name, at in (("a", 90), ("b", 100), ("c", 107)):
        site.complete(name, at)
    site.judge(119)
    assert site.ledger.by_period("orders", 0, WEEK, 0).begun == {14: 1, 15: 1}
    site.close()


def _read_anew(site: Site) -> None:
    while site.ledger.owing():
        site.ledger.rejudge(site.now)


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
