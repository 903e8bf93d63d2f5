"""The tables of sagas and of participants, in numbered steps; see `sagacity.messaging.postgres.schema` for how they run."""

from __future__ import annotations

from sagacity.messaging.postgres.schema import MESSAGING, Component, install_component
from sagacity.saga.postgres.connection import connected

__all__ = ["PARTICIPANT", "SAGAS", "install", "install_participant"]

SAGAS = Component(
    "sagas",
    (
        """
        create table sagacity.saga_definitions (
            name text not null,
            version integer not null,
            definition text not null,
            since timestamptz not null default now(),
            primary key (name, version)
        );
        create table sagacity.sagas (
            id text primary key,
            definition text not null,
            version integer not null,
            status text not null,
            revision integer not null,
            due bigint,
            started bigint not null,
            changed bigint not null,
            ended bigint,
            state text not null
        ) with (fillfactor = 70);
        create index sagas_due on sagacity.sagas (due) where due is not null;
        create index sagas_started on sagacity.sagas (started);
        create index sagas_open on sagacity.sagas (definition, version, status) where ended is null;
        create table sagacity.saga_history (
            saga text not null,
            number integer not null,
            event text not null,
            primary key (saga, number)
        );
        create table sagacity.saga_locks (
            resource text not null,
            sequence bigint generated always as identity,
            saga text not null,
            primary key (resource, sequence)
        );
        create index saga_locks_saga on sagacity.saga_locks (saga);
        create table sagacity.saga_orders (
            id bigint generated always as identity primary key,
            saga text not null,
            command text not null,
            step text,
            ordered_by text not null,
            reason text,
            since timestamptz not null default now(),
            done timestamptz,
            outcome text
        );
        create function sagacity.saga_agreed(counted bigint, expected bigint) returns boolean language plpgsql as $$
        begin
            if counted <> expected then
                raise exception 'sagas have gone on meanwhile' using errcode = 'serialization_failure';
            end if;
            return true;
        end
        $$;
        create index saga_orders_waiting on sagacity.saga_orders (id) where done is null;
        create index saga_orders_saga on sagacity.saga_orders (saga, id);
        """,
        "create table sagacity.saga_behind (replica text primary key, until timestamptz not null)",
    ),
)

PARTICIPANT = Component(
    "participant",
    (
        """
        create table sagacity.saga_barrier (
            saga text not null,
            step text not null,
            direction text not null,
            attempt integer not null,
            success boolean not null,
            data text not null,
            reason text,
            time bigint not null,
            primary key (saga, step, direction, attempt)
        );
        create index saga_barrier_time on sagacity.saga_barrier (time);
        """,
    ),
)


async def install(dsn: str) -> None:
    """Make the orchestrator's tables in a database, or bring them up to date; as often as one likes."""
    async with connected(dsn) as connection:
        await install_component(connection, MESSAGING, SAGAS)


async def install_participant(dsn: str) -> None:
    """Make a participant's tables in its own database, or bring them up to date; as often as one likes."""
    async with connected(dsn) as connection:
        await install_component(connection, MESSAGING, PARTICIPANT)
