"""What is done to whom, and when, by a seed. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Literal, TypeAlias

import msgspec

__all__ = ["SORTS", "Injury", "Kind", "Sort", "planned_injuries"]

Kind: TypeAlias = Literal["kill", "crash", "restart", "freeze", "slow", "stall", "cut", "deafen", "again", "fill"]
"""`kill`: a process of the shop. `crash`: a server. `again`: an event is delivered a second time. `fill`: a disk."""


class Sort(msgspec.Struct, frozen=True):
    """A kind as it is told of, how often it comes relative to others, and how many seconds it lasts, from and to."""

    told: str
    weight: int
    lasts: tuple[float, float] = (0.0, 0.0)


SORTS: Mapping[Kind, Sort] = {
    "kill": Sort("killed (SIGKILL)", 6),
    "crash": Sort("ended as by a crash", 3),
    "restart": Sort("ended in order (SIGTERM)", 2),
    "freeze": Sort("frozen (SIGSTOP), then thawed", 3, (1.0, 8.0)),
    "slow": Sort("each packet delayed", 2, (2.0, 6.0)),
    "stall": Sort("connections stalled", 3, (1.0, 6.0)),
    "cut": Sort("connections cut in the middle of a packet", 4),
    "deafen": Sort("requests arrive, answers are lost, then cut", 3, (0.5, 2.0)),
    "again": Sort("delivered again", 3),
    "fill": Sort("full", 1, (4.0, 7.0)),
}  # fmt: skip
_DELAY = (0.01, 0.15)
_FIRST, _LAST = 0.03, 0.9


class Injury(msgspec.Struct, frozen=True, kw_only=True):
    """`at` and `lasts` are in seconds, the former from the beginning; `delay` is that of each packet, where it is slow."""

    at: float
    kind: Kind
    whom: str
    lasts: float = 0.0
    delay: float = 0.0


def planned_injuries(seconds: float, pause: float, victims: Mapping[Kind, Sequence[str]], seed: int) -> tuple[Injury, ...]:
    """One every `pause` seconds on average, in the order in which they come. Each kind comes at least once, where there is
    time and a victim, and takes its victims in turn; the same for the same seed."""
    chance = Random(f"injuries {seed}")
    kinds = [kind for kind in SORTS if victims.get(kind)]
    many = max(int(seconds / pause), 1)
    drawn = chance.choices(kinds, [SORTS[kind].weight for kind in kinds], k=max(many - len(kinds), 0))
    deck = [*chance.sample(kinds, min(len(kinds), many)), *drawn]
    chance.shuffle(deck)
    turns = {kind: _turns(victims[kind], chance) for kind in kinds}
    room = seconds * (_LAST - _FIRST) / many
    return tuple(
        Injury(
            at=seconds * _FIRST + room * (number + chance.random()),
            kind=kind,
            whom=next(turns[kind]),
            lasts=chance.uniform(*SORTS[kind].lasts),
            delay=chance.uniform(*_DELAY) if kind == "slow" else 0.0,
        )
        for number, kind in enumerate(deck)
    )


def _turns(victims: Sequence[str], chance: Random) -> Iterator[str]:
    """Each once, in an order of chance, and so on."""
    while True:
        yield from chance.sample(victims, len(victims))
