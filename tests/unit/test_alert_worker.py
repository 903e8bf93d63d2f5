"""The worker that delivers: what it tries again, what it gives up, and how it starts and stops."""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
from collections.abc import Iterable

import pytest

from fakes.alerts import NOON, FakeClock, FakeOutbox, Given, alerts_of, finding, notice
from sagacity.alerts import backoff
from sagacity.alerts.channel import Again, Message, Outcome, Refused, Sent, message_of
from sagacity.alerts.config import Retries
from sagacity.alerts.delivery import Deliverer
from sagacity.alerts.redrive import redrive
from sagacity.ledger.live import Delivery

SECOND = 1_000_000


class Setting:
    """One channel, an outbox, a clock, and a worker between them."""

    def __init__(self, *outcomes: Outcome | Exception, rest: Outcome | None = None, **retries: object) -> None:
        after: Iterable[Outcome | Exception] = itertools.repeat(rest) if rest else ()
        self.channel = Given(itertools.chain(outcomes, after))
        self.clock = FakeClock()
        self.outbox = FakeOutbox()
        self.alerts = alerts_of(channels={"journal": {"kind": "log"}}, retries=retries)
        self.worker = Deliverer(
            self.alerts, {"journal": self.channel}, self.outbox.notices, self.outbox.ask,
            clock=self.clock, chance=random.Random(1), poll=0.01,
        )  # fmt: skip

    def at(self, seconds: float) -> int:
        """How many attempts there have been by then."""

        async def look() -> None:
            await self.worker.round()
            await self.worker.idle()

        self.clock.at = NOON + int(seconds * SECOND)
        asyncio.run(look())
        return len(self.channel.attempts)


def test_what_fails_is_tried_again_after_a_longer_time_each() -> None:
    setting = Setting(Again("busy"), Again("busy"))
    setting.outbox.add(notice())
    assert [setting.at(seconds) for seconds in (0, 0.4, 1.1, 1.2, 3.2)] == [1, 1, 2, 2, 3]
    assert setting.outbox.earliest() is None
    assert len({message.id for message in setting.channel.attempts}) == 1


def test_a_receiver_that_asks_to_be_left_alone_is() -> None:
    setting = Setting(Again("answered 429", after=60 * SECOND))
    setting.outbox.add(notice(1))
    setting.outbox.add(notice(2, of=finding("f2"), at=NOON + 5 * SECOND))
    assert [setting.at(seconds) for seconds in (0, 5, 59)] == [1, 1, 1]
    assert setting.at(62) == 3


def test_a_refusal_is_a_dead_letter_at_once_and_can_be_redriven() -> None:
    setting = Setting(Refused("answered 410"))
    setting.outbox.add(notice())
    assert setting.at(0) == 1
    ((letter, why),) = setting.outbox.dead_letters().items
    assert why == "journal: answered 410"
    assert redrive(setting.outbox, NOON, [99]) == 0  # type: ignore[arg-type]
    assert redrive(setting.outbox, NOON) == 1  # type: ignore[arg-type]
    assert setting.at(1) == 2
    assert setting.outbox.dead_letters().items == ()
    assert [message.id for message in setting.channel.received] == [message_of(letter, "journal", 0, None).id]


def test_redriving_tells_no_channel_twice() -> None:
    setting = Setting()
    reached = Delivery(channel="other", state="delivered", since=NOON, again=NOON, tries=1)
    lost = Delivery(channel="journal", state="dead", since=NOON, again=NOON, tries=9, error="no")
    setting.outbox.add(notice())
    setting.outbox.settle([backoff.settled(notice(), (reached, lost))])
    assert redrive(setting.outbox, NOON + SECOND) == 1  # type: ignore[arg-type]
    kept = {each.channel: each for each in setting.outbox.kept[1].deliveries}
    assert kept["other"] == reached
    assert (kept["journal"].state, kept["journal"].tries) == ("waiting", 0)


