"""Connections on which nothing waits for ever: not for a server that is gone, nor for a lock, nor for a statement."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

__all__ = ["connect", "server_bounds", "with_client_bounds"]

_CLIENT = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""The client's side: seconds, a number, and milliseconds."""
_SERVER = {
    "statement_timeout": "5min",
    "lock_timeout": "1min",
    "idle_in_transaction_session_timeout": "5min",
    "tcp_keepalives_idle": "10s",
    "tcp_keepalives_interval": "5s",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "30s",
}
"""The server's side: it lets go of a client that is gone, and of what that has locked. A transaction is idle while messages
are published or a handler waits for something else; that takes its own timeout at most."""

_SET = b"""
select set_config(name, given, false) from pg_settings
join unnest(%b::text[], %b::text[]) as wanted (name, given) using (name) where source = 'default'
"""


def with_client_bounds(dsn: str) -> str:
    """The address with the client's bounds, but for those that it says itself. Raises psycopg's ProgrammingError for what is
    no address."""
    said = conninfo_to_dict(dsn)
    return make_conninfo(dsn, **{name: value for name, value in _CLIENT.items() if name not in said})


def server_bounds(**other: str) -> tuple[bytes, tuple[list[str], list[str]]]:
    """A statement that sets the server's bounds for its connection, and its parameters. `other` are bounds that differ. What
    the address says, and what is set for the server, the database or the user, wins."""
    wanted = {**_SERVER, **other}
    return _SET, (list(wanted), list(wanted.values()))


async def connect(dsn: str, **more: Any) -> AsyncConnection[Any]:
    """A connection that commits each statement unless it is in a transaction; `more` goes to psycopg.

    What the address says itself wins, and so does what is set for the server, the database or the user. Raises what psycopg
    raises."""
    connection = await AsyncConnection.connect(with_client_bounds(dsn), autocommit=True, **more)
    try:
        await connection.execute(*server_bounds())
    except BaseException:
        await connection.close()
        raise
    return connection
