"""What was done and survived, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from bench.table import table

from .injuries import SORTS, Kind

__all__ = ["Outcome", "shown"]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a campaign came to; times are in seconds. `done` is how often what was done to whom. `wrong` is empty where all
    is as it must be."""

    seed: int
    seconds: float
    settled: float
    done: Mapping[tuple[Kind, str], int]
    without: Sequence[str]
    planned: int
    again: int
    severed: int
    swallowed: int
    stalled: int
    ends: Mapping[str, int]
    turned: int
    requests_again: int
    messages: int
    by_story: Mapping[str, int]
    findings: int
    resolved: int
    delayed: Mapping[str, int]
    redelivered: int
    load: float
    wrong: Sequence[str]


def shown(outcome: Outcome) -> str:
    """The table."""
    rows = [("planned, and done", f"{outcome.planned} and {sum(outcome.done.values())}")]
    for kind, sort in SORTS.items():
        many: dict[str, int] = {}
        for (done, whom), times in outcome.done.items():
            if done == kind:
                name = whom.rpartition("-")[0] if whom[-1].isdigit() else whom
                many[name] = many.get(name, 0) + times
        if many:
            rows.append((sort.told, ", ".join(f"{name} {times}" for name, times in sorted(many.items()))))
    rows += [
        ("connections cut, bytes of answers lost", f"{outcome.severed:,}, {outcome.swallowed:,}"),
        ("events delivered again by hand; counted once", f"{outcome.again}; {outcome.redelivered}"),
        ("intake was seen to be stalled by the full disk", f"{outcome.stalled}"),
        ("purchases", ", ".join(f"{many:,} {status.lower()}" for status, many in sorted(outcome.ends.items()))),
        ("of these turned back by an outage", f"{outcome.turned:,}"),
        ("requests made again", f"{outcome.requests_again:,}"),
        ("messages that were read and checked", f"{outcome.messages:,}"),
        *((f"went wrong: {story}", f"{many:,}") for story, many in outcome.by_story.items()),
        *((f"missed a deadline: {name}", f"{many:,}") for name, many in sorted(outcome.delayed.items())),
        ("findings open in the end", f"{outcome.findings:,}"),
        ("findings that resolved by themselves", f"{outcome.resolved:,}"),
        ("everything settled after, s", f"{outcome.settled:.1f}"),
        ("load before", f"{outcome.load:.1f}"),
        ("**what is wrong**", f"{len(outcome.wrong):,}"),
    ]
    told = table(f"{outcome.seconds:.0f} s under fire, seed {outcome.seed}", ("", "times"), rows)
    return "\n".join([told, *(f"not here: {each}" for each in outcome.without)])
