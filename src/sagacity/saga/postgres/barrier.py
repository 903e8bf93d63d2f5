"""What a participant has answered to each command, kept in its own database in the transaction of the handler's effects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b

import msgspec

from sagacity.saga.barrier import Standing
from sagacity.saga.postgres.connection import Connection

__all__ = ["Answered", "hold", "keep"]

_HOLD = """
select pg_advisory_xact_lock(number) from unnest(%b::bigint[]) as number
"""
_STANDING = """
select kept.saga, kept.step, kept.direction, kept.attempt, kept.success, kept.data, kept.reason, kept.time
from sagacity.saga_barrier as kept
join unnest(%b::text[], %b::text[]) as asked (saga, step) on asked.saga = kept.saga and asked.step = kept.step
"""
_KEEP = """
insert into sagacity.saga_barrier (saga, step, direction, attempt, success, data, reason, time)
select * from unnest(
    %b::text[], %b::text[], %b::text[], %b::integer[], %b::boolean[], %b::text[], %b::text[], %b::bigint[]
)
"""


class Answered(msgspec.Struct, frozen=True):
    """What was answered to a command of a saga's step, and when: microseconds since 1970, UTC."""

    saga: str
    step: str
    standing: Standing
    time: int


async def hold(connection: Connection, steps: Iterable[tuple[str, str]]) -> list[Answered]:
    """What stands of these steps of sagas. All others are held off them until the transaction ends."""
    wanted = sorted(set(steps))
    if not wanted:
        return []
    await connection.execute(_HOLD, (sorted(_number(saga, step) for saga, step in wanted),))
    asked = await connection.execute(_STANDING, ([saga for saga, _ in wanted], [step for _, step in wanted]))
    return [
        Answered(saga, step, Standing(direction, attempt, success, msgspec.Raw(data.encode()), reason), time)
        for saga, step, direction, attempt, success, data, reason, time in await asked.fetchall()
    ]


async def keep(connection: Connection, answers: Sequence[Answered]) -> None:
    """Keep what was answered."""
    if answers:
        columns = (
            [each.saga for each in answers],
            [each.step for each in answers],
            [each.standing.direction for each in answers],
            [each.standing.attempt for each in answers],
            [each.standing.success for each in answers],
            [bytes(each.standing.data).decode() for each in answers],
            [each.standing.reason for each in answers],
            [each.time for each in answers],
        )
        await connection.execute(_KEEP, columns)


def _number(saga: str, step: str) -> int:
    digest = blake2b(f"{saga}/{step}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
