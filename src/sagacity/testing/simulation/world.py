"""The world of one seed: who acts next, what goes wrong, how time passes. Everything is drawn from the seed."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from random import Random

import msgspec

from sagacity.errors import UsageError
from sagacity.messaging import Envelope, Message
from sagacity.saga.happenings import Order, Ordered
from sagacity.saga.state import Direction, SagaState
from sagacity.saga.transitions import PARKED
from sagacity.testing.simulation.broker import Broker, UnpublishedError
from sagacity.testing.simulation.laws import BrokenError, Laws
from sagacity.testing.simulation.orchestrator import STARTS, Orchestrator
from sagacity.testing.simulation.participant import Participant, PassingError
from sagacity.testing.simulation.scenario import SECOND, Faults, Manner, Scenario, scenario
from sagacity.testing.simulation.store import FencedError, Store

__all__ = ["Run", "World", "simulate"]

_TURNS = 20_000
"""More than any saga can need: a system that is still busy after so many turns never comes to rest."""

_EPOCH = 1_700_000_000 * SECOND


class CrashError(Exception):
    """The process that acts has died; what it has not committed is gone."""


class Run(msgspec.Struct, frozen=True):
    """What came of a seed: the sagas as they ended, the messages by topic, and the schedule, a line for each thing that
    was done. `effects` are what participants did in their databases: step, saga, do or undo, time. `moves` are the steps'
    kinds, with the statuses that they went from and to. `broken` says which law did not hold."""

    scenario: Scenario
    sagas: dict[str, SagaState]
    topics: dict[str, list[Envelope]]
    effects: tuple[tuple[str, str, Direction, int], ...]
    turns: int
    moves: frozenset[tuple[str, str, str]]
    schedule: tuple[str, ...]
    broken: str | None


def simulate(seed: int, *, record: bool = False) -> Run:
    """Run a seed until nothing moves any more. The same seed gives the same run; `record` writes its schedule down."""
    return World(scenario(seed), record=record).run()


class World:
    """One run of a scenario."""

    def __init__(self, scenario: Scenario, *, record: bool = False) -> None:
        self.scenario = scenario
        self.chance = Random(f"schedule {scenario.seed}")
        self.now = _EPOCH
        self.broker = Broker(self.chance)
        self.laws = Laws(self)
        self.stormy = True
        self.orchestrator = Orchestrator(self, scenario.definition)
        self.participants = {
            step.name: Participant(self, step, scenario.manners[step.name]) for step in scenario.definition.steps
        }
        self._record = record
        self._schedule: list[str] = []
        self._turns = 0
        self._held: dict[str, Callable[[], None]] = {}
        self._faults = scenario.faults

    def note(self, who: str, what: str) -> None:
        """Write down what somebody does."""
        if self._record:
            self._schedule.append(f"{(self.now - _EPOCH) / SECOND:11.6f} {who}: {what}")

    def run(self) -> Run:
        """Until nothing moves any more: faults first, then calm, then an operator sees to what is parked."""
        broken = None
        try:
            self._play()
        except BrokenError as error:
            broken = str(error)
            self.note("law", f"broken: {broken}")
        return Run(
            scenario=self.scenario,
            sagas=dict(self.orchestrator.sagas()),
            topics={topic: [envelope for _, envelope in log] for topic, log in self.broker.logs.items()},
            effects=tuple(
                (name, *row) for name, each in self.participants.items() for row in each.store.rows("rows").values()
            ),
            turns=self._turns,
            moves=frozenset(self.laws.moves),
            schedule=tuple(self._schedule),
            broken=broken,
        )

    def _play(self) -> None:
        self.broker.faults = self._faults
        for id, input in self.scenario.sagas.items():
            start = Envelope(id=id, type="Start", source="/caller", time=self.now, key=id, data=input)
            self.broker.keep(Message(STARTS, start), self.now)
        while self._turns < self.scenario.storm and self._turn():
            pass
        self._calm()
        self._until_rest()
        for round in range(4):  # the last but one may merely bring an answer that was given while all was not mended
            self._operate(last=round >= 2)
            self._until_rest()
        sagas = self.orchestrator.sagas()
        self.laws.all_ended(sagas)
        if set(sagas) != set(self.scenario.sagas):
            raise BrokenError(f"sagas {sorted(set(self.scenario.sagas) - set(sagas))} were never started")
        self.laws.told([envelope for _, envelope in self.broker.logs.get("saga-events", ())], sagas)

    def _until_rest(self) -> None:
        while self._turn():
            if self._turns > _TURNS:
                raise BrokenError(f"it does not come to rest in {_TURNS} turns")
        self.laws.at_rest(self.participants, self.orchestrator.sagas())

    def _calm(self) -> None:
        self.note("world", "calm")
        self.stormy = False
        self._faults = self.broker.faults = Faults()
        self._held.clear()
        self.orchestrator.skew = 0

    def _turn(self) -> bool:
        """One thing is done, or time passes; False where neither is left."""
        self._turns += 1
        if self.stormy:
            self._trouble()
        acts = self._acts()
        if self.stormy and acts and self.chance.random() < self.scenario.slowness:
            self._pass(self.now + self.chance.randint(0, self.chance.choice((1, 10, 60)) * SECOND))
            return True
        if not acts:
            times = [time for time in self._times() if time is not None]
            if not times:
                return False
            self._pass(max(min(times), self.now + 1))
            return True
        act = acts[self.chance.randrange(len(acts))]
        try:
            act()
        except (CrashError, FencedError, PassingError, UnpublishedError) as trouble:
            self.note("world", f"{type(trouble).__name__} {trouble}")
        return True

    def _acts(self) -> list[Callable[[], None]]:
        """What could be done now."""
        acts: list[Callable[[], None]] = []
        now, broker, orchestrator = self.now, self.broker, self.orchestrator
        for topic in orchestrator.topics:
            time = broker.next_time(topic, orchestrator.position(topic))
            if time is not None and time <= now:
                acts.append(self._decide)
                break
        due = orchestrator.due()
        if due is not None and due <= now:
            acts.append(self._fire)
        if orchestrator.store.rows("outbox"):
            acts.append(lambda: self._relay("orchestrator", orchestrator.store))
        acts += [lambda each=who: self._let_go(each) for who in self._held]  # type: ignore[misc]
        for participant in self.participants.values():
            if participant.store.rows("outbox"):
                acts.append(lambda each=participant: self._relay(each.name, each.store))  # type: ignore[misc]
            if participant.manner.dead:
                continue
            for topic in participant.topics:
                time = broker.next_time(topic, participant.position(topic))
                if time is not None and time <= now:
                    acts.append(lambda each=participant, from_=topic: self._handle(each, from_))  # type: ignore[misc]
        return acts

    def _times(self) -> list[int | None]:
        """When there will be something to do."""
        readers = [each for each in self.participants.values() if not each.manner.dead]
        times = [self.broker.next_time(topic, each.position(topic)) for each in readers for topic in each.topics]
        times += [self.broker.next_time(topic, self.orchestrator.position(topic)) for topic in self.orchestrator.topics]
        return [*times, self.orchestrator.due()]

    def _decide(self) -> None:
        self.note("orchestrator", "receives")
        self._commit("orchestrator", self.orchestrator.receive(self.chance.choice((1, 1, 5))))

    def _fire(self) -> None:
        self.note("orchestrator", "looks at what is due")
        self._commit("orchestrator", self.orchestrator.fire())

    def _handle(self, participant: Participant, topic: str) -> None:
        self._commit(participant.name, participant.receive(topic))

    def _commit(self, who: str, commit: Callable[[], None]) -> None:
        """The process may die before its commit, after it, or be held up so long that another takes its place."""
        self._point(f"{who} before its commit")
        if self._hold(who, commit):
            return
        commit()
        self._point(f"{who} after its commit")

    def _hold(self, who: str, act: Callable[[], None]) -> bool:
        """Whether it is held up here: it goes on at any later time, and does what it was about to do."""
        if who in self._held or not self._happens(self._faults.held_up):
            return False
        self.note(who, "is held up")
        self._held[who] = act
        return True

    def _let_go(self, who: str) -> None:
        self.note(who, "goes on, having been held up")
        self._held.pop(who)()

    def _relay(self, who: str, store: Store) -> None:
        """Publish what stands first in an outbox, then remove it; one that is held up publishes what others have, again."""
        rows = list(store.rows("outbox").items())[: self._batch()]
        if self._faults.reorder and self._hold(f"{who}'s relay", lambda: self._publish(who, store, rows)):
            return
        self._publish(who, store, rows)

    def _publish(self, who: str, store: Store, rows: list[tuple[Hashable, Message]]) -> None:
        transaction = store.begin()
        for key, message in rows:
            self._point(f"{who}'s relay before it publishes")
            self.note(f"{who}'s relay", f"publishes {message.envelope.type} {message.envelope.id}")
            self.broker.publish(message, self.now)
            transaction.drop("outbox", key)
        self._point(f"{who}'s relay before it removes")
        transaction.commit()

    def _batch(self) -> int:
        return self.chance.choice((1, 2, 10))

    def _point(self, where: str) -> None:
        if self._happens(self._faults.crash):
            raise CrashError(where)

    def _trouble(self) -> None:
        """What goes wrong of itself."""
        faults = self._faults
        if self._happens(faults.duplicate / 4) and (doubled := self.broker.double(self.now)):
            self.note("broker", f"delivers again {doubled}")
        if self._happens(faults.jump):
            self.orchestrator.skew = self.chance.choice((0, 1, -1)) * self.chance.randint(0, 3600 * SECOND)
            self.note("orchestrator", f"its clock jumps to {self.orchestrator.skew / SECOND:+f} s")
        if self._happens(faults.unknown_version):
            self.orchestrator.known = not self.orchestrator.known
            self.note("orchestrator", f"knows the definition: {self.orchestrator.known}")
        if self._happens(faults.meddling) and (sagas := list(self.orchestrator.sagas().values())):
            self._order(self.chance.choice(sagas), ("retry", "skip", "compensate", "compensate", "abandon", "resume"))

    def _pass(self, time: int) -> None:
        self.now = time
        self.note("world", "time passes")

    def _operate(self, *, last: bool) -> None:
        """An operator mends what is broken, and orders something of each parked saga; in the end, what gets it done."""
        self.orchestrator.known = True
        for participant in self.participants.values():
            manner = participant.manner
            if last:
                participant.manner = Manner()
            elif self.chance.random() < 0.5:
                participant.manner = Manner(failure=manner.failure if participant.kind != "retriable" else 0.0)
        for saga in self.orchestrator.sagas().values():
            if saga.status == "parked":
                usual: tuple[Order, ...] = ("retry", "skip", "compensate", "abandon", "resume", "resume")
                self._order(saga, ("resume",) if last else usual, whole=last)

    def _order(self, saga: SagaState, orders: tuple[Order, ...], *, whole: bool = False) -> None:
        """An operator orders one of these of a saga; of the `whole` saga, or of any parked step."""
        parked = [] if whole else [name for name, state in saga.steps.items() if state.status in PARKED]
        order = Ordered(
            self.chance.choice(orders), self.chance.choice(parked) if parked and self.chance.random() < 0.7 else None, "sim"
        )
        try:
            self.orchestrator.order(saga.id, order)()
            self.note("operator", f"{order.order} {saga.id} {order.step or ''}")
        except UsageError as error:
            self.note("operator", f"{order.order} {saga.id} refused: {error.message}")

    def _happens(self, rate: float) -> bool:
        return rate > 0 and self.chance.random() < rate
