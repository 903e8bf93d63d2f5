"""Forgetting what is long over, so that tables stay bounded. Nothing here runs by itself.

Times are microseconds since 1970, UTC. Each call forgets at most so many, the oldest first, so that it never takes long:
call it again until it says 0.
"""

from __future__ import annotations

from sagacity.saga.postgres.connection import Connection

__all__ = ["forget_answers", "forget_sagas"]

_SAGAS = """
with gone as (
    delete from sagacity.sagas where id in (
        select id from sagacity.sagas where ended < %(before)s and started < %(before)s
        order by started limit %(most)s for update skip locked
    ) returning id
),
told as (
    delete from sagacity.saga_history where saga in (select id from gone)
)
select count(*) from gone
"""
_ANSWERS = """
delete from sagacity.saga_barrier where (saga, step, direction, attempt) in (
    select saga, step, direction, attempt from sagacity.saga_barrier where time < %s order by time limit %s
    for update skip locked
)
"""


async def forget_sagas(connection: Connection, before: int, most: int = 1000) -> int:
    """Forget sagas that ended before an instant, with their history; how many. Operators' orders are kept.

    A saga that is started again under the id of one that is forgotten is a new saga.
    """
    row = await (await connection.execute(_SAGAS, {"before": before, "most": most})).fetchone()
    return 0 if row is None else int(row[0])


async def forget_answers(connection: Connection, before: int, most: int = 1000) -> int:
    """Forget what a participant answered before an instant; how many.

    A command that is redelivered after that is done again, and a step that is to be undone after that counts as never done:
    its compensation succeeds, and undoes nothing. So keep answers for longer than topics keep messages, and than any saga
    takes, one that is parked included.
    """
    return (await connection.execute(_ANSWERS, (before, most))).rowcount
