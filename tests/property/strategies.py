"""Random workflows, and logs that try them hard: what every engine is held to the reference judge with.

Everything is drawn from few values, so that events are concurrent, deadlines are met to the microsecond, amounts agree by
chance and ids come twice. Conditions type-check: no workflow drawn here is turned down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import permutations
from typing import Any, TypeAlias, get_args

import msgspec
from conditions import References, conditions
from hypothesis import strategies as st

from sagacity.workflow.model import (
    Assert,
    Capture,
    Cardinality,
    EventType,
    Expectation,
    Matches,
    Rule,
    Source,
    ValueType,
    Workflow,
)
from sagacity.workflow.templates import TEMPLATES, Legs
from sagacity.workflow.trace import FOREVER, Event, Value

__all__ = ["Log", "any_expectations", "as_ofs", "asserts", "cases_of", "logs", "matches", "rules", "workflows"]

Log = list[tuple[str, Event]]
"""Events with the case that each belongs to, in the order of arrival."""

LAST = 8
"""No event is later than this instant, in microseconds; as-of is often earlier."""

_CAPTURES: dict[str, tuple[Capture, ...]] = {
    "ref": (Capture("ref"), Capture("ref", type="text")),
    "items": (Capture("items", type="integer"),),
    "amount": (
        Capture("amount", type="decimal", currency="currency"),
        Capture("amount", type="decimal", currency="currency"),
        Capture("amount", type="decimal"),
        Capture("amount", type="integer", currency="currency"),
    ),
    "fee": (Capture("fee", type="decimal"), Capture("fee", type="decimal", digits=9, scale=2)),
    "flag": (Capture("flag", type="boolean"),),
    "moment": (Capture("moment", type="time"),),
    "note": (Capture("note", type="text"), Capture("note", type="integer")),
}
"""The attributes that an event type may capture, each in one of these ways."""

_VALUES: dict[str, Sequence[Value]] = {
    "text": (*("x", "y", "xa", "X") * 4, None),
    "integer": (*(0, 1, 2, 3) * 4, None),
    "decimal": (*(Decimal("1"), Decimal("1.50"), Decimal("1.5"), Decimal("2.25"), Decimal("-0.5")) * 3, None),
    "boolean": (*(True, False) * 4, None),
    "time": (*(0, 2, 3, 5) * 4, None),
}
_CURRENCIES = (*("EUR",) * 6, "USD", "USD", None)

_UNEXPECTED = ("X", "Y")
_RECORDS = Source(format="jsonl", type="type", time="time", keys={"case": "case"})

Bundles: TypeAlias = Mapping[str, Sequence[Mapping[str, Value]]]
"""A few sets of attributes for each event type."""


@st.composite
def workflows(
    draw: st.DrawFn, expectations: Callable[[Workflow], st.SearchStrategy[Expectation]] | None = None, most: int = 4
) -> Workflow:
    """A workflow over 1 to 6 event types with 1 to `most` expectations, of all kinds unless a strategy for them is given."""
    names = "ABCDEF"[: draw(st.sampled_from((1, 2, 2, 3, 3, 3, 4, 6)))]
    shared = draw(_captures())
    workflow = Workflow(
        name="drawn",
        sources={"log": _RECORDS, "queue": msgspec.structs.replace(_RECORDS, id="id")},
        events={
            name: EventType(
                source=draw(st.sampled_from(("log", "queue"))),
                id=draw(st.sampled_from((None, None, "number"))),
                capture=draw(st.one_of(st.just(shared), st.just(shared), _captures())),
            )
            for name in names
        },
        begins=draw(_names(names)) if draw(_one_in(3)) else (),
        ends=draw(_names(names)) if draw(_one_in(3)) else (),
        timeout=draw(st.sampled_from((None, None, None, 2, 5, 10))),
        unexpected=draw(st.sampled_from(("allow", "allow", "forbid"))),
    )
    drawn = (expectations or any_expectations)(workflow)
    return msgspec.structs.replace(workflow, expectations=tuple(draw(st.lists(drawn, min_size=1, max_size=most))))


def any_expectations(workflow: Workflow) -> st.SearchStrategy[Expectation]:
    """Rules over all templates, matches and asserts that suit the workflow's event types."""
    pairing = matches(workflow) if _pairings(workflow) else rules(workflow)
    kinds: dict[str, st.SearchStrategy[Any]] = {"rule": rules(workflow), "assert": asserts(workflow), "matches": pairing}
    return st.sampled_from(("rule",) * 8 + ("assert", "matches", "matches")).flatmap(lambda kind: kinds[kind])


