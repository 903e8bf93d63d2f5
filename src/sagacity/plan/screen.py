"""The screen: a `GROUP BY case` that proves most cases clean.

What is known of a case by aggregation (`sagacity.plan.known`) often settles an expectation: no activation, or one target
that serves all of them. A case whose expectations are all settled as satisfied or vacuous is *clean*: its verdict is
known. Every other case is *examined* by the exact part of the plan. A screen may send any case there; what it calls clean
must be so.

Cases are screened twice: all of them on the assumption that no event type occurs twice (cheap, and true of most cases);
then those that are left, without their redeliveries, on counts, first and last times.

Columns: the case, `clean`, `ended`, and what expectations share among them: `a<i>`, activations of a clean case, and in the
second screen `s<i>`, whether an expectation is settled. Which of them tell of an expectation stands in `Screen`.

To a screen that is `waiting` an expectation is also settled where it cannot be violated yet (`sagacity.plan.waiting`). It
has no activations, but `due`: the earliest instant at which as-of alone may change what is settled, or end the case; NULL
where there is none. A clean case that has ended is complete where `due` is NULL, else open. What the first of these tells
of a case that is `trusted` the second would tell again, so that only the others are screened twice.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlglot import exp

from sagacity.plan.facts import Facts
from sagacity.plan.fill import Tree, all_of, any_of, column, fill
from sagacity.plan.known import Active, Counted, Known, Simple
from sagacity.plan.served import leg_settled, stands
from sagacity.plan.waiting import Wait, finish, wait_for
from sagacity.workflow.conditions.condition import Aggregate, Attribute, aggregates
from sagacity.workflow.model import Assert, Audited, Implied, Matches, Rule
from sagacity.workflow.templates import TEMPLATES, Choice, Count, Legs, Position

__all__ = ["Screen", "screen", "second_screen", "unscreened"]

_Screened = tuple[Tree, Tree]
"""Whether an expectation is settled, and its activations then."""

_Told = tuple[Tree, Tree, Wait | None]
"""The same, and how long it surely waits where it is not settled; None in a screen that is not `waiting`."""


class Screen(NamedTuple):
    """A screen's query, and for each audited expectation whether it is `settled` and its `activations` then: a column of
    the query, or a constant."""

    query: exp.Query
    settled: tuple[Tree, ...]
    activations: tuple[Tree, ...]


class _Layout(NamedTuple):
    """What differs between the screens: the source and its case, the type of counts, whether what is settled is told of
    each expectation or only of the case, and a query for more facts on some cases, which are 0 for the others."""

    case: str
    source: str
    counts: str
    apart: bool
    beside: str | None = None


_COPIES = "SELECT c, COUNT(*) AS repeated, COUNT(conflict) AS conflicts FROM repeats WHERE type >= 0 GROUP BY c"
"""How many events of a case came more than once, and how many of them in copies that differ."""

_FIRST = _Layout("case_id", "SELECT * FROM events", "TINYINT", apart=False)
_SECOND = _Layout("c", "SELECT * FROM kept", "BIGINT", apart=True, beside=_COPIES)
_REST = "SELECT * FROM kept WHERE c IN (SELECT c FROM examined WHERE NOT trusted)"


def screen(facts: Facts, *, waiting: bool = False, apart: bool = False) -> Screen:
    """The first screen, over `events`; one row a `case_id`. One that is `waiting` can tell of each expectation `apart`."""
    known = Simple(facts)
    found = [_told(known, expectation, waiting) for expectation in facts.audited]
    return (_waiting_screen if waiting else _screen)(known, _FIRST._replace(apart=apart), known.simple(), found)


def second_screen(facts: Facts, *, waiting: bool = False) -> Screen:
    """The second screen, over `kept`; one row a case number `c`. Identities that came twice are looked up in `repeats`."""
    known = Counted(facts)
    found: list[_Told] = []
    for expectation in facts.audited:
        if isinstance(expectation, Implied) and expectation.rule == "identity":
            found.append((fill("conflicts = 0"), column("repeated"), Wait(exp.false()) if waiting else None))
        else:
            found.append(_told(known, expectation, waiting))
    named = fill(":strays = 0", strays=known.aggregate("strays", "COUNT(*) FILTER (WHERE type < 0)"))
    if waiting:
        return _waiting_screen(known, _SECOND._replace(source=_REST), named, found)
    return _screen(known, _SECOND, named, found)


def _told(known: Known, expectation: Audited, waiting: bool) -> _Told:
    return *_expectation(known, expectation), wait_for(known, expectation) if waiting else None


def unscreened(facts: Facts) -> Screen:
    """In place of the second screen: every case is doubtful, and nothing settled."""
    query = fill(
        "SELECT DISTINCT c, FALSE AS clean, FALSE AS ended, CAST(NULL AS BIGINT) AS due, FALSE AS trusted FROM kept"
    )
    assert isinstance(query, exp.Query)
    return Screen(query, (exp.false(),) * len(facts.audited), (fill("0"),) * len(facts.audited))


def _screen(known: Known, layout: _Layout, sound: Tree, found: list[_Told]) -> Screen:
    """The query of a screen that is not `waiting`."""
    trusted = all_of(sound, *known.guards.values())
    shared = _Shared()
    activations = tuple(shared.column("a", fill(f"CAST(:n AS {layout.counts})", n=n), constant=n) for _, n, _ in found)
    settled: tuple[Tree, ...] = (exp.false(),) * len(found)
    if layout.apart:
        settled = tuple(
            shared.column("s", fill("COALESCE(:trusted AND :it, FALSE)", trusted=trusted, it=it)) for it, _, _ in found
        )
    clean = fill("COALESCE(:clean, FALSE)", clean=all_of(trusted, *(it for it, _, _ in found)))
    told = (_as(tree, name) for name, tree in shared.columns.items())
    outer = exp.select(column(layout.case), _as(clean, "clean"), _as(_ended(known), "ended"), *told, copy=False)
    return Screen(_from(outer, _per_case(known, layout)), settled, activations)


def _waiting_screen(known: Known, layout: _Layout, sound: Tree, found: list[_Told]) -> Screen:
    """The query of a screen that is `waiting`. It is built in layers, each of which gives names to what the next one uses
    several times: planning a condition that is written out wherever it is used takes longer than evaluating it."""
    case = column(layout.case)
    shared = _Shared()
    calm: list[Tree] = []
    dues = [fill("CASE WHEN running THEN finish END")]
    for it, _, wait in found:
        assert wait is not None
        met, waits = shared.column("k", it), shared.column("w", wait.surely)
        calm.append(any_of(met, waits))
        for due in wait.dues:
            until = shared.column("d", due)
            dues.append(fill("CASE WHEN :met THEN NULL WHEN :waits THEN :until END", met=met, waits=waits, until=until))
    told = (_as(tree, name) for name, tree in shared.columns.items())
    trusted = _as(all_of(sound, *known.guards.values()), "trusted")
    end = finish(known)
    dated = fill(
        "SELECT *, :running AS running FROM (SELECT *, :finish AS finish FROM :per_case AS p) AS e",
        running=fill("NOT :past", past=known.facts.due_by(column("finish"))),
        finish=end,
        per_case=_per_case(known, layout),
    )
    named = _from(exp.select(case.copy(), trusted, "running", "finish", *told, copy=False), dated)
    least = exp.func("LEAST", *dues) if len(dues) > 1 else dues[0]
    columns = [
        _as(fill("COALESCE(:clean, FALSE)", clean=all_of(column("trusted"), *calm)), "clean"),
        _as(fill("NOT running"), "ended"),
        _as(fill("CASE WHEN trusted THEN :least END", least=least), "due"),
    ]
    settled: tuple[Tree, ...] = (exp.false(),) * len(found)
    if layout.apart:
        settled = tuple(column(f"s{x}") for x in range(len(found)))
        columns += (_as(fill("COALESCE(trusted AND :it, FALSE)", it=it), f"s{x}") for x, it in enumerate(calm))
    columns.append(_as(fill("COALESCE(trusted AND :apart, FALSE)", apart=layout.apart), "trusted"))
    return Screen(_from(exp.select(case, *columns, copy=False), named), settled, (fill("0"),) * len(found))


def _per_case(known: Known, layout: _Layout) -> Tree:
    """The aggregates of each case, and what is told of it `beside`."""
    case = column(layout.case)
    aggregates = (_as(tree, name) for name, tree in known.aggregates.items())
    source = exp.alias_(exp.Subquery(this=fill(layout.source)), "source", table=True)
    inner = exp.select(case, *aggregates, copy=False).from_(source, copy=False)
    inner = inner.group_by(case.copy(), copy=False)
    if layout.beside is None:
        return inner
    return fill(
        f"""SELECT p.*, COALESCE(b.repeated, 0) AS repeated, COALESCE(b.conflicts, 0) AS conflicts
            FROM :known AS p LEFT JOIN :beside AS b ON b.{layout.case} = p.{layout.case}""",
        known=inner,
        beside=fill(layout.beside),
    )


def _from(query: exp.Select, source: Tree) -> exp.Select:
    return query.from_(exp.alias_(exp.Subquery(this=source), "per_case", table=True, copy=False), copy=False)


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
            first = (all_of(known.present(number), stands(known, "first", number, known.first(number))) for number in begins)
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
        return all_of(*(leg_settled(known, rule, leg, active) for leg, active in legs)), total
    actives = [known.active(rule, name) for name in rule.events]
    one = fill("1")
    match shape:
        case Count():
            return _count(shape, rule.n, actives[0]), one
        case Position():
            time = actives[0].first() if shape.which == "first" else actives[0].last()
            return all_of(actives[0].some, stands(known, shape.which, numbers[0], time)), one
        case Choice(exclusive=True):
            return fill(":a <> :b", a=actives[0].some, b=actives[1].some), one
        case Choice():
            return any_of(*(active.some for active in actives)), one


def _count(shape: Count, n: int, active: Active) -> Tree:
    bounds = [fill(":count >= :n", count=active.number, n=n)] if shape.at_least else []
    if shape.at_most is not None:
        bounds.append(fill(":count <= :n", count=active.number, n=n if shape.at_most == "n" else n - 1))
    return all_of(*bounds)


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
