"""From a saga's definition to the workflow that audits it: what must have happened for each outcome, in order, once, in
time.

A case is a saga. Its events are found in the topics of the saga's events, commands and replies, and, where steps declare
their effects, in participants' tables. Three clocks are about: times are compared only where one process gave both, but
for answers, which must come as long as the orchestrator waits, and an allowance for clocks that differ.

What is expected, and why, stands in docs/saga.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sagacity.saga.definition import Effect, Retry, Saga, Step
from sagacity.saga.messages import REPLIED
from sagacity.saga.state import Direction
from sagacity.workflow.language.writer import dump
from sagacity.workflow.model import Assert, Capture, EventType, Expectation, Rule, Source, Workflow

__all__ = ["ALLOWANCE", "expectations", "patience", "workflow_text"]

ALLOWANCE = timedelta(seconds=30)
"""By how much clocks may differ, and messages be under way, before an answer is late, unless stated otherwise."""

_EVENTS, _COMMANDS, _REPLIES = "saga-events", "commands", "replies"
_ENDS = ("SagaCompleted", "SagaCompensated", "SagaAbandoned")
_TEXT = {"attempt": Capture("sagaattempt", type="text")}


def workflow_text(definition: Saga, *, allowance: timedelta = ALLOWANCE, owner: str | None = None) -> str:
    """The workflow as YAML, for `sagacity check` and `sagacity serve`."""
    return dump(expectations(definition, allowance=allowance, owner=owner))


def expectations(definition: Saga, *, allowance: timedelta = ALLOWANCE, owner: str | None = None) -> Workflow:
    """The workflow of this version of a saga. `allowance` is for clocks that differ; `owner` answers for findings."""
    events = dict(_event_types(definition))
    return Workflow(
        name=f"{definition.name}-saga",
        version=str(definition.version),
        description=f"Generated from version {definition.version} of the saga {definition.name}: what must have happened.",
        owner=owner,
        keys=("saga",),
        sources=_sources(definition),
        events=events,
        ends=_ENDS,
        timeout=_longest(definition) + _microseconds(allowance),
        expectations=tuple(_rules(definition, _microseconds(allowance))),
    )


def patience(step: Step, direction: Direction) -> int:
    """How long, in microseconds, the orchestrator goes on asking for one command before it gives up."""
    retry = step.retry_of(direction)
    pauses = sum(_pause(retry, number) for number in range(1, retry.attempts))
    return _microseconds(step.timeout_of(direction)) * retry.attempts + pauses


def _rules(definition: Saga, allowance: int) -> Iterator[Expectation]:
    yield Rule(template="exactly", events=("SagaStarted",), name="started once")
    ended = " + ".join(f"count({each})" for each in _ENDS)
    yield Assert(predicate=f"{ended} = 1", severity="critical", name="ends once, completed, compensated or abandoned")
    yield Rule(template="absence", events=("SagaAbandoned",), severity="warning", name="abandoned by nobody")
    for step in definition.steps:
        yield from _outcome(step)
        yield from _in_order(definition, step)
        yield from _answered(step, allowance)
        if step.effect is not None:
            yield from _effect(step, step.effect)
    yield Rule(
        template="not_co_existence",
        events=("SagaCompleted", "CompensationStarted"),
        severity="critical",
        name="what has turned back does not complete",
    )


def _outcome(step: Step) -> Iterator[Expectation]:
    """What each outcome says of a step."""
    name = step.name
    done = _count(f"{name} completed")
    if step.kind == "compensatable":
        undone = f"{_count(f'{name} compensated')} + {_count(f'{name} compensation skipped')}"
        whole, open_ = done, f"{done} + {_count(f'{name} timed out')}"
        yield Assert(
            predicate=f"count(SagaCompensated) = 0 OR {open_} = {undone}",
            severity="critical",
            name=f"{name}: what was or may have been done is undone, once, before the saga is compensated",
        )
        yield _once(f"{name} compensated")
        for way in (f"{name} failed", f"{name} timed out"):
            yield _turns_back(way)
    else:
        whole = f"{done} + {_count(f'{name} skipped')}"
        yield Rule(
            template="not_co_existence",
            events=("SagaCompensated", f"{name} completed"),
            severity="critical",
            name=f"{name}: past the point of no return nothing is undone",
        )
    yield Assert(
        predicate=f"count(SagaCompleted) = 0 OR {whole} = 1",
        severity="critical",
        name=f"{name}: done once before the saga is completed",
    )
    yield _once(f"{name} completed")
    if step.kind == "pivot":
        yield _turns_back(f"{name} failed")


def _in_order(definition: Saga, step: Step) -> Iterator[Expectation]:
    """Steps one after another, compensations the other way round, and nothing done any more once the saga has turned
    back."""
    name = step.name
    for earlier in definition.before[name]:
        if definition.by_name[earlier].kind == "compensatable":
            yield Rule(
                template="precedence",
                events=(f"{earlier} completed", step.command),
                name=f"{name}: begun when {earlier} is done",
            )
        else:
            yield Rule(
                template="not_response", events=(step.command, f"{earlier} completed"), name=f"{name}: begun after {earlier}"
            )
        if step.compensation and definition.by_name[earlier].compensation:
            yield Rule(
                template="not_response",
                events=(f"{earlier} compensated", f"{name} compensated"),
                severity="critical",
                name=f"{name}: undone before {earlier}",
            )
    yield Rule(
        template="not_response",
        events=("CompensationStarted", step.command),
        severity="critical",
        name=f"{name}: not begun once the saga has turned back",
    )
    if step.compensation:
        yield Rule(
            template="precedence",
            events=("CompensationStarted", step.compensation),
            severity="critical",
            name=f"{name}: undone only once the saga has turned back",
        )


def _answered(step: Step, allowance: int) -> Iterator[Expectation]:
    """Each command has its answer in time, and nothing is taken for done without one that says so."""
    ways: tuple[tuple[str | None, Direction, str], ...] = (
        (step.command, "do", "completed"), (step.compensation, "undo", "compensated"),
    )  # fmt: skip
    for command, direction, told in ways:
        if command is None:
            continue
        yield Rule(
            template="responded_existence",
            events=(command, f"{command}{REPLIED}"),
            where="a.attempt = b.attempt",
            within=patience(step, direction) + allowance,
            severity="warning",
            name=f"{step.name}: {command} answered in time",
        )
        yield Rule(
            template="responded_existence",
            events=(f"{step.name} {told}", f"{command}{REPLIED}"),
            where="a.attempt = b.attempt AND b.outcome = 'succeeded'",
            severity="critical",
            name=f"{step.name}: {told} because {command} was answered so",
        )


def _effect(step: Step, effect: Effect) -> Iterator[Expectation]:
    """What stands in the participant's database agrees with the outcome."""
    net = _count(f"{step.name} effect")
    yield _once(f"{step.name} effect")
    if effect.undone is not None:
        net = f"{net} - {_count(f'{step.name} effect undone')}"
        yield _once(f"{step.name} effect undone")
    standing = "0 OR" if step.kind == "compensatable" else f"{_count(f'{step.name} skipped')} OR"
    yield Assert(
        predicate=f"count(SagaCompleted) = {standing} {net} = 1",
        severity="critical",
        name=f"{step.name}: its effect stands in {effect.source} once the saga is completed",
    )
    settled = "count(SagaCompensated) = 0"
    if step.compensation:
        settled = f"{settled} OR {_count(f'{step.name} compensation skipped')} = 1"
    yield Assert(
        predicate=f"{settled} OR {net} = 0",
        severity="critical",
        name=f"{step.name}: no effect stands in {effect.source} once the saga is compensated",
    )


