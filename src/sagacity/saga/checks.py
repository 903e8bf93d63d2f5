"""What is wrong with a saga's definition: every mistake at once, each with the step it is in and how to mend it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from sagacity.saga.paths import PathError, parse

if TYPE_CHECKING:
    from sagacity.saga.definition import Retry, Saga, Step

__all__ = ["problems"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def problems(definition: Saga) -> tuple[str, ...]:
    """What is wrong, in the order of the definition; empty where nothing is."""
    found = [problem for check in _CHECKS for problem in check(definition)]
    if found:
        return tuple(found)
    above = _above(definition)
    return tuple(problem for check in _ORDERED for problem in check(definition, above))


def _saga(definition: Saga) -> Iterator[str]:
    if not _NAME.fullmatch(definition.name):
        yield f"the saga's name {definition.name!r} is not one: use letters, digits, - and _"
    if definition.version < 1:
        yield f"version {definition.version}: versions count from 1"
    if not definition.steps:
        yield "it has no steps: name at least one"
    for what, topic in (("events_topic", definition.events_topic), ("replies_topic", definition.replies_topic)):
        if not topic:
            yield f"{what} is empty: name a topic"
    if definition.timeout is not None and definition.timeout <= timedelta(0):
        yield "its timeout is not longer than nothing: give a longer one, or leave it out"


def _names(definition: Saga) -> Iterator[str]:
    for step in definition.steps:
        if not _NAME.fullmatch(step.name):
            yield f"step {step.name!r}: its name is not one: use letters, digits, - and _"
    for name, count in Counter(step.name for step in definition.steps).items():
        if count > 1:
            yield f"step {name!r}: {count} steps have this name: give each its own"
    users: dict[str, list[str]] = {}
    for step in definition.steps:
        for command in (step.command, step.compensation):
            if command is not None:
                users.setdefault(command, []).append(step.name)
    for command, names in users.items():
        if not command:
            yield f"step {names[0]!r}: a command's type is empty: name the type of message that its participant handles"
        elif len(names) > 1:
            by = " and ".join(repr(name) for name in dict.fromkeys(names))
            yield f"step {names[-1]!r}: the command {command!r} is used twice, by {by}: give each its own type"


def _steps(definition: Saga) -> Iterator[str]:
    for step in definition.steps:
        where = f"step {step.name!r}"
        if not step.topic or step.compensation_topic == "":
            yield f"{where}: a topic is empty: name the one that its participant reads"
        if step.kind == "compensatable" and step.compensation is None:
            yield f"{where} is compensatable and has no compensation: name the command that undoes it, or another kind"
        if step.kind != "compensatable":
            yield from _never_undone(step, where)
        for what, timeout in (("timeout", step.timeout), ("compensation_timeout", step.compensation_timeout)):
            if timeout is not None and timeout <= timedelta(0):
                yield f"{where}: its {what} is not longer than nothing: say how long an answer may take"
        for what, retry in (("retry", step.retry), ("compensation_retry", step.compensation_retry)):
            if retry is not None:
                yield from (f"{where}: {what}: {problem}" for problem in _retry(retry))


def _never_undone(step: Step, where: str) -> Iterator[str]:
    stated = [
        what
        for what in ("compensation", "compensation_payload", "compensation_topic", "compensation_timeout")
        if getattr(step, what) is not None
    ]
    if stated:
        yield f"{where} is {step.kind} and never undone: leave {', '.join(stated)} out, or make it compensatable"


def _retry(retry: Retry) -> Iterator[str]:
    if retry.attempts < 1:
        yield f"attempts is {retry.attempts}: the first counts, so say 1 or more"
    if retry.first < timedelta(0) or retry.most < retry.first:
        yield "first and most are not in order: first is not negative, and most not shorter than first"
    if not 1 <= retry.factor <= 1000:
        yield f"factor is {retry.factor}: pauses do not shrink, so say 1 or more, and 1000 at most"


def _after(definition: Saga) -> Iterator[str]:
    names = {step.name for step in definition.steps}
    for step in definition.steps:
        for other in step.after or ():
            if other == step.name:
                yield f"step {step.name!r} comes after itself: take it out of its own after"
            elif other not in names:
                yield f"step {step.name!r} comes after {other!r}, which is no step: {_nearest(other, names)}"
    if cycle := _cycle({name: [each for each in before if each in names] for name, before in _before(definition).items()}):
        yield (
            f"step {cycle[0]!r} comes after itself, by way of {' after '.join(repr(name) for name in cycle)}: "
            "take one of these out of another's after"
        )


_CHECKS: tuple[Callable[[Saga], Iterator[str]], ...] = (_saga, _names, _steps, _after)


def _kinds(definition: Saga, above: Mapping[str, frozenset[str]]) -> Iterator[str]:
    kinds = {step.name: step.kind for step in definition.steps}
    pivots = [name for name, kind in kinds.items() if kind == "pivot"]
    for name in pivots[1:]:
        yield f"step {name!r} is a second pivot, beside {pivots[0]!r}: a saga has one point of no return at most"
    for name, kind in kinds.items():
        past = [other for other, its in kinds.items() if its != "compensatable" and other != name]
        for other in past:
            if kind == "compensatable" and name not in above[other]:
                yield (
                    f"step {name!r} is compensatable and does not come before {other!r}, which is {kinds[other]}: past it "
                    f"nothing is undone; put {name!r} before it, or make it retriable and put it after"
                )
    for name in (name for name, kind in kinds.items() if kind == "retriable"):
        if len(pivots) == 1 and pivots[0] not in above[name]:
            yield f"step {name!r} is retriable and does not come after the pivot {pivots[0]!r}: put it after it"


def _paths(definition: Saga, above: Mapping[str, frozenset[str]]) -> Iterator[str]:
    for path in definition.resources:
        yield from (f"resource: {problem}" for problem in _path(path, frozenset(), "it is known when the saga starts"))
    for step in definition.steps:
        for what, payload, known in (
            ("payload", step.payload, above[step.name]),
            ("compensation_payload", step.compensation_payload, above[step.name] | {step.name}),
        ):
            for field, path in (payload or {}).items():
                answered = f"{step.name!r} comes after {_listed(known)}"
                yield from (f"step {step.name!r}: {what}: {field}: {each}" for each in _path(path, known, answered))


_ORDERED: tuple[Callable[[Saga, Mapping[str, frozenset[str]]], Iterator[str]], ...] = (_kinds, _paths)


def _path(path: str, known: frozenset[str], answered: str) -> Iterator[str]:
    try:
        root, *rest = parse(path)
    except PathError as error:
        yield str(error)
        return
    if root == "replies" and rest[0] not in known:
        yield f"{path!r} asks for the reply of {rest[0]!r}, which is not there yet: {answered}"


def _before(definition: Saga) -> Mapping[str, tuple[str, ...]]:
    names = [step.name for step in definition.steps]
    return {
        step.name: step.after if step.after is not None else tuple(names[max(place - 1, 0) : place])
        for place, step in enumerate(definition.steps)
    }


def _above(definition: Saga) -> Mapping[str, frozenset[str]]:
    """All that comes before each step, directly or not. There is no cycle."""
    before = _before(definition)
    above: dict[str, frozenset[str]] = {}
    while len(above) < len(before):
        for name, direct in before.items():
            if name not in above and all(other in above for other in direct):
                above[name] = frozenset(direct).union(*(above[other] for other in direct))
    return above


def _cycle(before: Mapping[str, list[str]]) -> list[str] | None:
    """Steps that come after one another in a circle of two or more; None where there are none."""
    open_ = dict(before)
    while free := [name for name, others in open_.items() if not any(other in open_ and other != name for other in others)]:
        for name in free:
            del open_[name]
    if not open_:
        return None
    walk = [next(iter(open_))]
    while True:
        following = next(other for other in open_[walk[-1]] if other in open_ and other != walk[-1])
        if following in walk:
            return walk[walk.index(following) :]
        walk.append(following)


def _listed(names: frozenset[str]) -> str:
    return " and ".join(repr(name) for name in sorted(names)) or "no other step"


def _nearest(name: str, names: set[str]) -> str:
    same = [each for each in sorted(names) if each.lower().replace("_", "-") == name.lower().replace("_", "-")]
    return f"did you mean {same[0]!r}?" if same else f"the steps are {_listed(frozenset(names))}"
