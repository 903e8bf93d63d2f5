"""What an operator does with sagas: looks at them, orders, has dead letters done again. For the command line and the web."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from sagacity.errors import SagacityError, StoreError, UsageError
from sagacity.messaging.postgres import dead_letters
from sagacity.messaging.postgres.dead_letters import DeadLetter
from sagacity.saga.decide.allowed import Allowed, tried
from sagacity.saga.definition import Saga
from sagacity.saga.happenings import Order, Ordered
from sagacity.saga.postgres import definitions, listing, orders
from sagacity.saga.postgres import redriving as letters
from sagacity.saga.postgres.definitions import Version
from sagacity.saga.postgres.listing import Line, Shown, Which
from sagacity.saga.postgres.orders import Placed
from sagacity.saga.postgres.redriving import Redriven
from sagacity.saga.postgres.window import Window

__all__ = ["Operations", "RefusedOrderError", "carried", "instead"]

_LOOK = 0.1
_COUNTS_KEPT = 5.0
_UNCOUNTED = 60.0
"""Seconds for which it is not tried again to count what has ended, where that took too long."""
_AWAY = 5.0


class RefusedOrderError(UsageError):
    """An order that cannot be carried out; `number` is under which that is written down, None where there is no such saga.
    `allowed` is what may be ordered instead."""

    def __init__(self, error: UsageError, number: int | None, allowed: Sequence[Allowed] = ()) -> None:
        super().__init__(error.message, hint=error.hint)
        self.number = number
        self.allowed = tuple(allowed)


class Operations:
    """Over the orchestrator's database at `dsn`; it needs no orchestrator in this process. Of one event loop.

    Every question is answered `within` so many seconds, or raises StoreError. `clock` gives microseconds since 1970, UTC.
    """

    def __init__(self, dsn: str, *, within: float = 5.0, clock: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        self._window = Window(dsn, within=within)
        self._clock = clock
        self._counted: tuple[float, Mapping[tuple[str, int, str], int]] | None = None
        self._counting = Window(dsn, within=within / 2, most=1)
        self._ended: Mapping[tuple[str, int, str], int] = {}
        self._uncounted_until = 0.0
        self._away_until = 0.0

    @property
    def where(self) -> str:
        """Which database it is, without its password, to be said after `database`."""
        return self._window.where

    async def close(self) -> None:
        await self._window.close()
        await self._counting.close()

    # Looking --------------------------------------------------------------------------------------------------------

    async def sagas(
        self, which: Which, *, after: tuple[int, str] | None = None, oldest: bool = False, most: int = 50
    ) -> Sequence[Line]:
        """Sagas, as `listing.listed`."""
        async with self._window.open() as connection:
            return await listing.listed(connection, which, after=after, oldest=oldest, most=most)

    async def saga(self, id: str) -> Shown | None:
        """A saga with its history and what may be ordered of it; None where there is none of this id."""
        async with self._window.open() as connection:
            return await listing.shown(connection, id, self._clock())

    async def knows(self, id: str) -> bool:
        """Whether there is a saga of this id. Never raises, and does not wait for a database that was away just now."""
        if time.monotonic() < self._away_until:
            return False
        try:
            async with asyncio.timeout(1.0), self._window.open() as connection:
                asked = await connection.execute("select 1 from sagacity.sagas where id = %s", (id,))
                return await asked.fetchone() is not None
        except (SagacityError, TimeoutError):
            self._away_until = time.monotonic() + _AWAY
            return False

    async def counts(self) -> Mapping[tuple[str, int, str], int]:
        """How many sagas there are, by definition, version and status; a few seconds old at most.

        Those that have ended are left out, or are as they were, where it takes too long to count them.
        """
        if self._counted is None or self._counted[0] < time.monotonic():
            async with self._window.open() as connection:
                found = await listing.counts(connection, ended=False)
            await self._count_ended()
            self._counted = (time.monotonic() + _COUNTS_KEPT, {**self._ended, **found})
        return self._counted[1]

    async def _count_ended(self) -> None:
        if time.monotonic() < self._uncounted_until:
            return
        try:
            async with self._counting.open() as connection:
                self._ended = await listing.counts(connection, ended=True)
        except StoreError:
            self._uncounted_until = time.monotonic() + _UNCOUNTED

    async def definitions(self) -> Sequence[Version]:
        """The versions of definitions that are kept."""
        async with self._window.open() as connection:
            return await definitions.versions(connection)

    async def definition(self, name: str, version: int | None = None) -> Saga:
        """A definition, as `definitions.one`."""
        async with self._window.open() as connection:
            return await definitions.one(connection, name, version)

    async def orders(self, *, saga: str | None = None, before: int | None = None, most: int = 50) -> Sequence[Placed]:
        """Orders, the newest first."""
        async with self._window.open() as connection:
            return await orders.listed(connection, saga=saga, before=before, most=most)

    # Ordering -------------------------------------------------------------------------------------------------------

    async def order(self, id: str, order: Order, *, by: str, reason: str, step: str | None = None) -> Placed:
        """Give an order; an orchestrator carries it out. One that makes no sense as the saga stands is written down as
        refused, and raises RefusedOrderError with why, and what may be ordered instead. A step that the saga has not is a
        slip, and raises UsageError; nothing is written down."""
        async with self._window.open() as connection, connection.transaction():
            found = await listing.shown(connection, id, self._clock())
            if found is None:
                raise RefusedOrderError(
                    UsageError(f"there is no saga {id}", hint="sagacity saga list shows which there are"), None
                )
            if step is not None and found.saga is not None and step not in found.saga.steps:
                raise UsageError(f"saga {id} has no step {step}", hint=f"its steps are {', '.join(found.saga.steps)}")
            refused = _refusal(found, Ordered(order, step, by, reason), self._clock())
            outcome = None if refused is None else str(refused)
            number = await orders.place(connection, id, order, by=by, step=step, reason=reason, outcome=outcome)
            placed = await orders.placed(connection, number)
        if refused is not None:
            raise RefusedOrderError(refused, number, found.allowed)
        assert placed is not None
        return placed

    async def placed(self, number: int) -> Placed | None:
        """An order, with what became of it so far."""
        async with self._window.open() as connection:
            return await orders.placed(connection, number)

    async def awaited(self, placed: Placed, within: float) -> Placed:
        """The order once it is carried out or refused, or as it stands after so many seconds."""
        until = time.monotonic() + within
        while placed.outcome is None and time.monotonic() < until:
            await asyncio.sleep(_LOOK)
            placed = await self.placed(placed.id) or placed
        return placed

    # Dead letters ---------------------------------------------------------------------------------------------------

    async def dead_letters(
        self, *, consumer: str | None = None, redriven: bool = False, after: int = 0, most: int = 50
    ) -> Sequence[DeadLetter]:
        """What could not be done, in the order of its numbers."""
        async with self._window.open() as connection:
            return await dead_letters.listed(connection, consumer=consumer, redriven=redriven, after=after, most=most)

    async def redrive(self, numbers: Sequence[int], by: str, *, possible: bool = False) -> Redriven:
        """Have dead letters done again, as `redriving.redrive`."""
        async with self._window.open() as connection, connection.transaction():
            return await letters.redrive(connection, numbers, by, possible=possible)


def instead(allowed: Sequence[Allowed]) -> str:
    """What may be ordered, in a few words."""
    named = [each.order if each.step is None else f"{each.order} {each.step}" for each in allowed]
    return ", ".join(named) or "nothing"


def _refusal(found: Shown, order: Ordered, now: int) -> UsageError | None:
    """Why an order cannot be carried out as the saga stands."""
    if found.saga is None:
        hint = "run the version of Sagacity that wrote it, or mend the row in sagacity.sagas"
        return UsageError(f"saga {found.line.id}: {found.problem}", hint=hint)
    try:
        tried(found.definition, found.saga, order, max(now, found.saga.changed))
    except UsageError as error:
        return error
    return None


def carried(placed: Placed) -> None:
    """Raises StoreError where an order still waits, UsageError where it was refused."""
    if placed.outcome is None:
        raise StoreError(
            f"order {placed.id} is kept, and no orchestrator has carried it out yet",
            hint=f"it is carried out once one runs; sagacity saga show {placed.saga} says what became of it",
        )
    if placed.outcome != "done":
        raise UsageError(f"order {placed.id} was refused: {placed.outcome}")
