"""Ids: each larger than the one before, whatever the clock does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.chassis.ids import EPOCH, GivenId, Ids, PublicId, from_public, made_at, to_public


@given(st.lists(st.integers(EPOCH - 10_000, EPOCH + 10_000), min_size=1, max_size=200), st.integers(0, 1023))
def test_ids_grow_also_where_the_clock_goes_back(times: list[int], worker: int) -> None:
    clock = iter(times)
    ids = Ids(worker, clock=lambda: next(clock))
    made = [ids.new() for _ in times]
    assert made == sorted(set(made))
    assert all(0 <= id < 1 << 63 for id in made)
    assert {id >> 12 & 1023 for id in made} == {worker}


def test_more_than_a_millisecond_holds_are_those_of_the_next() -> None:
    ids = Ids(1, clock=lambda: EPOCH + 5)
    made = [ids.new() for _ in range(10_000)]
    assert made == sorted(set(made))
    assert {made_at(id) - EPOCH for id in made} == {5, 6, 7}


def test_an_id_tells_when_it_was_made() -> None:
    assert made_at(Ids(3, clock=lambda: EPOCH + 123_456_789).new()) == EPOCH + 123_456_789


def test_two_workers_never_make_the_same() -> None:
    one, other = (Ids(worker, clock=lambda: EPOCH + 1) for worker in (1, 2))
    assert {one.new() for _ in range(100)}.isdisjoint({other.new() for _ in range(100)})


def test_threads_share_them() -> None:
    ids = Ids(0)
    with ThreadPoolExecutor(4) as pool:
        made = [id for part in pool.map(lambda _: [ids.new() for _ in range(500)], range(8)) for id in part]
    assert len(set(made)) == len(made)


@pytest.mark.parametrize("worker", [-1, 1024])
def test_a_worker_that_does_not_fit_is_refused(worker: int) -> None:
    with pytest.raises(ValueError, match="from 0 to 1023"):
        Ids(worker)


@given(st.integers(0, (1 << 63) - 1))
def test_an_id_is_a_text_for_others_and_found_again(id: int) -> None:
    public = to_public(id)
    assert msgspec.convert(public, PublicId) == public
    assert from_public(public) == from_public(id) == id
    assert from_public(msgspec.json.decode(msgspec.json.encode(id), type=GivenId)) == id
    assert from_public(msgspec.json.decode(msgspec.json.encode(public), type=GivenId)) == id


@pytest.mark.parametrize("text", ["", "x", "-1", "1.0", " 1", "9223372036854775808", "٣", "1" * 20, -1, 1 << 63])
def test_what_can_be_no_id_is_none(text: str | int) -> None:
    assert from_public(text) is None
