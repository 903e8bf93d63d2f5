"""The candidates: from what holds between event types and values to rules as a workflow file states them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from sagacity.discover.branches import Branch, branches
from sagacity.discover.order import Ordered, ordered
from sagacity.discover.proposal import Candidate, Wait
from sagacity.discover.relations import Pair, Relations
from sagacity.discover.spans import Deadline, about, deadline, inverted
from sagacity.discover.values import Agreements, agreements
from sagacity.ledger.mining import Beside, Column, Mining, Side, Test
from sagacity.workflow.durations import format_duration
from sagacity.workflow.language.shorthand import quoted
from sagacity.workflow.model import Workflow

__all__ = ["Composer"]

_BY_CHANCE = 5
"""So many cases at least would have an order the other way round by chance, for it to say anything that they have not."""

_FEW = 6
_FORWARD = ("chain_response", "chain_succession")


class Composer:
    """Makes candidates of what a ledger counts, for one workflow without rules."""

    def __init__(self, mining: Mining, workflow: Workflow, relations: Relations) -> None:
        self.mining = mining
        self.workflow = workflow
        self.relations = relations
        self.names = list(workflow.events)
        self.order: Ordered = ordered(relations)
        self.waits: list[Wait] = []
        self.deadlines = self._deadlines()
        self.never_after = self._never_after()
        self.branches = self._branches()
        self.agreements: Agreements = agreements(mining, relations, self._kind, lambda column: column.attribute)
        self.alternating = mining.alternating(self._recurring())
        self.beside = mining.beside()
        self.chains = self._beside(self.beside)

    def candidates(self) -> list[Candidate]:
        """All candidates: by event type in the order of cases, then rules in full form."""
        types = sorted(self.relations.usual, key=self.relations.place)
        found = [candidate for a in types for candidate in self._of_type(a)]
        return [*found, *self._between(), *self._conditions(), *self._sums()]

    # One event type --------------------------------------------------------------------------------------------------

    def _of_type(self, a: int) -> list[Candidate]:
        counted = self._cardinality(a)
        after = [
            self._said(a, f"after {self._name(x)}")
            for x, b in self.order.follows
            if b == a and self._speaks_of_order(x, a) and not self._elsewhere(x, a)
        ]
        within = []
        for x, b in self.order.answers:
            limit = self.deadlines.get((x, a, "after"))
            if b == a and limit is not None and not self._alternates(x, a)[0]:
                text = f"within {format_duration(limit.within)} of {self._name(x)}"
                within.append(self._said(a, text, self._usual(limit)))
        values = [
            self._said(
                a, f"{quoted(each.left.attribute)} = {self._name(each.right[0].type)}.{quoted(each.right[0].attribute)}"
            )
            for each in self.agreements.equal
            if each.left.type == a
        ]
        return [*counted, *after, *within, *values]

    def _cardinality(self, a: int) -> list[Candidate]:
        relations = self.relations
        mandatory = a in relations.mandatory
        if a in relations.single:
            return [self._said(a, "once" if mandatory else "at most once")]
        if a in relations.counts:
            n = relations.counts[a]
            times = "twice" if n == 2 else f"{n} times"
            return [self._said(a, times if mandatory else f"at most {times}")]
        return [self._said(a, "at least once")] if mandatory else []

    def _speaks_of_order(self, x: int, a: int) -> bool:
        """Whether "a after x" says more than that cases begin with x, or that a comes within some time of x."""
        relations = self.relations
        if relations.begins == (x,):
            return False
        answered = (x, a) in self.order.answers and (x, a, "after") in self.deadlines
        return not (answered and x in relations.mandatory and a in relations.single)

    def _elsewhere(self, x: int, a: int) -> bool:
        """Whether a rule in full form says that a comes after x."""
        if self._windowed(x, a) or self._alternates(x, a)[1] or self._succeeds(x, a):
            return True
        return self.chains.get((x, a)) in ("chain_precedence", "chain_succession")

    def _succeeds(self, x: int, a: int) -> bool:
        """Whether each has the other, in this order, and there is no deadline."""
        both = (x, a) in self.order.follows and (x, a) in self.order.answers
        said = self._speaks_of_order(x, a) and not self._must_follow(x, a) and not any(self._alternates(x, a))
        return both and said and (x, a, "after") not in self.deadlines and (x, a) not in self.chains

    def _windowed(self, x: int, a: int) -> bool:
        """Whether a precedence is said with a window: a deadline for what need not come."""
        if (x, a, "before") not in self.deadlines or (x, a) in self.order.answers:
            return False
        if any(each.target == a and each.happens and self._conditioned(each) for each in self.branches):
            return False
        return not any((y, a) in self.order.answers and (y, a, "after") in self.deadlines for y in self.relations.types)

    def _alternates(self, x: int, a: int) -> Pair | tuple[bool, bool]:
        """Whether each x has an a before the next x, and each a an x since the last a, where that says more."""
        answered, preceded = self.alternating.get((x, a), (0, 0))
        relations = self.relations
        return (
            relations.recurs(x) and (x, a) in relations.response and relations.holds(answered, relations.number(x)),
            relations.recurs(a) and (x, a) in relations.precedence and relations.holds(preceded, relations.number(a)),
        )

    # Between event types ---------------------------------------------------------------------------------------------

    def _between(self) -> list[Candidate]:
        relations, found = self.relations, []
        for x, a in self.order.follows:
            if self._alternates(x, a)[1]:
                found.append(self._pair("alternate_precedence", x, a))
            elif self._windowed(x, a):
                limit = self.deadlines[x, a, "before"]
                found.append(self._pair("precedence", x, a, limit))
        for x, a in self.order.answers:
            limit_after = self.deadlines.get((x, a, "after"))
            if self._alternates(x, a)[0]:
                found.append(self._pair("alternate_response", x, a, limit_after))
            elif self._succeeds(x, a):
                found.append(self._pair("succession", x, a))
            elif limit_after is None and not self._must_follow(x, a) and self.chains.get((x, a)) not in _FORWARD:
                found.append(self._pair("response", x, a))
        found += self._attendance()
        for a, b in self.order.exclusive:
            one = (min(a, b), max(a, b)) in relations.exactly_one
            found.append(self._pair("exclusive_choice" if one else "not_co_existence", a, b))
        found += [self._pair("not_response", b, a) for b, a in self.never_after]
        found += [self._pair(template, a, b) for (a, b), template in self.chains.items()]
        return found

    def _must_follow(self, x: int, a: int) -> bool:
        """Whether a follows each x anyway: it must come, and each comes after an x that comes once."""
        relations = self.relations
        return a in relations.mandatory and (x, a) in relations.precedence and x in relations.single

    def _attendance(self) -> list[Candidate]:
        pairs = self.order.attends
        both = {(a, b) for a, b in pairs if (b, a) in pairs}
        found = []
        for a, b in pairs:
            if (a, b) in both:
                if self.relations.place(a) < self.relations.place(b):
                    found.append(self._pair("co_existence", a, b))
            else:
                found.append(self._pair("responded_existence", a, b))
        return found

    def _beside(self, counts: Sequence[Beside]) -> dict[Pair, str]:
        """Chains that are more than the order of cases: something else could come between, and does not."""
        relations, found = self.relations, {}
        for each in counts:
            a, b = each.a, each.b
            if (
                a == b
                or relations.parallel(a, b)
                or not any(relations.parallel(a, x) and relations.parallel(b, x) for x in relations.types if x not in (a, b))
            ):
                continue
            answered = relations.holds(each.every_a, relations.number(a))
            preceded = relations.holds(each.every_b, relations.number(b))
            if answered and preceded:
                found[a, b] = "chain_succession"
            elif answered or preceded:
                found[a, b] = "chain_response" if answered else "chain_precedence"
        return found

    # Conditions and sums ---------------------------------------------------------------------------------------------

    def _conditions(self) -> list[Candidate]:
        found = []
        for branch in self.branches:
            a, b = branch.tests[0].column.type, branch.target
            when = " AND ".join(self._condition(test) for test in branch.tests)
            limit = self.deadlines.get((a, b, "after")) if branch.happens else None
            template = "response" if branch.happens else "not_responded_existence"
            found.append(self._pair(template, a, b, limit, when=when))
        return found

    def _conditioned(self, branch: Branch) -> bool:
        """Whether a rule with a condition has a deadline."""
        return (branch.tests[0].column.type, branch.target, "after") in self.deadlines

    def _condition(self, test: Test) -> str:
        name, kind = quoted(test.column.attribute), self._kind(test.column)
        if test.values is not None:
            values = [self._value(value, kind) for value in test.values]
            return f"{name} = {values[0]}" if len(values) == 1 else f"{name} IN ({', '.join(values)})"
        bounds = [f"{name} > {_number(test.least)}" if test.least is not None else ""]
        bounds.append(f"{name} <= {_number(test.most)}" if test.most is not None else "")
        return " AND ".join(bound for bound in bounds if bound)

    def _value(self, value: str, kind: str) -> str:
        if kind in ("integer", "decimal"):
            return _number(value)
        return value.upper() if kind == "boolean" else "'" + value.replace("'", "''") + "'"

    def _sums(self) -> list[Candidate]:
        found = []
        for each in self.agreements.sums:
            left = self._attribute(each.left)
            if each.summed:
                (right,) = each.right
                name, total = self._name(right.type), f"sum({self._attribute(right)}) = {left}"
                guarded = total if right.type in self.relations.mandatory else f"count({name}) = 0 OR {total}"
            else:
                guarded = f"{left} = {' + '.join(map(self._attribute, each.right))}"
            found.append(Candidate(section="rules", event=self.names[each.left.type], rule={"assert": guarded}))
        return found

    def _attribute(self, column: Column) -> str:
        return f"{self._name(column.type)}.{quoted(column.attribute)}"

    # What they are made of -------------------------------------------------------------------------------------------

    def _deadlines(self) -> Mapping[tuple[int, int, Side], Deadline]:
        wanted: list[tuple[int, int, Side]] = [(a, b, "after") for a, b in self.order.answers]
        wanted += [(a, b, "before") for a, b in self.order.follows if (a, b) not in self.order.answers]
        wanted += [
            (a, b, "after")
            for b in self._optional()
            for a in self.relations.begins
            if (a, b) in self.relations.precedence and (a, b) not in self.order.answers
        ]
        found = {}
        for each in self.mining.delays(list(dict.fromkeys(wanted))):
            limit = deadline(each.bins, self.relations.threshold)
            if limit is not None:
                found[each.a, each.b, each.side] = limit
                self.waits.append(Wait(self.names[each.a], self.names[each.b], each.side, limit, each.bins))
        return found

    def _never_after(self) -> list[Pair]:
        """Pairs (b, a), no a after b, that say something: those whose order is not that of things that go on side by side,
        each taking its own time from the beginning of the case. Of many, those that chance would most often have the other
        way."""
        relations = self.relations
        pairs = list(self.order.never_after)
        if len(relations.begins) == 1:
            (first,) = relations.begins
            types = sorted({a for pair in pairs for a in pair} - {first})
            spans = {each.b: each.bins for each in self.mining.delays([(first, a, "after") for a in types])}
        else:
            spans = {}
        expected = {
            (b, a): inverted(spans[b], spans[a]) * relations.pairs[a, b].both
            if {a, b} <= spans.keys()
            else float(_BY_CHANCE)
            for b, a in pairs
        }
        told = [pair for pair in pairs if expected[pair] >= max(_BY_CHANCE, 3 * self._against(pair))]
        most = max(_FEW, len(relations.usual) // 2)
        kept = set(sorted(told, key=lambda pair: (-expected[pair], pair))[:most])
        return [pair for pair in told if pair in kept]

    def _against(self, pair: Pair) -> int:
        """In how many cases an a comes after a b all the same."""
        b, a = pair
        counted = self.relations.pairs[a, b]
        return counted.both - counted.behind

    def _optional(self) -> list[int]:
        """Optional event types that no other optional one brings about, nor comes with."""
        relations = self.relations
        return [
            b
            for b in sorted(relations.types, key=relations.place)
            if b not in relations.mandatory
            and relations.number(b) >= relations.support
            and not any(
                (x, b) in relations.attendance and (b, x) in relations.attendance and relations.place(x) < relations.place(b)
                for x in relations.types
                if x != b
            )
        ]

    def _branches(self) -> list[Branch]:
        columns = [
            Column(number, name) for number, event in enumerate(self.workflow.events.values()) for name in event.capture
        ]
        columns = [each for each in columns if each.type in self.relations.types and self._kind(each) != "time"]
        return [branch for b in self._optional() for branch in branches(self.mining, self.relations, b, columns)]

    def _recurring(self) -> list[Pair]:
        pairs = {*self.order.answers, *self.order.follows}
        return sorted(pair for pair in pairs if any(map(self.relations.recurs, pair)))

    def _kind(self, column: Column) -> str:
        capture = list(self.workflow.events.values())[column.type].capture[column.attribute]
        return capture.type or "text"

    def _said(self, a: int, text: str, note: str = "") -> Candidate:
        return Candidate(section="expect", event=self.names[a], text=text, note=note)

    def _pair(self, template: str, a: int, b: int, limit: Deadline | None = None, when: str | None = None) -> Candidate:
        rule: dict[str, object] = {template: [self.names[a], self.names[b]]}
        if limit is not None:
            rule["within"] = format_duration(limit.within)
        if when is not None:
            rule["when"] = when
        note = self._usual(limit) if limit is not None else ""
        return Candidate(section="rules", event=self.names[b], rule=rule, note=note)

    def _usual(self, limit: Deadline) -> str:
        return f"half within {about(limit.median)}, 95 % within {about(limit.most)}"

    def _name(self, a: int) -> str:
        return quoted(self.names[a])


def _number(text: str | None) -> str:
    return f"{Decimal(text or '0').normalize():f}"
