"""Writes a stream of orders as the logs of several systems, in the order in which the records arrived.

Arrival is not event time: most records arrive within seconds, some within the hour, a few after hours, and about one in
a hundred arrives twice. Only what is in flight is held in memory, whatever the number of orders.
"""

from __future__ import annotations

import gzip
import heapq
import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib import resources
from pathlib import Path
from random import Random
from typing import TextIO

import msgspec

from sagacity.demo.answers import Answer, Expected
from sagacity.demo.course import HOUR, MINUTE, SECOND
from sagacity.demo.orders import Plan, Story, stories
from sagacity.demo.records import CSV_HEADER, FILES, PAYMENTS, subscription, tariff, written

__all__ = ["WORKFLOW", "Logs", "write"]

WORKFLOW = "order.workflow.yaml"

_LATEST = 6 * HOUR
_IN_FLIGHT = HOUR
_BLOCK = 1 << 20


class Logs(msgspec.Struct, frozen=True):
    """What was written: the workflow, the answers, and how many orders, records and faults there are."""

    workflow: Path
    answers: Path
    orders: int
    records: int
    faults: int


class _Record(msgspec.Struct, frozen=True, order=True):
    arrival: int
    number: int
    file: str
    line: str


def write(plan: Plan, folder: Path, progress: Callable[[float], None] = lambda _share: None) -> Logs:
    """Writes the logs of a plan under `folder/data`, the workflow and the answers beside them.

    Records that arrive up to six hours after the plan's as-of are written too, so that nothing which had happened by
    then is absent; a few of them tell of what happened later.
    """
    folder.mkdir(parents=True, exist_ok=True)
    workflow, answers = folder / WORKFLOW, folder / "answers.jsonl"
    workflow.write_text(resources.files("sagacity.demo").joinpath(WORKFLOW).read_text(encoding="utf-8"), encoding="utf-8")
    counted = {"records": 0, "faults": 0}
    with ExitStack() as stack:
        files = {name: _opened(folder / "data" / name, stack) for name in FILES}
        files[PAYMENTS].write(CSV_HEADER)
        answered = stack.enter_context(answers.open("wb"))
        waiting: list[_Record] = []
        for n, story in enumerate(stories(plan)):
            if story.fault is not None:
                answered.write(msgspec.json.encode(_answer(story)) + b"\n")
                counted["faults"] += 1
            for record in _records(story, n, plan.seed):
                if record.arrival <= plan.as_of + _LATEST:
                    heapq.heappush(waiting, record)
            counted["records"] += _flush(waiting, files, until=story.events[0].time - _IN_FLIGHT)
            if n % 1000 == 0:
                progress(n / plan.orders)
        counted["records"] += _flush(waiting, files, until=plan.as_of + _LATEST)
    progress(1.0)
    return Logs(workflow, answers, plan.orders, counted["records"], counted["faults"])


def _opened(path: Path, stack: ExitStack) -> TextIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    raw = stack.enter_context(path.open("wb", buffering=_BLOCK))
    if path.suffix != ".gz":
        return stack.enter_context(io.TextIOWrapper(raw, encoding="utf-8", newline=""))
    # Without a name and a time in its header, the same orders make the same file, byte for byte.
    packed = gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=raw, mtime=0)
    return stack.enter_context(io.TextIOWrapper(io.BufferedWriter(packed, _BLOCK), encoding="utf-8", newline=""))


def _records(story: Story, n: int, seed: int) -> Iterator[_Record]:
    """The records of an order, each with its arrival, and now and then one that belongs to no order."""
    random = Random(f"{seed}/{story.case}/delivery")
    number = n * 100
    for event in story.events:
        file, line = written(story.case, event)
        arrival = event.time + _delay(random)
        number += 1
        yield _Record(arrival, number, file, line)
        if random.random() < 0.01:
            number += 1
            yield _Record(arrival + int(random.uniform(SECOND, 2 * HOUR)), number, file, line)
    start = story.events[0].time
    if random.random() < 0.005:
        yield _Record(start, number + 1, *tariff(n, start))
    if random.random() < 0.01:
        yield _Record(start, number + 2, *subscription(n, start))


def _delay(random: Random) -> int:
    chance = random.random()
    if chance < 0.97:
        return int(random.expovariate(1 / (2 * SECOND)))
    if chance < 0.998:
        return int(random.uniform(MINUTE, 40 * MINUTE))
    return int(random.uniform(HOUR, 3 * HOUR))


def _flush(waiting: list[_Record], files: dict[str, TextIO], until: int) -> int:
    count = 0
    while waiting and waiting[0].arrival <= until:
        record = heapq.heappop(waiting)
        files[record.file].write(record.line)
        count += 1
    return count


def _answer(story: Story) -> Answer:
    assert story.fault is not None
    expected = tuple(Expected(expectation, kind) for expectation, kind in story.fault.findings)
    return Answer(story.case, story.fault.name, story.fault.story, expected)
