"""The screen: a `GROUP BY case` that proves most cases clean.

What is known of a case by aggregation (`sagacity.plan.known`) often settles an expectation: no activation, or one target
that serves all of them. A case whose expectations are all settled as satisfied or vacuous is *clean*: its verdict is
known. Every other case is *examined* by the exact part of the plan. A screen may send any case there; what it calls clean
must be so.

Cases are screened twice: all of them on the assumption that no event type occurs twice (cheap, and true of most cases);
then those that are left, without their redeliveries, on counts, first and last times.

Columns: the case, `clean`, `ended`, and what expectations share among them: `a<i>`, activations of a clean case, and in the
second screen `s<i>`, whether an expectation is settled. Which of them tell of an expectation stands in `Screen`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sqlglot import exp

from sagacity.plan.facts import Facts
from sagacity.plan.fill import Tree, all_of, any_of, column, fill
from sagacity.plan.known import Active, Counted, Known, Simple
from sagacity.workflow.conditions.condition import Aggregate, Attribute, aggregates
from sagacity.workflow.model import Assert, Audited, Implied, Matches, Rule
from sagacity.workflow.templates import TEMPLATES, Choice, Count, Leg, Legs, Position

__all__ = ["Screen", "screen", "second_screen", "unscreened"]

_BETWEEN_TYPES = 24
"""With more event types than this, what stands between two events is not screened but examined."""

_Screened = tuple[Tree, Tree]
"""Whether an expectation is settled, and its activations then."""


class Screen(NamedTuple):
    """A screen's query, and for each audited expectation whether it is `settled` and its `activations` then: a column of
    the query, or a constant."""

    query: Tree
    settled: tuple[Tree, ...]
    activations: tuple[Tree, ...]


def screen(facts: Facts) -> Screen:
    """The first screen, over `events`; one row a `case_id`."""
    known = Simple(facts)
    found = [_expectation(known, expectation) for expectation in facts.audited]
    return _screen(known, "case_id", exp.to_table("events"), known.simple(), found, "TINYINT", apart=False)


def second_screen(facts: Facts) -> Screen:
    """The second screen, over `kept`; one row a case number `c`. Identities that came twice are looked up in `repeats`."""
    known = Counted(facts)
    found = []
    for expectation in facts.audited:
        if isinstance(expectation, Implied) and expectation.rule == "identity":
            found.append((fill("conflicts = 0"), column("repeated")))
        else:
            found.append(_expectation(known, expectation))
    named = fill(":strays = 0", strays=known.aggregate("strays", "COUNT(*) FILTER (WHERE type < 0)"))
    return _screen(known, "c", exp.to_table("kept"), named, found, "BIGINT", apart=True, beside=fill(_COPIES))


_COPIES = "SELECT c, COUNT(*) AS repeated, COUNT(conflict) AS conflicts FROM repeats WHERE type >= 0 GROUP BY c"
"""How many events of a case came more than once, and how many of them in copies that differ."""


def unscreened(facts: Facts) -> Screen:
    """In place of the second screen: every case is doubtful, and nothing settled."""
    query = fill("SELECT DISTINCT c, FALSE AS clean, FALSE AS ended FROM kept")
    return Screen(query, (exp.false(),) * len(facts.audited), (fill("0"),) * len(facts.audited))


def _screen(
    known: Known,
    case: str,
    source: Tree,
    sound: Tree,
    found: list[_Screened],
    count_type: str,
    *,
    apart: bool,
    beside: Tree | None = None,
) -> Screen:
    """The query over `source`, one row a case. `apart`: what is settled is told of each expectation, not only of the case.
    `beside` has more facts on some cases, which are 0 for the others."""
    trusted = all_of(sound, *known.guards.values())
    shared = _Shared()
    activations = tuple(shared.column("a", fill(f"CAST(:n AS {count_type})", n=n), constant=n) for _, n in found)
    settled: tuple[Tree, ...] = (exp.false(),) * len(found)
    if apart:
        settled = tuple(
            shared.column("s", fill("COALESCE(:trusted AND :it, FALSE)", trusted=trusted, it=it)) for it, _ in found
        )
    clean = fill("COALESCE(:clean, FALSE)", clean=all_of(trusted, *(it for it, _ in found)))
    told = (_as(tree, name) for name, tree in shared.columns.items())
    outer = exp.select(column(case), _as(clean, "clean"), _as(_ended(known), "ended"), *told, copy=False)
    aggregates = (_as(tree, name) for name, tree in known.aggregates.items())
    inner = exp.select(column(case), *aggregates, copy=False).from_(source, copy=False).group_by(column(case), copy=False)
    per_case: Tree = inner
    if beside is not None:
        per_case = fill(
            f"""SELECT p.*, COALESCE(b.repeated, 0) AS repeated, COALESCE(b.conflicts, 0) AS conflicts
                FROM :known AS p LEFT JOIN :beside AS b ON b.{case} = p.{case}""",
            known=inner,
            beside=beside,
        )
    query = outer.from_(exp.alias_(exp.Subquery(this=per_case), "per_case", table=True, copy=False), copy=False)
    return Screen(query, settled, activations)


class _Shared:
    """Columns by name, each expression once, however many expectations it tells of."""

    def __init__(self) -> None:
        self.columns: dict[str, Tree] = {}
        self._names: dict[str, str] = {}

    def column(self, prefix: str, tree: Tree, *, constant: Tree | None = None) -> Tree:
        if isinstance(constant, exp.Literal):
            return constant
        name = self._names.setdefault(tree.sql("duckdb"), f"{prefix}{len(self.columns)}")
        self.columns.setdefault(name, tree)
        return column(name)


def _as(tree: Tree, name: str) -> exp.Alias:
    """The tree under a name. Trees are large here, so none is copied."""
    return exp.Alias(this=tree, alias=exp.to_identifier(name, quoted=not name.isidentifier()))


def _ended(known: Known) -> Tree:
    facts = known.facts
    ends = [known.present(facts.number[name]) for name in facts.workflow.ends]
    due = fill("9223372036854775807")
    if facts.workflow.timeout is not None:
        due = fill(":start + :timeout", start=known.edge("first"), timeout=facts.workflow.timeout)
    return any_of(*ends, facts.due_by(due))


def _expectation(known: Known, expectation: Audited) -> _Screened:
    match expectation:
        case Rule():
            return _rule(known, expectation)
        case Matches():
            return _matches(known, expectation)
        case Assert():
            return _assert(known, expectation)
        case Implied(rule="begins"):
            begins = [known.facts.number[name] for name in known.facts.workflow.begins]
            first = (
                all_of(known.present(number), _stands(known, "first", number, known.first(number))) for number in begins
            )
            return any_of(*first), fill("1")
        case Implied():
            return exp.true(), fill("0")  # neither unexpected events nor ids that came twice get this far


def _rule(known: Known, rule: Rule) -> _Screened:
    shape = TEMPLATES[rule.template].shape
    numbers = [known.facts.number[name] for name in rule.events]
    if isinstance(shape, Legs):
        legs = [(leg, known.active(rule, rule.events[leg.activation])) for leg in shape.legs]
        total = legs[0][1].number
        for _, active in legs[1:]:
            total = fill(":total + :more", total=total, more=active.number)
        return all_of(*(_leg(known, rule, leg, active, numbers) for leg, active in legs)), total
    actives = [known.active(rule, name) for name in rule.events]
    one = fill("1")
    match shape:
        case Count():
            return _count(shape, rule.n, actives[0]), one
        case Position():
            time = actives[0].first() if shape.which == "first" else actives[0].last()
            return all_of(actives[0].some, _stands(known, shape.which, numbers[0], time)), one
        case Choice(exclusive=True):
            return fill(":a <> :b", a=actives[0].some, b=actives[1].some), one
        case Choice():
            return any_of(*(active.some for active in actives)), one


def _count(shape: Count, n: int, active: Active) -> Tree:
    bounds = [fill(":count >= :n", count=active.number, n=n)] if shape.at_least else []
    if shape.at_most is not None:
        bounds.append(fill(":count <= :n", count=active.number, n=n if shape.at_most == "n" else n - 1))
    return all_of(*bounds)


def _not_after(known: Known, a: Tree, b: Tree) -> Tree:
    """a surely stands at b's position or before it, although intrinsic positions are not aggregated."""
    return fill(":a < :b" if known.facts.sequenced else ":a <= :b", a=a, b=b)