@st.composite
def rules(draw: st.DrawFn, workflow: Workflow, templates: Sequence[str] = tuple(TEMPLATES)) -> Rule:
    """A rule over any of the templates, with windows and conditions where the template takes them."""
    name = draw(st.sampled_from(sorted(templates)))
    template = TEMPLATES[name]
    types = sorted(workflow.events)
    a = draw(st.sampled_from(types))
    others = [type for type in types if type != a] or types
    b = draw(st.sampled_from(types if draw(_one_in(8)) else others))
    events: tuple[str, ...] = (a, b)[: template.arity]
    filtered = {events[leg.activation] for leg in template.shape.legs} if isinstance(template.shape, Legs) else set(events)
    rule = Rule(
        template=name,
        events=events,
        n=draw(st.sampled_from((1, 1, 2, 3))) if template.counts else 1,
        when=draw(conditions(_in_all(workflow, filtered))) if draw(_one_in(4)) else None,
    )
    if not template.activated:
        return rule
    return msgspec.structs.replace(
        rule,
        where=draw(_belonging(workflow, *events)) if draw(_one_in(3)) else None,
        within=draw(st.sampled_from((None, None, 0, 1, 2, 3, 5))),
    )


@st.composite
def matches(draw: st.DrawFn, workflow: Workflow) -> Matches:
    """A matching of two event types that capture an attribute of one type; see `_pairings`."""
    (from_, to), by = draw(st.sampled_from(_pairings(workflow)))
    amounts = [(x, y) for x in _numbers(workflow, from_) for y in _numbers(workflow, to) for _ in range(6 if x == y else 1)]
    amount = draw(st.sampled_from(amounts)) if amounts and not draw(_one_in(3)) else None
    return Matches(
        from_=from_,
        to=to,
        by=by,
        cardinality=draw(st.sampled_from(get_args(Cardinality))),
        amount=amount,
        tolerance=draw(st.sampled_from(("0", "0", "0.5", "1.25"))) if amount else "0",
        within=draw(st.sampled_from((None, None, 0, 1, 2, 4))),
    )


@st.composite
def asserts(draw: st.DrawFn, workflow: Workflow) -> Assert:
    """A predicate over one or two event types."""
    types = draw(st.lists(st.sampled_from(sorted(workflow.events)), min_size=1, max_size=2, unique=True))
    references: dict[str, ValueType] = {}
    for type in types:
        references[f"count({type})"] = "integer"
        for name, kind in _fields(workflow, type).items():
            functions = ["first", "last"] + (["min", "max"] if kind != "boolean" else [])
            functions += ["sum"] if kind in ("integer", "decimal") else []
            references |= {f"{function}({type}.{name})": kind for function in functions}
            references |= {f"{type}.{name}": kind, f"count({type}.{name})": "integer"}
    return Assert(predicate=draw(conditions(references)), immediate=draw(st.booleans()))


@st.composite
def logs(draw: st.DrawFn, workflow: Workflow, cases: int = 6, events: int = 30) -> Log:
    """A log of 1 to `cases` cases and about `events` events at most, in an order of arrival that is not that of time."""
    bundles = draw(_bundles(workflow))
    asked = [type for types in _named_together(workflow) for type in types]
    types = (*asked * 3, *workflow.events, *_UNEXPECTED[: 2 if workflow.unexpected == "forbid" else 1])
    number = draw(st.integers(1, cases))
    entry = st.builds(
        _Entry,
        case=st.integers(1, number),
        type=st.sampled_from(types),
        time=st.integers(0, LAST),
        seq=st.sampled_from((0, 0, 0, 1)),
        bundle=st.integers(0, 2),
        identified=st.sampled_from((True, True, True, True, False)),
        again=st.sampled_from((*[""] * 5, *["partner"] * 6, "same", "seq", "time", "attributes")),
    )
    size = draw(st.integers(1, min(events, 7 * number)))
    log: Log = []
    for drawn in draw(st.lists(entry, min_size=size, max_size=size)):
        case = f"case {drawn.case}"
        together = [drawn, *_partners(workflow, drawn)] if drawn.again == "partner" else [drawn]
        for each in together:
            id = str(sum(other == case and event.type == each.type for other, event in log))
            log.extend((case, event) for event in _arrivals(workflow, bundles, each, id))
    return log


def as_ofs() -> st.SearchStrategy[int]:
    """Instants to judge at: amid the log, at its end, or a log that is complete."""
    return st.sampled_from((FOREVER, FOREVER, 2, 4, 5, 6, LAST, LAST, LAST + 2, LAST + 20))


def cases_of(log: Log, as_of: int = FOREVER, workflow: Workflow | None = None) -> dict[str, list[Event]]:
    """The events of each case that exists by as-of, later events included, in their order of arrival. With a workflow, the
    unexpected events that it allows are left out, since they take no part."""
    cases: dict[str, list[Event]] = {}
    for case, event in log:
        if workflow is None or event.type in workflow.events or workflow.unexpected == "forbid":
            cases.setdefault(case, []).append(event)
    return {case: events for case, events in cases.items() if any(event.time <= as_of for event in events)}


class _Entry(msgspec.Struct, frozen=True):
    """An event as drawn. `bundle` chooses its attributes, `identified` whether it has an id if its type has them, and
    `again` what else arrives: nothing, its partner, or a copy (of an event without id a twin) that differs in the part
    named."""

    case: int
    type: str
    time: int
    seq: int
    bundle: int
    identified: bool
    again: str


