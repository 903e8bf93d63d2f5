"""The tables, in numbered steps: what has been done is written down beside them, so each step is done once.

All tables are in the schema `sagacity` of the service's own database. From Alembic, run the same steps:

    for statement in upgrade(MESSAGING, 0):
        op.execute(statement)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from psycopg import AsyncConnection

from sagacity.errors import MessagingError

__all__ = ["MESSAGING", "Component", "install", "install_component", "upgrade"]

_LOCK = 7_238_110
"""An advisory lock: two that install at once do so one after the other."""


class Component(msgspec.Struct, frozen=True):
    """Tables that belong together, and the SQL of each step from nothing to now. Steps are only ever added."""

    name: str
    steps: tuple[str, ...]


MESSAGING = Component(
    "messaging",
    (
        """
        create table sagacity.outbox (
            sequence bigint generated always as identity primary key,
            bucket smallint not null,
            topic text not null,
            key text not null,
            id text not null,
            envelope bytea not null,
            since timestamptz not null default now()
        );
        create table sagacity.inbox (
            consumer text not null,
            source text not null,
            id text not null,
            answers bytea,
            since timestamptz not null default now(),
            primary key (consumer, source, id)
        );
        create index inbox_since on sagacity.inbox (since);
        create table sagacity.positions (
            consumer text not null,
            topic text not null,
            partition integer not null,
            position bigint not null,
            primary key (consumer, topic, partition)
        );
        create table sagacity.dead_letters (
            id bigint generated always as identity primary key,
            consumer text not null,
            topic text not null,
            partition integer,
            "offset" bigint,
            reason text not null,
            envelope bytea,
            key bytea,
            value bytea,
            headers bytea,
            since timestamptz not null default now(),
            redriven timestamptz,
            redriven_by text
        );
        create index dead_letters_waiting on sagacity.dead_letters (consumer, id) where redriven is null;
        """,
    ),
)


def upgrade(component: Component, version: int) -> tuple[str, ...]:
    """The statements that lead from a version (0: nothing) to the newest, the note of it included."""
    start = "create schema if not exists sagacity"
    kept = "create table if not exists sagacity.versions (component text primary key, version integer not null)"
    note = (
        f"insert into sagacity.versions values ('{component.name}', {len(component.steps)}) "
        "on conflict (component) do update set version = excluded.version"
    )
    return (start, kept, *component.steps[version:], note)


async def install(connection: AsyncConnection[Any]) -> None:
    """Make the messaging tables, or bring them up to date; as often as one likes. Commits."""
    await install_component(connection, MESSAGING)


async def install_component(connection: AsyncConnection[Any], *components: Component) -> None:
    """Make the tables of these, in this order, or bring them up to date. Commits.

    Raises MessagingError where the database is newer than this program.
    """
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        for component in components:
            version = await _version(connection, component.name)
            if version > len(component.steps):
                raise MessagingError(
                    f"the tables of {component.name} are of version {version}, this program knows {len(component.steps)}",
                    hint="upgrade sagacity here",
                )
            if version < len(component.steps):
                for statement in upgrade(component, version):
                    await connection.execute(statement.encode())
    if not connection.autocommit:
        await connection.commit()


async def _version(connection: AsyncConnection[Any], component: str) -> int:
    there = await (await connection.execute("select to_regclass('sagacity.versions') is not null")).fetchone()
    if not there or not there[0]:
        return 0
    asked = await connection.execute("select version from sagacity.versions where component = %s", (component,))
    rows: Sequence[tuple[int]] = await asked.fetchall()
    return rows[0][0] if rows else 0
