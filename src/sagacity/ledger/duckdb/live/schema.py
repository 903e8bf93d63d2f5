"""The tables of a live ledger.

Shared by all workflows:

- `part`, a row for each part of a source: where to read on, what has been heard
- `record`, every raw record as it was read, numbered in the order in which it was taken in; `rejected`, the latest of those
  that could not be read, with the reason
- `workflow`, the revisions that are judged by; `account`, what became of the records of each source
- `finding`, `history`, `incident`, `notice`: what is wrong, its life, and what people are told of it
- `audit`, what people did
- `given`, what the file of each workflow said when the server was last started with it
- `expected`, the expectations that a workflow was changed to have, each with the last file of the archive then: cases in
  later files were judged by it
- `archive`, where the archive stands: the highest number that a record ever had, up to which record those that belong to no
  event have been looked for, the last file's number; `archived_file`, its files; `archived`, one row a case in it;
  `archived_key`, the values of keys other than the first in it, hashed, with the case, or the record that waits for one;
  `owed`, what came back while a revision was being read for, which has it still to read; `forgotten`, cases whose records
  are gone and that have findings still

For each revision of a workflow, with its number in the name (`event_3`): `event`, one row an event, copies included, `c` the
case's number (NULL: no case yet); `case`, one row a case; `touched`, the cases that events have come for since they were
judged, and the time of the first of these.

Times are microseconds UTC. There are no indexes: every access is a scan over few columns or a join, and an index would have
to be kept up for every event.
"""

from __future__ import annotations

from sagacity.ledger.duckdb.correlate import KEY
from sagacity.ledger.duckdb.fields import identifier
from sagacity.plan.columns import attribute_columns
from sagacity.workflow.model import Workflow

__all__ = [
    "SHARED", "UPGRADES", "VERSION", "case_table", "event_columns", "event_table", "touched_table", "workflow_tables",
]  # fmt: skip

VERSION = 4
"""The version of these tables. A ledger of a later one is refused; one of an earlier is brought up to this."""

ARCHIVE = (
    "CREATE TABLE archive (taken BIGINT, swept BIGINT, files BIGINT)",
    "INSERT INTO archive VALUES (0, 0, 0)",
    """CREATE TABLE archived_file (file BIGINT, workflow VARCHAR, day DATE, path VARCHAR, records BIGINT, thinned BOOLEAN,
        damaged BOOLEAN)""",
    """CREATE TABLE archived (hash UBIGINT, workflow VARCHAR, case_id VARCHAR, file BIGINT, status VARCHAR, ended BOOLEAN,
        events BIGINT, findings BIGINT, first BIGINT, last BIGINT, as_of BIGINT, types VARCHAR)""",
    """CREATE TABLE archived_key (hash UBIGINT, loose BOOLEAN, workflow VARCHAR, case_id VARCHAR, file BIGINT, n BIGINT)""",
    "CREATE TABLE owed (workflow VARCHAR, case_id VARCHAR, file BIGINT, n BIGINT)",
    "CREATE TABLE forgotten (workflow VARCHAR, case_id VARCHAR)",
)
"""The tables of the archive, which version 2 brought."""

GIVEN = ("CREATE TABLE given (name VARCHAR, text VARCHAR)", "ALTER TABLE ledger ADD COLUMN horizons VARCHAR")
"""What files said at the last start, and how far each source has been heard, which version 3 brought."""

EXPECTED = ("CREATE TABLE expected (workflow VARCHAR, expectation VARCHAR, file BIGINT)",)
"""Since when expectations are in place, which version 4 brought."""

UPGRADES = {2: ARCHIVE, 3: GIVEN, 4: EXPECTED}
"""What makes each version of the one before."""

