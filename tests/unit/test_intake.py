"""Taking in: what the ledger has no memory for at once is given to it in smaller parts, and nothing is lost or doubled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from fakes.live_ledger import MemoryLedger
from sagacity.errors import MemoryLimitError
from sagacity.ledger.live import Appended
from sagacity.reconcile.intake import LARGEST, Intake
from sagacity.sources.stream import Batch, Part, Reach, divided


class _Small(MemoryLedger):
    """A ledger with memory for so many records at a time."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self.kept: list[int] = []
        self.resumes: list[int | None] = []
        self.fails_after: int | None = None

    def append(self, batches: Sequence[Batch], now: int, as_of: int | None = None) -> Appended:
        if self.fails_after == len(self.kept) or sum(len(batch.bodies) for batch in batches) > self.most:
            raise MemoryLimitError("the memory limit was reached")
        del now, as_of
        for batch in batches:
            self.kept += batch.positions
            self.resumes.append(batch.resume)
        return Appended(sum(len(batch.bodies) for batch in batches), 0, {})


class _Sized(_Small):
    """Remembers how many bytes it was given each time."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.sizes: list[int] = []

    def append(self, batches: Sequence[Batch], now: int, as_of: int | None = None) -> Appended:
        self.sizes.append(sum(len(body) for batch in batches for body in batch.bodies))
        return super().append(batches, now, as_of)


class _Stream:
    """Gives its batches once, and remembers what was said to be durable."""

    def __init__(self, *batches: Batch) -> None:
        self.batches = list(batches)
        self.durables: list[Batch] = []

    def start(self, positions: Mapping[Part, int]) -> None: ...

    def poll(self, most: int, wait: float) -> list[Batch]:
        del most, wait
        given, self.batches = self.batches, []
        return given

    def durable(self, batches: Sequence[Batch]) -> None:
        self.durables += batches

    def reaches(self) -> list[Reach]:
        return []

    def close(self) -> None: ...


def _batch(first: int, count: int) -> Batch:
    positions = range(10 * first, 10 * (first + count), 10)
    return Batch(source="orders", part="a/0", bodies=[b"{}"] * count, positions=positions, resume=positions[-1] + 10)


@pytest.mark.parametrize("most", [60, 1_000, 1_500, 7_000, 100_000])
def test_what_there_is_no_memory_for_at_once_is_kept_in_parts(most: int) -> None:
    first, second, third = _batch(0, 9_000), _batch(9_000, 100), _batch(9_100, 4_321)
    stream, ledger = _Stream(first, second, third), _Small(most)
    intake = Intake([stream], 50_000)
    intake.take(0)
    assert intake.keep(ledger, 1) == 13_421
    assert ledger.kept == list(range(0, 134_210, 10))
    assert ledger.resumes[-1] == 134_210
    assert stream.durables == [first, second, third]


def test_what_there_is_no_memory_for_at_all_waits_and_is_kept_once_there_is() -> None:
    stream, ledger = _Stream(_batch(0, 5_000)), _Small(0)
    intake = Intake([stream], 50_000)
    intake.take(0)
    with pytest.raises(MemoryLimitError):
        intake.keep(ledger, 1)
    assert (ledger.kept, stream.durables) == ([], [])
    ledger.most = 10_000
    stream.batches = [_batch(5_000, 1)]
    intake.take(0)
    assert intake.keep(ledger, 2) == 5_000
    intake.take(0)
    assert intake.keep(ledger, 3) == 1
    assert ledger.kept == list(range(0, 50_010, 10))


def test_the_last_that_there_is_memory_for_is_one_record() -> None:
    stream, ledger = _Stream(_batch(0, 130)), _Small(1)
    intake = Intake([stream], 50_000)
    intake.take(0)
    assert intake.keep(ledger, 1) == 130
    assert ledger.kept == list(range(0, 1_300, 10))


def test_large_records_are_given_a_few_at_a_time_and_the_largest_alone() -> None:
    sizes = [LARGEST // 2] * 3 + [LARGEST + 1] * 2 + [2]
    bodies = [bytes(size) for size in sizes]
    given = Batch(source="orders", part="a/0", bodies=bodies, positions=range(6), resume=6)
    ledger = _Sized(100)
    intake = Intake([_Stream(given)], 50_000)
    intake.take(0)
    assert intake.keep(ledger, 1) == 6
    assert ledger.kept == list(range(6))
    assert ledger.sizes == [LARGEST // 2 * 2, LARGEST // 2, LARGEST + 1, LARGEST + 1, 2]


def test_what_was_kept_counts_although_a_later_part_was_not() -> None:
    ledger = _Small(100)
    intake = Intake([_Stream(_batch(0, 100), _batch(100, 100))], 100)
    intake.take(0)
    ledger.fails_after = 100
    with pytest.raises(MemoryLimitError):
        intake.keep(ledger, 1)
    assert intake.records == 100


def test_whoever_keeps_the_first_part_of_a_batch_reads_on_at_the_second() -> None:
    head, tail = divided(_batch(0, 3), 1)
    assert (head.positions[0], head.resume, tail.positions[0], tail.resume) == (0, 10, 10, 30)
    pushed, _ = divided(Batch(source="orders", part="push", bodies=[b"{}"] * 2, positions=range(2)), 1)
    assert pushed.resume is None
