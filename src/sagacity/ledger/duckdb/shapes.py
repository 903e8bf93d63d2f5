"""How the records of a source become events: which event types are found there, and what each takes from a record.

A *slot* holds at most one event of a record. A source that states the type of its records has one slot, which serves all
event types found there; one that does not has a slot for each event type, since a wide row may hold one event of each.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sagacity.errors import UsageError
from sagacity.ledger.duckdb.expressions import Reading
from sagacity.plan.columns import UNEXPECTED, Column, column_of, currency_of
from sagacity.workflow.conditions.record import Path, RecordExpression, parse_record, paths
from sagacity.workflow.model import Capture, EventType, Source, Workflow

__all__ = ["Attribute", "Recipe", "Shape", "shape_of"]


class Attribute(msgspec.Struct, frozen=True):
    """A column of an event: what it holds, and how it is read."""

    column: Column
    expression: RecordExpression
    reading: Reading


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a record an event of one type, and where its parts stand.

    `number` is the type's number. `marks` is the value of the source's type expression, None where it has none. `seq` is
    None where events have no position of their own; `by_row` tells that it is the record's place in the source.
    """

    number: int
    name: str
    marks: str | None
    where: RecordExpression | None
    time: RecordExpression
    id: RecordExpression | None
    keys: Mapping[str, RecordExpression]
    seq: RecordExpression | None
    by_row: bool
    attributes: tuple[Attribute, ...]

    def expressions(self) -> list[RecordExpression]:
        found = [self.where, self.time, self.id, self.seq, *self.keys.values()]
        return [each for each in found if each is not None] + [attribute.expression for attribute in self.attributes]


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """A source: its type expression (None: every recipe is tried on every record), and its recipes.

    `unexpected` is the recipe of records of unnamed types, where the workflow forbids them.
    """

    source: str
    type: RecordExpression | None
    zone: str | None
    keys: tuple[str, ...]
    recipes: tuple[Recipe, ...]
    unexpected: Recipe | None = None

    def slots(self) -> list[tuple[Recipe, ...]]:
        """The recipes of each slot."""
        if self.type is None:
            return [(recipe,) for recipe in self.recipes]
        return [(*self.recipes, self.unexpected) if self.unexpected else self.recipes]

    def paths(self) -> list[Path]:
        """Every path that the source's records are asked for."""
        expressions = [self.type] if self.type is not None else []
        for slot in self.slots():
            expressions += [expression for recipe in slot for expression in recipe.expressions()]
        return list(dict.fromkeys(path for expression in expressions for path in paths(expression)))

    def by_row(self) -> bool:
        return any(recipe.by_row for slot in self.slots() for recipe in slot)


def shape_of(workflow: Workflow, name: str) -> Shape:
    """How the records of a source become events. Raises UsageError where the workflow does not say it all."""
    source = workflow.sources.get(name, Source())
    recipes = tuple(
        _recipe(workflow, source, number, event, event_type)
        for number, (event, event_type) in enumerate(workflow.events.items())
        if event_type.source == name
    )
    unexpected = None
    if workflow.unexpected == "forbid" and source.type is not None:
        first = recipes[0] if recipes else None
        stated = (
            source if source.time or first is None else msgspec.structs.replace(source, time=_first_time(workflow, name))
        )
        keys = {key: parse_record(text) for key, text in source.keys.items()} or (dict(first.keys) if first else {})
        any_type = EventType(source=name)
        unexpected = msgspec.structs.replace(_recipe(workflow, stated, UNEXPECTED, "", any_type), keys=keys)
    return Shape(
        source=name,
        type=parse_record(source.type) if source.type is not None else None,
        zone=source.timezone,
        keys=workflow.keys,
        recipes=recipes,
        unexpected=unexpected,
    )


def _first_time(workflow: Workflow, source: str) -> str | None:
    return next((each.time for each in workflow.events.values() if each.source == source and each.time), None)


def _recipe(workflow: Workflow, source: Source, number: int, name: str, event_type: EventType) -> Recipe:
    time = event_type.time or source.time
    if time is None:
        raise UsageError(
            f"nothing says where the time of {name or 'its records'} stands in source '{event_type.source}'",
            hint=f"add time: to the source {event_type.source}",
        )
    keys = event_type.keys if event_type.keys is not None else source.keys
    seq = event_type.seq or source.seq
    identity = event_type.id or source.id
    attributes: list[Attribute] = []
    for attribute, capture in event_type.capture.items():
        reading = Reading(_target(capture), source.timezone)
        attributes.append(Attribute(column_of(attribute, capture), parse_record(capture.value), reading))
        if capture.currency is not None:
            attributes.append(Attribute(currency_of(attribute), parse_record(capture.currency), Reading("text")))
    return Recipe(
        number=number,
        name=name,
        marks=(event_type.type or name) if source.type is not None and number != UNEXPECTED else None,
        where=parse_record(event_type.where) if event_type.where is not None else None,
        time=parse_record(time),
        id=parse_record(identity) if identity is not None else None,
        keys={key: parse_record(text) for key, text in keys.items() if key in workflow.keys},
        seq=parse_record(seq) if seq is not None and seq != "row" else None,
        by_row=seq == "row",
        attributes=tuple(attributes),
    )


def _target(capture: Capture) -> str:
    return f"decimal({capture.digits},{capture.scale})" if capture.type == "decimal" else capture.type or "text"
