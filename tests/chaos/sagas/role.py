"""One process of the fleet: `python -m tests.chaos.sagas.role SETUP NAME`. It runs until it is killed."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from sagacity.messaging import Envelope, Message
from sagacity.messaging.kafka import KafkaPublisher, KafkaSubscriber
from sagacity.messaging.postgres import Relay
from sagacity.saga import Orchestrator
from sagacity.testing.faults import Duplicating

from .shop import PURCHASES, REPLIES, definition, participant, purchase

__all__ = ["Setup", "begun", "saga_id", "trace_of"]

_CHUNK = 25
_TWICE = 0.03
_PUBLISH_WITHIN = 15.0
_NOTE_EVERY = 0.5


class Setup(msgspec.Struct, frozen=True):
    """What every process of a campaign is told. `rate` is in sagas a second; `databases` are dsns by name.
    `timeout`: seconds for each answer; `sharing`: whether sagas share accounts, and so wait for one another. `fresh`: so
    many more are started once nothing is killed any more, by the campaign itself."""

    seed: int
    sagas: int
    rate: float
    kafka: str
    databases: dict[str, str]
    folder: str
    timeout: float = 10.0
    sharing: bool = True
    fresh: int = 0


def saga_id(number: int) -> str:
    return f"purchase-{number}"


def trace_of(number: int) -> str:
    """The trace in which a saga is started; every message of it is to carry it."""
    return f"00-{number + 1:032x}-{number + 1:016x}-01"


def _publisher(setup: Setup, name: str) -> Duplicating:
    return Duplicating(KafkaPublisher(setup.kafka, timeout=_PUBLISH_WITHIN), rate=_TWICE, seed=setup.seed + len(name))


def _settings(name: str) -> dict[str, str]:
    """Most members keep their places in their groups over a restart; one orchestrator does not, as any program that says
    nothing of it."""
    known = {} if name == "orchestrator-2" else {"group.instance.id": name}
    return {"session.timeout.ms": "6000", "heartbeat.interval.ms": "1000", **known}


async def _orchestrator(setup: Setup, name: str) -> None:
    orchestrator = Orchestrator(setup.databases["sagas"], [definition(setup.timeout)], starts={PURCHASES: "purchase"})
    topics = [REPLIES, PURCHASES]
    reading = KafkaSubscriber(setup.kafka, topics, "orchestrator", orchestrator.positions, settings=_settings(name))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(orchestrator.run(reading))
        tasks.create_task(_export(setup, name, orchestrator))


async def _export(setup: Setup, name: str, orchestrator: Orchestrator) -> None:
    """Note how many replies this process has ignored as foreign: no participant sends any that is."""
    noted = Path(setup.folder) / f"{name}-{os.getpid()}.foreign"
    while True:
        noted.write_text(str(orchestrator.counts["ignored foreign"]))
        await asyncio.sleep(_NOTE_EVERY)


async def _relay(setup: Setup, name: str) -> None:
    await Relay(setup.databases["sagas"], _publisher(setup, name)).run()


async def _participant(setup: Setup, name: str) -> None:
    made = participant(name, setup.databases[name])
    reading = KafkaSubscriber(setup.kafka, [name], name, made.positions, settings=_settings(name))
    await made.run(reading, _publisher(setup, name))


async def _starter(setup: Setup, name: str) -> None:
    """Ask for sagas, at its rate. What was asked for is noted afterwards: one that is killed asks for some of them again."""
    noted = Path(setup.folder) / "started"
    publisher = _publisher(setup, name)
    at = int(noted.read_text()) if noted.exists() else 0
    while at < setup.sagas:
        chunk = range(at, min(at + _CHUNK, setup.sagas))
        try:
            await publisher.publish([begun(setup, number) for number in chunk])
        except Exception as error:
            logging.warning("%s", error)
            continue
        at = chunk.stop
        written = noted.with_suffix(".new")
        written.write_text(str(at))
        written.replace(noted)
        await asyncio.sleep(len(chunk) / setup.rate)
    await asyncio.Event().wait()


def begun(setup: Setup, number: int) -> Message:
    """The message that starts a saga."""
    id = saga_id(number)
    made = purchase(setup.seed, number, setup.sagas)
    data = msgspec.json.encode(made if setup.sharing else msgspec.structs.replace(made, account=id))
    envelope = Envelope(
        id=id, type="BeginPurchase", source="/shop", time=number, key=id, data=data, traceparent=trace_of(number)
    )
    return Message(PURCHASES, envelope)


_ROLES: dict[str, Callable[[Setup, str], Awaitable[None]]] = {
    "orchestrator": _orchestrator, "relay": _relay, "starter": _starter,
    "stock": _participant, "orders": _participant, "payments": _participant,
}  # fmt: skip


def main(setup: Path, name: str) -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    told = msgspec.json.decode(setup.read_bytes(), type=Setup)
    asyncio.run(_ROLES[name.split("-")[0]](told, name))  # type: ignore[arg-type]


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
