"""What the web asks of sagas. `sagacity.saga.postgres.operations.Operations` does it; a server without sagas has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sagacity.messaging.postgres.dead_letters import DeadLetter
    from sagacity.saga.happenings import Order
    from sagacity.saga.postgres.definitions import Version
    from sagacity.saga.postgres.listing import Line, Shown, Which
    from sagacity.saga.postgres.orders import Placed
    from sagacity.saga.postgres.redriving import Redriven

__all__ = ["SagaDesk"]


class SagaDesk(Protocol):
    """Sagas in a database. Each question is answered within bounds of time, on the event loop.

    Raises StoreError and MessagingError where the database is away or has no sagas, UsageError for what makes no sense.
    """

    @property
    def where(self) -> str:
        """Which database it is, without its password, to be said after `database`."""
        ...

    async def sagas(
        self, which: Which, *, after: tuple[int, str] | None = None, oldest: bool = False, most: int = 50
    ) -> Sequence[Line]: ...

    async def saga(self, id: str) -> Shown | None: ...

    async def knows(self, id: str) -> bool: ...

    async def counts(self) -> Mapping[tuple[str, int, str], int]: ...

    async def definitions(self) -> Sequence[Version]: ...

    async def orders(self, *, saga: str | None = None, before: int | None = None, most: int = 50) -> Sequence[Placed]: ...

    async def order(self, id: str, order: Order, *, by: str, reason: str, step: str | None = None) -> Placed: ...

    async def placed(self, number: int) -> Placed | None: ...

    async def awaited(self, placed: Placed, within: float) -> Placed: ...

    async def dead_letters(
        self, *, consumer: str | None = None, redriven: bool = False, after: int = 0, most: int = 50
    ) -> Sequence[DeadLetter]: ...

    async def redrive(self, numbers: Sequence[int], by: str) -> Redriven: ...

    async def close(self) -> None: ...
