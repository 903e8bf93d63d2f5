"""A short hand for tests of verdicts: one rule, one case, times in days as a person counts them."""

from __future__ import annotations

from typing import Any

from sagacity.judge import judge
from sagacity.workflow.model import Capture, EventType, Expectation, Rule, Source, Workflow
from sagacity.workflow.trace import FOREVER, Event
from sagacity.workflow.verdict import Verdict

__all__ = ["DAY", "at", "failures", "judge_one", "rule", "workflow_of"]

DAY = 86_400_000_000
"""Microseconds in a day."""

_CAPTURE = {
    "ref": Capture("ref"),
    "amount": Capture("amount", type="decimal", currency="currency"),
    "items": Capture("items", type="integer"),
}


def at(day: float, type: str, *, seq: int = 0, id: str | None = None, **attributes: Any) -> Event:
    """An event so many days after 1970-01-01; `currency` is that of its `amount`."""
    if "currency" in attributes:
        attributes["amount.currency"] = attributes.pop("currency")
    return Event(type, round(day * DAY), seq, id, attributes)


def rule(template: str, *events: str, within: float | None = None, **options: Any) -> Rule:
    """A rule; `within` is in days."""
    return Rule(template=template, events=events, within=None if within is None else round(within * DAY), **options)


def workflow_of(*expectations: Expectation, timeout: float | None = None, **settings: Any) -> Workflow:
    """A workflow over the types A to D. Each has ids and captures `ref`, `amount` and `items`; `timeout` is in days."""
    return Workflow(
        name="orders",
        sources={"log": Source(id="id")},
        events={type: EventType(source="log", capture=_CAPTURE) for type in "ABCD"},
        expectations=expectations,
        timeout=None if timeout is None else round(timeout * DAY),
        **settings,
    )


def judge_one(expectation: Expectation, *events: Event, as_of: float | None = None, **settings: Any) -> Verdict:
    """The verdict on one expectation, so many days after 1970-01-01; without as-of the log is complete."""
    instant = FOREVER if as_of is None else round(as_of * DAY)
    return judge(workflow_of(expectation, **settings), events, instant).verdicts[0]


def failures(verdict: Verdict) -> list[tuple[object, ...]]:
    """Each violation as `(kind, since)`, or with its activation as `(type, day, kind, since)`; days, or `never`."""
    return [
        (each.kind, _day(each.since)) if each.time is None else (each.type, _day(each.time), each.kind, _day(each.since))
        for each in verdict.violations
    ]


def _day(instant: int) -> float | str:
    return "never" if instant == FOREVER else instant / DAY
