"""Concurrent events are judged as docs/semantics.md says they are: an activation is fulfilled exactly when there is an
order in which they may have come that fulfils it.

The second opinion knows nothing of positions and legs: it writes down every such order, as a text with one letter an event
and `@` for the activation, and matches it with the regular expression that the literature on Declare gives the template.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, groupby, permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagacity.judge import judge
from sagacity.workflow.model import EventType, Rule, Workflow
from sagacity.workflow.templates import TEMPLATES, Legs, Position
from sagacity.workflow.trace import FOREVER, Event

_EITHER = ".*B.*@.*|.*@.*B.*"
_CO_EXISTENCE = (("a", _EITHER), ("b", ".*A.*@.*|.*@.*A.*"))
_RESPONSE = (("a", ".*@.*B.*"),)
_PRECEDENCE = (("b", ".*A.*@.*"),)
_ALTERNATE_RESPONSE = (("a", ".*@[^A]*B.*"),)
_ALTERNATE_PRECEDENCE = (("b", ".*A[^B]*@.*"),)
_CHAIN_RESPONSE = (("a", ".*@B.*"),)
_CHAIN_PRECEDENCE = (("b", ".*A@.*"),)

TEXTBOOK: dict[str, tuple[tuple[str, str], ...]] = {
    "responded_existence": (("a", _EITHER),),
    "co_existence": _CO_EXISTENCE,
    "response": _RESPONSE,
    "precedence": _PRECEDENCE,
    "succession": _RESPONSE + _PRECEDENCE,
    "alternate_response": _ALTERNATE_RESPONSE,
    "alternate_precedence": _ALTERNATE_PRECEDENCE,
    "alternate_succession": _ALTERNATE_RESPONSE + _ALTERNATE_PRECEDENCE,
    "chain_response": _CHAIN_RESPONSE,
    "chain_precedence": _CHAIN_PRECEDENCE,
    "chain_succession": _CHAIN_RESPONSE + _CHAIN_PRECEDENCE,
    "not_co_existence": _CO_EXISTENCE,
    "not_responded_existence": (("a", _EITHER),),
    "not_response": _RESPONSE,
    "not_precedence": _PRECEDENCE,
    "not_succession": _RESPONSE + _PRECEDENCE,
    "not_chain_response": _CHAIN_RESPONSE,
    "not_chain_precedence": _CHAIN_PRECEDENCE,
    "not_chain_succession": _CHAIN_RESPONSE + _CHAIN_PRECEDENCE,
}
"""For each leg of a template the place of its activations and the pattern; A and B stand for the letters of its types.
A template whose name begins with `not_` asks for an order that does not match."""

POSITIONS = {"init": "A.*", "end": ".*A"}

logs = st.lists(st.tuples(st.sampled_from("aabbc"), st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=5)
type_pairs = st.sampled_from([("a", "b"), ("a", "b"), ("a", "a")])


def _orders(events: Sequence[Event]) -> Iterator[list[Event]]:
    """Every order in which the events may have come: those of equal position in any."""
    ordered = sorted(events, key=lambda event: event.position)
    concurrent = [list(group) for _, group in groupby(ordered, key=lambda event: event.position)]
    return (list(chain.from_iterable(order)) for order in product(*map(permutations, concurrent)))


def _case(log: Sequence[tuple[str, int, int]]) -> list[Event]:
    return [Event(type, time, seq, id=str(number)) for number, (type, time, seq) in enumerate(log)]


def _violated(template: str, types: tuple[str, ...], events: Sequence[Event]) -> list[str | None]:
    """The names of the activations that the judge finds violated in the complete log."""
    rule = Rule(template=template, events=types)
    workflow = Workflow(name="tiny", events={type: EventType(source="log") for type in "abc"}, expectations=(rule,))
    (verdict,) = judge(workflow, events, FOREVER).verdicts
    return sorted((violation.activation for violation in verdict.violations), key=str)


def _matches(pattern: str, types: tuple[str, ...], order: Sequence[Event], activation: Event | None) -> bool:
    """`@` is an a (or b) like any other, seen from the activation itself: the patterns only look past it."""
    letters = "".join("@" if event is activation else event.type for event in order)
    for place, type in zip("AB", types, strict=False):
        pattern = pattern.replace(place, type)
    return re.fullmatch(pattern, letters) is not None


def test_every_template_with_activations_has_a_textbook_reading() -> None:
    assert set(TEXTBOOK) == {name for name, template in TEMPLATES.items() if isinstance(template.shape, Legs)}
    assert set(POSITIONS) == {name for name, template in TEMPLATES.items() if isinstance(template.shape, Position)}


@pytest.mark.parametrize("template", TEXTBOOK)
@given(log=logs, types=type_pairs)
def test_an_activation_is_fulfilled_when_some_order_of_concurrent_events_fulfils_it(
    template: str, log: list[tuple[str, int, int]], types: tuple[str, str]
) -> None:
    events = _case(log)
    wanted = not template.startswith("not_")
    expected = [
        event.id
        for place, pattern in TEXTBOOK[template]
        for event in events
        if event.type == types["ab".index(place)]
        if not any(_matches(pattern, types, order, event) is wanted for order in _orders(events))
    ]
    assert _violated(template, types, events) == sorted(expected, key=str)


@pytest.mark.parametrize("template", POSITIONS)
@given(log=logs)
def test_a_case_may_begin_or_end_with_any_of_the_concurrent_events_there(
    template: str, log: list[tuple[str, int, int]]
) -> None:
    events = _case(log)
    fulfilled = any(_matches(POSITIONS[template], ("a",), order, None) for order in _orders(events))
    assert (_violated(template, ("a",), events) == []) is fulfilled
