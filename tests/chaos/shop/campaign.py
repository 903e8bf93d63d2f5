"""All of it together: customers buy while everything is struck, and in the end it is seen what is left."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.shop.agreement import disagreements, found
from bench.shop.buyer import bought
from bench.shop.planned import Planned, planned
from bench.shop.scene import CUSTOMERS
from bench.shop.settled import settled

from sagacity.demo.answers import compare
from shop.demo.truth import in_databases

from .figures import Outcome
from .injuries import planned_injuries
from .scene import opened
from .striking import Striking
from .told import ends, retold, turned
from .verdicts import forgotten, judged, went_wrong

__all__ = ["campaign"]

_AT_ONCE = 16
_SETTLED_WITHIN = 240.0
_KEY = "chaos"


def campaign(
    folder: Path,
    seconds: float,
    seed: int,
    *,
    rate: float = 3.0,
    pause: float = 3.0,
    say: Callable[[str], None] = print,
) -> Outcome:
    """For so long customers buy at so many purchases a second, while something is struck every `pause` seconds on average.
    The folder, which is to be empty, keeps the logs and what was published. Raises UnavailableError where a server cannot be
    had."""
    load = os.getloadavg()[0]
    with opened(folder, say) as besieged:
        scene, databases = besieged.scene, besieged.scene.databases
        logs = scene.stack.folder / "logs"
        many = max(int(rate * seconds), 1)
        wares = scene.stock(many)
        for customer in range(CUSTOMERS):
            scene.token(customer)
        injuries = planned_injuries(seconds, pause, besieged.victims, seed)
        say(f"{many} purchases over {seconds:.0f} s, and {len(injuries)} injuries; load {load:.1f}")
        since = time.time()
        with Striking(besieged, injuries, say) as striking:
            ended = bought(
                besieged.web,
                _paced(planned(many, wares, CUSTOMERS, seed), rate, seconds),
                _AT_ONCE,
                scene.token,
                _KEY,
                _nobody,
            )
        say(f"{len(ended)} purchases ended after {time.time() - since:.0f} s; settling")
        took, left = settled(scene.stack, databases, _SETTLED_WITHIN, lambda: len(forgotten(logs, databases)))
        verdicts = judged(besieged, databases, folder / "published")
        wrong = went_wrong(logs, databases)
        kept = compare(in_databases(wrong), ((it.case, it.expectation, it.kind) for it in found(databases)))
        unshipped = {int(each.case) for each in wrong if each.fault == "drop"}
        return Outcome(
            seed=seed,
            seconds=seconds,
            settled=took,
            done=dict(striking.done),
            without=besieged.without,
            planned=len(injuries),
            again=striking.again,
            severed=sum(proxy.severed for proxy in besieged.proxies.values()),
            swallowed=sum(proxy.swallowed for proxy in besieged.proxies.values()),
            stalled=striking.stalled,
            ends=Counter(each.status for each in ended),
            turned=len(turned(ended)),
            requests_again=sum(each.again for each in ended),
            messages=verdicts.messages,
            by_story=verdicts.by_story,
            findings=verdicts.findings,
            resolved=verdicts.resolved,
            delayed=verdicts.delayed,
            redelivered=verdicts.redelivered,
            load=load,
            wrong=[
                *ends(ended, wares),
                *left,
                *retold(besieged.web, ended, scene.token, _KEY),
                *disagreements(databases, ended, wares, since, unshipped),
                *(f"the databases disagree: {each}" for each in (*kept.unplanted, *kept.unfound)),
                *verdicts.wrong,
            ],
        )


def _paced(purchases: Sequence[Planned], rate: float, seconds: float) -> Iterator[Planned]:
    """Each when it is due; those that nobody had time for are left out."""
    began = time.monotonic()
    for number, each in enumerate(purchases):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        if time.monotonic() - began > seconds:
            return
        yield each


def _nobody(_: Any) -> None:
    """Told, and not interested."""
