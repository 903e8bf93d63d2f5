"""A campaign of the simulator: `python -m sagacity.testing.simulate --seeds 100000`.

Each seed is run once, on several processes. Ends with what came of the sagas, or with the schedule of the first seed in
which a law did not hold, and then exits with 1. `--show SEED` runs one seed and prints its schedule.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor

import msgspec

from sagacity.testing.simulation.world import Run, simulate

__all__ = ["Tally", "main", "story", "tally"]

_CHUNK = 250


class Tally(msgspec.Struct, frozen=True):
    """What came of some seeds: sagas by status, turns taken, and the seeds in which a law did not hold, with that law."""

    seeds: int
    sagas: dict[str, int]
    turns: int
    broken: tuple[tuple[int, str], ...]


def tally(seeds: Iterable[int]) -> Tally:
    """Run these seeds, one after the other."""
    count, turns = 0, 0
    sagas: Counter[str] = Counter()
    broken: list[tuple[int, str]] = []
    for seed in seeds:
        run = simulate(seed)
        count += 1
        turns += run.turns
        sagas.update(saga.status for saga in run.sagas.values())
        if run.broken is not None:
            broken.append((seed, run.broken))
    return Tally(count, dict(sagas), turns, tuple(broken))


def story(run: Run) -> str:
    """A run, for people to read: its definition, its faults, and everything that was done, with the time since the beginning
    in seconds."""
    told = run.scenario
    lines = [f"seed {told.seed}: {len(told.sagas)} sagas of {len(told.definition.steps)} steps, faults {told.faults}"]
    for step in told.definition.steps:
        after = ", ".join(step.after or ()) or "nothing"
        lines.append(f"  step {step.name}: {step.kind}, after {after}, {step.retry}, {told.manners[step.name]}")
    lines += run.schedule
    lines += [f"{saga.id}: {saga.status}" for saga in run.sagas.values()]
    return "\n".join([*lines, f"broken: {run.broken}" if run.broken else "every law holds"])


def main(arguments: list[str] | None = None) -> int:
    """Run a campaign; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sagacity.testing.simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2_000, help="how many seeds")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="how many processes")
    parser.add_argument("--show", type=int, metavar="SEED", help="run this seed alone, and print its schedule")
    asked = parser.parse_args(arguments)
    if asked.show is not None:
        run = simulate(asked.show, record=True)
        print(story(run))
        return 0 if run.broken is None else 1
    return _campaign(asked.first, asked.seeds, asked.processes)


def _campaign(first: int, seeds: int, processes: int) -> int:
    started, last = time.monotonic(), first + seeds
    chunks = [range(start, min(start + _CHUNK, last)) for start in range(first, last, _CHUNK)]
    sagas: Counter[str] = Counter()
    done, turns = 0, 0
    broken: list[tuple[int, str]] = []
    with ProcessPoolExecutor(processes) as pool:
        for part in pool.map(tally, chunks):
            done, turns = done + part.seeds, turns + part.turns
            sagas.update(part.sagas)
            broken += part.broken
            seconds = time.monotonic() - started
            print(
                f"\r{done:,} of {seeds:,} seeds, {len(broken)} broken, {seconds:.0f} s", end="", file=sys.stderr, flush=True
            )
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(file=sys.stderr)
    ends = ", ".join(f"{count:,} {status}" for status, count in sagas.most_common())
    print(f"{done:,} seeds from {first}: {sagas.total():,} sagas ({ends}), {turns:,} turns")
    print(f"{used.ru_utime + used.ru_stime:.0f} s of CPU time, {time.monotonic() - started:.0f} s on {processes} processes")
    if not broken:
        print("every law held in every seed")
        return 0
    for seed, law in broken[:20]:
        print(f"seed {seed}: {law}")
    print(story(simulate(broken[0][0], record=True)))
    return 1


if __name__ == "__main__":
    sys.exit(main())
