"""The rounds: one buyer, many, and many under kills, in one shop."""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeAlias

import msgspec

from bench.shop.agreement import disagreements, found
from bench.shop.buyer import bought
from bench.shop.figures import Round
from bench.shop.fire import Fire
from bench.shop.hops import hops
from bench.shop.others import Others
from bench.shop.planned import SHARE, Ended, planned, unanswered, wrong_ends
from bench.shop.scene import CUSTOMERS, Scene, opened
from bench.shop.settled import settled

__all__ = ["ROUNDS", "Asked", "Came", "RoundName", "course"]

RoundName: TypeAlias = Literal["idle", "load", "fire"]
ROUNDS: tuple[RoundName, ...] = ("idle", "load", "fire")
_WARM = 12
_SETTLED_WITHIN = 180.0


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be run. `kills` is how often each service is killed under fire."""

    rounds: Sequence[RoundName] = ROUNDS
    idle: int = 100
    purchases: int = 1000
    at_once: int = 64
    kills: int = 1
    seed: int = 1


class Came(msgspec.Struct, frozen=True):
    """What came of it; `hops` are medians in milliseconds, of the round with one buyer."""

    rounds: Sequence[Round]
    hops: dict[str, float]

    @property
    def well(self) -> bool:
        """Whether every end is as it must be, and the databases agree."""
        return all(each.well for each in self.rounds)


def course(asked: Asked, say: Callable[[str], None], folder: Path | None = None) -> Came:
    """All of it, in a folder of its own below this one, or where temporary files are; it is removed at the end. Raises
    UnavailableError where a server cannot be had."""
    done: list[Round] = []
    where: dict[str, float] = {}
    with TemporaryDirectory(dir=folder, prefix="shop-") as below:
        Path(below).chmod(0o755)  # PostgreSQL may run as another user; the secrets in there are their owner's alone
        with opened(Path(below).resolve(), say) as scene:
            bought(
                scene.stack.web, planned(_WARM, scene.stock(_WARM, 0.0), CUSTOMERS, 0, 0.0), 2, scene.token, "warm", _nobody
            )
            settled(scene.stack, scene.databases, _SETTLED_WITHIN)
            for name in asked.rounds:
                each, ended = _round(scene, name, asked, say)
                done.append(each)
                if name == "idle":
                    where = hops(scene.databases, ended)
                for wrong in (*each.wrong, *each.found, *each.sums):
                    say(wrong)
    return Came(done, where)


def _round(scene: Scene, name: RoundName, asked: Asked, say: Callable[[str], None]) -> tuple[Round, list[Ended]]:
    many, at_once, share = (asked.idle, 1, 0.0) if name == "idle" else (asked.purchases, asked.at_once, SHARE)
    wares = scene.stock(many, share)
    purchases = planned(many, wares, CUSTOMERS, asked.seed, share)
    for customer in range(CUSTOMERS):
        scene.token(customer)
    load, others = os.getloadavg()[0], Others()
    say(f"{name}: {many} purchases, {at_once} at once; load {load:.1f}")
    fire = Fire(scene.stack, many, asked.seed, say, rounds=asked.kills) if name == "fire" else None
    since, began = time.time(), time.monotonic()
    with fire or contextlib.nullcontext():
        ended = bought(scene.stack.web, purchases, at_once, scene.token, name, fire.ended if fire else _nobody)
        seconds = time.monotonic() - began
    busy = others.processors()
    took, left = settled(scene.stack, scene.databases, _SETTLED_WITHIN)
    say(f"{name}: done after {seconds:.1f} s, settled after {took:.1f} s more")
    killed: dict[str, int] = dict(fire.killed) if fire else {}
    missing = [f"{each} was not killed" for each in fire.missing] if fire else []
    taken_on = [each for each in ended if each.id is not None]
    came = Round(
        name={"idle": "one at a time", "load": f"{at_once} at a time", "fire": f"{at_once} at a time, under kills"}[name],
        took=sorted(each.seconds for each in taken_on),
        answered=sorted(each.answered for each in taken_on),
        seconds=seconds,
        ends=dict(Counter(each.status for each in ended)),
        again=sum(each.again for each in ended),
        kills=killed,
        settled=took,
        unanswered=sum(map(unanswered, ended)),
        wrong=[*wrong_ends(ended, wares, outages=fire is not None), *left, *missing],
        found=[f"purchase {each.case}: {each.expectation}" for each in found(scene.databases)],
        sums=disagreements(scene.databases, ended, wares, since),
        others=busy,
        load=load,
    )
    return came, ended


def _nobody(_: Any) -> None:
    """Told, and not interested."""
