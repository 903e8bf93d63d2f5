"""What is known of a case by aggregation alone: how often its event types occur, when first and last, with which values.

Two ways of knowing, for the two times that a case is screened. `Simple` holds for cases in which no event type occurs
twice: one aggregate then serves as first and last time, and one value is the only one. `Counted` holds for any case
whose redeliveries have been removed. Both name the aggregates that they need, each once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sqlglot import exp

from sagacity.plan.columns import column_of, currency_of
from sagacity.plan.facts import Facts
from sagacity.plan.fill import Tree, all_of, column, fill
from sagacity.workflow.conditions.condition import Aggregate, Attribute
from sagacity.workflow.model import Rule

__all__ = ["Active", "Counted", "Known", "Simple"]

_FEW = 30
_BITS = 62
"""Event types in one word of the presence mask; bit 0 of the first word marks an unexpected event."""

_CURRENCIES = (
    "USD EUR GBP JPY CNY CAD CHF AUD INR BRL MXN SEK NOK DKK PLN CZK HUF RON BGN TRY ILS AED SAR QAR KWD BHD OMR JOD"
    " EGP ZAR NGN KES GHS MAD TND DZD HKD SGD NZD KRW TWD THB MYR IDR PHP VND PKR BDT LKR NPR KZT UAH GEL AMD AZN RSD"
    " MDL ISK CLP COP PEN ARS UYU PYG BOB CRC GTQ DOP"
)
_CODE = f"LIST_POSITION([{', '.join(repr(code) for code in _CURRENCIES.split())}], :text)"
"""A currency as a number: numbers are aggregated several times as fast as texts. Any other currency has none, and a case
that has an amount in one is examined."""


class Active(NamedTuple):
    """The events of a type that count for a rule: how many, whether there are any, and (asked for at need) the first and
    the last time."""

    number: Tree
    some: Tree
    first: Callable[[], Tree]
    last: Callable[[], Tree]


class Known:
    """The aggregates of one screening, by name, and the facts that they yield. Subclasses say how types are counted."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.aggregates: dict[str, Tree] = {}
        self.guards: dict[str, Tree] = {}
        """What must hold of a case for its facts to be trusted."""

    def aggregate(self, name: str, text: str, **values: Tree | int | str) -> Tree:
        """The column of an aggregate, which is added where it is not there yet."""
        if name not in self.aggregates:
            self.aggregates[name] = fill(text, **values)
        return column(name)

    def edge(self, which: str) -> Tree:
        """The time of the case's first or last event."""
        return self.aggregate("start", "MIN(time)") if which == "first" else self.aggregate("stop", "MAX(time)")

    def present(self, number: int) -> Tree:
        """Whether the type occurs."""
        raise NotImplementedError

    def once(self, number: int) -> Tree:
        """Whether the type occurs exactly once."""
        raise NotImplementedError

    def first(self, number: int) -> Tree:
        raise NotImplementedError

    def last(self, number: int) -> Tree:
        raise NotImplementedError

    def active(self, rule: Rule, event_type: str) -> Active:
        """The events of a type for which the rule's `when` is true."""
        raise NotImplementedError

    def taken(self, node: Aggregate) -> tuple[Tree, Tree | None]:
        """The value and currency of an aggregate of an assert, where `sure` holds."""
        raise NotImplementedError

    def sure(self, node: Aggregate) -> Tree:
        """Whether `taken` tells the aggregate."""
        raise NotImplementedError

    def attribute(self, event_type: str, name: str) -> tuple[Tree, Tree | None]:
        """The value and the currency code of the only event of a type: meaningful where the type occurs once."""
        number = self.facts.number[event_type]
        if name == "time":
            return self.first(number), None
        if name == "id":
            return self._only(number, "id"), None
        capture = self.facts.workflow.events[event_type].capture[name]
        value = self._only(number, column_of(name, capture).name)
        if capture.currency is None:
            return value, None
        code = fill(_CODE, text=column(currency_of(name).name))
        of = self.aggregate(f"c{number}${name}", "MAX(:code) FILTER (WHERE type = :number)", code=code, number=number)
        self.guards[f"c{number}${name}"] = fill("COALESCE(:of, 0) > 0 OR :value IS NULL", of=of, value=value)
        return value, of

    def _only(self, number: int, of: str) -> Tree:
        return self.aggregate(f"v{number}${of}", "MAX(:of) FILTER (WHERE type = :number)", of=column(of), number=number)

    def _single(self, node: Aggregate) -> tuple[Tree, Tree | None]:
        """An aggregate over at most one event."""
        present = self.present(self.facts.number[node.event])
        if node.attribute is None:
            return fill("CASE WHEN :present THEN 1 ELSE 0 END", present=present), None
        value, currency = self.attribute(node.event, node.attribute)
        if node.function == "count":
            return fill("CASE WHEN :value IS NOT NULL THEN 1 ELSE 0 END", value=value), None
        if currency is not None:
            currency = fill("CASE WHEN :value IS NOT NULL THEN :currency END", value=value, currency=currency)
        return (fill("COALESCE(:value, 0)", value=value) if node.function == "sum" else value), currency


