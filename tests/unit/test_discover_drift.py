"""When a series has changed, and how it is told."""

from __future__ import annotations

import random
from collections.abc import Sequence

from sagacity.discover.drift import Bins, Change, Period, Series, What, changes_of
from sagacity.workflow.durations import UNITS

_START = 1_788_220_800_000_000
_DAY, _WEEK = UNITS["d"], UNITS["w"]
_MINUTE = UNITS["m"]


def _periods(number: int, width: int = _WEEK, parts: tuple[int, ...] = ()) -> tuple[Period, ...]:
    return tuple(Period(_START + n * width, 200, n % number not in {part % number for part in parts}) for n in range(number))


def _told(
    what: What, held: list[int], of: int | list[int] = 200, width: int = _WEEK, parts: tuple[int, ...] = ()
) -> list[Change]:
    counts = tuple(of if isinstance(of, list) else [of] * len(held))
    return list(changes_of(_periods(len(held), width, parts), [Series(what, "A", tuple(held), counts)]))


# A share -------------------------------------------------------------------------------------------------------------


def test_a_rule_that_weakens_is_told_with_its_date() -> None:
    (change,) = _told("rule", [198, 197, 199, 198, 198, 180, 178, 181, 179, 180])
    assert change.since == _START + 5 * _WEEK
    assert change.sentence == "Since 2026-10-06: A holds in 90 % of the cases that it concerns; before, in 99.0 %."
    assert (change.until, change.back) == (None, False)


def test_an_incident_that_is_over_is_told_as_such() -> None:
    (change,) = _told("rule", [197] * 8 + [170, 168, 171] + [197] * 9)
    assert (change.since, change.until, change.back) == (_START + 8 * _WEEK, _START + 11 * _WEEK, True)
    assert change.sentence == (
        "From 2026-10-27 to 2026-11-17: A held in 85 % of the cases that it concerned; before and after, in 98.5 %."
    )


def test_what_is_mended_by_half_is_told_as_two_changes() -> None:
    first, second = _told("rule", [197] * 8 + [150, 148, 151] + [180] * 9)
    assert (first.until, first.back, second.until) == (second.since, False, None)
    assert first.sentence.endswith("A held in 75 % of the cases that it concerned; before, in 98.5 %.")
    assert second.sentence.endswith("A holds in 90.0 % of the cases that it concerns; before, in 75 %.")


