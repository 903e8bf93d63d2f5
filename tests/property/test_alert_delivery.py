"""The law of delivery: a notice reaches each of its channels at least once, or is a dead letter, whatever fails when."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.alerts import NOON, FakeClock, FakeOutbox, Given, alerts_of, finding, notice
from sagacity.alerts.channel import Again, Outcome, Refused, Sent, message_id
from sagacity.alerts.config import Alerts
from sagacity.alerts.delivery import Deliverer

QUIET = {"from": "12:00", "to": "12:20", "timezone": "UTC"}
ALERTS = alerts_of(
    channels={
        "team": {"kind": "log", "concurrency": 1},
        "lead": {"kind": "log", "quiet_hours": QUIET},
        "journal": {"kind": "log"},
    },
    routes=[{"channels": ["team", "journal"], "escalate": [{"after": "10m", "channels": ["lead"]}]}],
    retries={"tries": 4, "first": "1s", "longest": "1m", "give_up_after": "1h"},
)

outcomes = st.sampled_from(
    [
        Sent(),
        Again("busy"),
        Again("slow down", after=30_000_000),
        Refused("no"),
        TimeoutError(),
        ValueError("odd"),
        OSError(),
    ]
)
scripts = st.fixed_dictionaries({name: st.lists(outcomes, max_size=30) for name in ALERTS.channels})


class World:
    """A run of the worker until nothing waits, with restarts where the script has them."""

    def __init__(self, alerts: Alerts, script: dict[str, list[Outcome | Exception]], full: Iterator[bool]) -> None:
        self.alerts = alerts
        self.clock = FakeClock()
        self.outbox = FakeOutbox(lambda: next(full, False))
        self.channels = {name: Given(iter(script.get(name, []))) for name in alerts.channels}
        self.rounds = 0

    def run(self, restarts: Iterator[bool], seed: int = 0) -> None:
        asyncio.run(self._run(restarts, random.Random(seed)))

    async def _run(self, restarts: Iterator[bool], chance: random.Random) -> None:
        worker = self._worker(chance)
        while (again := self.outbox.earliest()) is not None:
            self.rounds += 1
            assert self.rounds < 2_000, "it goes on for ever"
            self.clock.at = max(self.clock.at, again)
            await worker.round()
            await worker.idle()
            if next(restarts, False):
                worker = self._worker(chance)

    def _worker(self, chance: random.Random) -> Deliverer:
        return Deliverer(self.alerts, self.channels, self.outbox.notices, self.outbox.ask, clock=self.clock, chance=chance)


@settings(max_examples=150, deadline=None)
@given(
    script=scripts,
    count=st.integers(1, 5),
    full=st.lists(st.booleans(), max_size=20),
    restarts=st.lists(st.booleans(), max_size=40),
    seed=st.integers(0, 9),
)
def test_each_notice_reaches_each_of_its_channels_or_is_a_dead_letter(
    script: dict[str, list[Outcome | Exception]], count: int, full: list[bool], restarts: list[bool], seed: int
) -> None:
    world = World(ALERTS, script, iter(full))
    for number in range(count):
        world.outbox.add(notice(number, of=finding(f"f{number}"), at=NOON + number * 1_000))
    world.run(iter(restarts), seed)
    dead = {letter.number for letter, _ in world.outbox.dead_letters(limit=100).items}
    for number, kept in world.outbox.kept.items():
        assert {(each.channel, each.step) for each in kept.deliveries} == {("team", 0), ("journal", 0), ("lead", 1)}
        for each in kept.deliveries:
            received = sum(
                message.id == message_id(kept.key, each.channel, each.step)
                for message in world.channels[each.channel].received
            )
            assert each.state in ("delivered", "dead")
            assert received >= 1 if each.state == "delivered" else number in dead
            assert received <= 1 + sum(full), "repeated although what became of it was kept"


@settings(max_examples=60, deadline=None)
@given(script=scripts, count=st.integers(1, 5), restarts=st.lists(st.booleans(), max_size=40))
def test_what_is_kept_is_not_repeated(
    script: dict[str, list[Outcome | Exception]], count: int, restarts: list[bool]
) -> None:
    world = World(ALERTS, script, iter(()))
    for number in range(count):
        world.outbox.add(notice(number, of=finding(f"f{number}")))
    world.run(iter(restarts))
    for channel in world.channels.values():
        ids = [message.id for message in channel.received]
        assert len(ids) == len(set(ids))


@settings(max_examples=40, deadline=None)
@given(script=st.lists(outcomes, max_size=30))
def test_no_channel_is_harmed_by_another(script: list[Outcome | Exception]) -> None:
    world = World(ALERTS, {"team": script}, iter(()))
    for number in range(5):
        world.outbox.add(notice(number, of=finding(f"f{number}")))
    world.run(iter(()))
    assert [message.finding.id for message in world.channels["journal"].attempts] == [f"f{n}" for n in range(5)]


@settings(max_examples=40, deadline=None)
@given(at=st.integers(0, 40), state=st.sampled_from(["acknowledged", "waived", "resolved"]))
def test_only_what_nobody_acts_on_is_escalated(at: int, state: str) -> None:
    world = World(ALERTS, {}, iter(()))
    world.outbox.add(notice())

    async def act() -> None:
        worker = world._worker(random.Random(0))
        for minute in range(60):
            world.clock.at = NOON + minute * 60_000_000
            if minute == at:
                world.outbox.stand("f1", state)  # type: ignore[arg-type]
            await worker.round()
            await worker.idle()

    asyncio.run(act())
    # The escalation is due after ten minutes, and its channel is quiet for twenty.
    assert len(world.channels["lead"].received) == (at > 20)
    assert world.outbox.earliest() is None
