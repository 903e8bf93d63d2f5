"""Whatever happens to a saga, in whatever order and however often: what must hold of every decision."""

from __future__ import annotations

from typing import get_args

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagacity.errors import UsageError
from sagacity.saga.decide import begin, decide, quarantine
from sagacity.saga.decision import Decision
from sagacity.saga.definition import Saga, decode, encode
from sagacity.saga.happenings import Due, Happening, Order, Ordered, Released, Replied
from sagacity.saga.identity import command_id
from sagacity.saga.messages import address, command_message, event_message, replied, reply
from sagacity.saga.state import ENDED, SagaState
from sagacity.saga.state import decode as read
from sagacity.saga.state import encode as write
from sagacity.testing.simulation.scenario import SECOND, scenario

DEFINITIONS = st.integers(0, 400).map(lambda seed: scenario(seed).definition)
"""Definitions of any shape."""


@st.composite
def _stories(draw: st.DrawFn) -> tuple[Saga, list[tuple[Happening | None, int]]]:
    """A definition, and what happens to a saga of it, with how far the clock has moved, also backwards. None is poison."""
    definition = draw(DEFINITIONS)
    names = [step.name for step in definition.steps]
    causes = st.builds(
        command_id, st.sampled_from(["s", "s", "s", "t"]), st.sampled_from(names), st.sampled_from(["do", "do", "undo"]),
        st.integers(1, 3),
    )  # fmt: skip
    happenings = st.one_of(
        st.builds(Replied, causes, st.booleans(), reason=st.just("no"), transient=st.booleans()),
        st.builds(Replied, causes, st.just(True)),
        st.just(Due()),
        st.just(Released()),
        st.builds(Ordered, st.sampled_from(get_args(Order)), st.none() | st.sampled_from(names)),
        st.none(),
    )
    moves = st.sampled_from([0, 1, SECOND, 40 * SECOND, 4000 * SECOND, -500 * SECOND])
    return definition, draw(st.lists(st.tuples(happenings, moves), max_size=40))


def _decided(definition: Saga, saga: SagaState, happening: Happening | None, now: int) -> Decision | None:
    """None where it is an order that is refused."""
    if happening is None:
        return quarantine(saga, "poison", now)
    try:
        return decide(definition, saga, happening, now)
    except UsageError:
        if not isinstance(happening, Ordered):
            raise
        return None


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_stories(), st.booleans())
def test_every_decision_keeps_the_laws(story: tuple[Saga, list[tuple[Happening | None, int]]], waiting: bool) -> None:
    definition, happenings = story
    now = 5000 * SECOND
    decision = begin(definition, "s", b'{"account": 1}', now, waiting=waiting)
    told = list(decision.events)
    sent: dict[str, bytes] = {}
    for happening, moved in happenings:
        now += moved
        before = decision.saga
        following = _decided(definition, before, happening, now)
        if following is None:
            continue
        decision = following
        saga = decision.saga
        told += decision.events
        assert following == _decided(definition, before, happening, now), "the same again decides the same"
        assert read(write(saga)) == saga
        assert saga.due == decision.due
        assert saga.changed >= before.changed
        if before.status in ENDED:
            assert (saga.status, saga.steps, decision.commands, decision.events) == (before.status, before.steps, (), ())
        if decision.ignored is not None:
            assert saga.steps == before.steps
            assert getattr(saga, decision.ignored) == getattr(before, decision.ignored) + 1
        if saga.status == "parked" or saga.status in ENDED or saga.waiting:
            assert decision.due is None or saga.status in ("parked", "waiting")
        for command in decision.commands:
            message = command_message(definition, saga, command).envelope
            assert sent.setdefault(command.id, message.data) == message.data, "the same id, the same content"
            assert address(message) is not None
            assert replied(reply(message, "/p", now)) == Replied(command.id, success=True)
        for event in decision.events:
            assert event_message(definition, saga, event).envelope.key == "s"
    assert [event.number for event in told] == list(range(1, decision.saga.events + 1))
    assert [event.time for event in told] == sorted(event.time for event in told)
    assert sum(event.type in ("SagaCompleted", "SagaCompensated", "SagaAbandoned") for event in told) == (
        decision.saga.status in ENDED
    )


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DEFINITIONS)
def test_a_definition_that_was_kept_runs_as_the_one_that_was_declared(definition: Saga) -> None:
    kept = decode(encode(definition))
    assert kept == definition
    assert begin(kept, "s", b"{}", 0) == begin(definition, "s", b"{}", 0)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DEFINITIONS)
def test_a_saga_whose_participants_all_succeed_completes(definition: Saga) -> None:
    decision = begin(definition, "s", b"{}", 0)
    awaited = list(decision.commands)
    done = []
    while awaited:
        command = awaited.pop()
        done.append(command.step)
        decision = decide(definition, decision.saga, Replied(command.id, success=True), 0)
        awaited += decision.commands
    assert decision.saga.status == "completed"
    assert sorted(done) == sorted(definition.by_name)
    assert all(done.index(earlier) < done.index(name) for name, before in definition.before.items() for earlier in before)
