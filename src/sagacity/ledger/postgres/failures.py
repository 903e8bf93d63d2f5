"""PostgreSQL's errors, mapped to Sagacity's in one place, without the password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from sagacity.errors import FullError, LedgerError, MemoryLimitError
from sagacity.urls import told_without, without_password

__all__ = ["asking"]


@contextmanager
def asking(url: str) -> Iterator[None]:
    """Work in the database: whatever fails there is the ledger's affair. Raises LedgerError."""
    try:
        yield
    except psycopg.Error as error:
        raise _ours(error, url) from None


_KINDS: tuple[tuple[type[psycopg.Error], str], ...] = (
    (errors.InsufficientPrivilege, "grant it: GRANT TEMPORARY ON DATABASE ... TO ..."),
    (errors.ReadOnlySqlTransaction, "name a server that may be written to; a standby has no temporary tables"),
    (errors.QueryCanceled, "give it longer: add ?options=-c%20statement_timeout=6h to the URL"),
    (errors.LockNotAvailable, "ask again once the lock is gone"),
    (errors.ConfigurationLimitExceeded, "raise the limit that is named, such as temp_file_limit"),
    (errors.CharacterNotInRepertoire, "PostgreSQL keeps no character U+0000: judge this log without --engine"),
    (errors.UntranslatableCharacter, "use a database whose encoding is UTF8"),
    (errors.TooManyColumns, "split the workflow: PostgreSQL's tables have at most 1,600 columns"),
    (errors.ProgramLimitExceeded, "split the workflow, or judge it without --engine"),
    (errors.InvalidAuthorizationSpecification, "check user and password (PGPASSWORD, ~/.pgpass)"),
    (errors.InvalidCatalogName, "check the database's name"),
)  # fmt: skip
"""How to mend what went wrong, by the error's class."""


def _ours(error: psycopg.Error, url: str) -> LedgerError:
    said = f"{without_password(url)}: {told_without(error, url)}"
    if isinstance(error, errors.DiskFull):
        return FullError(said, hint="make room on the server's disk, and ask again")
    if isinstance(error, errors.OutOfMemory):
        return MemoryLimitError(said, hint="give the server more memory, or judge without --engine")
    hint = next((hint for kind, hint in _KINDS if isinstance(error, kind)), None)
    if hint is None and isinstance(error, psycopg.OperationalError):
        hint = "check host, port, user, password (PGPASSWORD, ~/.pgpass) and the database's name"
    return LedgerError(said, hint=hint)
