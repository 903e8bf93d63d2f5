"""One transaction of a participant: commands held against the barrier, handlers run, answers kept and sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import msgspec

from sagacity.messaging import Delivery, Envelope, Message, Partition, Unreadable
from sagacity.messaging.postgres import dead_letters, outbox, positions
from sagacity.saga.barrier import rule
from sagacity.saga.handlers import Unfit
from sagacity.saga.handling import Host, Passing, handle, may_pass
from sagacity.saga.messages import Address, Failure, address, reply
from sagacity.saga.postgres import barrier
from sagacity.saga.postgres.barrier import Answered
from sagacity.saga.postgres.connection import Connection, Held, Lasting

__all__ = ["Performance", "perform"]

_LONG_ENOUGH = 1_000_000
"""Microseconds."""
Moves = Mapping[Partition, tuple[int | None, int]]


class Performance(msgspec.Struct):
    """What one transaction has done: so many deliveries, from the first, are settled; `failed` says why the next is not, if
    a handler has failed on it."""

    settled: int = 0
    replies: list[Envelope] = []
    counts: Counter[str] = msgspec.field(default_factory=Counter)
    failed: str | None = None


async def perform(
    host: Host,
    lasting: Lasting,
    deliveries: Sequence[Delivery],
    moves: Callable[[int], Moves],
    *,
    by_broker: bool = True,
    bury: str | None = None,
) -> Performance:
    """Settle deliveries, from the first to that on which a handler fails for what may pass, in one transaction; no more
    after the first second, so that those who wait for the first replies have them before their patience ends.

    `moves` gives the positions to be moved on once so many are settled. `bury`: these become dead letters, for this reason.
    Raises FencedError and StoreError; nothing is kept then.
    """
    done = Performance()
    began = host.clock()
    addressed = [_address(each) for each in deliveries]
    steps = [] if bury is not None else [(each.saga, each.step) for each in addressed if isinstance(each, Address)]
    async with lasting.borrowed() as connection:
        async with connection.pipeline():
            await connection.execute("begin")
            answered = await barrier.hold(connection, steps)
        stage = _Stage(host, connection, answered)
        for delivery, where in zip(deliveries, addressed, strict=True):
            try:
                await stage.settle(delivery, where, bury)
            except Passing as failure:
                done.failed = str(failure)
                break
            done.settled += 1
            if host.clock() - began > _LONG_ENOUGH:
                break
        async with connection.pipeline():
            await stage.write(moves(done.settled), by_broker=by_broker)
            await connection.execute("commit")
    done.replies, done.counts = stage.replies, stage.counts
    return done


def _address(delivery: Delivery) -> Address | str:
    """Which saga and step a delivery is of; or why it is of none."""
    if isinstance(delivery.content, Unreadable):
        return delivery.content.reason
    where = address(delivery.content)
    return "it is no saga's command: it has no attributes sagaid, sagastep and so on" if where is None else where


class _Stage:
    """A transaction under way: what stands of the steps, and what is to be written at its end."""

    def __init__(self, host: Host, connection: Connection, answered: Sequence[Answered]) -> None:
        self.replies: list[Envelope] = []
        self.counts: Counter[str] = Counter()
        self._host = host
        self._connection = connection
        self._held = Held(connection, begun=True)
        self._known: dict[tuple[str, str], list[Answered]] = {}
        self._new: list[Answered] = []
        self._answers: list[Message] = []
        self._notices: list[Message] = []
        self._buried: list[tuple[Delivery, str]] = []
        for each in answered:
            self._known.setdefault((each.saga, each.step), []).append(each)

    async def settle(self, delivery: Delivery, where: Address | str, bury: str | None) -> None:
        if bury is not None or isinstance(where, str):
            self._buried.append((delivery, bury or str(where)))
            return
        assert isinstance(delivery.content, Envelope)
        try:
            answer = await self._answer(delivery.content, where)
        except Unfit as unfit:
            self._buried.append((delivery, str(unfit)))
            return
        answered = reply_of(delivery.content, self._host.source, answer)
        self.replies.append(answered)
        if delivery.content.reply_to is not None:
            self._answers.append(Message(delivery.content.reply_to, answered))

    async def write(self, moves: Moves, *, by_broker: bool) -> None:
        await barrier.keep(self._connection, self._new)
        for delivery, reason in self._buried:
            self.counts["buried"] += 1
            await dead_letters.bury(self._connection, self._host.name, delivery, reason)
            if self._host.dead_letters is not None:
                now = self._host.clock()
                told = dead_letters.as_message(self._host.dead_letters, self._host.name, delivery, reason, now)
                self._notices.append(told)
        await outbox.send(self._connection, [*self._answers, *self._notices] if by_broker else self._notices)
        await positions.move(self._connection, self._host.name, moves)

    async def _answer(self, command: Envelope, where: Address) -> Answered:
        known = self._known.setdefault((where.saga, where.step), [])
        ruling = rule([each.standing for each in known], where.direction, where.attempt)
        if ruling.action == "answer":
            self.counts["answered again"] += 1
            return next(each for each in known if each.standing == ruling.answer)
        standing = ruling.answer
        if standing is None:
            standing = await handle(self._host, command, where, self._held)
            self.counts["done" if standing.success else "failed"] += 1
        else:
            self.counts["refused" if ruling.action == "refuse" else "recorded"] += 1
        answered = Answered(where.saga, where.step, standing, self._host.clock())
        known.append(answered)
        self._new.append(answered)
        return answered


def reply_of(command: Envelope, source: str, answered: Answered) -> Envelope:
    """The reply that says what was answered; the same each time. A failure's data says whether it is thought passing."""
    standing = answered.standing
    if standing.success:
        return reply(command, source, answered.time, data=standing.data)
    failure = Failure(standing.reason or "no reason given", transient=may_pass(standing))
    return reply(command, source, answered.time, failure=failure)
