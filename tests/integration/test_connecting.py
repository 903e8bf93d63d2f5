"""Connections have bounds on both sides, and what somebody else has set stays."""

from __future__ import annotations

import asyncio

from psycopg.conninfo import make_conninfo

from postgres_stories import connected
from sagacity.messaging.postgres.connecting import connect
from sagacity.saga.postgres.connection import Lasting

BOUNDS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")


async def bounds(connection: object) -> list[str]:
    return [(await (await connection.execute(f"show {name}".encode())).fetchone())[0] for name in BOUNDS]  # type: ignore[attr-defined]


def test_no_connection_of_the_saga_waits_for_ever(database: str) -> None:
    async def story() -> None:
        lasting = Lasting(database)
        async with lasting.borrowed() as connection:
            assert await bounds(connection) == ["5min", "1min", "5min"]
            given = connection.info.get_parameters()
            assert (given["keepalives_idle"], given["tcp_user_timeout"]) == ("10", "30000")
        await lasting.close()

    asyncio.run(story())


def test_what_the_address_or_the_database_says_wins(database: str) -> None:
    async def story() -> None:
        async with connected(database) as connection:
            await connection.execute(
                "do $$ begin execute format('alter database %I set lock_timeout = 7000', current_database()); end $$"
            )
        given = make_conninfo(database, options="-c statement_timeout=3s", keepalives_idle=4)
        async with await connect(given) as connection:
            assert await bounds(connection) == ["3s", "7s", "5min"]
            assert connection.info.get_parameters()["keepalives_idle"] == "4"

    asyncio.run(story())