def _stands(known: Known, which: str, number: int, time: Tree) -> Tree:
    """An event of this type and time is the first (last) of the case, or concurrent with what is."""
    if not known.facts.sequenced:
        return fill(":time = :edge", time=time, edge=known.edge(which))
    function, order = ("MIN", ":time < :other") if which == "first" else ("MAX", ":time > :other")
    text = f"{function}(time) FILTER (WHERE type <> :number)"
    other = known.aggregate(f"{which} not {number}", text, number=number)
    return all_of(known.once(number), fill(f":other IS NULL OR {order}", time=time, other=other))


def _leg(known: Known, rule: Rule, leg: Leg, active: Active, numbers: list[int]) -> Tree:
    own, other = numbers[leg.activation], numbers[leg.target]
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


def _matches(known: Known, matches: Matches) -> _Screened:
    sides = (matches.from_, matches.to)
    here, there = (known.present(known.facts.number[name]) for name in sides)
    keys = [known.attribute(name, by)[0] for name, by in zip(sides, matches.by, strict=True)]
    facts = [known.once(known.facts.number[name]) for name in sides]
    facts.append(fill(":a = :b", a=keys[0], b=keys[1]))
    if matches.within is not None:
        a, b = (known.first(known.facts.number[name]) for name in sides)
        facts.append(fill("ABS(:a - :b) <= :within", a=a, b=b, within=min(matches.within, 2**62)))
    if matches.amount is not None:
        (a, of_a), (b, of_b) = (known.attribute(name, it) for name, it in zip(sides, matches.amount, strict=True))
        facts.append(fill("ABS(:a - :b) <= :most", a=a, b=b, most=exp.Literal.number(matches.tolerance)))
        if of_a is not None or of_b is not None:
            facts.append(fill(":a = :b", a=of_a, b=of_b) if of_a is not None and of_b is not None else exp.false())
    neither = fill("NOT :here AND NOT :there", here=here, there=there)
    return any_of(neither, all_of(*facts)), fill("CASE WHEN :here OR :there THEN 1 ELSE 0 END", here=here, there=there)


def _assert(known: Known, expectation: Assert) -> _Screened:
    predicate = known.facts.predicate(expectation)
    taken = aggregates(predicate)
    needed = [known.present(known.facts.number[node.event]) for node in taken if node.function not in ("count", "sum")]
    activated = all_of(*needed)

    def leaf(node: Attribute | Aggregate) -> tuple[Tree, Tree | None]:
        assert isinstance(node, Aggregate)
        return known.taken(node)

    holds = all_of(*(known.sure(node) for node in taken), known.facts.decide(predicate, leaf))
    settled = any_of(fill("NOT :activated", activated=activated), holds)
    return settled, fill("CASE WHEN :activated THEN 1 ELSE 0 END", activated=activated)
