"""The screen: one `GROUP BY case` that proves most cases clean.

A case in which every event type occurs at most once is *simple*. There is no redelivery in it, no second activation, and
an attribute of an event type has one value, so each expectation is a row-wise expression over the first (and only) times
of the types that it names. A simple case whose expectations are all satisfied or vacuous is *clean*: its verdict is
known. Every other case is *examined* by the exact part of the plan. The screen may send any case there; what it calls
clean must be so.

Columns: `case_id`, `clean`, `ended`, and `a<i>`, the activations of the i-th audited expectation (of a clean case).
"""

from __future__ import annotations

from sqlglot import exp

from sagacity.plan.columns import column_of, currency_of
from sagacity.plan.facts import Facts
from sagacity.plan.fill import Tree, all_of, any_of, column, fill
from sagacity.workflow.condition import Aggregate, Attribute, aggregates
from sagacity.workflow.model import Assert, Audited, Implied, Matches, Rule
from sagacity.workflow.templates import TEMPLATES, Choice, Count, Leg, Legs, Position

__all__ = ["screen"]

_BITS = 62
"""Event types in one word of the presence mask; bit 0 of the first word marks an unexpected event."""

_BETWEEN_TYPES = 24
"""With more event types than this, what stands between two events is not screened but examined."""

_TRUE, _FALSE, _ZERO, _ONE = exp.true(), exp.false(), exp.Literal.number(0), exp.Literal.number(1)


def screen(facts: Facts) -> Tree:
    """The query over `events` that yields the screen's columns."""
    return _Screen(facts).query()


