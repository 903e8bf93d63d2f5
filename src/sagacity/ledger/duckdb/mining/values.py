"""Captured values: which agree, which add up, and what they have to do with whether something happens.

The relation `held` has one row for each of up to twenty thousand counted cases, and a column for each captured attribute
of each event type: its first event's value, and, of numbers, the sum over all its events. `present` says which types a
case has.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import duckdb

from sagacity.ledger.duckdb.events import EVENTS
from sagacity.ledger.duckdb.fields import identifier, literal
from sagacity.ledger.mining import Agreement, Column, Place, Split, Test
from sagacity.plan.columns import column_of
from sagacity.workflow.model import Capture, Workflow

__all__ = ["Held"]

_SAMPLED = 20_000
_TOGETHER = 400
"""Aggregates in one query."""

_SINGLE_VALUES = 24
_RANGES = 256
_AGREE = 0.5


class Held:
    """The captured values of a workflow's counted cases."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, workflow: Workflow, before: int, until: int | None, counted: int
    ) -> None:
        self.connection = connection
        self.workflow = workflow
        self.columns = [
            Column(number, name) for number, event in enumerate(workflow.events.values()) for name in event.capture
        ]
        self.places = {column: place for place, column in enumerate(self.columns)}
        self._fill(before, until, counted)

    def _fill(self, before: int, until: int | None, counted: int) -> None:
        every = max(counted // _SAMPLED, 1)
        bound = f" AND time <= {until}" if until is not None else ""
        values = [f"bool_or(type = {number}) AS has{number}" for number in range(len(self.workflow.events))]
        for place, column in enumerate(self.columns):
            source = f"e.{self._source(column)}"
            values.append(f"min_by({source}, (time, seq)) FILTER (type = {column.type}) AS v{place}")
            if self.numeric(column):
                values.append(f"sum({source}) FILTER (type = {column.type}) AS s{place}")
        self.connection.execute(
            f"""CREATE OR REPLACE TEMP TABLE held AS SELECT {", ".join(values)}
                FROM (SELECT *, hash(case_id) AS c FROM {EVENTS} WHERE type >= 0{bound}) AS e
                SEMI JOIN (SELECT c FROM courses WHERE first <= {before} AND c % {every} = 0) AS k ON k.c = e.c
                GROUP BY e.c"""
        )

    def _source(self, column: Column) -> str:
        return identifier(column_of(column.attribute, self._capture(column)).name)

    def _capture(self, column: Column) -> Capture:
        return list(self.workflow.events.values())[column.type].capture[column.attribute]

    def kind(self, column: Column) -> str:
        """What the attribute is read as."""
        return str(self._capture(column).type or "text")

    def numeric(self, column: Column) -> bool:
        return self.kind(column) in ("integer", "decimal")

    def spread(self) -> list[Place]:
        """How each attribute is spread."""
        found = []
        for place, column in enumerate(self.columns):
            row = self.connection.execute(
                f"""SELECT sum(n), count(*), max(n)
                    FROM (SELECT count(*) AS n FROM held WHERE v{place} IS NOT NULL GROUP BY v{place})"""
            ).fetchone()
            if row and row[0]:
                found.append(Place(column, int(row[0]), int(row[1]), int(row[2])))
        return found

    def equal(self, pairs: Sequence[tuple[Column, Column]]) -> list[Agreement]:
        asked = [
            (Agreement(left, (right,), False, 0, 0), f"v{self.places[left]}", f"v{self.places[right]}")
            for left, right in pairs
        ]
        return self._agreeing(asked)

    def sums(self, columns: Sequence[Column]) -> list[Agreement]:
        asked = []
        for left in columns:
            others = [column for column in columns if column != left]
            own = f"v{self.places[left]}"
            for right in others:
                if right.type != left.type:
                    asked.append((Agreement(left, (right,), True, 0, 0), own, f"s{self.places[right]}"))
            for one, other in combinations(others, 2):
                both = f"(v{self.places[one]} + v{self.places[other]})"
                asked.append((Agreement(left, (one, other), False, 0, 0), own, both))
        return [each for each in self._agreeing(asked) if each.agree > _AGREE * each.both]

    def _agreeing(self, asked: Sequence[tuple[Agreement, str, str]]) -> list[Agreement]:
        found = []
        for start in range(0, len(asked), _TOGETHER):
            part = asked[start : start + _TOGETHER]
            counts = ", ".join(f"count({left} = {right}), count(*) FILTER ({left} = {right})" for _, left, right in part)
            row = self.connection.execute(f"SELECT {counts} FROM held").fetchone() or ()
            for place, (each, _, _) in enumerate(part):
                both, agree = int(row[2 * place]), int(row[2 * place + 1])
                found.append(Agreement(each.left, each.right, each.summed, both, agree))
        return found

    def split(self, target: int, column: Column, given: Sequence[Test]) -> Split | None:
        """See `sagacity.ledger.mining.Mining.split`."""
        value, has = f"v{self.places[column]}", f"has{target}"
        where = " AND ".join([f"{value} IS NOT NULL", *(self.condition(test) for test in given)])
        counts = f"count_if(NOT {has})::BIGINT, count_if({has})::BIGINT"
        row = self.connection.execute(f"SELECT count(DISTINCT {value}) FROM held WHERE {where}").fetchone()
        distinct = int(row[0]) if row else 0
        if distinct < 2:
            return None
        ordered = self.numeric(column)
        if not ordered and distinct > _SINGLE_VALUES:
            return None
        if not ordered or distinct <= _SINGLE_VALUES:
            query = f"""SELECT {value}::VARCHAR, {value}::VARCHAR, {counts} FROM held WHERE {where}
                        GROUP BY {value} ORDER BY {value}"""
        else:
            query = f"""SELECT min(x)::VARCHAR, max(x)::VARCHAR, sum(without)::BIGINT, sum("with")::BIGINT FROM (
                          SELECT x, without, "with", floor({_RANGES} * (sum(without + "with") OVER (ORDER BY x) - 1)
                            / sum(without + "with") OVER ()) AS part
                          FROM (SELECT {value} AS x, count_if(NOT {has}) AS without, count_if({has}) AS "with"
                                FROM held WHERE {where} GROUP BY 1)) GROUP BY part ORDER BY min(x)"""
        rows = self.connection.execute(query).fetchall()
        return Split(column, ordered, tuple((low, high, int(no), int(yes)) for low, high, no, yes in rows))

    def condition(self, test: Test) -> str:
        """SQL of a test over `held`."""
        value = f"v{self.places[test.column]}"
        if test.values is not None:
            return f"{value}::VARCHAR IN ({', '.join(map(literal, test.values))})"
        bounds = [
            f"{value} > {test.least}" if test.least is not None else "",
            f"{value} <= {test.most}" if test.most is not None else "",
        ]
        return " AND ".join(bound for bound in bounds if bound) or "TRUE"
