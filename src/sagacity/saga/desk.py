"""What the orchestrator's writers share: definitions, who is within the process, and what is told of their work."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from sagacity.errors import SagacityError, StoreError, UsageError
from sagacity.messaging import Delivery, Message
from sagacity.messaging.meter import Meter
from sagacity.messaging.postgres import dead_letters
from sagacity.messaging.reading import Reading
from sagacity.saga.definition import Saga
from sagacity.saga.participant import Participant
from sagacity.saga.patience import Patience
from sagacity.saga.postgres.connection import Connection
from sagacity.saga.recent import Recent
from sagacity.saga.state import SagaState
from sagacity.saga.tracing import Tracer

__all__ = ["Desk", "fail"]

_log = logging.getLogger("sagacity.saga.orchestrator")


class Desk:
    """Of one orchestrator. `definitions` are by name and version; `inline` and `handed` are participants by topic;
    `dead_letters` is the topic in which dead letters are told of."""

    def __init__(
        self,
        name: str,
        definitions: Mapping[tuple[str, int], Saga],
        *,
        inline: Mapping[str, Participant],
        handed: Mapping[str, Participant],
        starts: Mapping[str, str],
        dead_letters: str | None = None,
        publish: bool,
        clock: Callable[[], int],
        patience: Patience,
        meter: Meter,
        tracer: Tracer,
    ) -> None:
        self.name = name
        self.definitions = dict(definitions)
        self.inline = dict(inline)
        self.handed = dict(handed)
        self.starts = dict(starts)
        self.dead_letters = dead_letters
        self.publish = publish
        self.clock = clock
        self.patience = patience
        self.meter = meter
        self.tracer = tracer
        self.counts: Counter[str] = Counter()
        self.trouble: str | None = None
        self.reading = Reading()
        self.recent = Recent()
        self._waiting: dict[str, list[asyncio.Future[SagaState]]] = {}

    def newest(self, name: str, version: int | None = None) -> Saga:
        """A definition. Raises UsageError where there is none."""
        found = [each for (known, number), each in self.definitions.items() if known == name and version in (None, number)]
        if not found:
            names = ", ".join(sorted({each for each, _ in self.definitions}))
            what = f"there is no saga {name!r}" + (f" of version {version}" if version else "")
            raise UsageError(what, hint=f"known are {names or 'none'}")
        return max(found, key=lambda each: each.version)

    async def complain(self, error: StoreError) -> None:
        """The database is away: say so once, and pause."""
        if self.trouble != error.message:
            _log.warning("%s", error.message)
        self.trouble = error.message
        await asyncio.sleep(self.patience.for_database())

    async def bury(self, connection: Connection, consumer: str, delivery: Delivery, reason: str) -> Message | None:
        """Keep what cannot be settled, in the connection's transaction; what is to be sent of it, in the same."""
        await dead_letters.bury(connection, consumer, delivery, reason)
        if self.dead_letters is None:
            return None
        return dead_letters.as_message(self.dead_letters, consumer, delivery, reason, self.clock())

    def await_end(self, id: str) -> asyncio.Future[SagaState]:
        """Told when this process ends the saga."""
        future: asyncio.Future[SagaState] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(id, []).append(future)
        return future

    def awaited(self) -> list[str]:
        """The sagas whose end somebody waits for."""
        return list(self._waiting)

    def forget_end(self, id: str, future: asyncio.Future[SagaState]) -> None:
        """Nobody waits by this future any longer."""
        waiting = self._waiting.get(id, [])
        if future in waiting:
            waiting.remove(future)
            if not waiting:
                del self._waiting[id]

    def ended(self, saga: SagaState) -> None:
        """A saga has ended, for certain."""
        for future in self._waiting.pop(saga.id, ()):
            if not future.done():
                future.set_result(saga)

    def give_up(self, error: SagacityError) -> None:
        """Nobody is told of ends any longer: whoever waits for one gets this error."""
        waiting, self._waiting = self._waiting, {}
        for future in (each for held in waiting.values() for each in held):
            fail(future, error)


def fail(future: asyncio.Future[Any], error: SagacityError) -> None:
    """Whoever waits by it gets this error; it is no matter where nobody does."""
    if not future.done():
        future.set_exception(error)
        future.exception()
