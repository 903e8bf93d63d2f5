"""Law: what is written of a workflow reads back as an equal workflow, and durations read back as they were."""

from __future__ import annotations

from typing import get_args

import strategies
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sagacity.workflow.durations import UNITS, format_duration, parse_duration
from sagacity.workflow.language.reader import loads
from sagacity.workflow.language.writer import dump
from sagacity.workflow.model import Acceptance, Capture, EventType, Rule, Severity, Source, ValueType, Workflow

_NASTY = (
    "no",
    "~",
    "null",
    "1.10",
    "1:30",
    "- x",
    "a: b",
    "# x",
    "'",
    '"',
    "*x",
    "&x",
    "!x",
    "%x",
    "@x",
    "{",
    "[]",
    "ü",
    "=",
    "<<",
)
_TEXTS = st.one_of(
    st.sampled_from(_NASTY),
    st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8),
    st.text("ab \n\t:#'\"-\\", min_size=1, max_size=12),
).filter(lambda text: text.strip() != "" and text not in ("~", "null"))
_NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="$."), min_size=1, max_size=8
)
_EXPRESSIONS = st.sampled_from(
    ("id", "data.order_id", "status = 'no: #1'", "data[0].x", '"odd name"', "a || ': b'", "'EUR'")
)
_DURATIONS = st.one_of(st.integers(0, 10**9), st.sampled_from(list(UNITS.values())), st.integers(0, 10**17))
_SEVERITIES: st.SearchStrategy[Severity] = st.sampled_from(get_args(Severity))
_TYPES: st.SearchStrategy[ValueType | None] = st.sampled_from((None, *get_args(ValueType)))


@st.composite
def _sources(draw: st.DrawFn, keys: tuple[str, ...]) -> Source:
    maybe = st.none() | _EXPRESSIONS
    return Source(
        format=draw(st.sampled_from((None, "jsonl", "csv", "parquet", "table"))),
        path=draw(st.none() | _TEXTS),
        type=draw(maybe),
        time=draw(_EXPRESSIONS),
        id=draw(maybe),
        seq=draw(st.none() | st.just("row") | _EXPRESSIONS),
        keys={name: draw(_EXPRESSIONS) for name in keys},
        timezone=draw(st.sampled_from((None, "UTC", "Europe/Berlin"))),
        topics=tuple(draw(st.lists(st.sampled_from(("orders", "^orders\\.", "no", "1.10")), max_size=2))),
        redact=tuple(draw(st.lists(st.sampled_from(("card.number", '"odd card"', "secret")), max_size=2))),
    )


@st.composite
def _captures(draw: st.DrawFn) -> Capture:
    kind = draw(_TYPES)
    if kind != "decimal":
        return Capture(draw(_EXPRESSIONS), kind)
    digits = draw(st.integers(1, 38))
    scale = draw(st.integers(0, digits))
    return Capture(draw(_EXPRESSIONS), kind, draw(st.none() | _EXPRESSIONS), digits, scale)


_ACCEPTANCES = st.builds(
    Acceptance,
    held=st.integers(0, 10**9),
    of=st.integers(0, 10**9),
    until=st.none() | _TEXTS,
    log=st.none() | _TEXTS,
    by=st.none() | _TEXTS,
    date=st.none() | _TEXTS,
)


@st.composite
def _workflows(draw: st.DrawFn) -> Workflow:
    keys = tuple(draw(st.lists(_NAMES, min_size=1, max_size=2, unique_by=str.casefold)))
    sources = {name: draw(_sources(keys)) for name in draw(st.lists(_TEXTS, min_size=1, max_size=2, unique=True))}
    attributes = draw(st.lists(_NAMES, max_size=2, unique_by=str.casefold))
    attributes = [name for name in attributes if name.lower() not in ("time", "id", "type", "source", "seq", "case")]
    maybe = st.none() | _EXPRESSIONS
    events = {}
    for name in draw(st.lists(_TEXTS, min_size=1, max_size=3, unique=True)):
        source = draw(st.sampled_from(list(sources)))
        events[name] = EventType(
            source=source,
            type=draw(st.none() | _TEXTS) if sources[source].type else None,
            where=draw(maybe),
            time=draw(maybe),
            id=draw(maybe),
            seq=draw(maybe),
            keys=draw(st.none() | st.fixed_dictionaries({keys[0]: _EXPRESSIONS})),
            capture={attribute: draw(_captures()) for attribute in attributes},
            owner=draw(st.none() | _TEXTS),
            description=draw(st.none() | _TEXTS),
        )
    types = st.sampled_from(list(events))
    return Workflow(
        name=draw(_TEXTS),
        version=draw(_TEXTS),
        description=draw(st.none() | _TEXTS),
        owner=draw(st.none() | _TEXTS),
        keys=keys,
        sources=sources,
        events=events,
        begins=tuple(draw(st.lists(types, max_size=2))),
        ends=tuple(draw(st.lists(types, max_size=2))),
        timeout=draw(st.none() | _DURATIONS.filter(bool)),
        unexpected=draw(st.sampled_from(("allow", "forbid"))),
        expectations=tuple(
            Rule(
                template="response",
                events=(draw(types), draw(types)),
                within=draw(st.none() | _DURATIONS),
                name=name,
                severity=draw(_SEVERITIES),
                owner=draw(st.none() | _TEXTS),
                description=draw(st.none() | _TEXTS),
            )
            for name in draw(st.lists(_TEXTS, max_size=3, unique=True))
        ),
        accepted=draw(st.dictionaries(_TEXTS, _ACCEPTANCES, max_size=2)),
    )


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(_workflows())
def test_a_workflow_with_any_names_and_texts_reads_back_as_it_was(workflow: Workflow) -> None:
    assert loads(dump(workflow)) == workflow


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(strategies.workflows(most=6))
def test_every_kind_of_expectation_reads_back_as_it_was(workflow: Workflow) -> None:
    placed = {name: replace(source, time="time", keys={"case": "case"}) for name, source in workflow.sources.items()}
    workflow = replace(workflow, sources=placed)
    assert loads(dump(workflow)) == workflow


@settings(max_examples=500, deadline=None)
@given(st.integers(0, 3_652_500 * UNITS["d"]) | st.integers(0, 10**8) | st.integers(0, 10**5).map(lambda n: n * 60_000_000))
def test_a_duration_reads_back_as_it_was(microseconds: int) -> None:
    assert parse_duration(format_duration(microseconds)) == microseconds
