"""What the demonstration takes for the truth, without asking any event."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from sagacity.demo.answers import Answer, compare
from sagacity.errors import SagacityError
from sagacity.workflow.language.reader import load
from shop.chassis import logs
from shop.chassis.planting import confess
from shop.customers.people import Customers
from shop.demo.audit import Audit
from shop.demo.crowd import Crowd
from shop.demo.opening import WORKFLOW, tightened
from shop.demo.strikes import SCRIPT
from shop.demo.telling import Teller
from shop.demo.truth import FOUND, confessed, in_databases, of_crowd
from shop.demo.wares import Shelf


def test_a_saboteur_confesses_in_its_log_what_it_plants_and_nothing_else_is_taken_for_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.set_up("warehouse")
    confess("warehouse", "7", frozenset({"wrong_amount", "duplicate"}))
    confess("warehouse", "8", frozenset())
    said = "".join(capsys.readouterr())
    log = tmp_path / "warehouse.log"
    log.write_text(f'Killed\n{{"event": "ready"}}\n{{"event": "fault planted", "purch\n{said}', encoding="utf-8")
    assert set(confessed(log)) == {("7", "wrong_amount"), ("7", "duplicate")}


def test_every_fault_of_the_script_is_known_by_what_must_be_found_of_it() -> None:
    planted = {
        (strike.plants, fault)
        for strike in SCRIPT
        for fault in ("drop", "delay", "duplicate", "wrong_amount")
        if getattr(strike.rates, fault)
    }
    assert planted
    assert planted <= set(FOUND)


def test_what_must_be_found_is_an_expectation_of_the_workflow() -> None:
    names = {each.name for each in load(WORKFLOW).expectations}
    assert {expected.expectation for _, found in FOUND.values() for expected in found} <= names


def test_what_was_never_done_is_all_that_the_databases_show() -> None:
    answers = [Answer("1", fault, *FOUND["warehouse", fault]) for fault in ("drop", "duplicate", "wrong_amount", "late")]
    assert compare(in_databases(answers), [("1", "shipped within 5m of paid", "missing")]).equal


def audit(told: dict[str, str], kept: dict[str, str], *, unpaid: tuple[str, ...] = ()) -> Audit:
    nothing = compare([], [])
    return Audit(
        told=told, kept=kept, others=0, unpaid=unpaid, turned_back=("9: no answer in time",), rows=1, databases=nothing,
        findings=nothing, by_fault={}, cases={}, redelivered=0,
    )  # fmt: skip


def test_every_purchase_is_held_against_what_is_kept_of_it_and_not_how_many_ended_how() -> None:
    told = {"1": "SUCCESS", "2": "FAILED", "9": "FAILED"}
    assert audit(told, dict(told)).good
    swapped = audit(told, {"1": "FAILED", "2": "SUCCESS", "9": "FAILED"})
    assert (swapped.good, swapped.differing) == (False, ["1", "2"])
    assert audit(told, {**told, "3": "SUCCESS"}).differing == ["3"]
    assert audit({**told, "3": "SUCCESS"}, told).differing == ["3"]


def test_what_somebody_else_buys_meanwhile_is_counted_by_itself() -> None:
    kept = [(1, 11, "SUCCESS"), (2, 12, "FAILED"), (3, 11, "SUCCESS"), (4, 77, "SUCCESS"), (5, 77, "FAILED")]
    assert of_crowd(kept, {"1", "2"}) == ({"1": "SUCCESS", "2": "FAILED", "3": "SUCCESS"}, 2)


def test_before_the_first_customer_no_time_has_passed() -> None:
    nobody = Customers("http://127.0.0.1:1", 0)
    crowd = Crowd("http://127.0.0.1:1", Shelf({1: 100, 2: 100_000}, 2), nobody, rate=1, seconds=30, seed=1)
    assert crowd.offset == 0.0


def test_a_purchase_that_nobody_could_pay_for_and_was_bought_is_not_good() -> None:
    told = {"1": "SUCCESS"}
    bought = audit(told, told, unpaid=("1",))
    assert not bought.good
    said = StringIO()
    Teller(Console(file=said, width=120)).audit(bought)
    assert "purchase 1 was bought, and could not be paid for" in said.getvalue()
    assert "Not everything is accounted for." in said.getvalue()


@pytest.mark.parametrize(("copies", "words"), [(1, "1 event came more than once, and was"), (2, "2 events came")])
def test_one_event_that_came_again_is_not_told_of_as_several(copies: int, words: str) -> None:
    said = StringIO()
    Teller(Console(file=said, width=120)).audit(msgspec.structs.replace(audit({}, {}), redelivered=copies))
    assert words in said.getvalue()


def test_the_story_has_the_shops_own_workflow_with_deadlines_that_it_lives_to_see(tmp_path: Path) -> None:
    path = tmp_path / "tight.yaml"
    path.write_text(tightened(WORKFLOW.read_text(encoding="utf-8")), encoding="utf-8")
    before, after = load(WORKFLOW), load(path)
    assert [each.name for each in before.expectations] == [each.name for each in after.expectations]
    changed = {old.name for old, new in zip(before.expectations, after.expectations, strict=True) if old != new}
    assert changed == {"shipped in time", "checked in time"}


def test_a_workflow_without_such_deadlines_is_not_taken_as_it_is() -> None:
    with pytest.raises(SagacityError, match="no deadline"):
        tightened("workflow: shop")
