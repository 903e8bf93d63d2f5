"""What the ledger counts for discovery, held to a plain reading of the definitions, on random logs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from sagacity.ledger.duckdb.mining import DuckDBMining
from sagacity.ledger.mining import Beside, PairCount
from sagacity.sources.inputs import Files
from sagacity.workflow.model import EventType, Source, Workflow

_TYPES = "ABCD"
_LAST = 10**18

Trace = list[tuple[int, str]]
"""Events by their position, concurrent ones sharing one."""


def _log(random: Random, cases: int) -> dict[str, Trace]:
    found = {}
    for number in range(cases):
        times = sorted(random.randint(0, 8) for _ in range(random.randint(1, 7)))
        found[f"c{number}"] = [(time, random.choice(_TYPES)) for time in times]
    return found


def _taken_in(log: dict[str, Trace], random: Random, path: Path) -> DuckDBMining:
    rows: list[dict[str, Any]] = []
    for case, trace in log.items():
        for number, (time, kind) in enumerate(trace):
            row = {"id": f"{case}-{number}", "type": kind, "time": f"2026-01-01T00:00:0{time}Z", "case": case}
            rows += [row, {**row, "time": "2026-01-01T00:00:09Z"}] if random.random() < 0.2 else [row]
    random.shuffle(rows)
    path.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
    source = Source(format="jsonl", type="type", time="time", id="id", keys={"case": "case"})
    workflow = Workflow(name="log", sources={"log": source}, events={kind: EventType(source="log") for kind in _TYPES})
    mining = DuckDBMining(threads=1)
    given = Files((str(path),), "jsonl", ("none",))
    mining.take_in(workflow, {"log": given}, now=_LAST, until=None, max_rejected=0)
    mining.settle(_LAST)
    return mining


@pytest.fixture(params=range(6))
def counted(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[list[Trace], DuckDBMining]]:
    random = Random(request.param)
    log = _log(random, 60)
    mining = _taken_in(log, random, tmp_path / "log.jsonl")
    yield list(log.values()), mining
    mining.close()


def _of(trace: Trace, kind: str) -> list[int]:
    return [time for time, each in trace if each == kind]


def test_types_are_counted_as_they_come(counted: tuple[list[Trace], DuckDBMining]) -> None:
    traces, mining = counted
    for each in mining.type_counts():
        kind = _TYPES[each.type]
        having = [trace for trace in traces if _of(trace, kind)]
        assert each.cases == len(having)
        assert each.events == sum(len(_of(trace, kind)) for trace in having)
        assert each.times == Counter(len(_of(trace, kind)) for trace in having)
        assert each.first == sum(min(_of(trace, kind)) == min(time for time, _ in trace) for trace in having)
        assert each.last == sum(max(_of(trace, kind)) == max(time for time, _ in trace) for trace in having)


def test_pairs_are_counted_as_the_templates_say(counted: tuple[list[Trace], DuckDBMining]) -> None:
    traces, mining = counted
    found = {(each.a, each.b): each for each in mining.pair_counts()}
    for x, a in enumerate(_TYPES):
        for y, b in enumerate(_TYPES):
            both = [(_of(trace, a), _of(trace, b)) for trace in traces if _of(trace, a) and _of(trace, b)]
            if x != y and both:
                assert found[x, y] == PairCount(
                    x,
                    y,
                    len(both),
                    sum(all(any(s <= t for s in of_a) for t in of_b) for of_a, of_b in both),
                    sum(all(any(t >= s for t in of_b) for s in of_a) for of_a, of_b in both),
                    sum(not any(s > t for s in of_a for t in of_b) for of_a, of_b in both),
                )


def test_alternation_is_counted_as_the_templates_say(counted: tuple[list[Trace], DuckDBMining]) -> None:
    traces, mining = counted
    found = mining.alternating([(0, 1), (2, 0)])
    for x, y in found:
        both = [(_of(trace, _TYPES[x]), _of(trace, _TYPES[y])) for trace in traces]
        both = [(of_a, of_b) for of_a, of_b in both if of_a and of_b]
        answered = sum(
            all(any(s <= t <= min((r for r in of_a if r > s), default=99) for t in of_b) for s in of_a)
            for of_a, of_b in both
        )
        preceded = sum(
            all(any(max((r for r in of_b if r < t), default=-1) <= s <= t for s in of_a) for t in of_b)
            for of_a, of_b in both
        )
        assert found[x, y] == (answered, preceded)


def test_neighbours_are_counted_as_the_templates_say(counted: tuple[list[Trace], DuckDBMining]) -> None:
    traces, mining = counted
    found = {(each.a, each.b): each for each in mining.beside()}
    for x, a in enumerate(_TYPES):
        for y, b in enumerate(_TYPES):
            sides = [_beside(trace, a, b) for trace in traces]
            cases = [side for side in sides if side is not None and side[0]]
            if cases:
                each = found[x, y]
                assert each == Beside(
                    x, y, len(cases), sum(n for n, _, _ in cases), sum(f for _, f, _ in cases), sum(p for _, _, p in cases)
                )
            else:
                assert (x, y) not in found


def _beside(trace: Trace, a: str, b: str) -> tuple[int, bool, bool] | None:
    """How many a's have a b right after them, and whether all have, and all b's an a right before them."""
    positions = {time: place for place, time in enumerate(sorted({time for time, _ in trace}))}
    places = [(positions[time], kind) for time, kind in trace]

    def follows(i: int, j: int) -> bool:
        return i != j and places[j][0] in (places[i][0], places[i][0] + 1)

    of_a = [i for i, (_, kind) in enumerate(places) if kind == a]
    of_b = [j for j, (_, kind) in enumerate(places) if kind == b]
    froms = [i for i in of_a if any(follows(i, j) for j in of_b)]
    tos = [j for j in of_b if any(follows(i, j) for i in of_a)]
    return len(froms), len(froms) == len(of_a), len(tos) == len(of_b)


def test_delays_are_those_to_the_nearest(counted: tuple[list[Trace], DuckDBMining]) -> None:
    traces, mining = counted
    after, before = mining.delays([(0, 1, "after"), (0, 1, "before")])
    ahead = [
        min(t for t in _of(trace, "B") if t >= s) - s
        for trace in traces
        for s in _of(trace, "A")
        if any(t >= s for t in _of(trace, "B"))
    ]
    back = [
        t - max(s for s in _of(trace, "A") if s <= t)
        for trace in traces
        for t in _of(trace, "B")
        if any(s <= t for s in _of(trace, "A"))
    ]
    for delay, spans in ((after, ahead), (before, back)):
        assert sum(n for n, _ in delay.bins.values()) == len(spans)
        assert delay.bins[-1][0] == sum(span == 0 for span in spans)
        assert max(longest for _, longest in delay.bins.values()) == max(spans) * 1_000_000
