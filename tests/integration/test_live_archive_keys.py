"""The archive where several keys name a case: what a late link reaches comes back, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive_site import PAYMENTS, Site
from sagacity.ledger.live import CaseFilter, FindingFilter


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path, PAYMENTS)
    yield made
    made.close()


def _linked(site: Site, order: str, payment: str, at: int = 100) -> None:
    site.send("Placed", at, f"{order}-placed", order=order, payment=payment)
    site.send("Paid", at + 1, f"{order}-paid", payment=payment)


def test_a_late_event_with_another_key_alone_brings_its_case_back(site: Site) -> None:
    _linked(site, "a", "P")
    _linked(site, "b", "Q")
    site.judge(120)
    assert site.upkeep() == (2, 0)
    site.send("Paid", 103, "again", payment="P")
    site.judge(130)
    assert [site.archived(case) for case in "ab"] == [False, True]
    assert site.told("a") == ["a-placed", "a-paid", "again"]
    assert site.kinds("a") == [("duplicate", "open")]


def test_an_event_that_only_a_link_in_the_archive_explains_finds_its_case(site: Site) -> None:
    site.send("Placed", 100, "placed", order="a", payment="P")
    site.judge(120)
    assert site.kinds("a") == [("missing", "open")]
    assert site.upkeep() == (1, 0)
    site.send("Paid", 101, "paid", payment="P")
    site.judge(130)
    assert site.told("a") == ["placed", "paid"]
    assert site.kinds("a") == [("missing", "resolved")]


def test_copies_that_come_back_and_lose_their_case_are_orphans_and_no_redeliveries(site: Site) -> None:
    _linked(site, "a", "P")
    site.send("Paid", 101, "a-paid", payment="P")
    site.judge(120)
    (account,) = site.ledger.accounts()
    assert (account.redelivered, account.orphan) == (1, 0)
    site.upkeep()
    site.send("Placed", 121, "b", order="b", payment="P")
    (account,) = site.ledger.accounts()
    assert (account.matched + account.late, account.redelivered, account.orphan) == (2, 0, 2)


def test_an_archived_case_shows_its_linked_events_and_is_found_by_another_key(site: Site) -> None:
    _linked(site, "a", "P")
    site.judge(120)
    site.upkeep()
    assert site.told("a") == ["a-placed", "a-paid"]
    assert [it.case for it in site.ledger.cases(CaseFilter(text="P")).items] == ["a"]
    assert site.ledger.cases(CaseFilter(text="Q")).items == ()


def test_a_value_that_links_nothing_brings_nothing_back(site: Site) -> None:
    site.send("Placed", 100, "a", order="a", payment="customer")
    site.judge(120)
    assert site.upkeep() == (1, 0)
    site.send("Placed", 121, "b", order="b", payment="customer")
    assert site.archived("a") is True


def test_a_link_that_makes_an_archived_event_ambiguous_takes_it_out_of_its_case(site: Site) -> None:
    _linked(site, "a", "P")
    site.judge(120)
    site.upkeep()
    site.send("Placed", 121, "b", order="b", payment="P")
    site.judge(130)
    assert (site.told("a"), site.told("b")) == (["a-placed"], ["b"])
    assert site.kinds("a") == [("missing", "open")]


def test_records_that_wait_for_a_link_go_and_come_back_for_it(site: Site) -> None:
    site.send("Paid", 99, "paid", payment="P")
    site.send("Shipped", 100, "sent", payment="P", parcel="R")
    site.send("Shipped", 101, "seen", parcel="R")
    site.judge(120)
    site.upkeep()
    (account,) = site.ledger.accounts()
    assert (account.records, account.orphan, account.matched + account.late) == (3, 3, 0)
    site.send("Placed", 98, "placed", order="a", payment="P")
    site.judge(130)
    assert site.told("a") == ["placed", "paid", "sent", "seen"]
    (account,) = site.ledger.accounts()
    assert (account.records, account.orphan, account.matched + account.late) == (4, 0, 4)


def test_a_chain_through_the_archive_is_followed_to_its_end(site: Site) -> None:
    _linked(site, "a", "P")
    site.send("Shipped", 102, "joint", payment="P", parcel="R")
    site.send("Shipped", 103, "parcel", parcel="R")
    site.judge(120)
    assert site.upkeep() == (1, 0)
    site.send("Placed", 121, "b", order="b", parcel="R")
    site.judge(130)
    assert (site.told("a"), site.told("b")) == (["a-placed"], ["b"]), "two cases hang on one chain"
    (account,) = site.ledger.accounts()
    assert account.orphan == 3
    assert {it.case for it in site.ledger.findings(FindingFilter(states=("open",))).items} == {"a", "b"}
