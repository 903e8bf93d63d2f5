"""Taking sources in: the relation `events` of `sagacity.plan.columns`, and the account of every raw record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce

import duckdb

from sagacity.errors import RejectedError, UsageError
from sagacity.ledger.duckdb.accounts import Counts
from sagacity.ledger.duckdb.connection import watched
from sagacity.ledger.duckdb.events import by_links, by_one_key, unmatched_types
from sagacity.ledger.duckdb.failures import judging
from sagacity.ledger.duckdb.readings import define
from sagacity.ledger.duckdb.rejected import first_rejected
from sagacity.ledger.duckdb.scan import parts_of
from sagacity.ledger.duckdb.shapes import Shape, shape_of
from sagacity.ledger.duckdb.staging import Taken, take_part
from sagacity.ledger.port import Account, Intake, Progress, Rejected
from sagacity.sources.inputs import Input
from sagacity.workflow.model import Workflow

__all__ = ["take_in"]

_SHOWN = 20
_LISTED = 10


def take_in(
    connection: duckdb.DuckDBPyConnection,
    workflow: Workflow,
    inputs: Mapping[str, Input],
    *,
    as_of: int | None,
    now: int,
    max_rejected: int | None = 0,
    progress: Progress | None = None,
) -> Intake:
    """Make the relation `events` of the connection, with the events up to as-of, and account for every raw record.

    `as_of` None stands for the latest event time that is not after `now`. More than `max_rejected` records that cannot be
    read stop the intake; None lets any number pass. Times are microseconds since 1970 UTC. Tables and data frames are
    read in place, and must not change as long as the connection is used.

    Raises UsageError where the inputs are not the workflow's sources, SourceError for what cannot be read at all,
    RejectedError for too many records that cannot be, LedgerError.
    """
    names = _sources(workflow, inputs)
    cutoff = now if as_of is None else as_of
    define(connection)
    taken: dict[str, list[Taken]] = {}
    shapes: dict[str, Shape] = {}
    for number, name in enumerate(names):
        shapes[name] = shape_of(workflow, name)
        _check_zone(connection, shapes[name])
        with watched(connection, progress, f"reading {name}", number / len(names), (number + 1) / len(names)):
            taken[name] = _take_source(connection, shapes[name], inputs[name], cutoff)
    rejected = _rejected(connection, [each for parts in taken.values() for each in parts], max_rejected)
    counts = {name: _sum(each.counts for each in parts) for name, parts in taken.items()}
    if as_of is None:
        as_of = max((each.latest for each in counts.values() if each.latest is not None), default=now)
    with judging():
        if len(workflow.keys) == 1:
            by_one_key(connection, workflow, taken, as_of)
        else:
            counts = by_links(connection, workflow, taken, as_of, counts)
        unmatched = unmatched_types(connection, taken)
    accounts = tuple(_account(name, inputs[name].given or name, each) for name, each in counts.items())
    return Intake(as_of, accounts, rejected, unmatched)


def _sources(workflow: Workflow, inputs: Mapping[str, Input]) -> list[str]:
    named = dict.fromkeys([*workflow.sources, *(each.source for each in workflow.events.values())])
    if missing := [name for name in named if name not in inputs]:
        given = " ".join(f"--source {name}=..." for name in missing)
        noun = "source is" if len(missing) == 1 else "sources are"
        raise UsageError(
            f"{len(missing)} {noun} named in the workflow and not given: {', '.join(missing)}", hint=f"add {given}"
        )
    if strange := [name for name in inputs if name not in named]:
        raise UsageError(
            f"the workflow names no source {', '.join(repr(name) for name in strange)}",
            hint=f"it names {', '.join(named) or 'none'}",
        )
    return list(named)


def _check_zone(connection: duckdb.DuckDBPyConnection, shape: Shape) -> None:
    if shape.zone is None:
        return
    query = "SELECT name FROM pg_timezone_names() WHERE name = $1 OR lower(name) = lower($1) ORDER BY name <> $1"
    found = connection.execute(query, [shape.zone]).fetchone()
    if found is None or found[0] != shape.zone:
        hint = f"did you mean {found[0]}?" if found else "write an IANA name such as Europe/Berlin or UTC"
        raise UsageError(f"source '{shape.source}': there is no time zone '{shape.zone}'", hint=hint)


def _take_source(connection: duckdb.DuckDBPyConnection, shape: Shape, given: Input, cutoff: int) -> list[Taken]:
    numbered = shape.by_row() or (shape.type is None and len(shape.keys) > 1)
    taken: list[Taken] = []
    first_row = 0
    for number, part in enumerate(parts_of(connection, shape.source, given, shape.paths(), numbered=numbered)):
        table = f"taken {shape.source} {number}"
        taken.append(take_part(connection, shape, part, table=table, first_row=first_row, cutoff=cutoff))
        first_row += taken[-1].counts.records
    return taken


def _rejected(connection: duckdb.DuckDBPyConnection, taken: Sequence[Taken], most: int | None) -> tuple[Rejected, ...]:
    total = sum(each.counts.rejected for each in taken)
    found: list[Rejected] = []
    for each in taken:
        if each.counts.rejected and len(found) < _SHOWN:
            found += first_rejected(connection, each, _SHOWN - len(found))
    if most is not None and total > most:
        records = "1 record cannot" if total == 1 else f"{total:,} records cannot"
        first = f", the first {_LISTED} are" if total > _LISTED else ""
        raise RejectedError(
            f"{records} be read{first}:",
            [str(each) for each in found[:_LISTED]],
            hint=f"mend them, or go on without them: --max-rejected {total}, or --lenient for any number",
        )
    return tuple(found)


def _account(name: str, given: str, counts: Counts) -> Account:
    return Account(
        source=name,
        given=given,
        records=counts.records,
        matched=counts.matched,
        unmatched=counts.unmatched,
        orphan=counts.orphan,
        rejected=counts.rejected,
        beyond=counts.beyond,
        events=counts.events,
        first=counts.first,
        last=counts.last,
    )


def _sum(counts: Iterable[Counts]) -> Counts:
    return reduce(Counts.plus, counts, Counts())
