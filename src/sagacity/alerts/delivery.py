"""The worker that delivers notices: each to each of its channels, at least once, or a dead letter says why not.

The outbox is the ledger's. What became of a notice on a channel is written there after each attempt, so that a restart
repeats at most the attempts that were under way, with the same idempotency keys. Channels do not wait for each other: each
has its own slots, its own count of failures, and its own pause. The order of notices is not kept.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import TypeAlias

import msgspec
import structlog

from sagacity.alerts import backoff
from sagacity.alerts.channel import Again, Outcome, Sender, Sent, message_of
from sagacity.alerts.config import Alerts
from sagacity.alerts.routes import planned, verdict
from sagacity.ledger.live import Delivery, LiveLedger, Notice
from sagacity.reconcile.clock import Clock
from sagacity.workflow.durations import UNITS

__all__ = ["Ask", "ChannelState", "Deliverer"]

Ask: TypeAlias = Callable[[Callable[[LiveLedger], None]], "Future[None]"]
"""Has the thread that writes to the ledger do something, as `Live.ask` does."""

_BATCH = 200
_QUEUE = 512
_SHORTEST, _LONGEST = 50 * UNITS["ms"], 30 * UNITS["s"]
_GRACE = 1.0


class ChannelState(msgspec.Struct, frozen=True, kw_only=True):
    """How a channel does since the start. `failures` in a row; `paused` is the instant until which it is left alone."""

    channel: str
    under_way: int
    delivered: int
    dead: int
    failures: int
    paused: int | None
    error: str | None


class _Lane:
    """A channel in use."""

    def __init__(self, sender: Sender, concurrency: int) -> None:
        self.sender = sender
        self.slots = asyncio.Semaphore(concurrency)
        self.queued = 0
        self.since = 0
        self.pace = 0
        self.delivered = 0
        self.dead = 0
        self.failures = 0
        self.until = 0
        self.error: str | None = None

    def enter(self, now: int) -> None:
        """One more is under way, or waits for a slot."""
        if not self.queued:
            self.since = now
        self.queued += 1

    def leave(self, now: int) -> None:
        """One less. How long that took is averaged, so that what finds the channel busy knows when to come again."""
        self.queued -= 1
        self.pace = (3 * self.pace + now - self.since) // 4
        self.since = now

    def free(self, now: int) -> int:
        """When those that are under way will about be done."""
        return now + min(max(self.queued * self.pace, now - self.since, _SHORTEST), _LONGEST)


class _Held:
    """A notice in hand: what is known here goes before what the ledger says, until it has been written."""

    def __init__(self, notice: Notice, deliveries: Iterable[Delivery]) -> None:
        self.notice = notice
        self.deliveries = {(each.channel, each.step): each for each in deliveries}
        self.flying: set[tuple[str, int]] = set()
        self.unwritten = not notice.deliveries
        self.writing = 0


class Deliverer:
    """Delivers what is due, round after round.

    `notices` reads the outbox (`LiveLedger.notices`), `ask` writes to it. `poll` is the longest time in seconds between two
    looks at it; `wake`, from any thread, has it look at once.
    """

    def __init__(
        self,
        alerts: Alerts,
        senders: Mapping[str, Sender],
        notices: Callable[[int, int], Sequence[Notice]],
        ask: Ask,
        *,
        clock: Clock,
        chance: random.Random | None = None,
        poll: float = 0.25,
    ) -> None:
        self._alerts = alerts
        self._lanes = {name: _Lane(sender, alerts.channels[name].concurrency) for name, sender in senders.items()}
        self._notices = notices
        self._ask = ask
        self._clock = clock
        self._chance = chance or random.Random()
        self._poll = poll
        self._held: dict[int, _Held] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self._log = structlog.get_logger("sagacity.alerts")

    def run(self) -> None:
        """Round after round until `stop`."""
        asyncio.run(self._run())

    def wake(self, *_: object) -> None:
        """Look at the outbox at once. Takes and ignores what a listener of `Live` is told."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._woken.set)

    def stop(self) -> None:
        """Have `run` end: what is under way gets a second, and is delivered again after the next start if that is too
        little."""
        self._stopped.set()
        self.wake()

    def states(self) -> tuple[ChannelState, ...]:
        """How each channel does. From any thread."""
        now = self._clock.now()
        return tuple(
            ChannelState(
                channel=name,
                under_way=lane.queued,
                delivered=lane.delivered,
                dead=lane.dead,
                failures=lane.failures,
                paused=lane.until if lane.until > now else None,
                error=lane.error,
            )
            for name, lane in self._lanes.items()
        )

    async def round(self) -> None:
        """Take what is due, start what is to be delivered now, and write what became of the rest."""
        self._held = {number: held for number, held in self._held.items() if held.flying or held.unwritten or held.writing}
        now = self._clock.now()
        try:
            due = self._notices(now, len(self._held) + _BATCH)
        except Exception as error:
            self._log.warning("notices cannot be read", error=str(error))
            due = []
        for notice in due:
            held = self._held.get(notice.number)
            if held is None:
                held = _Held(notice, notice.deliveries or planned(self._alerts, notice, now))
                self._held[notice.number] = held
            held.notice = notice
        for held in self._held.values():
            for delivery in tuple(held.deliveries.values()):
                if delivery.state == "waiting" and delivery.again <= now:
                    self._consider(held, delivery, now)
        await self._write([held for held in self._held.values() if held.unwritten and not held.writing])

    async def idle(self) -> None:
        """Wait until nothing is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Let go of channels, after what is under way has had its second."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=_GRACE)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for lane in self._lanes.values():
            await lane.sender.close()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        rounds: asyncio.Task[None] | None = None
        try:
            while not self._stopped.is_set():
                self._woken.clear()
                # A ledger that does not answer must not keep the worker from stopping.
                rounds = rounds or asyncio.create_task(self.round())
                woken = asyncio.create_task(self._woken.wait())
                await asyncio.wait({woken}, timeout=self._poll)
                woken.cancel()
                if rounds.done():
                    if error := rounds.exception():
                        self._log.error("alerts stumbled", error=f"{type(error).__name__}: {error}")
                    rounds = None
        finally:
            if rounds is not None and not rounds.done():
                await asyncio.wait({rounds}, timeout=_GRACE)
                rounds.cancel()
            await self.close()

    def _consider(self, held: _Held, delivery: Delivery, now: int) -> None:
        key = (delivery.channel, delivery.step)
        if key in held.flying:
            return
        lane = self._lanes.get(delivery.channel)
        if lane is None:
            why = f"there is no channel {delivery.channel!r} any more"
            self._change(held, msgspec.structs.replace(delivery, state="dead", error=why))
            return
        decision = verdict(self._alerts, held.notice, delivery, now)
        if decision.decided == "drop":
            self._change(held, msgspec.structs.replace(delivery, state="dropped", error=decision.reason))
        elif decision.decided == "defer":
            self._change(held, msgspec.structs.replace(delivery, again=decision.at))
        elif lane.until > now:
            self._change(held, self._postponed(delivery, lane.until, lane.error, now))
        elif lane.queued >= _QUEUE:
            self._change(held, backoff.postponed(delivery, lane.free(now), None, self._alerts.retries, now))
        else:
            held.flying.add(key)
            lane.enter(now)
            task = asyncio.get_running_loop().create_task(self._deliver(held, delivery, lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _deliver(self, held: _Held, delivery: Delivery, lane: _Lane) -> None:
        try:
            async with lane.slots:
                if (now := self._clock.now()) < lane.until:
                    changed = self._postponed(delivery, lane.until, lane.error, now)
                else:
                    changed = self._noted(lane, delivery, await self._attempt(held.notice, delivery, lane, now))
            self._change(held, changed)
        finally:
            held.flying.discard((delivery.channel, delivery.step))
            lane.leave(self._clock.now())
        await self._write([held])
        self.wake()

    async def _attempt(self, notice: Notice, delivery: Delivery, lane: _Lane, now: int) -> Outcome:
        try:
            message = message_of(notice, delivery.channel, delivery.step, self._alerts.public_url)
            return await lane.sender.send(message, now)
        except Exception as error:  # whatever a channel does, the others go on; its words might hold a secret
            return Again(f"failed with {type(error).__name__}")

    def _noted(self, lane: _Lane, delivery: Delivery, outcome: Outcome) -> Delivery:
        """What an attempt says of the delivery, and of its channel."""
        now, retries = self._clock.now(), self._alerts.retries
        changed = backoff.after(delivery, outcome, retries, now, self._chance.random())
        if isinstance(outcome, Sent):
            lane.failures, lane.until, lane.error = 0, 0, None
            lane.delivered += 1
            return changed
        lane.error = outcome.why
        if isinstance(outcome, Again):
            lane.failures += 1
            lane.until = max(lane.until, now + backoff.pause(lane.failures, outcome, retries, self._chance.random()))
        return changed

    def _postponed(self, delivery: Delivery, until: int, why: str | None, now: int) -> Delivery:
        retries = self._alerts.retries
        return backoff.postponed(delivery, until + int(retries.first * self._chance.random()), why, retries, now)

    def _change(self, held: _Held, changed: Delivery) -> None:
        held.deliveries[changed.channel, changed.step] = changed
        held.unwritten = True
        if changed.state == "dead":
            if lane := self._lanes.get(changed.channel):
                lane.dead += 1
            self._log.error(
                "notice not delivered", channel=changed.channel, notice=held.notice.number, tries=changed.tries,
                error=changed.error,
            )  # fmt: skip

    async def _write(self, these: Sequence[_Held]) -> None:
        """Have the ledger keep what is known of these notices. What it cannot keep now is written again in a later round."""
        if not these:
            return
        settled = [backoff.settled(held.notice, tuple(held.deliveries.values())) for held in these]
        for held in these:
            held.unwritten = False
            held.writing += 1
        try:
            await asyncio.wrap_future(self._ask(lambda ledger: ledger.settle(settled)))
        except BaseException as error:
            for held in these:
                held.unwritten = True
            if not isinstance(error, Exception):
                raise
            self._log.warning("deliveries cannot be noted", error=str(error))
        finally:
            for held in these:
                held.writing -= 1
