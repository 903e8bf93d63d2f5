"""Run a plan, and read what it says of single cases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sagacity.plan.columns import UNEXPECTED, attribute_columns
from sagacity.plan.facts import Facts
from sagacity.plan.outcomes import FULFILLED, PENDING
from sagacity.plan.plan import Plan, Step
from sagacity.plan.summary import findings
from sagacity.workflow.model import Workflow
from sagacity.workflow.trace import Event
from sagacity.workflow.verdict import CaseVerdict, Verdict, Violation
from sagacity.workflow.words.naming import names

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from sagacity.ledger.port import Progress

__all__ = ["case_verdicts", "run", "write_events"]


_REDELIVERED = "SELECT c, SUM(copies - 1)::BIGINT AS redelivered FROM repeats GROUP BY c"


def run(connection: DuckDBPyConnection, plan: Plan, progress: Progress | None = None) -> None:
    """Make the plan's relations in the connection, which holds `events`."""
    for done, step in enumerate(plan.steps):
        if progress is not None:
            progress(step.what, done / (len(plan.steps) + 1))
        _make(connection, step)
    numbers = connection.execute(plan.undecided().sql("duckdb")).fetchone() or ()
    types = [number for (number,) in connection.execute("SELECT DISTINCT type FROM trace").fetchall()]
    for step in plan.examination([x for x, cases in enumerate(numbers) if cases], types):
        _make(connection, step)


def _make(connection: DuckDBPyConnection, step: Step) -> None:
    verb = f"CREATE OR REPLACE TEMP TABLE {step.relation} AS" if step.create else f"INSERT INTO {step.relation}"
    connection.execute(f"{verb} {step.query.sql('duckdb')}")


def write_events(connection: DuckDBPyConnection, workflow: Workflow, rows: Iterable[tuple[str, Event]]) -> None:
    """Make the relation `events` of events that are already at hand, each with its case id."""
    columns = attribute_columns(workflow)
    fixed = "case_id VARCHAR, type SMALLINT, other VARCHAR, time BIGINT, seq BIGINT, id VARCHAR"
    named = "".join(f', "{column.name}" {column.sql_type}' for column in columns)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE events ({fixed}{named})")
    number = {name: i for i, name in enumerate(workflow.events)}
    captured = {name: {column.name for column in attribute_columns(workflow, name)} for name in workflow.events}
    values = [
        (
            case,
            number.get(event.type, UNEXPECTED),
            None if event.type in number else event.type,
            event.time,
            event.seq,
            event.id,
            *(
                event.attributes.get(column.attribute) if column.name in captured.get(event.type, ()) else None
                for column in columns
            ),
        )
        for case, event in rows
    ]
    if values:
        marks = ", ".join("?" for _ in range(6 + len(columns)))
        connection.executemany(f"INSERT INTO events VALUES ({marks})", values)


def case_verdicts(connection: DuckDBPyConnection, plan: Plan) -> dict[str, CaseVerdict]:
    """The verdict on every case, as the reference judge would give it. For small logs: everything is read into memory."""
    called = names(plan.workflow)
    first, second = ([number.sql("duckdb") for number in screen.activations] for screen in plan.screens)
    told = [f"CASE WHEN {done.sql('duckdb')} THEN {n} END" for done, n in zip(plan.screens[1].settled, second, strict=True)]
    verdicts: dict[str, CaseVerdict] = {}
    settled: dict[str, list[int | None]] = {}
    screens = f"""SELECT {", ".join(["case_id", "TRUE", "ended", "0", *first])} FROM screened WHERE clean UNION ALL
                  SELECT {", ".join(["x.case_id", "clean", "ended", "COALESCE(d.redelivered, 0)", *told])}
                  FROM rescreened AS r JOIN examined AS x ON x.c = r.c LEFT JOIN ({_REDELIVERED}) AS d ON d.c = r.c"""
    for case, clean, ended, redelivered, *activations in connection.execute(screens).fetchall():
        settled[case] = activations
        if clean:
            met = tuple(Verdict(name, n, n, 0) for name, n in zip(called, activations, strict=True))
            verdicts[case] = CaseVerdict(met, ended, 0, 0, redelivered)

    tallies: defaultdict[tuple[str, int], dict[int, tuple[int, int | None]]] = defaultdict(dict)
    query = """SELECT x.case_id, o.x, o.state, SUM(o.n)::BIGINT, MIN(o.at) FROM outcomes AS o
               JOIN examined AS x ON x.c = o.c WHERE o.state < 2 GROUP BY ALL"""
    for case, x, state, n, at in connection.execute(query).fetchall():
        tallies[case, x][state] = (n, at)
    violations: defaultdict[tuple[str, int], list[Violation]] = defaultdict(list)
    found = findings(Facts(plan.workflow, plan.as_of)).sql("duckdb")
    order = "time NULLS FIRST, type NULLS FIRST, activation NULLS FIRST, kind, since"
    query = f"SELECT case_id, x, kind, since, type, time, activation FROM ({found}) AS f ORDER BY {order}"
    for case, x, *fields in connection.execute(query).fetchall():
        violations[case, x].append(Violation(*fields))
    spans = f"""SELECT x.case_id, s.ended, s.start, s.finish, COALESCE(d.redelivered, 0)
                FROM examined AS x JOIN spans AS s ON s.c = x.c LEFT JOIN ({_REDELIVERED}) AS d ON d.c = x.c"""
    for case, ended, start, finish, redelivered in connection.execute(spans).fetchall():
        examined = []
        for x, name in enumerate(called):
            fulfilled, _ = tallies[case, x].get(FULFILLED, (settled[case][x] or 0, None))
            pending, due = tallies[case, x].get(PENDING, (0, None))
            against = tuple(violations[case, x])
            examined.append(Verdict(name, fulfilled + pending + len(against), fulfilled, pending, against, due))
        verdicts[case] = CaseVerdict(tuple(examined), ended, start, finish, redelivered)
    return verdicts
