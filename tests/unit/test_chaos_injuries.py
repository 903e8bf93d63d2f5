"""The plan of a campaign: what is done to whom, and when."""

from __future__ import annotations

from collections import Counter

from chaos.shop.injuries import SORTS, Kind, planned_injuries

VICTIMS: dict[Kind, list[str]] = {
    "kill": ["order", "payment", "product-1"],
    "crash": ["postgres", "kafka", "redis-1"],
    "restart": ["order", "payment"],
    "freeze": ["order", "kafka"],
    "slow": ["postgres", "kafka", "edge"],
    "stall": ["postgres", "kafka", "edge"],
    "cut": ["postgres", "kafka", "edge"],
    "deafen": ["postgres", "kafka", "edge"],
    "again": ["an event"],
    "fill": ["the ledger's disk"],
}


def test_one_seed_gives_one_plan_and_another_another() -> None:
    assert planned_injuries(300, 3, VICTIMS, 1) == planned_injuries(300, 3, VICTIMS, 1)
    assert planned_injuries(300, 3, VICTIMS, 1) != planned_injuries(300, 3, VICTIMS, 2)


def test_in_a_minute_each_kind_comes_at_least_once_in_order_and_with_time_to_recover() -> None:
    for seed in range(50):
        plan = planned_injuries(60, 3, VICTIMS, seed)
        assert len(plan) == 20
        assert {each.kind for each in plan} == set(SORTS)
        assert [each.at for each in plan] == sorted(each.at for each in plan)
        assert plan[0].at > 0
        assert plan[-1].at <= 54


def test_victims_are_taken_in_turn_so_that_in_five_minutes_none_is_spared() -> None:
    for seed in range(20):
        struck = Counter((each.kind, each.whom) for each in planned_injuries(300, 3, VICTIMS, seed))
        for kind in ("kill", "cut", "crash"):
            times = [struck[kind, whom] for whom in VICTIMS[kind]]
            assert max(times) - min(times) <= 1
            assert min(times) >= 1


def test_what_has_no_victim_here_does_not_come() -> None:
    plan = planned_injuries(300, 3, {**VICTIMS, "fill": []}, 1)
    assert {each.kind for each in plan} == set(SORTS) - {"fill"}
