"""Faults are planted at their rates, and a purchase has the same fate whoever looks at it."""

from __future__ import annotations

import pytest

from shop.chassis.faults import Fault, Faults, FaultSettings, Rates

IDS = [str(250_000_000_000_000_000 + 4096 * number) for number in range(20_000)]


@pytest.mark.parametrize("fault", ["drop", "delay", "duplicate", "wrong_amount"])
def test_each_fault_is_planted_at_its_rate(fault: Fault) -> None:
    faults = Faults(FaultSettings())
    faults.rates = Rates(**{fault: 0.1})
    planted = sum(fault in faults.of(id) for id in IDS)
    assert 0.08 < planted / len(IDS) < 0.12
    assert all(faults.of(id) <= {fault} for id in IDS)


def test_a_purchase_has_the_same_fate_in_every_replica() -> None:
    settings = FaultSettings(drop=0.2, delay=0.3, duplicate=0.3, wrong_amount=0.3)
    assert [Faults(settings).of(id) for id in IDS[:500]] == [Faults(settings).of(id) for id in IDS[:500]]


def test_what_is_dropped_has_no_other_fault_and_no_fault_is_the_default() -> None:
    faults = Faults(FaultSettings(drop=0.5, duplicate=1.0))
    assert {faults.of(id) for id in IDS} == {frozenset({"drop"}), frozenset({"duplicate"})}
    assert {Faults(FaultSettings()).of(id) for id in IDS} == {frozenset()}