def _turns_back(event: str) -> Rule:
    """Before or after: what was in flight may fail when the saga has turned back for another reason."""
    return Rule(template="responded_existence", events=(event, "CompensationStarted"), name=f"{event}: the saga turns back")


def _once(event: str) -> Rule:
    return Rule(template="absence", events=(event,), n=2, severity="critical", name=f"{event}: not twice")


def _event_types(definition: Saga) -> Iterator[tuple[str, EventType]]:
    of = f"saganame = {_literal(definition.name)} AND sagaversion = {_literal(str(definition.version))}"
    for name in ("SagaStarted", *_ENDS, "CompensationStarted"):
        yield name, EventType(source=_EVENTS, where=of)
    for step in definition.steps:
        mine = f"{of} AND sagastep = {_literal(step.name)}"
        for told, type in _told(step):
            yield f"{step.name} {told}", EventType(source=_EVENTS, type=type, where=mine, capture=_TEXT)
        for command in (step.command, step.compensation):
            if command is not None:
                yield command, EventType(source=_COMMANDS, where=of, capture=_TEXT)
                outcome = {**_TEXT, "outcome": Capture("sagaoutcome", type="text")}
                yield f"{command}{REPLIED}", EventType(source=_REPLIES, where=of, capture=outcome)
        if step.effect is not None:
            yield from _effect_types(step.name, step.effect)


