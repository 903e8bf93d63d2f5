"""Raw records to events, as SQL: a relation with one row a record that holds its events side by side, slot by slot.

The columns of slot 0 are `$0.type`, `$0.other`, `$0.time`, `$0.seq`, `$0.id`, `$0.key.<key>` and `$0.<attribute column>`. A
slot without an event has no type. `$bad` marks a record that is rejected; `$type` is the type of a record, as text, where
the workflow does not name it. A record whose place is known has it in `$row`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from sagacity.ledger.duckdb.expressions import Reading, Value, value
from sagacity.ledger.duckdb.fields import Field, identifier, literal
from sagacity.ledger.duckdb.readings import EARLIEST, LATEST
from sagacity.ledger.duckdb.scan import Part
from sagacity.ledger.duckdb.shapes import Recipe, Shape
from sagacity.plan.columns import UNEXPECTED
from sagacity.workflow.conditions.record import Path

__all__ = ["BAD", "Check", "Normal", "column", "normal_of"]

BAD = '"$bad"'
_TYPE_TEXT = '"$type"'
_TEXT = Reading("text")


class Check(msgspec.Struct, frozen=True):
    """Something of a record that may not read: `unread` is SQL that tells, `shown` is SQL of what stands there."""

    slot: int
    types: tuple[int, ...]
    what: str
    to: str
    unread: str
    shown: str


class Normal(msgspec.Struct, frozen=True, kw_only=True):
    """The relation of one part: `sql` yields it; `checked` has besides it all that the checks look at.

    `certain` names the columns that no event lacks.
    """

    shape: Shape
    part: Part
    sql: str
    checked: str
    checks: tuple[Check, ...]
    certain: frozenset[str]


def column(slot: int, name: str) -> str:
    """A column of a slot, as an SQL identifier."""
    return identifier(f"${slot}.{name}")


def normal_of(shape: Shape, part: Part) -> Normal:
    """The relation of a part of a source."""
    checks: list[Check] = []
    certain: list[str] = []
    kept: list[str] = []
    types: list[str] = []
    values: list[str] = []
    text = "CAST(NULL AS VARCHAR)" if shape.type is None else value(shape.type, part.fields, _TEXT).sql
    for number, recipes in enumerate(shape.slots()):
        types.append(f"{_type_number(shape, recipes, part.fields)} AS {column(number, 'type')}")
        slot = _Slot(number, shape, recipes, part.fields)
        values += [f"{sql} AS {name}" for name, sql in slot.columns.items()]
        kept += [column(number, "type"), *slot.columns]
        checks += slot.checks
        certain += slot.certain
    places = [
        f"{sql} AS {name}"
        for name, sql in (('"$row"', part.row), ('"$file"', part.file), ('"$file_row"', part.file_row))
        if sql is not None and sql != name
    ]
    whole = f"SELECT {', '.join(['*', *places, f'{text} AS {_TYPE_TEXT}'])} FROM {part.relation}"
    typed = f"SELECT {', '.join(['*', *types])} FROM ({whole})"
    valued = f"SELECT {', '.join(['*', *values])} FROM ({typed})"
    malformed = part.malformed or "FALSE"
    bad = " OR ".join([malformed, *(f"({check.unread})" for check in checks)])
    checked = f'SELECT *, coalesce({bad}, FALSE) AS {BAD}, {malformed} AS "$malformed" FROM ({valued})'
    kept += [*(['"$row"'] if part.row else []), *part.carried]
    if shape.type is not None:  # of named types the number says it all
        kept.append(f"CASE WHEN {column(0, 'type')} IS NULL THEN {_TYPE_TEXT} END AS {_TYPE_TEXT}")
    sql = f"SELECT {', '.join([*kept, BAD])} FROM ({checked})"
    return Normal(shape=shape, part=part, sql=sql, checked=checked, checks=tuple(checks), certain=frozenset(certain))


def _type_number(shape: Shape, recipes: Sequence[Recipe], fields: Mapping[Path, Field]) -> str:
    named = [recipe for recipe in recipes if recipe.number != UNEXPECTED]
    if shape.type is None:
        (recipe,) = named
        there = value(recipe.time, fields, Reading("time", shape.zone)).there or "TRUE"
        return f"CASE WHEN {_condition(recipe, fields)}{there} THEN {recipe.number} END"
    marks = list(dict.fromkeys(recipe.marks or "" for recipe in named))
    unnamed = ""
    if shape.unexpected is not None:
        listed = f" AND {_TYPE_TEXT} NOT IN ({', '.join(map(literal, marks))})" if marks else ""
        unnamed = f" WHEN {_TYPE_TEXT} IS NOT NULL{listed} THEN {UNEXPECTED}"
    if not named and not unnamed:
        return "CAST(NULL AS INTEGER)"
    if len(marks) == len(named) and not unnamed and not any(recipe.where for recipe in named):
        return _looked_up({recipe.marks or "": recipe.number for recipe in named})
    branches = " ".join(
        f"WHEN {_condition(recipe, fields)}{_TYPE_TEXT} = {literal(recipe.marks or '')} THEN {recipe.number}"
        for recipe in named
    )
    return f"CASE {branches}{unnamed} END"


def _looked_up(numbers: Mapping[str, int]) -> str:
    """The number of a type by its name: a look-up in an enumeration, where a chain of comparisons would cost one a type."""
    place = f"enum_code(TRY_CAST({_TYPE_TEXT} AS ENUM({', '.join(map(literal, numbers))})))"
    if list(numbers.values()) == list(range(len(numbers))):
        return f"CAST({place} AS SMALLINT)"
    return f"CAST([{', '.join(map(str, numbers.values()))}][{place} + 1] AS SMALLINT)"


def _condition(recipe: Recipe, fields: Mapping[Path, Field]) -> str:
    return "" if recipe.where is None else f"{value(recipe.where, fields, Reading('boolean')).sql} AND "


class _Slot:
    """The columns of one slot, and what may be wrong with them."""

    def __init__(self, number: int, shape: Shape, recipes: Sequence[Recipe], fields: Mapping[Path, Field]) -> None:
        self.number = number
        self.recipes = recipes
        self.fields = fields
        self.columns: dict[str, str] = {}
        self.checks: list[Check] = []
        self.certain: list[str] = []
        self.time(Reading("time", shape.zone))
        other = f"CASE WHEN {column(number, 'type')} = {UNEXPECTED} THEN {_TYPE_TEXT} END"
        self.columns[column(number, "other")] = other if shape.unexpected is not None else "CAST(NULL AS VARCHAR)"
        self.add(
            "seq", "BIGINT", [(r, "seq", value(r.seq, fields, Reading("integer"))) for r in recipes if r.seq], "integer"
        )
        self.add("id", "VARCHAR", [(r, "id", value(r.id, fields, _TEXT)) for r in recipes if r.id], "text")
        for key in shape.keys:
            keyed = [(r, f"key {key}", value(r.keys[key], fields, _TEXT)) for r in recipes if key in r.keys]
            self.add(f"key.{key}", "VARCHAR", keyed, "text")
            if len(keyed) == len(recipes) and all(self.is_certain(each) for _, _, each in keyed):
                self.certain.append(column(number, f"key.{key}"))
        for name, (sql_type, to) in self.attributes().items():
            held = [
                (recipe, attribute.column.attribute, value(attribute.expression, fields, attribute.reading))
                for recipe in recipes
                for attribute in recipe.attributes
                if attribute.column.name == name
            ]
            self.add(name, sql_type, held, to)

    def attributes(self) -> dict[str, tuple[str, str]]:
        return {
            attribute.column.name: (attribute.column.sql_type, attribute.reading.to)
            for recipe in self.recipes
            for attribute in recipe.attributes
        }

    def time(self, reading: Reading) -> None:
        name = column(self.number, "time")
        values = [(recipe, value(recipe.time, self.fields, reading)) for recipe in self.recipes]
        self.columns[name] = self.chosen([(recipe.number, each.sql) for recipe, each in values], "BIGINT")
        outside = f"({name} IS NULL OR {name} < {EARLIEST} OR {name} >= {LATEST})"
        for types, each in _alike(values):
            self.checks.append(
                Check(self.number, types, _time_label(each), "time", f"{self.among(types)} AND {outside}", each.shown)
            )

    def add(self, name: str, sql_type: str, values: Sequence[tuple[Recipe, str, Value]], to: str) -> None:
        quoted = column(self.number, name)
        chosen = [(recipe.number, _without_empty(name, each)) for recipe, _, each in values]
        self.columns[quoted] = self.chosen(chosen, sql_type)
        for types, each in _alike([(recipe, each) for recipe, _, each in values]):
            what = next(label for recipe, label, _ in values if recipe.number in types)
            if unread := each.unread(quoted):
                self.checks.append(Check(self.number, types, what, to, f"{self.among(types)} AND {unread}", each.shown))

    def is_certain(self, value: Value) -> bool:
        return isinstance(value.expression, Path) and self.fields[value.expression].certain

    def chosen(self, values: Sequence[tuple[int, str]], sql_type: str) -> str:
        """The value that the slot's event type takes from the record."""
        groups: dict[str, list[int]] = {}
        for number, sql in values:
            groups.setdefault(sql, []).append(number)
        if not groups:
            return f"CAST(NULL AS {sql_type})"
        if len(groups) == 1 and len(values) == len(self.recipes):
            return next(iter(groups))
        return f"CASE {' '.join(f'WHEN {self.among(numbers)} THEN {sql}' for sql, numbers in groups.items())} END"

    def among(self, types: Iterable[int]) -> str:
        numbers = list(types)
        name = column(self.number, "type")
        if set(numbers) == {recipe.number for recipe in self.recipes}:
            return f"{name} IS NOT NULL"
        return f"{name} = {numbers[0]}" if len(numbers) == 1 else f"{name} IN ({', '.join(map(str, numbers))})"


def _without_empty(name: str, each: Value) -> str:
    """An empty id or key is none. Paths never yield empty text, expressions may."""
    named = name == "id" or name.startswith("key.")
    return f"NULLIF({each.sql}, '')" if named and not isinstance(each.expression, Path) else each.sql


def _time_label(time: Value) -> str:
    place = str(time.expression) if isinstance(time.expression, Path) else ""
    return "time" if place in ("", "time") else f"time ({place})"


def _alike(values: Sequence[tuple[Recipe, Value]]) -> list[tuple[tuple[int, ...], Value]]:
    """Values of the same SQL, with the event types that share each."""
    groups: dict[str, list[int]] = {}
    first: dict[str, Value] = {}
    for recipe, each in values:
        groups.setdefault(each.sql, []).append(recipe.number)
        first.setdefault(each.sql, each)
    return [(tuple(numbers), first[sql]) for sql, numbers in groups.items()]
