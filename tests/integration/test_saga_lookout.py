"""What looks for timers, orders and ends goes on, whatever the database does."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import psycopg

from postgres_stories import eventually
from sagacity.messaging.meter import Tally
from sagacity.saga.desk import Desk
from sagacity.saga.lookout import Lookout
from sagacity.saga.patience import Patience
from sagacity.saga.postgres import install
from sagacity.saga.tracing import chosen

_CUT = (
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
)


class CutOff(Desk):
    """Its connections are cut just before it is asked whose end is awaited."""

    def __init__(self, dsn: str) -> None:
        super().__init__(
            "orchestrator", {}, inline={}, handed={}, starts={}, dead_letters=None, publish=False, clock=lambda: 0,
            patience=Patience(first=0.01), meter=Tally(), tracer=chosen(),
        )  # fmt: skip
        self.cuts = 0
        self._dsn = dsn

    def awaited(self) -> list[str]:
        self.cuts += 1
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            connection.execute(_CUT)
        return ["a"]


def test_a_connection_that_is_lost_while_ends_are_looked_for_is_made_anew(database: str) -> None:
    async def story() -> None:
        await install(database)
        desk = CutOff(database)
        looking = asyncio.create_task(Lookout(desk, database, 0.01, lambda _: None).run())
        try:
            await eventually(lambda: desk.cuts == 3 or looking.done())
            assert not looking.done()
        finally:
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking

    asyncio.run(story())
