"""Taking batches in: records, the events of every workflow, and the positions that they came from, as one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from sagacity.ledger.duckdb.live.arrivals import INCOMING, arrive
from sagacity.ledger.duckdb.live.keeping import Recall, keep
from sagacity.ledger.duckdb.live.numbering import HIGHEST
from sagacity.ledger.duckdb.live.redaction import Places
from sagacity.ledger.duckdb.live.revision import Revision
from sagacity.ledger.duckdb.rows import first_row
from sagacity.ledger.live import Appended
from sagacity.sources.stream import Batch, Part
from sagacity.workflow.redaction import place_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["append"]

_CORRELATION = ("/correlation_id", "/correlationid", "/kafka/headers/x-correlation-id", "/kafka/headers/ce_correlationid")
_TRACE = ("/traceparent", "/kafka/headers/traceparent", "/kafka/headers/ce_traceparent")


def append(
    connection: DuckDBPyConnection,
    revisions: Sequence[Revision],
    batches: Sequence[Batch],
    as_of: int | None,
    now: int,
    recall: Recall,
) -> Appended:
    """Keep the batches, within a transaction. `as_of` is the instant up to which cases have been judged; `recall` brings
    archived cases back."""
    numbers = _number_parts(connection, {(batch.source, batch.part) for batch in batches})
    row = first_row(connection, HIGHEST)
    first = (int(row[0]) if row else 0) + 1
    records = arrive(connection, batches, numbers, first, _redacted(revisions))
    connection.execute(
        f"""INSERT INTO record SELECT n, p, position, {now}, body, {_taken(_CORRELATION, "correlation")},
                substr({_taken(_TRACE, "traceparent")}, 4, 32) FROM {INCOMING}"""
    )
    rejected: dict[int, int] = {}
    latest: dict[int, int] = {}
    for revision in revisions:
        kept = keep(connection, revision, as_of, now, recall if revision.current else None)
        for p, n in kept.rejected.items():
            rejected[p] = max(n, rejected.get(p, 0))
        for p, at in kept.latest.items():
            latest[p] = max(at, latest.get(p, at))
    _advance(connection, batches, numbers, latest, rejected, now)
    connection.unregister(INCOMING)
    by_number = {p: part for part, p in numbers.items()}
    return Appended(records, sum(rejected.values()), {by_number[p]: at for p, at in latest.items()})


def _redacted(revisions: Iterable[Revision]) -> dict[str, Places]:
    places: dict[str, dict[tuple[str, ...], None]] = {}
    for revision in revisions:
        for name, source in revision.workflow.sources.items():
            for path in source.redact:
                places.setdefault(name, {})[place_of(path)] = None
    return {name: tuple(found) for name, found in places.items()}


def _taken(places: Sequence[str], sign: str) -> str:
    """SQL of the first of some places in a record that has a value; records without the sign are not looked into."""
    listed = ", ".join(f"'{place}'" for place in places)
    found = f"json_extract_string(CASE WHEN contains(body, '{sign}') AND json_valid(body) THEN body END, [{listed}])"
    return f"list_filter({found}, lambda it: it IS NOT NULL)[1]"


def _number_parts(connection: DuckDBPyConnection, parts: set[Part]) -> dict[Part, int]:
    known: dict[Part, int] = {
        (source, part): p for source, part, p in connection.execute("SELECT source, part, p FROM part").fetchall()
    }
    for source, part in sorted(parts - known.keys()):
        p = len(known) + 1
        known[source, part] = p
        connection.execute("INSERT INTO part VALUES (?, ?, ?, NULL, NULL, NULL, 0, 0)", [p, source, part])
    return {part: known[part] for part in parts}


def _advance(
    connection: DuckDBPyConnection,
    batches: Sequence[Batch],
    numbers: dict[Part, int],
    latest: dict[int, int],
    rejected: dict[int, int],
    now: int,
) -> None:
    """Remember where to read on, and what was heard."""
    records: dict[int, int] = {}
    resume: dict[int, int | None] = {}
    for batch in batches:
        p = numbers[batch.source, batch.part]
        records[p] = records.get(p, 0) + len(batch.bodies)
        resume[p] = batch.resume if batch.resume is not None else resume.get(p)
    for p, n in records.items():
        connection.execute(
            """UPDATE part SET position = coalesce(?, position), latest = greatest(latest, ?), heard = ?,
                records = records + ?, rejected = rejected + ? WHERE p = ?""",
            [resume[p], latest.get(p), now, n, rejected.get(p, 0), p],
        )