def test_after_so_many_tries_it_is_a_dead_letter() -> None:
    setting = Setting(rest=Again("busy"), tries=3, longest="1s")
    setting.outbox.add(notice())
    assert [setting.at(seconds) for seconds in range(0, 60, 5)][-1] == 3
    assert [why for _, why in setting.outbox.dead_letters().items] == ["journal: busy"]


def test_after_so_long_it_is_a_dead_letter_although_its_channel_was_hardly_tried() -> None:
    setting = Setting(rest=Again("busy"), tries=100, give_up_after="1h", longest="30m")
    for number in range(40):
        setting.outbox.add(notice(number, of=finding(f"f{number}")))
    attempts = [setting.at(minutes * 60) for minutes in range(150)][-1]
    assert attempts < 40 * 12
    assert len(setting.outbox.dead_letters(limit=100).items) == 40


def test_a_channel_that_is_gone_from_the_configuration_leaves_a_dead_letter() -> None:
    setting = Setting()
    gone = Delivery(channel="gone", since=NOON, again=NOON)
    setting.outbox.add(notice())
    setting.outbox.settle([backoff.settled(notice(), (gone,))])
    assert setting.at(0) == 0
    assert [why for _, why in setting.outbox.dead_letters().items] == ["gone: there is no channel 'gone' any more"]


def test_a_full_ledger_delays_the_note_and_repeats_nothing() -> None:
    setting = Setting()
    full = iter([True, True, True])
    setting.outbox.full = lambda: next(full, False)
    setting.outbox.add(notice())
    assert [setting.at(seconds) for seconds in (0, 1, 2, 3)] == [1, 1, 1, 1]
    assert setting.outbox.earliest() is None


def test_an_outbox_that_cannot_be_read_is_read_again() -> None:
    setting = Setting()
    setting.outbox.add(notice())
    states, setting.outbox.states = setting.outbox.states, {}
    assert setting.at(0) == 0
    setting.outbox.states = states
    assert setting.at(1) == 1


def test_the_states_say_how_a_channel_does() -> None:
    setting = Setting(rest=Again("busy"))
    for number in range(3):
        setting.outbox.add(notice(number, of=finding(f"f{number}")))
    setting.at(0)
    (state,) = setting.worker.states()
    assert (state.channel, state.failures, state.error, state.under_way) == ("journal", 3, "busy", 0)
    assert state.paused is not None
    assert state.paused > NOON


@pytest.mark.parametrize("failures", [1, 2, 5, 12, 100])
def test_the_wait_doubles_within_its_bounds(failures: int) -> None:
    retries = Retries()
    longest = min(retries.first * 2 ** (failures - 1), retries.longest)
    assert backoff.wait(retries, failures, 0.0) == longest
    assert backoff.wait(retries, failures, 1.0) == longest // 2


def test_what_the_receiver_asks_for_holds_for_the_delivery_itself() -> None:
    waiting = Delivery(channel="journal", since=NOON, again=NOON)
    asked = backoff.after(waiting, Again("answered 429", after=60 * SECOND), Retries(), NOON, 0.5)
    assert (asked.again, asked.tries) == (NOON + 60 * SECOND, 1)
    sooner = backoff.after(waiting, Again("answered 503", after=1), Retries(), NOON, 0.0)
    assert sooner.again == NOON + SECOND