def _told(step: Step) -> tuple[tuple[str, str], ...]:
    """What is told of a step of this kind, with the type of its event."""
    done = ("completed", "StepCompleted")
    match step.kind:
        case "compensatable":
            return (
                done, ("failed", "StepFailed"), ("timed out", "StepTimedOut"),
                ("compensated", "StepCompensated"), ("compensation skipped", "CompensationSkipped"),
            )  # fmt: skip
        case "pivot":
            return (done, ("failed", "StepFailed"), ("skipped", "StepSkipped"))
        case _:
            return (done, ("skipped", "StepSkipped"))


def _effect_types(step: str, effect: Effect) -> Iterator[tuple[str, EventType]]:
    keys, id = {"saga": effect.key}, effect.id or effect.key
    yield f"{step} effect", EventType(source=effect.source, where=effect.done, time=effect.time, id=id, keys=keys)
    if effect.undone is not None:
        time = effect.undone_time or effect.time
        yield f"{step} effect undone", EventType(source=effect.source, where=effect.undone, time=time, id=id, keys=keys)


def _sources(definition: Saga) -> dict[str, Source]:
    sent: list[str] = []
    for step in definition.steps:
        sent += [step.topic, *([step.compensation_topic] if step.compensation_topic else [])]
    keys = {"saga": "sagaid"}
    messages = {
        _EVENTS: (definition.events_topic,),
        _COMMANDS: tuple(dict.fromkeys(sent)),
        _REPLIES: (definition.replies_topic,),
    }
    sources = {name: Source(format="jsonl", keys=keys, topics=topics) for name, topics in messages.items()}
    tables = (step.effect.source for step in definition.steps if step.effect is not None)
    return {**sources, **{table: Source() for table in tables}}


def _longest(definition: Saga) -> int:
    """The longest that a saga takes which nobody parks: every step asked for to the end, and then undone."""
    return _path(definition, "do") + _path(definition, "undo")


def _path(definition: Saga, direction: Direction) -> int:
    ready: dict[str, int] = {}
    while len(ready) < len(definition.steps):
        for name, before in definition.before.items():
            if name not in ready and all(other in ready for other in before):
                step = definition.by_name[name]
                takes = patience(step, direction) if direction == "do" or step.compensation else 0
                ready[name] = takes + max((ready[other] for other in before), default=0)
    return max(ready.values())


def _pause(retry: Retry, number: int) -> int:
    return round(min(_microseconds(retry.first) * retry.factor ** min(number - 1, 64), _microseconds(retry.most)))


def _count(event: str) -> str:
    quoted = event.replace('"', '""')
    return f'count("{quoted}")'


def _literal(text: str) -> str:
    quoted = text.replace("'", "''")
    return f"'{quoted}'"


def _microseconds(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)
