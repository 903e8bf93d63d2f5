"""Matches: every `from` event pairs with its own `to` event, and their amounts agree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Literal, TypeAlias

from sagacity.judge.outcome import Fulfilled, Outcome, violation, when_due
from sagacity.judge.trace import Place, Trace, later
from sagacity.workflow.model import Matches, Workflow
from sagacity.workflow.trace import Value
from sagacity.workflow.verdict import FindingKind, Violation

__all__ = ["judge_matches"]

Side: TypeAlias = Literal["from", "to"]
Group: TypeAlias = Mapping[Side, Sequence[Place]]
"""The events that carry one value, each side in the order of the trace."""

_ONE: dict[str, tuple[Side, ...]] = {"one_to_one": ("from", "to"), "one_to_many": ("from",), "many_to_one": ("to",)}
"""The sides that may have only one event."""


def judge_matches(workflow: Workflow, matches: Matches, trace: Trace) -> list[Outcome]:
    """One outcome for each value that the events are grouped by, and one for each event that has no value."""
    groups: defaultdict[Value, dict[Side, list[Place]]] = defaultdict(lambda: {"from": [], "to": []})
    outcomes: list[Outcome] = []
    sides: tuple[tuple[Side, str, str], ...] = (("from", matches.from_, matches.by[0]), ("to", matches.to, matches.by[1]))
    for side, event_type, attribute in sides:
        for place in trace.of(event_type):
            value = place.value(attribute)
            if value is None:
                outcomes.append(violation("mismatch", place.time, place))
            else:
                groups[value][side].append(place)
    outcomes.extend(_judge_group(workflow, matches, trace, value, group) for value, group in groups.items())
    return outcomes


def _judge_group(workflow: Workflow, matches: Matches, trace: Trace, value: Value, group: Group) -> Outcome:
    times = [place.time for side in group.values() for place in side]
    first, last = min(times), max(times)
    due = trace.end if matches.within is None else later(first, matches.within)

    def failed(kind: FindingKind, since: int) -> Violation:
        return Violation(kind, since, time=first, activation=_text(value))

    seconds = [group[side][1].time for side in _ONE[matches.cardinality] if len(group[side]) > 1]
    if seconds:
        return failed("duplicate", since=min(seconds))
    if not all(group.values()):
        return when_due(failed("missing", since=due), trace.as_of)
    if matches.within is not None and last > due:
        return failed("late", since=due)
    if _agree(workflow, matches, group):
        return Fulfilled()
    if matches.cardinality == "one_to_one":
        return failed("mismatch", since=last)
    return when_due(failed("mismatch", since=due), trace.as_of)


def _agree(workflow: Workflow, matches: Matches, group: Group) -> bool:
    """Whether the sums differ by no more than the tolerance and all amounts that carry a currency share one."""
    if matches.amount is None:
        return True
    sums: list[Decimal] = []
    currencies: set[str | None] = set()
    with localcontext(prec=100):
        for side, attribute in zip(group.values(), matches.amount, strict=True):
            amounts = [place for place in side if place.value(attribute) is not None]
            sums.append(sum((Decimal(str(place.value(attribute))) for place in amounts), Decimal(0)))
            currencies.update(
                place.currency(attribute)
                for place in amounts
                if workflow.events[place.type].capture[attribute].currency is not None
            )
        from_sum, to_sum = sums
        return abs(from_sum - to_sum) <= Decimal(matches.tolerance) and len(currencies) <= 1 and None not in currencies


def _text(value: Value) -> str:
    """A value as the name of its group: a decimal without zeros at its end, a boolean as `true` or `false`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        plain = format(value, "f")
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    return str(value)