SHARED = (
    "CREATE TABLE ledger (version INTEGER, as_of BIGINT)",
    f"INSERT INTO ledger VALUES ({VERSION}, NULL)",
    """CREATE TABLE part (p INTEGER, source VARCHAR, part VARCHAR, position BIGINT, latest BIGINT, heard BIGINT,
        records BIGINT, rejected BIGINT)""",
    """CREATE TABLE record (n BIGINT, p INTEGER, position BIGINT, arrived BIGINT, body VARCHAR, correlation VARCHAR,
        trace VARCHAR)""",
    """CREATE TABLE rejected (w INTEGER, p INTEGER, position BIGINT, arrived BIGINT, reason VARCHAR, shown VARCHAR,
        step BIGINT)""",
    """CREATE TABLE workflow (w INTEGER, name VARCHAR, revision INTEGER, text VARCHAR, adopted BIGINT, "by" VARCHAR,
        "current" BOOLEAN, reread BIGINT, goal BIGINT)""",
    """CREATE TABLE account (w INTEGER, source VARCHAR, records BIGINT, matched BIGINT, redelivered BIGINT, late BIGINT,
        unmatched BIGINT, orphan BIGINT, rejected BIGINT)""",
    """CREATE TABLE finding (id VARCHAR, workflow VARCHAR, case_id VARCHAR, expectation VARCHAR, kind VARCHAR,
        severity VARCHAR, rank INTEGER, owner VARCHAR, since BIGINT, type VARCHAR, time BIGINT, activation VARCHAR,
        message VARCHAR, state VARCHAR, opened BIGINT, changed BIGINT, resolved BIGINT, late BIGINT, until BIGINT,
        "by" VARCHAR, reason VARCHAR, incident VARCHAR, noticed BOOLEAN)""",
    """CREATE TABLE history (finding VARCHAR, "at" BIGINT, what VARCHAR, "by" VARCHAR, reason VARCHAR, until BIGINT,
        step BIGINT)""",
    """CREATE TABLE incident (id VARCHAR, workflow VARCHAR, expectation VARCHAR, severity VARCHAR, owner VARCHAR,
        source VARCHAR, opened BIGINT, last BIGINT, findings BIGINT)""",
    """CREATE TABLE notice (number BIGINT, key VARCHAR, kind VARCHAR, "at" BIGINT, finding VARCHAR, findings BIGINT,
        again BIGINT, failed VARCHAR, done BOOLEAN, deliveries VARCHAR)""",
    'CREATE TABLE audit ("at" BIGINT, "by" VARCHAR, what VARCHAR, step BIGINT)',
    *ARCHIVE,
    *GIVEN,
    *EXPECTED,
)


def event_table(w: int) -> str:
    return f"event_{w}"


def case_table(w: int) -> str:
    return f"case_{w}"


def touched_table(w: int) -> str:
    return f"touched_{w}"


def event_columns(workflow: Workflow) -> list[tuple[str, str]]:
    """The columns of an event, as SQL identifiers with their types: those of `sagacity.plan.columns`, the case's number in
    place of its id, the record it was read from, how that record has been accounted for, and its keys where there
    are several."""
    keys = [(identifier(KEY + key), "VARCHAR") for key in workflow.keys] if len(workflow.keys) > 1 else []
    return [
        ("c", "BIGINT"),
        ("type", "SMALLINT"),
        ("other", "VARCHAR"),
        ("time", "BIGINT"),
        ("seq", "BIGINT"),
        ("id", "VARCHAR"),
        *((identifier(column.name), column.sql_type) for column in attribute_columns(workflow)),
        ("record", "BIGINT"),
        ("counted", "UTINYINT"),
        *keys,
    ]


def workflow_tables(workflow: Workflow, w: int) -> list[str]:
    """What makes the tables of a revision."""
    columns = ", ".join(f"{name} {kind}" for name, kind in event_columns(workflow))
    return [
        f"CREATE TABLE {event_table(w)} ({columns})",
        f"""CREATE TABLE {case_table(w)} (c BIGINT, case_id VARCHAR, status VARCHAR, ended BOOLEAN, events BIGINT,
            findings BIGINT, first BIGINT, last BIGINT, as_of BIGINT, due BIGINT, held BIGINT, behind VARCHAR)""",
        f'CREATE TABLE {touched_table(w)} (c BIGINT, "at" BIGINT)',
    ]
