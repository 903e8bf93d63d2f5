"""A database as it is promised to be: a transaction is kept as a whole or lost as a whole."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any, TypeAlias

__all__ = ["FencedError", "Store", "Transaction"]

Place: TypeAlias = tuple[str, Hashable]
_GONE = object()


class FencedError(Exception):
    """What a transaction relied on has been changed by another meanwhile; nothing of it is kept."""


class Store:
    """Tables of immutable values, by key, in the order in which keys came. Committed state only."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[Hashable, Any]] = {}
        self.serial = 0

    def begin(self) -> Transaction:
        """A transaction; to lose it, forget it."""
        return Transaction(self)

    def rows(self, table: str) -> dict[Hashable, Any]:
        """What is committed in a table."""
        return self.tables.get(table, {})


class Transaction:
    """Reads through its own writes; writes that nobody sees before `commit`. `afterwards` is done once it is committed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._writes: dict[Place, Any] = {}
        self._fences: dict[Place, Any] = {}
        self.afterwards: list[Callable[[], None]] = []

    def get(self, table: str, key: Hashable) -> Any:
        """The value, None where there is none."""
        value = self._writes.get((table, key), _GONE)
        if value is _GONE and (table, key) not in self._writes:
            return self._store.rows(table).get(key)
        return None if value is _GONE else value

    def put(self, table: str, key: Hashable, value: Any) -> None:
        """Set a value. What the transaction found there must still be there when it is committed."""
        self._fences.setdefault((table, key), self._store.rows(table).get(key))
        self._writes[table, key] = value

    def append(self, table: str, value: Any) -> None:
        """Add a value under a key later than all before."""
        self._store.serial += 1
        self._writes[table, self._store.serial] = value

    def drop(self, table: str, key: Hashable) -> None:
        """Remove a value, if it is there."""
        self._writes[table, key] = _GONE

    def rows(self, table: str) -> Iterator[tuple[Hashable, Any]]:
        """The rows of a table as this transaction sees them; its own new ones last."""
        committed = self._store.rows(table)
        for key, value in committed.items():
            seen = self._writes.get((table, key), value)
            if seen is not _GONE:
                yield key, seen
        for (name, key), value in list(self._writes.items()):
            if name == table and key not in committed and value is not _GONE:
                yield key, value

    def commit(self) -> None:
        """Keep all. Raises FencedError, keeping nothing, where another has changed what this one has."""
        for (table, key), found in self._fences.items():
            if self._store.rows(table).get(key) is not found:
                raise FencedError(f"{table} {key}")
        for (table, key), value in self._writes.items():
            rows = self._store.tables.setdefault(table, {})
            if value is _GONE:
                rows.pop(key, None)
            else:
                rows[key] = value
        for act in self.afterwards:
            act()
