"""A connection of one history's own: bounded in time, and with nothing in sight but temporary tables."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from sagacity.errors import UsageError
from sagacity.ledger.postgres.failures import asking
from sagacity.urls import without_password

__all__ = ["open_database"]

_CONNECT_WITHIN = 10
_BOUNDS = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "application_name": "sagacity"}

_SETTINGS = {
    "statement_timeout": "3600s",
    "lock_timeout": "60s",
    "idle_in_transaction_session_timeout": "3600s",
    "work_mem": "64MB",
    "temp_buffers": "64MB",
}
"""What is set unless the URL, the role or the database says otherwise."""

_ALWAYS = {
    "search_path": "pg_temp",
    "timezone": "UTC",
    "standard_conforming_strings": "on",
    "jit": "off",  # compiling what is asked takes longer than it saves
}


def open_database(url: str) -> psycopg.Connection[Any]:
    """Connect. What the URL leaves out is taken from libpq's variables and password file.

    Raises UsageError for a URL that is none, or a database whose texts are not UTF-8; LedgerError where it cannot be
    reached.
    """
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise UsageError(
            f"{without_password(url)} is not the URL of a database", hint="write postgresql://user@host:5432/database"
        ) from None
    bounds: dict[str, Any] = {name: value for name, value in _BOUNDS.items() if name not in given}
    bounds.setdefault("connect_timeout", given.get("connect_timeout", _CONNECT_WITHIN))
    with asking(url):
        connection = psycopg.connect(url, autocommit=True, **bounds)
    try:
        with asking(url):
            _settle(connection)
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise UsageError(
                f"the texts of {without_password(url)} are {encoding}", hint="use a database whose encoding is UTF8"
            )
    except BaseException:
        connection.close()
        raise
    return connection


def _settle(connection: psycopg.Connection[Any]) -> None:
    connection.execute(b"set client_encoding to 'UTF8'")
    names = list(_SETTINGS)
    rows = connection.execute(b"select name, source from pg_catalog.pg_settings where name = any(%s)", (names,)).fetchall()
    for name, source in rows:
        if source in ("default", "configuration file"):
            connection.execute(b"select set_config(%s, %s, false)", (name, _SETTINGS[name]))
    for name, value in _ALWAYS.items():
        connection.execute(b"select set_config(%s, %s, false)", (name, value))