def test_two_incidents_are_told_both() -> None:
    found = _told("rule", [197] * 8 + [150] * 3 + [197] * 9 + [140] * 3 + [197] * 17)
    assert [(change.since - _START) // _WEEK for change in found] == [8, 20]
    assert all(change.back for change in found)


def test_what_changed_in_the_midst_of_a_period_is_one_change() -> None:
    (change,) = _told("rule", [197] * 8 + [170] + [140] * 9)
    assert (change.since, change.until) == (_START + 8 * _WEEK, None)
    (change,) = _told("new type", [0] * 8 + [70] + [190] * 9)
    assert change.sentence == "Since 2026-10-27: the event type A is new: in 89 % of the cases."


def test_a_change_says_with_which_period_it_was_more_than_chance() -> None:
    (sudden,) = _told("rule", [197] * 8 + [150] * 4)
    assert sudden.noticed == _START + 9 * _WEEK
    (slight,) = _told("rule", [197] * 8 + [188] * 8)
    assert slight.since == _START + 8 * _WEEK
    assert slight.noticed > _START + 9 * _WEEK


def test_what_varies_by_chance_is_not_told() -> None:
    chance = random.Random(1)
    for share in (0.99, 0.9, 0.5, 0.03):
        held = [sum(chance.random() < share for _ in range(200)) for _ in range(60)]
        assert _told("rule", held) == []


def test_what_comes_each_weekend_is_not_told() -> None:
    assert _told("rule", ([190] * 5 + [150] * 2) * 8, width=_DAY) == []


def test_what_hardly_matters_is_not_told() -> None:
    many = [1_000_000] * 10
    assert _told("rule", [999_000] * 5 + [996_000] * 5, many) == []
    assert _told("rule", [999_000] * 5 + [980_000] * 5, many) != []


def test_a_period_without_cases_parts_nothing() -> None:
    assert _told("rule", [198, 0, 198], [200, 0, 200]) == []


def test_by_hour_the_hour_is_told() -> None:
    (change,) = _told("rule", [198] * 10 + [120] * 10, width=UNITS["h"])
    assert change.sentence.startswith("Since 2026-09-01 10:00:")


# How long it takes ---------------------------------------------------------------------------------------------------


def _took(*minutes: tuple[float, int]) -> Bins:
    """Delays of so many minutes, each so often."""
    return {n: (often, round(each * _MINUTE)) for n, (each, often) in enumerate(minutes)}


def _slowed(bins: Sequence[Bins]) -> list[Change]:
    of = tuple(sum(n for n, _ in each.values()) for each in bins)
    series = Series("delay", "from A to B", (0,) * len(of), of, bins=tuple(bins))
    return list(changes_of(_periods(len(of)), [series]))


def test_delays_that_double_are_told() -> None:
    usual = {160: (200, 10 * _MINUTE)}
    (change,) = _slowed([usual] * 6 + [{176: (200, 20 * _MINUTE)}] * 4)
    assert change.sentence == "Since 2026-10-13: from A to B usually takes 20m; before, 10m."


def test_a_longer_tail_is_told_where_the_middle_is_as_it_was() -> None:
    usual = _took((10, 150), (20, 35), (30, 13), (60, 2))
    tail = _took((10, 150), (20, 20), (30, 5), (60, 2), (300, 23))
    (change,) = _slowed([usual] * 6 + [tail] * 4)
    assert change.sentence == "Since 2026-10-13: from A to B one in ten takes longer than 5h; before, than 20m."
    far = _took((10, 150), (20, 35), (30, 3), (300, 12))
    (change,) = _slowed([usual] * 6 + [far] * 4)
    assert change.sentence == "Since 2026-10-13: from A to B one in twenty takes longer than 5h; before, than 30m."


def test_delays_that_are_spread_as_ever_are_not_told() -> None:
    chance = random.Random(2)
    for _ in range(5):
        found = []
        for _ in range(20):
            bins: dict[int, tuple[int, int]] = {}
            for _ in range(200):
                minutes = chance.lognormvariate(2, 1)
                number = int(minutes)
                bins[number] = bins.get(number, (0, 0))[0] + 1, round((number + 1) * _MINUTE)
            found.append(bins)
        assert _slowed(found) == []


# Types, ways, numbers ------------------------------------------------------------------------------------------------


def test_an_event_type_that_is_new_is_told_and_one_from_the_start_is_not() -> None:
    (change,) = _told("new type", [0, 0, 0, 8, 9])
    assert change.since == _START + 3 * _WEEK
    assert change.sentence == "Since 2026-09-22: the event type A is new: in 4 % of the cases."
    assert _told("new type", [3, 0, 0, 3, 5]) == []


def test_a_stray_event_or_two_is_no_new_type() -> None:
    assert _told("new type", [0] * 19 + [1]) == []
    assert _told("new type", [0] * 19 + [2]) == []
    assert _told("new type", [0, 3, 0, 0, 3, 0]) == []
    assert len(_told("new type", [0] * 19 + [3])) == 1


def test_an_event_type_that_came_and_went_is_told_so() -> None:
    (change,) = _told("new type", [0] * 8 + [10, 12] + [0] * 8)
    assert change.sentence.endswith("there was an event type A, in 6 % of the cases; neither before nor after.")


def test_a_way_that_few_cases_go_is_not_told() -> None:
    assert _told("variant", [0, 0, 1, 1, 0, 1, 0, 0, 0, 1]) == []
    (change,) = _told("variant", [0, 0, 0, 0, 0, 30, 40, 35, 38, 31])
    assert change.sentence.endswith("17 % of the cases go A; before, none.")


def test_a_way_that_hardly_anybody_goes_any_more_is_not_told() -> None:
    assert _told("variant", [30, 40, 35, 38, 31, 0, 0, 0, 0, 0]) == []


def _repeated(times: Sequence[tuple[int, ...]], cases: int = 200) -> list[Change]:
    """A type that each case has once, but for those that have it so many times."""
    held = tuple(cases - len(each) + sum(each) for each in times)
    squares = tuple(cases - len(each) + sum(n * n for n in each) for each in times)
    series = Series("events", "A", held, (cases,) * len(times), squares=squares)
    return list(changes_of(_periods(len(times)), [series]))


def test_events_that_come_ten_times_in_place_of_once_are_told() -> None:
    (change,) = _repeated([()] * 6 + [(10,) * 15] * 4)
    assert change.sentence == "Since 2026-10-13: a case with A has it 1.7 times on average; before, 1.0."


def test_one_case_with_many_events_is_no_change() -> None:
    assert _repeated([()] * 6 + [(500,)] + [()] * 4) == []


def test_twice_as_many_cases_are_told() -> None:
    (change,) = _told("volume", [200, 205, 195, 198, 203, 400, 410, 395, 405, 400])
    assert "about 402 cases begin in a period; before, 200" in change.sentence
    assert _told("volume", [200, 260, 150, 190, 240, 180, 270, 160, 230, 210]) == []


def test_a_part_of_a_period_at_either_end_is_no_change_of_volume() -> None:
    assert _told("volume", [500] + [1_000] * 58 + [10], width=_DAY, parts=(0, -1)) == []
    assert _told("volume", [350] * 20 + [50, 40], parts=(-1, -2)) == []
    assert len(_told("volume", [350] * 20 + [50, 40], parts=(0,))) == 1


def test_a_rest_at_the_weekend_is_no_change_of_volume() -> None:
    days = ([1_000] * 5 + [0] * 2) * 11
    for length in range(5, 61):
        for first in range(7):
            assert _told("volume", days[first : first + length], width=_DAY) == [], (length, first)