def _arrivals(workflow: Workflow, bundles: Bundles, drawn: _Entry, id: str) -> list[Event]:
    has_ids = drawn.type in _UNEXPECTED or workflow.id_of(drawn.type) is not None
    of_type = bundles.get(drawn.type, [{}, {}, {}])
    event = Event(drawn.type, drawn.time, drawn.seq, id if has_ids and drawn.identified else None, of_type[drawn.bundle])
    again = {
        "": [],
        "partner": [],
        "same": [event],
        "seq": [msgspec.structs.replace(event, seq=1 - event.seq)],
        "time": [msgspec.structs.replace(event, time=event.time + 1)],
        "attributes": [msgspec.structs.replace(event, attributes=of_type[(drawn.bundle + 1) % 3])],
    }
    return [*again[drawn.again], event]


def _partners(workflow: Workflow, drawn: _Entry) -> list[_Entry]:
    """For one expectation that joins the event's type with another, an event of that other type soon after it."""
    pairs = [(a, b) for a, *rest in _named_together(workflow) for b in rest]
    others = [b if drawn.type == a else a for a, b in pairs if drawn.type in (a, b)]
    if not others:
        return []
    other = others[(drawn.time + drawn.seq) % len(others)]
    return [msgspec.structs.replace(drawn, type=other, time=drawn.time + (0, 1, 1, 2, 4)[drawn.time % 5])]


def _named_together(workflow: Workflow) -> list[tuple[str, ...]]:
    """The event types of each rule and each matches."""
    rules = [each.events for each in workflow.expectations if isinstance(each, Rule)]
    return rules + [(each.from_, each.to) for each in workflow.expectations if isinstance(each, Matches)]


@st.composite
def _captures(draw: st.DrawFn) -> dict[str, Capture]:
    drawn = {name: draw(st.sampled_from((None, *ways))) for name, ways in _CAPTURES.items()}
    return {name: capture for name, capture in drawn.items() if capture is not None}


@st.composite
def _bundles(draw: st.DrawFn, workflow: Workflow) -> Bundles:
    """Three sets of attributes for each event type. Mostly the first of one type agrees with the first of another, and so
    on: what events have in common is what matches and conditions ask for."""
    captured = [(name, capture) for event_type in workflow.events.values() for name, capture in event_type.capture.items()]
    kinds = sorted({(name, capture.type or "text") for name, capture in captured})
    bundles: dict[str, list[Mapping[str, Value]]] = {type: [] for type in workflow.events}
    for _ in range(3):
        agreed = {kind: draw(st.sampled_from(_VALUES[kind[1]])) for kind in kinds}
        currency = draw(st.sampled_from(_CURRENCIES))
        for type, event_type in workflow.events.items():
            attributes: dict[str, Value] = {}
            own = draw(_one_in(4))
            for name, capture in event_type.capture.items():
                kind = capture.type or "text"
                attributes[name] = draw(st.sampled_from(_VALUES[kind])) if own else agreed[name, kind]
                if capture.currency is not None:
                    attributes[f"{name}.currency"] = draw(st.sampled_from(_CURRENCIES)) if own else currency
            bundles[type].append(attributes)
    return bundles


def _fields(workflow: Workflow, event_type: str) -> dict[str, ValueType]:
    """What conditions may refer to, with its type."""
    captured = {name: capture.type or "text" for name, capture in workflow.events[event_type].capture.items()}
    return {"time": "time", "id": "text", **captured}


def _in_all(workflow: Workflow, event_types: Iterable[str]) -> References:
    """What a condition on an event of any of these types may refer to."""
    first, *rest = (_fields(workflow, event_type) for event_type in sorted(event_types))
    return {name: type for name, type in first.items() if all(other.get(name) == type for other in rest)}


def _belonging(workflow: Workflow, a: str, b: str) -> st.SearchStrategy[str]:
    """A condition on two events: mostly that an attribute which both have is the same."""
    left, right = _fields(workflow, a), _fields(workflow, b)
    both = [name for name in sorted(left) if right.get(name) == left[name] and name not in ("time", "id")]
    references = {f"a.{name}": type for name, type in left.items()} | {f"b.{name}": type for name, type in right.items()}
    same = [st.sampled_from([f"a.{name} = b.{name}" for name in both])] if both else []
    return st.one_of(conditions(references), *same)


def _pairings(workflow: Workflow) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """Pairs of event types, each with a pair of attributes of one type by which their events may be matched: mostly those
    of the same name, which agree more often."""
    return [
        ((a, b), (x, y))
        for a, b in permutations(sorted(workflow.events), 2)
        for x, left in workflow.events[a].capture.items()
        for y, right in workflow.events[b].capture.items()
        if (left.type or "text") == (right.type or "text")
        for _ in range(4 if x == y else 1)
    ]


def _numbers(workflow: Workflow, event_type: str) -> list[str]:
    captured = workflow.events[event_type].capture.items()
    return [name for name, capture in captured if capture.type in ("integer", "decimal")]


def _names(names: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True).map(tuple)


def _one_in(n: int) -> st.SearchStrategy[bool]:
    return st.sampled_from((True, *[False] * (n - 1)))
