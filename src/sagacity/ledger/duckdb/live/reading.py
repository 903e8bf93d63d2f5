"""What readers ask of a live ledger: lists in pages, single cases and findings, counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from sagacity.ledger.duckdb.correlate import KEY
from sagacity.ledger.duckdb.fields import identifier
from sagacity.ledger.duckdb.live.archive import Archive
from sagacity.ledger.duckdb.live.archived import archived_cases, archived_events
from sagacity.ledger.duckdb.live.paging import page_of
from sagacity.ledger.duckdb.live.revision import Revision
from sagacity.ledger.duckdb.live.schema import case_table, event_table
from sagacity.ledger.duckdb.rows import EventReader, first_row
from sagacity.ledger.live import CaseFilter, CaseRow, FindingFilter, HistoryEntry, Incident, LiveFinding, Page, StoredEvent
from sagacity.plan.columns import attribute_columns
from sagacity.plan.withheld import BETWEEN
from sagacity.workflow.trace import FOREVER
from sagacity.workflow.verdict import CaseStatus

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = [
    "FINDING",
    "audit_page",
    "case_page",
    "case_row",
    "events_of",
    "finding_from",
    "finding_of",
    "finding_page",
    "history_of",
    "incident_page",
]

T = TypeVar("T")

FINDING = ", ".join(identifier(name) for name in LiveFinding.__struct_fields__ if name not in ("case",))
_CASE = "case_id, status, ended, events, findings, first, last, as_of, due, behind, FALSE AS archived"
_MOST = 500


def case_page(
    connection: DuckDBPyConnection, revisions: Sequence[Revision], which: CaseFilter, *, cursor: str | None, limit: int
) -> Page[CaseRow]:
    """Cases, the latest first."""
    queries: list[str] = []
    parameters: list[object] = []
    for revision in revisions:
        if which.workflow not in (None, revision.workflow.name):
            continue
        conditions = ["TRUE"]
        if which.status is not None:
            conditions.append("status = ?")
            parameters.append(which.status.value)
        if which.text:
            condition, values = _found(revision, which.text)
            conditions.append(condition)
            parameters += values
        name = revision.workflow.name.replace("'", "''")
        queries.append(
            f"SELECT '{name}' AS workflow, {_CASE} FROM {case_table(revision.w)} WHERE {' AND '.join(conditions)}"
        )
        archived, values = archived_cases(revision, which)
        queries.append(f"SELECT '{name}' AS workflow, q.* FROM ({archived}) AS q")
        parameters += values
    if not queries:
        return Page(())
    query = " UNION ALL ".join(queries)
    key = ["-last", "case_id", "workflow"]
    return page_of(connection, query, parameters, key, _case, cursor=cursor, limit=limit)


def case_row(connection: DuckDBPyConnection, revision: Revision, case: str) -> CaseRow | None:
    row = first_row(connection, f"SELECT {_CASE} FROM {case_table(revision.w)} WHERE case_id = ?", [case])
    if row is None:
        query, values = archived_cases(revision, CaseFilter(text=case))
        row = first_row(connection, f"SELECT * FROM ({query}) WHERE case_id = ?", [*values, case])
    return None if row is None else _case((revision.workflow.name, *row))


def events_of(connection: DuckDBPyConnection, archive: Archive, revision: Revision, case: str) -> list[StoredEvent]:
    """Every event of a case, copies included, in the order of the trace. Raises LedgerError where it is archived and its
    file cannot be read."""
    if (archived := archived_events(connection, archive, revision, case)) is not None:
        return archived
    reader = EventReader(revision.workflow)
    rows = connection.execute(
        f"""SELECT {reader.columns("e")}, p.source, p.part, r.position, r.arrived, r.body, r.correlation, r.trace
            FROM {event_table(revision.w)} AS e JOIN {case_table(revision.w)} AS k ON k.c = e.c
            LEFT JOIN record AS r ON r.n = e.record LEFT JOIN part AS p ON p.p = r.p
            WHERE k.case_id = ? ORDER BY e.time, e.seq, e.type, e.id, e.record""",
        [case],
    ).fetchall()
    found = []
    for row in rows:
        source, part, position, arrived, record, correlation, trace = row[reader.width :]
        found.append(
            StoredEvent(
                event=reader.event(row[: reader.width]),
                source=source or "",
                part=part or "",
                position=position or 0,
                arrived=arrived or 0,
                record=record,
                correlation=correlation,
                trace=trace,
            )
        )
    return found


def finding_page(
    connection: DuckDBPyConnection, which: FindingFilter, *, cursor: str | None, limit: int
) -> Page[LiveFinding]:
    """Findings, worst severity first, then the latest."""
    conditions = ["TRUE"]
    parameters: list[object] = []
    for column in ("workflow", "owner", "severity", "kind", "expectation", "incident"):
        if (value := getattr(which, column)) is not None:
            conditions.append(f"{column} = ?")
            parameters.append(value)
    if which.case is not None:
        conditions.append("case_id = ?")
        parameters.append(which.case)
    if which.states:
        conditions.append(f"state IN ({', '.join('?' for _ in which.states)})")
        parameters += which.states
    query = f"SELECT rank, case_id, {FINDING} FROM finding WHERE {' AND '.join(conditions)}"
    make = lambda row: finding_from(row[1:])  # noqa: E731
    return page_of(connection, query, parameters, ["rank", "-since", "id"], make, cursor=cursor, limit=limit)


def finding_of(connection: DuckDBPyConnection, finding: str) -> LiveFinding | None:
    row = first_row(connection, f"SELECT case_id, {FINDING} FROM finding WHERE id = ?", [finding])
    return None if row is None else finding_from(row)


def incident_page(connection: DuckDBPyConnection, *, cursor: str | None, limit: int) -> Page[Incident]:
    """Incidents, the latest first, each with how many of its findings are still open."""
    query = """SELECT i.id, i.workflow, i.expectation, i.severity, i.owner, i.source, i.opened, i.last, i.findings,
                      coalesce(f.n, 0) AS "open"
               FROM incident AS i LEFT JOIN (SELECT incident, count(*) AS n FROM finding WHERE state <> 'resolved'
                                             GROUP BY incident) AS f ON f.incident = i.id"""
    make = lambda row: Incident(**dict(zip(Incident.__struct_fields__, row, strict=True)))  # noqa: E731
    return page_of(connection, query, [], ["-last", "id"], make, cursor=cursor, limit=limit)


def _case(row: Any) -> CaseRow:
    workflow, case, status, ended, events, findings, first, last, as_of, due, behind, archived = row
    return CaseRow(
        workflow=workflow,
        case=case,
        status=CaseStatus(status),
        ended=ended,
        events=events,
        findings=findings,
        first=first,
        last=last,
        as_of=as_of,
        due=None if due >= FOREVER else due,
        behind=tuple(behind.split(BETWEEN)) if behind else (),
        archived=archived,
    )


def finding_from(row: Any) -> LiveFinding:
    case, *values = row
    names = [name for name in LiveFinding.__struct_fields__ if name != "case"]
    return LiveFinding(case=case, **dict(zip(names, values, strict=True)))


def _found(revision: Revision, text: str) -> tuple[str, list[object]]:
    """SQL of the cases that have a text as their id, or in an event: its id, a key, an attribute, a correlation or trace."""
    columns = [("id", "VARCHAR"), *((identifier(each.name), each.sql_type) for each in attribute_columns(revision.workflow))]
    if len(revision.workflow.keys) > 1:
        columns += [(identifier(KEY + key), "VARCHAR") for key in revision.workflow.keys]
    held = " OR ".join(
        f"{name} = TRY_CAST(? AS {kind})" if kind.startswith("DECIMAL") else f"CAST({name} AS VARCHAR) = ?"
        for name, kind in columns
    )
    carried = "record IN (SELECT n FROM record WHERE correlation = ? OR trace = ?)"
    inside = f"c IN (SELECT c FROM {event_table(revision.w)} WHERE {held} OR {carried})"
    return f"(case_id = ? OR {inside})", [text] * (len(columns) + 3)


def history_of(connection: DuckDBPyConnection, finding: str) -> list[HistoryEntry]:
    """The steps of a finding's life, in order."""
    rows = connection.execute(
        'SELECT finding, "at", what, "by", reason, until FROM history WHERE finding = ? ORDER BY step', [finding]
    ).fetchall()
    return [HistoryEntry(**dict(zip(HistoryEntry.__struct_fields__, row, strict=True))) for row in rows]


def audit_page(connection: DuckDBPyConnection, *, cursor: str | None, limit: int) -> Page[tuple[int, str, str]]:
    """What people did, the latest first."""
    query = 'SELECT "at", "by", what, step FROM audit'
    return page_of(connection, query, [], ["-step"], lambda row: (row[0], row[1], row[2]), cursor=cursor, limit=limit)
