"""Rows of a table with an `id`, cached by their ids: what a table needs for it, and a cache of it.

A service without Redis (no nodes are set) reads its database each time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Protocol, TypeVar, runtime_checkable

import msgspec
from prometheus_client import CollectorRegistry

from shop.chassis.cache.cache import Cache
from shop.chassis.cache.changes import PostgresChanges
from shop.chassis.cache.settings import Caching, Redis
from shop.chassis.cache.source import Kept, Source
from shop.chassis.database import Pool
from shop.chassis.executing import Executes
from shop.chassis.ids import from_public

__all__ = ["Load", "RowCache", "Uncached", "Versioned", "changed_since", "loading", "row_cache", "versioned"]

Load = Callable[[str], Awaitable[Kept | None]]

_AT_ONCE = 1_000


class Versioned(Protocol):
    """What a row of such a table is in the service's own words."""

    @property
    def version(self) -> int: ...


R = TypeVar("R", bound=Versioned)


def loading(pool: Pool, find: Callable[[Executes, int], Awaitable[R | None]], shown: Callable[[R], msgspec.Struct]) -> Load:
    """Reads a row by its public id, as it is shown, for the cache."""

    async def load(key: str) -> Kept | None:
        id = from_public(key)
        if id is None:
            return None
        async with pool.connection() as connection:
            found = await find(connection, id)
        return None if found is None else Kept(found.version, msgspec.json.encode(shown(found)))

    return load


def versioned(table: str) -> tuple[str, ...]:
    """For a revision: the table's rows count their versions, and the database tells of each change at its commit.

    The rows that there are have changed long ago: so nothing is written anew, and no cache has to hear of them all."""
    return (
        f"alter table {table} add column version bigint not null default 1, "
        "add column changed_at timestamptz not null default 'epoch'",
        f"alter table {table} alter column changed_at set default clock_timestamp()",
        f"create index {table}_changed_at on {table} (changed_at)",
        f"""
        create function {table}_counted() returns trigger language plpgsql as $$
        begin
            new.version = old.version + 1;
            new.changed_at = clock_timestamp();
            return new;
        end
        $$
        """,
        f"""
        create function {table}_told() returns trigger language plpgsql as $$
        begin
            perform pg_notify('{table}_changes', new.id || ' ' || new.version);
            return null;
        end
        $$
        """,
        f"create trigger counted before update on {table} for each row execute function {table}_counted()",
        f"create trigger told after insert or update on {table} for each row execute function {table}_told()",
    )


def changed_since(table: str) -> str:
    """A query by which PostgresChanges finds what has changed in such a table; its index answers."""
    return f"select id::text, version from {table} where changed_at > statement_timestamp() - make_interval(secs => %s)"


@runtime_checkable
class RowCache(Source, Protocol):
    """What reads rows by their ids, and is told of those that will be there in a moment."""

    async def expect(self, key: str) -> None:
        """A key will be there once the transaction under way is committed. Never fails."""
        ...


class Uncached:
    """Reads the database each time."""

    def __init__(self, load: Load) -> None:
        self._load = load

    async def read(self, key: str, at_least: int = 0) -> Kept:  # noqa: ARG002 - nothing is older than the database
        return await self._load(key) or Kept(0)

    async def expect(self, key: str) -> None:
        """Nobody need know."""


class _Known:
    def __init__(self, pool: Pool, table: str) -> None:
        self._pool = pool
        self._ids = f"select id from {table} where id > %s order by id limit %s"
        self._count = f"select greatest(reltuples, 0)::bigint from pg_class where oid = '{table}'::regclass"

    async def all(self) -> AsyncIterator[Sequence[str]]:
        after = -1
        while True:
            async with self._pool.connection() as connection:
                rows = await (await connection.execute(self._ids, (after, _AT_ONCE))).fetchall()
            if not rows:
                return
            yield [str(id) for (id,) in rows]
            after = rows[-1][0]

    async def count(self) -> int:
        async with self._pool.connection() as connection:
            row = await (await connection.execute(self._count)).fetchone()
        return 0 if row is None else int(row[0])


def row_cache(
    form: str, table: str, load: Load, pool: Pool, redis: Redis, caching: Caching, registry: CollectorRegistry
) -> Cache:
    """A cache of a table that is `versioned`. `form` names what values are kept under, with a number for their form."""
    times = caching.times(redis)
    sweep = caching.sweep.total_seconds()
    return Cache(
        form,
        redis.nodes,
        load,
        _Known(pool, table),
        PostgresChanges(pool.url, f"{table}_changes", changed_since(table), lasting=times.remembered, sweep=sweep),
        registry,
        password=None if redis.password is None else redis.password.reveal(),
        most=caching.most,
        times=times,
    )
