"""What workflows say of event types: what expects them, which key correlates them, which fields are read, who owns them."""

from __future__ import annotations

from collections.abc import Sequence

from sagacity.catalog.fact import Fact
from sagacity.workflow.conditions.condition import aggregates
from sagacity.workflow.conditions.parser import parse_assert
from sagacity.workflow.conditions.record import parse_record, paths
from sagacity.workflow.model import Assert, Audited, EventType, Implied, Matches, Rule, Workflow
from sagacity.workflow.words.naming import names, owner_of

__all__ = ["types_of", "workflow_facts"]


def workflow_facts(workflow: Workflow, document: str) -> list[Fact]:
    """One fact for each event type that a workflow names."""
    rules: dict[str, list[str]] = {name: [] for name in workflow.events}
    owners: dict[str, dict[str, None]] = {name: {} for name in workflow.events}
    for called, expectation in zip(names(workflow), workflow.audited(), strict=True):
        for name in types_of(workflow, expectation):
            if name in rules:
                rules[name].append(called)
                if (owner := owner_of(workflow, expectation)) is not None:
                    owners[name][owner] = None
    return [
        Fact(
            document=document,
            kind="workflow",
            names=tuple(dict.fromkeys((event.type or name, name))),
            description=event.description,
            owners=tuple(dict.fromkeys([each for each in (event.owner,) if each] or owners[name])),
            channels=workflow.source_of(name).topics,
            keys=_paths([_key(workflow, event)]),
            reads=_paths([_key(workflow, event), *(capture.value for capture in event.capture.values())]),
            rules=tuple(rules[name]),
        )
        for name, event in workflow.events.items()
    ]


def types_of(workflow: Workflow, expectation: Audited) -> tuple[str, ...]:
    """The event types that an expectation is about."""
    match expectation:
        case Rule():
            return expectation.events
        case Matches():
            return expectation.from_, expectation.to
        case Assert():
            named = aggregates(parse_assert(expectation.predicate, workflow))
            return tuple(dict.fromkeys(each.event for each in named))
        case Implied(rule="begins"):
            return workflow.begins
    return ()


def _key(workflow: Workflow, event: EventType) -> str:
    stated = event.keys if event.keys is not None else workflow.sources[event.source].keys
    return stated.get(workflow.keys[0], "") if event.source in workflow.sources or event.keys else ""


def _paths(expressions: Sequence[str]) -> tuple[str, ...]:
    """The fields that expressions read."""
    found = (str(path) for text in expressions if text for path in paths(parse_record(text)))
    return tuple(dict.fromkeys(found))
