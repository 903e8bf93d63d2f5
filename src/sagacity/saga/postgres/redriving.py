"""Dead letters done again, whichever way they came.

A command of a saga that is kept here goes by its orchestrator, which knows whether a broker leads to its participant or
whether that is in the orchestrator's own process, and whether the command is still awaited. Everything else goes by the
outbox, to the topic that it came from.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sagacity.errors import UsageError
from sagacity.messaging.postgres import dead_letters
from sagacity.messaging.postgres.outbox import read_envelope
from sagacity.saga.identity import read_command_id
from sagacity.saga.messages import address
from sagacity.saga.postgres import orders
from sagacity.saga.postgres.connection import Connection

__all__ = ["Redriven", "redrive"]

_TAKE = """
select id, topic, envelope from sagacity.dead_letters where id = any(%s) and redriven is null order by id for update
"""
_DONE = "update sagacity.dead_letters set redriven = now(), redriven_by = %s where id = any(%s)"
_THERE = "select to_regclass('sagacity.sagas') is not null"
_SAGAS = "select id from sagacity.sagas where id = any(%s)"


class Redriven(msgspec.Struct, frozen=True):
    """How many go by the outbox, and the numbers of the orders by which the others are done. `left` are the numbers of dead
    letters that cannot be done again, where such are left out."""

    sent: int
    ordered: tuple[int, ...]
    left: tuple[int, ...] = ()


async def redrive(connection: Connection, numbers: Sequence[int], by: str, *, possible: bool = False) -> Redriven:
    """Have these done again, in the connection's transaction. Those that were redriven before, or are not there, are left
    out; with `possible`, so are those that cannot be.

    Otherwise raises UsageError for one that cannot be: it is no envelope, or came by no topic for a saga that is not kept
    here.
    """
    rows = await (await connection.execute(_TAKE, (list(numbers),))).fetchall()
    commands = {}
    for number, _, envelope in rows:
        if envelope is not None and (found := _command(envelope)) is not None:
            commands[number] = found
    here = await _kept(connection, [saga for saga, _ in commands.values()])
    placed = []
    for number, (saga, step) in commands.items():
        if saga in here:
            reason = f"dead letter {number}"
            placed.append((number, await orders.place(connection, saga, "redrive", by=by, step=step, reason=reason)))
    await connection.execute(_DONE, (by, [number for number, _ in placed]))
    ordered = {number for number, _ in placed}
    left: set[int] = set()
    if possible:
        left = {number for number, topic, envelope in rows if number not in ordered and (not topic or envelope is None)}
    others = [(number, topic) for number, topic, _ in rows if number not in ordered | left]
    if nowhere := [str(number) for number, topic in others if not topic]:
        raise UsageError(
            f"dead letter {', '.join(nowhere)}: handed over within a process, for a saga that is not kept in this database",
            hint="its saga gives the command again when the step times out; once it is parked: sagacity saga retry",
        )
    sent = await dead_letters.redrive(connection, [number for number, _ in others], by)
    return Redriven(sent, tuple(n for _, n in placed), tuple(sorted(left)))


def _command(envelope: bytes) -> tuple[str, str] | None:
    """The saga and step whose command an envelope is; None where it is none."""
    read = read_envelope(envelope)
    where = address(read)
    return None if where is None or read_command_id(read.id) is None else (where.saga, where.step)


async def _kept(connection: Connection, ids: Sequence[str]) -> set[str]:
    there = await (await connection.execute(_THERE)).fetchone()
    if not ids or there is None or not there[0]:
        return set()
    return {row[0] for row in await (await connection.execute(_SAGAS, (list(ids),))).fetchall()}