class Simple(Known):
    """Cases in which every event type occurs at most once.

    With few event types the time of each tells whether it is there; with many, a mask of bits does.
    """

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts)
        self._few = len(facts.number) <= _FEW

    def simple(self) -> Tree:
        """Whether the case is one of these, and has no unexpected event."""
        count = self.aggregate("n", "COUNT(*)")
        if self._few:
            kinds = [
                fill("CASE WHEN :present THEN 1 ELSE 0 END", present=self.present(k)) for k in self.facts.number.values()
            ]
            return fill(":n = :kinds", n=count, kinds=_sum(kinds))
        masks = [self._word(number)[0] for number in range(-1, len(self.facts.number), _BITS)]
        kinds = [fill("BIT_COUNT(:mask)", mask=mask) for mask in masks]
        return fill(":n = :kinds AND :first & 1 = 0", n=count, kinds=_sum(kinds), first=masks[0])

    def edge(self, which: str) -> Tree:
        if not self._few:
            return super().edge(which)
        times = [self.first(number) for number in self.facts.number.values()]
        return exp.func("LEAST" if which == "first" else "GREATEST", *times) if len(times) > 1 else times[0]

    def _word(self, number: int) -> tuple[Tree, int]:
        word, bit = divmod(number + 1, _BITS)
        low = word * _BITS - 1
        text = "BIT_OR(CASE WHEN type BETWEEN :low AND :high THEN CAST(1 AS BIGINT) << (type - :low) ELSE 0 END)"
        return self.aggregate(f"w{word}", text, low=low, high=low + _BITS - 1), bit

    def present(self, number: int) -> Tree:
        if self._few:
            return fill(":time IS NOT NULL", time=self.first(number))
        mask, bit = self._word(number)
        return fill("(:mask & :bit) <> 0", mask=mask, bit=1 << bit)

    def once(self, number: int) -> Tree:
        return self.present(number)

    def first(self, number: int) -> Tree:
        return self.aggregate(f"t{number}", "MIN(time) FILTER (WHERE type = :number)", number=number)

    def last(self, number: int) -> Tree:
        return self.first(number)

    def active(self, rule: Rule, event_type: str) -> Active:
        number = self.facts.number[event_type]
        some = self.present(number)
        condition = self.facts.active(rule, event_type, lambda node: self.attribute(event_type, _named(node)))
        if condition is not None:
            some = all_of(some, condition)
        count = fill("CASE WHEN :some THEN 1 ELSE 0 END", some=some)
        return Active(count, some, lambda: self.first(number), lambda: self.first(number))

    def taken(self, node: Aggregate) -> tuple[Tree, Tree | None]:
        return self._single(node)

    def sure(self, node: Aggregate) -> Tree:
        del node
        return exp.true()


class Counted(Known):
    """Any case, each event of which is there once."""

    def _count(self, number: int) -> Tree:
        return self.aggregate(f"n{number}", "COUNT(*) FILTER (WHERE type = :number)", number=number)

    def present(self, number: int) -> Tree:
        return fill(":count > 0", count=self._count(number))

    def once(self, number: int) -> Tree:
        return fill(":count = 1", count=self._count(number))

    def first(self, number: int) -> Tree:
        return self.aggregate(f"t{number}", "MIN(time) FILTER (WHERE type = :number)", number=number)

    def last(self, number: int) -> Tree:
        return self.aggregate(f"l{number}", "MAX(time) FILTER (WHERE type = :number)", number=number)

    def active(self, rule: Rule, event_type: str) -> Active:
        number = self.facts.number[event_type]
        condition = self.facts.active(rule, event_type)
        if condition is None:
            return Active(self._count(number), self.present(number), lambda: self.first(number), lambda: self.last(number))
        name = condition.sql("duckdb")

        def over(function: str) -> Tree:
            text = f"{function} FILTER (WHERE type = :number AND :condition)"
            return self.aggregate(f"{function} {number} {name}", text, number=number, condition=condition)

        count = over("COUNT(*)")
        return Active(count, fill(":count > 0", count=count), lambda: over("MIN(time)"), lambda: over("MAX(time)"))

    def taken(self, node: Aggregate) -> tuple[Tree, Tree | None]:
        number = self.facts.number[node.event]
        if node.function == "count" and node.attribute is None:
            return self._count(number), None
        if node.currency or node.function in ("first", "last") or node.attribute is None:
            return self._single(node)
        function = {"count": "COUNT", "sum": "SUM", "min": "MIN", "max": "MAX"}[node.function]
        value, _ = self.facts.attribute(node.event, node.attribute)
        text = f"{function}(:value) FILTER (WHERE type = :number)"
        over = self.aggregate(f"{function} {number} {value.sql('duckdb')}", text, value=value, number=number)
        return (fill("COALESCE(:value, 0)", value=over) if node.function == "sum" else over), None

    def sure(self, node: Aggregate) -> Tree:
        if not node.currency and node.function not in ("first", "last"):
            return exp.true()
        return fill(":count <= 1", count=self._count(self.facts.number[node.event]))


def _sum(numbers: list[Tree]) -> Tree:
    total, *more = numbers
    for number in more:
        total = fill(":total + :number", total=total, number=number)
    return total


def _named(node: Attribute | Aggregate) -> str:
    assert isinstance(node, Attribute)
    return node.name
