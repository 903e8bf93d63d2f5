"""What an expectation is called, and whose it is.

A verdict refers to its expectation by name, so a name is unique within its workflow and the same on every run.
"""

from __future__ import annotations

from sagacity.workflow.durations import format_duration
from sagacity.workflow.model import Assert, Audited, Implied, Matches, Rule, Workflow
from sagacity.workflow.templates import TEMPLATES, Count, Legs

__all__ = ["names", "owner_of", "title"]


def title(expectation: Audited) -> str:
    """The default name of an expectation, such as `response(OrderPlaced, PaymentReceived) within 15m`."""
    match expectation:
        case Rule():
            return _rule(expectation)
        case Matches():
            return _matches(expectation)
        case Assert():
            always = "always " if expectation.immediate else ""
            return f"assert {always}{_line(expectation.predicate)}"
        case Implied():
            return expectation.name or expectation.rule


def names(workflow: Workflow) -> tuple[str, ...]:
    """The name of each of `workflow.audited()`, in step with it and unique.

    An expectation goes by the name that its author gave it, else by its title; what would be called the same as an
    earlier one gets ` (2)`, ` (3)` and so on.
    """
    audited = workflow.audited()
    given = {expectation.name for expectation in audited if expectation.name}
    taken: set[str] = set()
    called: list[str] = []
    for expectation in audited:
        wanted = expectation.name or title(expectation)
        reserved = taken if expectation.name else taken | (given & {wanted})
        name, count = wanted, 1
        while name in reserved or (count > 1 and name in given):
            count += 1
            name = f"{wanted} ({count})"
        taken.add(name)
        called.append(name)
    return tuple(called)


def owner_of(workflow: Workflow, expectation: Audited) -> str | None:
    """Who answers for an expectation: its own owner, else that of the event type it waits for, else the workflow's.

    The event type waited for is the target of the first leg, the one that is counted or placed, or the `to` of a match.
    """
    if expectation.owner:
        return expectation.owner
    awaited = _awaited(expectation)
    event_type = workflow.events.get(awaited) if awaited is not None else None
    return (event_type.owner if event_type else None) or workflow.owner


def _awaited(expectation: Audited) -> str | None:
    match expectation:
        case Rule():
            template = TEMPLATES.get(expectation.template)
            place = template.shape.legs[0].target if template and isinstance(template.shape, Legs) else 0
            return expectation.events[place] if place < len(expectation.events) else None
        case Matches():
            return expectation.to
        case _:
            return None


def _rule(rule: Rule) -> str:
    template = TEMPLATES.get(rule.template)
    counted = (str(rule.n),) if template and isinstance(template.shape, Count) else ()
    return f"{rule.template}({', '.join((*counted, *rule.events))})" + _conditions(rule)


def _conditions(rule: Rule) -> str:
    within = f" within {format_duration(rule.within)}" if rule.within is not None else ""
    when = f" when {_line(rule.when)}" if rule.when else ""
    where = f" where {_line(rule.where)}" if rule.where else ""
    return within + when + where


def _matches(matches: Matches) -> str:
    within = f" within {format_duration(matches.within)}" if matches.within is not None else ""
    amount = f", amount {_pair(matches.amount)}" if matches.amount else ""
    kind = matches.cardinality.replace("_", " ")
    return f"matches({matches.from_}, {matches.to}) by {_pair(matches.by)}, {kind}{amount}{within}"


def _pair(pair: tuple[str, str]) -> str:
    return pair[0] if pair[0] == pair[1] else f"{pair[0]} = {pair[1]}"


def _line(text: str) -> str:
    return " ".join(text.split())
