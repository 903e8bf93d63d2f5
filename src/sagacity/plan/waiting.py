"""What cannot be violated yet: most of what a running case has not met.

Where a case has not ended, whatever is due at its end is met or pending, and the case is open: which of the two it is need
not be known. What has a deadline of its own is met or pending for as long as the earliest of its activations is not due. In
a case that has ended only what is surely pending counts, since the case is complete otherwise.

A later event may violate it all the same: the case is then screened anew.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlglot import exp

from sagacity.plan.fill import Tree, all_of, any_of, column, fill
from sagacity.plan.known import Active, Known
from sagacity.plan.served import leg_settled, stands
from sagacity.workflow.model import Assert, Audited, Implied, Matches, Rule
from sagacity.workflow.templates import TEMPLATES, Choice, Count, Leg, Legs, Position
from sagacity.workflow.trace import FOREVER

__all__ = ["Wait", "finish", "wait_for"]

_NEVER = exp.false()


class Wait(NamedTuple):
    """`surely`: nothing of the expectation is violated by as-of. `dues`: instants, other than the case's end, before the
    earliest of which as-of alone violates nothing of it; NULL where it does not wait for that."""

    surely: Tree
    dues: tuple[Tree, ...] = ()


def finish(known: Known) -> Tree:
    """When the case ends, as far as is known."""
    facts = known.facts
    ends = [known.first(facts.number[name]) for name in facts.workflow.ends]
    if facts.workflow.timeout is not None:
        ends.append(fill(":start + :timeout", start=known.edge("first"), timeout=facts.workflow.timeout))
    return exp.func("LEAST", *ends, exp.Literal.number(FOREVER)) if ends else exp.Literal.number(FOREVER)


def wait_for(known: Known, expectation: Audited) -> Wait:
    """How an expectation waits that is not settled."""
    match expectation:
        case Rule():
            return _rule(known, expectation)
        case Matches():
            return _matches(known, expectation)
        case Assert(immediate=False):
            return Wait(_running())
        case Assert() | Implied():
            return Wait(_NEVER)


def _running() -> Tree:
    """Whether the case has not ended by as-of: a column of the screen."""
    return column("running")


def _to_come(known: Known, due: Tree) -> Tree:
    return fill("NOT :over", over=known.facts.due_by(due))


def _rule(known: Known, rule: Rule) -> Wait:
    shape = TEMPLATES[rule.template].shape
    if isinstance(shape, Legs):
        return _legs(known, rule, shape.legs)
    actives = [known.active(rule, name) for name in rule.events]
    match shape:
        case Count(at_least=False) | Position(which="first"):
            return Wait(_NEVER)
        case Count(at_most=None) | Position() | Choice(exclusive=False):
            return Wait(_running())
        case Count():
            return Wait(all_of(_running(), fill(":count <= :most", count=actives[0].number, most=rule.n)))
        case Choice():
            both = fill(":a AND :b", a=actives[0].some, b=actives[1].some)
            return Wait(all_of(_running(), fill("NOT :both", both=both)))


def _legs(known: Known, rule: Rule, legs: tuple[Leg, ...]) -> Wait:
    if len(legs) == 1:
        return _leg(known, rule, legs[0], known.active(rule, rule.events[legs[0].activation]))
    surely: list[Tree] = []
    dues: list[Tree] = []
    for leg in legs:
        active = known.active(rule, rule.events[leg.activation])
        settled = leg_settled(known, rule, leg, active)
        wait = _leg(known, rule, leg, active)
        surely.append(any_of(settled, wait.surely))
        dues += (fill("CASE WHEN :settled THEN NULL ELSE :due END", settled=settled, due=due) for due in wait.dues)
    return Wait(all_of(*surely), tuple(dues))


def _leg(known: Known, rule: Rule, leg: Leg, active: Active) -> Wait:
    if leg.negated or leg.side == "before":
        return Wait(_NEVER)
    needs = []
    if leg.reach != "any":  # what comes after an activation may end its reach
        needs.append(fill(":count <= 1", count=active.number))
    if leg.reach == "chain":
        needs.append(stands(known, "last", known.facts.number[rule.events[leg.activation]], active.last()))
    if rule.within is None:
        return Wait(all_of(_running(), *needs))
    due = fill(":first + :within", first=active.first(), within=min(rule.within, 2**62))
    none = fill("NOT :target", target=known.present(known.facts.number[rule.events[leg.target]]))
    return Wait(all_of(_to_come(known, due), any_of(_running(), none), *needs), (due,))


def _matches(known: Known, matches: Matches) -> Wait:
    """One event that has none to pair with yet."""
    sides = (matches.from_, matches.to)
    numbers = [known.facts.number[name] for name in sides]
    alone = []
    for (own, other), name, by in zip((numbers, numbers[::-1]), sides, matches.by, strict=True):
        key, _ = known.attribute(name, by)
        absent = fill("NOT :present", present=known.present(other))
        alone.append(all_of(known.once(own), absent, fill(":key IS NOT NULL", key=key)))
    if matches.within is None:
        return Wait(all_of(any_of(*alone), _running()))
    first = exp.func("LEAST", *(known.first(number) for number in numbers))
    due = fill(":first + :within", first=first, within=min(matches.within, 2**62))
    return Wait(all_of(any_of(*alone), _to_come(known, due)), (due,))
