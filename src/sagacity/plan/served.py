"""Legs, as far as aggregates tell: whether one target serves all activations, or nothing stands in their way."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from sagacity.plan.fill import Tree, all_of, any_of, fill
from sagacity.plan.known import Active, Known, Simple
from sagacity.workflow.conditions.condition import Aggregate, Attribute
from sagacity.workflow.model import Rule
from sagacity.workflow.templates import Leg

__all__ = ["leg_settled", "stands"]

_BETWEEN_TYPES = 24
"""With more event types than this, what stands between two events is not screened but examined."""


def _not_after(known: Known, a: Tree, b: Tree) -> Tree:
    """a surely stands at b's position or before it, although intrinsic positions are not aggregated."""
    return fill(":a < :b" if known.facts.sequenced else ":a <= :b", a=a, b=b)


def stands(known: Known, which: str, number: int, time: Tree) -> Tree:
    """An event of this type and time is the first (last) of the case, or concurrent with what is."""
    if not known.facts.sequenced:
        return fill(":time = :edge", time=time, edge=known.edge(which))
    function, order = ("MIN", ":time < :other") if which == "first" else ("MAX", ":time > :other")
    text = f"{function}(time) FILTER (WHERE type <> :number)"
    other = known.aggregate(f"{which} not {number}", text, number=number)
    return all_of(known.once(number), fill(f":other IS NULL OR {order}", time=time, other=other))


def leg_settled(known: Known, rule: Rule, leg: Leg, active: Active) -> Tree:
    """Whether all activations of a leg, which are `active`, are surely as the leg asks."""
    numbers = known.facts.number
    own, other = numbers[rule.events[leg.activation]], numbers[rule.events[leg.target]]
    idle = fill("NOT :some", some=active.some)
    if own == other:
        return any_of(idle, known.once(own)) if leg.negated else idle
    single = all_of(known.once(own), known.once(other))
    if leg.negated:
        none = fill("NOT :target", target=known.present(other))
        candidate = [*_where(known, rule), *_window(rule, leg, active, other, known.first)]
        astray = [fill(":single AND NOT COALESCE(:it, FALSE)", single=single, it=all_of(*candidate))] if candidate else []
        return any_of(idle, none, *astray, *_clear(known, leg, active, own, other))
    ends = [known.first] if leg.side == "either" or isinstance(known, Simple) else [known.first, known.last]
    needs = [known.present(other), any_of(*(_serves(known, rule, leg, active, other, end) for end in ends))]
    if leg.reach != "any":
        needs.append(fill(":count <= 1", count=active.number))
    if rule.where is not None or leg.reach == "chain":
        needs.append(single)
    if leg.reach == "chain":
        needs.append(_side_by_side(known, *_ordered(known, leg, own, other), own, other))
    return any_of(idle, all_of(*needs, *_where(known, rule)))


def _serves(known: Known, rule: Rule, leg: Leg, active: Active, other: int, end: Callable[[int], Tree]) -> Tree:
    """The first (last) target is on the right side of all activations, and in their windows."""
    placed = []
    if leg.side == "after":
        placed = [_not_after(known, active.last(), end(other))]
    elif leg.side == "before":
        placed = [_not_after(known, end(other), active.first())]
    return all_of(*placed, *_window(rule, leg, active, other, end))


def _window(rule: Rule, leg: Leg, active: Active, other: int, end: Callable[[int], Tree]) -> list[Tree]:
    if rule.within is None:
        return []
    within = min(rule.within, 2**62)
    if leg.side == "before":
        return [fill(":t >= :e - :within", t=end(other), e=active.last(), within=within)]
    return [fill(":t <= :e + :within", t=end(other), e=active.first(), within=within)]


def _where(known: Known, rule: Rule) -> list[Tree]:
    """The rule's `where` over the only events of its two types."""
    if rule.where is None:
        return []
    a, b = rule.events

    def leaf(node: Attribute | Aggregate) -> tuple[Tree, Tree | None]:
        assert isinstance(node, Attribute)
        return known.attribute(a if node.place == "a" else b, node.name)

    condition = known.facts.correlated(rule, leaf)
    return [] if condition is None else [condition]


def _ordered(known: Known, leg: Leg, own: int, other: int) -> tuple[Tree, Tree]:
    e, t = known.first(own), known.first(other)
    return (e, t) if leg.side == "after" else (t, e)


def _clear(known: Known, leg: Leg, active: Active, own: int, other: int) -> list[Tree]:
    """All targets of a negated leg stand on the far side or, for chains, something stands between."""
    if leg.side == "either":
        return []
    far = (
        _not_after(known, known.last(other), active.first())
        if leg.side == "after"
        else _not_after(known, active.last(), known.first(other))
    )
    if leg.reach != "chain" or len(known.facts.number) > _BETWEEN_TYPES:
        return [far]
    first, second = _ordered(known, leg, own, other)
    single = all_of(known.once(own), known.once(other))
    strangers = (number for number in known.facts.number.values() if number not in (own, other))
    between = (
        fill("COALESCE(:first < :c AND :c < :second, FALSE)", first=first, c=known.first(number), second=second)
        for number in strangers
    )
    return [far, all_of(single, any_of(*between))]


def _side_by_side(known: Known, first: Tree, second: Tree, own: int, other: int) -> Tree:
    if len(known.facts.number) > _BETWEEN_TYPES:
        return exp.false()
    strangers = (number for number in known.facts.number.values() if number not in (own, other))
    return all_of(
        *(
            any_of(
                fill("NOT :present", present=known.present(number)),
                _not_after(known, known.last(number), first),
                _not_after(known, second, known.first(number)),
            )
            for number in strangers
        )
    )
