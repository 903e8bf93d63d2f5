"""The campaign itself: sagas are started, everything is killed, and in the end it is seen what is left."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import msgspec
import psycopg

from sagacity.messaging.kafka import KafkaPublisher

from .account import Account, account, not_at_once, parked_wrongly, plans
from .audit import audited, planted
from .evidence import gathered, progress, states
from .fleet import NAMES, Fleet, fleet
from .role import begun
from .shop import PARTICIPANTS

__all__ = ["Outcome", "campaign"]

_LOOK = 0.25
_DISASTERS = ("PostgreSQL", "broker", "frozen")
_READERS = ("orchestrator-1", "orchestrator-2", *PARTICIPANTS)
_FROZEN = 9.0
"""Seconds; a member's session is 6."""
_FRESH = 200
_CHUNK = 20
_READ_WITHIN = 20.0


class Outcome(msgspec.Struct):
    """What a campaign came to; times are in seconds. `settled` is from the last kill to the end of the last saga that was
    not jammed. `wrong` is empty where all is as it should be."""

    kills: dict[str, int]
    statuses: dict[str, int]
    account: Account
    parked: int
    messages: int
    planted: int
    findings: int
    under_fire: float
    settled: float
    seconds: float
    wrong: list[str] = []


def campaign(
    folder: Path,
    sagas: int,
    seed: int,
    *,
    rate: float = 60.0,
    pause: float = 2.0,
    disasters: int = 2,
    patience: float = 300.0,
    say: Callable[[str], None] = print,
) -> Outcome:
    """So many sagas, started at so many a second, while every `pause` seconds on average something is killed: a process, and
    so many times PostgreSQL, and the broker. `patience` is how long everything may take to settle afterwards."""
    began = time.monotonic()
    with fleet(folder, seed, sagas, rate, fresh=_FRESH) as running:
        running.start(*NAMES)
        under_fire = _under_fire(running, Random(f"kills {seed}"), pause, disasters, sagas / rate * 5 + patience, say)
        calm = time.monotonic()
        jammed = sum(plan.jam for plan in plans(running.setup).values())
        _until(running, lambda ended, parked: ended + parked >= sagas and parked == jammed, patience, say)
        settled = time.monotonic() - calm
        wrong = parked_wrongly(states(running), plans(running.setup))
        asyncio.run(_start_fresh(running))
        _until(running, lambda ended, parked: ended + parked >= sagas + _FRESH, running.setup.timeout + _READ_WITHIN, say)
        wrong += not_at_once(states(running), running.setup)[:5]
        _mend(running)
        _until(running, lambda ended, _: ended >= sagas + _FRESH, patience, say)
        if foreign := running.foreign():
            wrong.append(f"{foreign} replies were ignored as foreign, and nobody sends any that is")
        wrong += running.fallen()
        found = gathered(running)
        running.end()
    counted = account(found, running.setup)
    statuses: dict[str, int] = {}
    for saga in found.sagas.values():
        statuses[saga.status] = statuses.get(saga.status, 0) + 1
    say(f"{statuses}, {sum(found.sent.values())} messages; auditing")
    unaltered = audited(found.log, folder / "audit")
    wrong += [f"the workflow finds in {case}: {names}" for case, names in list(unaltered.items())[:5]]
    altered, expected = planted(found.log, seed)
    wrong += _differences(audited(altered, folder / "audit of faults"), expected)
    return Outcome(
        kills=dict(running.killed),
        statuses=statuses,
        account=counted,
        parked=jammed,
        messages=sum(found.sent.values()),
        planted=len(expected),
        findings=sum(len(names) for names in expected.values()),
        under_fire=under_fire,
        settled=settled,
        seconds=time.monotonic() - began,
        wrong=[*counted.told, *wrong],
    )


def _under_fire(
    running: Fleet, chance: Random, pause: float, disasters: int, limit: float, say: Callable[[str], None]
) -> float:
    """Kill until nearly all sagas have ended, and all disasters have come; how long that was."""
    began = told = time.monotonic()
    total = running.setup.sagas
    due = sorted((share, kind) for kind in _DISASTERS for share in _shares(chance, disasters))
    while time.monotonic() - began < limit:
        time.sleep(chance.uniform(0.2, 2 * pause - 0.2))
        now = progress(running)
        if now is None:
            continue
        if time.monotonic() - told > 10:
            told = time.monotonic()
            say(f"{told - began:.0f} s: {now.statuses}, {now.outbox} in the outbox, {sum(running.killed.values())} kills")
        if due and now.there >= due[0][0] * total:
            _, kind = due.pop(0)
            if kind == "frozen":
                running.freeze(chance.choice(_READERS), _FROZEN)
            else:
                (running.crash_database if kind == "PostgreSQL" else running.restart_broker)()
            continue
        if not due and now.ended >= 0.95 * total:
            break
        victims = chance.sample(NAMES, chance.choice((1, 1, 1, 2, 3)))
        running.kill(*victims)
        if chance.random() < 0.3:
            time.sleep(chance.uniform(0.0, 1.5))
        running.start(*victims)
    return time.monotonic() - began


def _shares(chance: Random, many: int) -> list[float]:
    """When disasters come: at these shares of sagas started, spread over the campaign."""
    return [(at + chance.uniform(0.3, 0.9)) / (many + 0.2) for at in range(many)]


async def _start_fresh(running: Fleet) -> None:
    """Some sagas more, at the usual rate, with all processes as the last fault has left them."""
    setup = running.setup
    publisher = KafkaPublisher(setup.kafka)
    for at in range(setup.sagas, setup.sagas + setup.fresh, _CHUNK):
        await publisher.publish([begun(setup, number) for number in range(at, min(at + _CHUNK, setup.sagas + setup.fresh))])
        await asyncio.sleep(_CHUNK / setup.rate)
    await publisher.close()


def _mend(running: Fleet) -> None:
    """What an operator does: mend what was jammed, and order what is parked to be resumed."""
    for name in PARTICIPANTS:
        with psycopg.connect(running.setup.databases[name]) as connection:
            connection.execute("insert into mended values (now())")
    with psycopg.connect(running.setup.databases["sagas"]) as connection:
        connection.execute(
            "insert into sagacity.saga_orders (saga, command, ordered_by, reason) "
            "select id, 'resume', 'ada', 'the shelf is mended' from sagacity.sagas where status = 'parked'"
        )


def _until(running: Fleet, done: Callable[[int, int], bool], patience: float, say: Callable[[str], None]) -> None:
    """Wait until sagas stand so, and outboxes are empty; no longer than patience lasts: then it is seen what is wrong."""
    limit = time.monotonic() + patience
    while time.monotonic() < limit:
        now = progress(running)
        if now is not None and done(now.ended, now.statuses.get("parked", 0)) and not now.outbox:
            return
        time.sleep(_LOOK)
    say(f"patience is over: {progress(running)}")


def _differences(found: dict[str, set[str]], expected: dict[str, set[str]]) -> list[str]:
    return [
        f"of {case} the workflow finds {sorted(found.get(case, ()))}, and {sorted(expected.get(case, ()))} was planted"
        for case in sorted(found.keys() | expected.keys())
        if found.get(case, set()) != expected.get(case, set())
    ]
