"""A live ledger in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from sagacity.ledger.duckdb.live.archived import archived_counts
from sagacity.ledger.duckdb.live.keeping import REDELIVERED
from sagacity.ledger.duckdb.live.revision import Revision
from sagacity.ledger.duckdb.live.schema import case_table, event_table
from sagacity.ledger.live import Account, Counts, PartState

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["accounts", "counts", "part_states"]


def part_states(connection: DuckDBPyConnection) -> list[PartState]:
    rows = connection.execute(
        "SELECT source, part, position, latest, heard, records, rejected FROM part ORDER BY source, part"
    ).fetchall()
    return [PartState(**dict(zip(PartState.__struct_fields__, row, strict=True))) for row in rows]


def accounts(connection: DuckDBPyConnection, revisions: Sequence[Revision]) -> list[Account]:
    """The accounts of every workflow. With several keys, a record whose events have no case yet is an orphan for now."""
    found = []
    for revision in revisions:
        orphans: dict[str, tuple[int, int]] = {}
        if len(revision.workflow.keys) > 1:
            orphans = {
                source: (astray, copies)
                for source, astray, copies in connection.execute(
                    f"""SELECT p.source, count_if(NOT e.copy), count_if(e.copy) FROM
                            (SELECT record, bool_and(counted = {REDELIVERED}) AS copy FROM {event_table(revision.w)}
                             GROUP BY record HAVING count(c) = 0) AS e
                        JOIN record AS r ON r.n = e.record JOIN part AS p ON p.p = r.p GROUP BY p.source"""
                ).fetchall()
            }
        rows = connection.execute(
            """SELECT source, records, matched, redelivered, late, unmatched, orphan, rejected FROM account
               WHERE w = ? ORDER BY source""",
            [revision.w],
        ).fetchall()
        for row in rows:
            account = Account(workflow=revision.workflow.name, **dict(zip(Account.__struct_fields__[1:], row, strict=True)))
            astray, copies = orphans.get(account.source, (0, 0))
            from_matched = min(astray, account.matched)
            found.append(
                replace(
                    account,
                    matched=account.matched - from_matched,
                    late=account.late - (astray - from_matched),
                    redelivered=account.redelivered - copies,
                    orphan=account.orphan + astray + copies,
                )
            )
    return found


def counts(connection: DuckDBPyConnection, revision: Revision) -> Counts:
    """One workflow at a glance."""
    workflow = revision.workflow
    named = "FROM finding WHERE workflow = ?"
    unresolved = f"{named} AND state = 'open'"
    by = {
        column: connection.execute(
            f"SELECT coalesce({column}, ''), count(*) {unresolved} GROUP BY 1 ORDER BY 2 DESC, 1", [workflow.name]
        ).fetchall()
        for column in ("owner", "expectation")
    }
    events = dict(
        connection.execute(
            f"""SELECT type, count(*) FROM {event_table(revision.w)}
                WHERE counted <> {REDELIVERED} AND c IS NOT NULL GROUP BY type"""
        ).fetchall()
    )
    cases = {"complete": 0, "open": 0, "violated": 0}
    statuses = dict(connection.execute(f"SELECT status, count(*) FROM {case_table(revision.w)} GROUP BY status").fetchall())
    gone, gone_events = archived_counts(connection, workflow.name)
    states = connection.execute(f"SELECT state, count(*) {named} GROUP BY state", [workflow.name]).fetchall()
    return Counts(
        workflow=workflow.name,
        cases={status: statuses.get(status, 0) + gone.get(status, 0) for status in cases | statuses | gone},
        findings={"open": 0, "acknowledged": 0, "waived": 0, "resolved": 0} | dict(states),
        by_owner=dict(by["owner"]),
        by_expectation=dict(by["expectation"]),
        events={name: events.get(number, 0) + gone_events.get(name, 0) for number, name in enumerate(workflow.events)},
    )
