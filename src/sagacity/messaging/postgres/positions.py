"""How far topics have been read: kept in the transaction of what was done with it, and fenced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import AsyncConnection

from sagacity.errors import FencedError
from sagacity.messaging.subscriber import Partition

__all__ = ["move", "read"]

_READ = """
select topic, partition, position from sagacity.positions
join unnest(%b::text[], %b::integer[]) as asked (topic, partition) using (topic, partition)
where consumer = %b
"""
_MOVE = """
with given as (
    select * from unnest(%b::text[], %b::integer[], %b::bigint[], %b::bigint[]) as given (topic, partition, was, at)
),
moved as (
    update sagacity.positions as kept set position = given.at from given
    where kept.consumer = %b and kept.topic = given.topic and kept.partition = given.partition
        and kept.position = given.was
    returning 1
),
begun as (
    insert into sagacity.positions (consumer, topic, partition, position)
    select %b, topic, partition, at from given where was = -1
    on conflict do nothing
    returning 1
)
select (select count(*) from moved) + (select count(*) from begun)
"""


async def read(connection: AsyncConnection[Any], consumer: str, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
    """The next offset to be read of each partition that this consumer has one of."""
    if not partitions:
        return {}
    topics, numbers = [topic for topic, _ in partitions], [number for _, number in partitions]
    rows = await (await connection.execute(_READ, (topics, numbers, consumer))).fetchall()
    return {(topic, number): position for topic, number, position in rows}


async def move(connection: AsyncConnection[Any], consumer: str, moves: Mapping[Partition, tuple[int | None, int]]) -> None:
    """Move positions on, each from where it was left (None: there was none) to the next offset to be read.

    Raises FencedError where one is no longer there: another member has taken the partition over, and the transaction must
    be rolled back, or what it holds would be done twice.
    """
    if not moves:
        return
    ordered = sorted(moves.items())
    given = (
        [topic for (topic, _), _ in ordered],
        [number for (_, number), _ in ordered],
        [-1 if was is None else was for _, (was, _) in ordered],
        [at for _, (_, at) in ordered],
    )
    row = await (await connection.execute(_MOVE, (*given, consumer, consumer))).fetchone()
    if row is None or row[0] != len(ordered):
        where = ", ".join(f"{topic}/{number}" for topic, number in moves)
        raise FencedError(
            f"{consumer}: not all of {where} are where they were left; another member has moved them on, or a commit's "
            "answer was lost",
            hint="nothing of the transaction is kept; what is still this member's is read again",
        )
