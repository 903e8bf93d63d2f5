"""What a store runs its SQL on: a connection of the pool, or the open transaction that a saga's handler is given."""

from __future__ import annotations

from typing import Any, Protocol

from psycopg import AsyncCursor

__all__ = ["Executes"]


class Executes(Protocol):
    """Anything that runs SQL with psycopg's parameters (`%s`)."""

    async def execute(self, query: str, parameters: Any = None, /) -> AsyncCursor[Any]: ...