class _Screen:
    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.aggregates: dict[str, Tree] = {}

    def query(self) -> Tree:
        screened = [self._expectation(expectation) for expectation in self.facts.audited]
        clean = all_of(self._simple(), *(clean for clean, _ in screened))
        outer = exp.select(
            column("case_id"),
            exp.alias_(fill("COALESCE(:clean, FALSE)", clean=clean), "clean"),
            exp.alias_(self._ended(), "ended"),
            *(
                exp.alias_(fill("CAST(:n AS TINYINT)", n=activations), f"a{i}")
                for i, (_, activations) in enumerate(screened)
            ),
        )
        inner = exp.select(column("case_id"), *(exp.alias_(tree, name) for name, tree in self.aggregates.items()))
        return outer.from_(inner.from_("events").group_by("case_id").subquery("per_case"))

    # Facts of a simple case ------------------------------------------------------------------------------------------

    def _aggregate(self, name: str, text: str, **values: Tree | int | str) -> Tree:
        self.aggregates.setdefault(name, fill(text, **values))
        return column(name)

    def _word(self, number: int) -> tuple[Tree, int]:
        word, bit = divmod(number + 1, _BITS)
        low = word * _BITS - 1
        mask = self._aggregate(
            f"w{word}",
            "BIT_OR(CASE WHEN type BETWEEN :low AND :high THEN CAST(1 AS BIGINT) << (type - :low) ELSE 0 END)"
            if len(self.facts.number) >= _BITS
            else "BIT_OR(CAST(1 AS BIGINT) << (type + 1))",
            low=low,
            high=low + _BITS - 1,
        )
        return mask, bit

    def _present(self, number: int) -> Tree:
        mask, bit = self._word(number)
        return fill("(:mask & :bit) <> 0", mask=mask, bit=1 << bit)

    def _simple(self) -> Tree:
        count = self._aggregate("n", "COUNT(*)")
        words = [self._word(number)[0] for number in range(-1, len(self.facts.number), _BITS)]
        kinds = fill("BIT_COUNT(:mask)", mask=words[0])
        for mask in words[1:]:
            kinds = fill(":kinds + BIT_COUNT(:mask)", kinds=kinds, mask=mask)
        return fill(":n = :kinds AND NOT :stray", n=count, kinds=kinds, stray=self._present(-1))

    def _time(self, number: int) -> Tree:
        return self._aggregate(f"t{number}", "MIN(time) FILTER (WHERE type = :number)", number=number)

    def _attribute(self, event_type: str, name: str) -> tuple[Tree, Tree | None]:
        number = self.facts.number[event_type]
        if name == "time":
            return self._time(number), None
        if name == "id":
            return self._only(number, "id"), None
        capture = self.facts.workflow.events[event_type].capture[name]
        value = self._only(number, column_of(name, capture).name)
        return value, self._only(number, currency_of(name).name) if capture.currency is not None else None

    def _only(self, number: int, of: str) -> Tree:
        return self._aggregate(f"v{number}${of}", "MAX(:of) FILTER (WHERE type = :number)", of=column(of), number=number)

    def _ended(self) -> Tree:
        workflow = self.facts.workflow
        ends: list[Tree] = []
        if workflow.timeout is not None:
            start = self._aggregate("start", "MIN(time)")
            ends.append(fill(":start + :timeout", start=start, timeout=workflow.timeout))
        present = [self._present(self.facts.number[name]) for name in workflow.ends]
        due = self.facts.due_by(ends[0]) if ends else self.facts.due_by(fill("9223372036854775807"))
        return any_of(*present, due)

    # Order: what is certain although the intrinsic position is not aggregated ------------------------------------------

    def _not_after(self, a: Tree, b: Tree) -> Tree:
        return fill(":a < :b" if self.facts.sequenced else ":a <= :b", a=a, b=b)

    # Expectations: (clean, activations) --------------------------------------------------------------------------------

    def _expectation(self, expectation: Audited) -> tuple[Tree, Tree]:
        match expectation:
            case Rule():
                return self._rule(expectation)
            case Matches():
                return self._matches(expectation)
            case Assert():
                return self._assert(expectation)
            case Implied(rule="begins"):
                begins = [self.facts.number[name] for name in self.facts.workflow.begins]
                return any_of(*(all_of(self._present(k), self._stands("first", k)) for k in begins)), _ONE
            case Implied():
                return _TRUE, _ZERO  # a simple case has neither unexpected events nor ids that came twice

    def _active(self, rule: Rule, event_type: str) -> Tree:
        present = self._present(self.facts.number[event_type])

        def leaf(node: Attribute | Aggregate) -> tuple[Tree, Tree | None]:
            assert isinstance(node, Attribute)
            return self._attribute(event_type, node.name)

        condition = self.facts.active(rule, event_type, leaf)
        return present if condition is None else all_of(present, condition)

    def _rule(self, rule: Rule) -> tuple[Tree, Tree]:
        shape = TEMPLATES[rule.template].shape
        numbers = [self.facts.number[name] for name in rule.events]
        if isinstance(shape, Legs):
            legs = [(leg, self._active(rule, rule.events[leg.activation])) for leg in shape.legs]
            clean = all_of(*(self._leg(rule, leg, active, numbers) for leg, active in legs))
            return clean, _sum([active for _, active in legs])
        active = [self._active(rule, name) for name in rule.events]
        match shape:
            case Count():
                return self._count(shape, rule.n, active[0]), _ONE
            case Position():
                return all_of(active[0], self._stands(shape.which, numbers[0])), _ONE
            case Choice(exclusive=True):
                return fill(":a <> :b", a=active[0], b=active[1]) if numbers[0] != numbers[1] else _FALSE, _ONE
            case Choice():
                return any_of(*active), _ONE

    def _count(self, shape: Count, n: int, active: Tree) -> Tree:
        most = {"n": n, "n-1": n - 1, None: 1}[shape.at_most]
        least = n if shape.at_least else 0
        if least > 1:
            return _FALSE
        enough = active if least == 1 else _TRUE
        return all_of(enough, fill("NOT :active", active=active)) if most < 1 else enough

    def _stands(self, which: str, number: int) -> Tree:
        """The type's event comes first (last) of the case, or is concurrent with what does."""
        time = self._time(number)
        if which == "first":
            edge = self._aggregate(f"before{number}", "MIN(time) FILTER (WHERE type <> :number)", number=number)
            return any_of(fill(":edge IS NULL", edge=edge), self._not_after(time, edge))
        edge = self._aggregate(f"after{number}", "MAX(time) FILTER (WHERE type <> :number)", number=number)
        return any_of(fill(":edge IS NULL", edge=edge), self._not_after(edge, time))

    def _leg(self, rule: Rule, leg: Leg, active: Tree, numbers: list[int]) -> Tree:
        own, other = numbers[leg.activation], numbers[leg.target]
        idle = fill("NOT :active", active=active)
        if own == other:
            return _TRUE if leg.negated else idle
        facts = [self._present(other)]
        if rule.where is not None:
            a, b = rule.events

            def leaf(node: Attribute | Aggregate) -> tuple[Tree, Tree | None]:
                assert isinstance(node, Attribute)
                return self._attribute(a if node.place == "a" else b, node.name)

            where = self.facts.correlated(rule, leaf)
            assert where is not None
            facts.append(where)
        e, t = self._time(own), self._time(other)
        if rule.within is not None:
            window = ":t >= :e - :within" if leg.side == "before" else ":t <= :e + :within"
            facts.append(fill(window, e=e, t=t, within=rule.within))
        if leg.negated:
            holds = fill("NOT COALESCE(:candidate, FALSE)", candidate=all_of(*facts))
            return any_of(idle, holds, self._clear(leg, e, t, own, other))
        if leg.side != "either":
            facts.append(self._not_after(e, t) if leg.side == "after" else self._not_after(t, e))
        if leg.reach == "chain":
            first, second = (e, t) if leg.side == "after" else (t, e)
            facts.append(self._side_by_side(first, second, own, other))
        return any_of(idle, all_of(*facts))

    def _clear(self, leg: Leg, e: Tree, t: Tree, own: int, other: int) -> Tree:
        """A negated leg's target stands on the far side or, for chains, something stands between."""
        if leg.side == "either":
            return _FALSE
        first, second = (e, t) if leg.side == "after" else (t, e)
        far = self._not_after(second, first)
        if leg.reach != "chain" or len(self.facts.number) > _BETWEEN_TYPES:
            return far
        between = [
            fill(
                ":present AND :first < :c AND :c < :second",
                present=self._present(k),
                c=self._time(k),
                first=first,
                second=second,
            )
            for k in self.facts.number.values()
            if k not in (own, other)
        ]
        return any_of(far, *between)

    def _side_by_side(self, first: Tree, second: Tree, own: int, other: int) -> Tree:
        if len(self.facts.number) > _BETWEEN_TYPES:
            return _FALSE
        return all_of(
            *(
                any_of(
                    fill("NOT :present", present=self._present(k)),
                    self._not_after(self._time(k), first),
                    self._not_after(second, self._time(k)),
                )
                for k in self.facts.number.values()
                if k not in (own, other)
            )
        )

    def _matches(self, matches: Matches) -> tuple[Tree, Tree]:
        here, there = (self._present(self.facts.number[name]) for name in (matches.from_, matches.to))
        neither = fill("NOT :here AND NOT :there", here=here, there=there)
        keys = [self._attribute(name, by)[0] for name, by in zip((matches.from_, matches.to), matches.by, strict=True)]
        facts = [here, there, fill(":a = :b", a=keys[0], b=keys[1])]
        if matches.within is not None:
            times = [self._time(self.facts.number[name]) for name in (matches.from_, matches.to)]
            facts.append(fill("ABS(:a - :b) <= :within", a=times[0], b=times[1], within=matches.within))
        if matches.amount is not None:
            (a, currency_a), (b, currency_b) = (
                self._attribute(name, amount)
                for name, amount in zip((matches.from_, matches.to), matches.amount, strict=True)
            )
            tolerance = exp.Literal.number(matches.tolerance)
            facts.append(fill("ABS(:a - :b) <= :tolerance", a=a, b=b, tolerance=tolerance))
            if currency_a is not None or currency_b is not None:
                facts.append(
                    fill(":a = :b", a=currency_a, b=currency_b)
                    if currency_a is not None and currency_b is not None
                    else _FALSE
                )
        return any_of(neither, all_of(*facts)), fill("CASE WHEN :here OR :there THEN 1 ELSE 0 END", here=here, there=there)

    def _assert(self, expectation: Assert) -> tuple[Tree, Tree]:
        predicate = self.facts.predicate(expectation)
        needed = [
            self._present(self.facts.number[node.event])
            for node in aggregates(predicate)
            if node.function not in ("count", "sum")
        ]
        activated = all_of(*needed)
        holds = self.facts.decide(predicate, self._assert_leaf)
        return (
            fill("NOT :activated OR :holds", activated=activated, holds=holds),
            fill("CASE WHEN :activated THEN 1 ELSE 0 END", activated=activated),
        )

    def _assert_leaf(self, node: Attribute | Aggregate) -> tuple[Tree, Tree | None]:
        assert isinstance(node, Aggregate)
        present = self._present(self.facts.number[node.event])
        if node.function == "count" and node.attribute is None:
            return fill("CASE WHEN :present THEN 1 ELSE 0 END", present=present), None
        assert node.attribute is not None
        value, currency = self._attribute(node.event, node.attribute)
        if node.function == "count":
            return fill("CASE WHEN :value IS NOT NULL THEN 1 ELSE 0 END", value=value), None
        if currency is not None:
            currency = fill("CASE WHEN :value IS NOT NULL THEN :currency END", value=value, currency=currency)
        return (fill("COALESCE(:value, 0)", value=value) if node.function == "sum" else value), currency


def _sum(conditions: list[Tree]) -> Tree:
    total = fill("CASE WHEN :first THEN 1 ELSE 0 END", first=conditions[0])
    for condition in conditions[1:]:
        total = fill(":total + CASE WHEN :next THEN 1 ELSE 0 END", total=total, next=condition)
    return total
