"""Several keys for one case, live: an event may come before what links it to its case, and a link may move events.

What `sagacity.ledger.duckdb.correlate` says of all events it says, here, of the part of the graph that the arrived events
touch: the events that are connected with them through keys other than the first. The rest cannot have changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sagacity.ledger.duckdb.correlate import KEY, correlate
from sagacity.ledger.duckdb.fields import identifier
from sagacity.ledger.duckdb.live.numbering import number_new
from sagacity.ledger.duckdb.live.revision import Revision
from sagacity.ledger.duckdb.live.schema import case_table, event_columns, event_table, touched_table
from sagacity.ledger.duckdb.rows import first_row

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["link", "reach"]

_AFFECTED = "affected"


def link(connection: DuckDBPyConnection, revision: Revision) -> None:
    """Put the arrived events into their cases, and move those that a new link concerns."""
    events, cases = event_table(revision.w), case_table(revision.w)
    keys = [identifier(KEY + key) for key in revision.workflow.keys]
    reach(connection, events, keys)
    _gather(connection, events, keys)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE linked AS {correlate(connection, _AFFECTED, revision.workflow.keys)}")
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE touched AS
            SELECT b.case_id, k.c, b.n, b.first, b.last FROM
                (SELECT case_id, count(*) AS n, min(time) AS first, max(time) AS last FROM linked WHERE case_id IS NOT NULL
                 AND (row IS NULL OR NOT settled) GROUP BY case_id) AS b
            LEFT JOIN {cases} AS k ON k.case_id = b.case_id"""
    )
    number_new(connection, cases)
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE moved AS
            SELECT l.row, l.time, l.was, t.c FROM linked AS l LEFT JOIN touched AS t ON t.case_id = l.case_id
            WHERE l.row IS NOT NULL AND NOT l.settled AND l.was IS DISTINCT FROM t.c"""
    )
    connection.execute(f"UPDATE {events} AS e SET c = m.c FROM moved AS m WHERE e.rowid = m.row")
    names = [name for name, _ in event_columns(revision.workflow) if name != "c"]
    connection.execute(
        f"""INSERT INTO {events} SELECT t.c, {", ".join(f"a.{name}" for name in names)} FROM arrived AS a
            JOIN linked AS l ON l.place = a.rowid LEFT JOIN touched AS t ON t.case_id = l.case_id"""
    )
    connection.execute(
        f"""INSERT INTO {touched_table(revision.w)} SELECT c, min(first) FROM (
                SELECT c, first FROM touched
                UNION ALL SELECT was, time FROM moved WHERE was IS NOT NULL
                UNION ALL SELECT c, time FROM moved WHERE c IS NOT NULL) GROUP BY c"""
    )


def reach(connection: DuckDBPyConnection, events: str, keys: list[str]) -> None:
    """Make `reached`: the values of the other keys that are connected with an arrived event. A case is no way through, so
    only events without the first key lead on."""
    primary, others = keys[0], keys[1:]
    carried = " UNION ".join(
        f"SELECT {number} AS key, {other} AS value FROM arrived WHERE {other} IS NOT NULL"
        for number, other in enumerate(others)
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE reached AS {carried}")
    if len(others) == 1:
        return  # values of one key are joined by nothing but a case
    listed = ", ".join(others)
    without = f"WHERE {primary} IS NULL"
    loose = f"(SELECT {listed} FROM {events} {without} UNION ALL SELECT {listed} FROM arrived {without})"
    met = " OR ".join(f"{other} IN (SELECT value FROM reached WHERE key = {number})" for number, other in enumerate(others))
    values = " UNION ".join(
        f"SELECT {number} AS key, {other} AS value FROM met WHERE {other} IS NOT NULL" for number, other in enumerate(others)
    )
    while True:
        grown = first_row(
            connection,
            f"""INSERT INTO reached SELECT * FROM (WITH met AS (SELECT DISTINCT {listed} FROM {loose} WHERE {met}) {values})
                EXCEPT SELECT key, value FROM reached""",
        )
        if not grown or not grown[0]:
            return


def _gather(connection: DuckDBPyConnection, events: str, keys: list[str]) -> None:
    """Make the relation that is correlated: the arrived events, and the kept ones that carry a reached value. `settled`
    marks a kept one that carries the first key, and so stays where it is."""
    primary, others = keys[0], keys[1:]
    met = " OR ".join(f"{other} IN (SELECT value FROM reached WHERE key = {number})" for number, other in enumerate(others))
    listed = ", ".join(keys)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE {_AFFECTED} AS
            SELECT {listed}, rowid AS row, CAST(NULL AS BIGINT) AS place, c AS was, time, {primary} IS NOT NULL AS settled
            FROM {events} WHERE {met}
            UNION ALL SELECT {listed}, NULL, rowid, NULL, time, FALSE FROM arrived"""
    )
