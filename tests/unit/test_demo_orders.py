"""The generator of order logs."""

from __future__ import annotations

import gzip
import json
from itertools import islice, pairwise
from pathlib import Path

from sagacity.demo.answers import Answer, Expected, compare, read
from sagacity.demo.faults import FAULTS
from sagacity.demo.orders import FEWEST, SETTLED, Plan, stories
from sagacity.demo.records import FILES
from sagacity.demo.writing import write


def test_the_same_seed_writes_the_same_files_byte_for_byte(tmp_path: Path) -> None:
    plan = Plan(orders=200, seed=11)
    write(plan, tmp_path / "one")
    write(plan, tmp_path / "two")
    for name in FILES:
        assert (tmp_path / "one" / "data" / name).read_bytes() == (tmp_path / "two" / "data" / name).read_bytes()
    packed = (tmp_path / "one" / "data" / "orders" / "storefront.jsonl.gz").read_bytes()
    assert packed[4:8] == bytes(4), "the time of writing stands in the file"


def test_another_seed_writes_other_orders() -> None:
    assert list(stories(Plan(orders=20, seed=1))) != list(stories(Plan(orders=20, seed=2)))


def test_honest_orders_are_the_same_however_many_follow_them() -> None:
    few = [story.events for story in stories(Plan(orders=50, faults=0))]
    many = [story.events for story in islice(stories(Plan(orders=5000, faults=0)), 50)]
    assert few == many


def test_order_123_of_four_dollars_fifty_is_paid_and_never_shipped() -> None:
    order = next(story for story in stories(Plan(orders=FEWEST)) if story.case == "123")
    assert order.fault is not None
    assert order.fault.name == "never_shipped"
    placed, paid, *later = order.events
    assert (placed.type, str(placed.attributes["amount"]), placed.attributes["amount.currency"]) == (
        "OrderPlaced",
        "4.50",
        "USD",
    )
    assert (paid.type, paid.attributes["amount"]) == ("PaymentReceived", placed.attributes["amount"])
    assert "ItemShipped" not in {event.type for event in later}


def test_every_fault_is_planted_where_there_are_orders_enough() -> None:
    planted = {story.fault.name for story in stories(Plan(orders=5000)) if story.fault}
    assert planted == {fault.name for fault in FAULTS}


def test_faults_are_planted_only_in_orders_that_are_settled_by_as_of() -> None:
    plan = Plan(orders=3000, faults=0.2)
    for story in stories(plan):
        if story.fault:
            assert story.events[-1].time < plan.as_of
            assert story.events[0].time <= plan.as_of - SETTLED + 3_600_000_000


def test_some_orders_are_still_open_at_as_of_and_some_records_tell_of_later() -> None:
    plan = Plan(orders=2000)
    assert any(story.events[-1].time > plan.as_of for story in stories(plan))


def test_records_arrive_late_out_of_order_and_now_and_then_twice(tmp_path: Path) -> None:
    write(Plan(orders=1000), tmp_path)
    with gzip.open(tmp_path / "data" / "orders" / "storefront.jsonl.gz", "rt") as lines:
        records = [json.loads(line) for line in lines]
    times = list({record["id"]: record["time"] for record in records}.values())
    assert times != sorted(times)
    ids = [record["id"] for record in records]
    assert 0.002 < 1 - len(set(ids)) / len(ids) < 0.05


def test_an_order_interleaves_with_others_in_the_files(tmp_path: Path) -> None:
    write(Plan(orders=300), tmp_path)
    scans = (tmp_path / "data" / "shipments" / "scans.jsonl").read_text().splitlines()
    orders = [json.loads(line)["order"] for line in scans]
    assert sum(one != next_ for one, next_ in pairwise(orders)) > len(set(orders))


def test_the_answers_stand_beside_the_data(tmp_path: Path) -> None:
    logs = write(Plan(orders=1000, faults=0.1), tmp_path)
    answers = list(read(logs.answers))
    assert len(answers) == logs.faults > 0
    assert len({answer.case for answer in answers}) == logs.faults
    by_name = {fault.name: fault for fault in FAULTS}
    for answer in answers:
        assert answer.findings == tuple(Expected(*finding) for finding in by_name[answer.fault].findings)


def test_comparing_tells_what_was_planted_and_not_found_and_what_was_found_and_not_planted() -> None:
    answers = [
        Answer("1", "never_shipped", "", (Expected("shipped", "missing"),)),
        Answer("2", "paid_late", "", (Expected("paid", "late"),)),
    ]
    comparison = compare(answers, [("1", "shipped", "missing"), ("3", "shipped", "missing")])
    assert not comparison.equal
    assert comparison.by_kind == {"late": (1, 0), "missing": (1, 2)}
    assert comparison.unfound == (("2", "paid", "late"),)
    assert comparison.unplanted == (("3", "shipped", "missing"),)


def test_a_finding_that_comes_twice_is_not_the_one_that_was_planted() -> None:
    answers = [Answer("1", "never_shipped", "", (Expected("shipped", "missing"),))]
    assert compare(answers, [("1", "shipped", "missing")]).equal
    assert not compare(answers, [("1", "shipped", "missing")] * 2).equal