class Slow(Given):
    """Never answers; says when it was first asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()
        self.closed = False

    async def send(self, message: Message, now: int) -> Outcome:
        del now
        self.attempts.append(message)
        self.asked.set()
        await asyncio.Event().wait()
        return Sent()

    async def close(self) -> None:
        self.closed = True


def test_it_stops_although_a_channel_hangs_and_tells_it_again_after_the_start() -> None:
    outbox, slow, quick = FakeOutbox(), Slow(), Given()
    alerts = alerts_of(channels={"slow": {"kind": "log"}, "quick": {"kind": "log"}}, default={"channels": ["slow", "quick"]})
    worker = Deliverer(alerts, {"slow": slow, "quick": quick}, outbox.notices, outbox.ask, clock=FakeClock(NOON), poll=0.01)
    outbox.add(notice())
    thread = threading.Thread(target=worker.run)
    thread.start()
    assert slow.asked.wait(20)
    worker.stop()
    thread.join(20)
    assert not thread.is_alive()
    assert slow.closed
    assert {(each.channel, each.state) for each in outbox.kept[1].deliveries} == {
        ("slow", "waiting"),
        ("quick", "delivered"),
    }
    assert [each.number for each in outbox.notices(NOON)] == [1]


def test_a_notice_that_comes_while_it_runs_is_delivered_when_it_is_woken() -> None:
    outbox, channel = FakeOutbox(), Slow()
    alerts = alerts_of(channels={"journal": {"kind": "log"}})
    worker = Deliverer(alerts, {"journal": channel}, outbox.notices, outbox.ask, clock=FakeClock(NOON), poll=3600)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        outbox.add(notice())
        while not channel.asked.wait(0.02):
            worker.wake()
    finally:
        worker.stop()
        thread.join(20)
    assert [message.finding.id for message in channel.attempts] == ["f1"]


class Counting(Given):
    """Knows how many messages it has had in hand at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.most = 0

    async def send(self, message: Message, now: int) -> Outcome:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        return await super().send(message, now)


def test_no_more_attempts_at_a_time_than_the_channel_takes() -> None:
    outbox, channel = FakeOutbox(), Counting()
    alerts = alerts_of(channels={"journal": {"kind": "log", "concurrency": 3}})
    worker = Deliverer(alerts, {"journal": channel}, outbox.notices, outbox.ask, clock=FakeClock())
    for number in range(30):
        outbox.add(notice(number, of=finding(f"f{number}")))

    async def look() -> None:
        await worker.round()
        await worker.idle()

    asyncio.run(look())
    assert (channel.most, len(channel.received)) == (3, 30)


def test_what_is_under_way_is_not_begun_again() -> None:
    outbox, slow = FakeOutbox(), Slow()
    alerts = alerts_of(channels={"journal": {"kind": "log"}})
    worker = Deliverer(alerts, {"journal": slow}, outbox.notices, outbox.ask, clock=FakeClock())
    outbox.add(notice())

    async def look() -> None:
        for _ in range(5):
            await worker.round()
            await asyncio.sleep(0)
        await worker.close()

    asyncio.run(look())
    assert len(slow.attempts) == 1


def test_a_channel_that_hangs_does_not_keep_a_storm_from_the_others() -> None:
    outbox, slow, quick, clock = FakeOutbox(), Slow(), Given(), FakeClock()
    alerts = alerts_of(channels={"slow": {"kind": "log"}, "quick": {"kind": "log"}}, default={"channels": ["slow", "quick"]})
    worker = Deliverer(alerts, {"slow": slow, "quick": quick}, outbox.notices, outbox.ask, clock=clock)
    for number in range(1_000):
        outbox.add(notice(number, of=finding(f"f{number}")))

    async def look() -> None:
        for _ in range(60):
            clock.at += SECOND // 10
            await worker.round()
            for _ in range(100):
                await asyncio.sleep(0)
        await worker.close()

    asyncio.run(look())
    assert len(slow.attempts) == 4
    assert len(quick.received) == 1_000
    assert outbox.dead_letters().items == ()


def test_a_mistake_in_one_round_does_not_end_the_worker() -> None:
    outbox, channel = FakeOutbox(), Slow()
    alerts = alerts_of(channels={"journal": {"kind": "log"}})
    clock = Stumbling()
    worker = Deliverer(alerts, {"journal": channel}, outbox.notices, outbox.ask, clock=clock, poll=0.01)
    outbox.add(notice())
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        assert channel.asked.wait(20)
    finally:
        worker.stop()
        thread.join(20)
    assert clock.stumbled


class Stumbling(FakeClock):
    """Fails when it is first asked."""

    stumbled = False

    def now(self) -> int:
        if not self.stumbled:
            self.stumbled = True
            raise RuntimeError("no time")
        return super().now()
