"""The life of findings, as verdicts change: opened, changed, resolved, opened again; and what people are told of it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from sagacity.ledger.duckdb.live.revision import Revision
from sagacity.ledger.duckdb.live.statements import parsed
from sagacity.ledger.duckdb.rows import first_row
from sagacity.ledger.incidents import Spell, grow
from sagacity.workflow.verdict import Violation
from sagacity.workflow.words.naming import names
from sagacity.workflow.words.wording import teller

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["SAGACITY", "Settled", "remember", "settle", "tell"]

SAGACITY = "sagacity"
"""Who does what a verdict does."""


class Settled(msgspec.Struct, frozen=True):
    """How many findings were opened, opened again, and resolved."""

    opened: int = 0
    reopened: int = 0
    resolved: int = 0


class _New(msgspec.Struct):
    """A finding that is there now and was not, or not so."""

    id: str
    x: int
    what: str
    message: str
    incident: str | None = None
    noticed: bool = False


def settle(connection: DuckDBPyConnection, revision: Revision, now: int) -> Settled:
    """Compare `found`, the findings of the cases in `judging`, with those that are kept, and keep what changes."""
    name = revision.workflow.name
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE standing AS SELECT f.id, f.state, f.kind, f.since, f.noticed, f.expectation,
               f.owner, f.severity, f.type, f.time
           FROM finding AS f JOIN judging AS j ON j.case_id = f.case_id WHERE f.workflow = ?""",
        [name],
    )
    rows = connection.execute(
        """SELECT f.id, f.x, f.kind, f.since, f.type, f.time, f.activation,
                  CASE WHEN s.id IS NULL THEN 'opened' WHEN s.state = 'resolved' THEN 'reopened' ELSE 'changed' END
           FROM found AS f LEFT JOIN standing AS s ON s.id = f.id
           WHERE s.id IS NULL OR s.state = 'resolved' OR (s.kind, s.since, s.owner, s.severity, s.type, s.time)
               IS DISTINCT FROM (f.kind, f.since, f.owner, f.severity, f.type, f.time)"""
    ).fetchall()
    resolved = _resolve(connection, now)
    if not rows:
        return Settled(resolved=resolved)
    news = _worded(revision, rows)
    _group(connection, revision, [new for new in news if new.what != "changed"], now)
    _keep(connection, name, news, now)
    what = [new.what for new in news]
    return Settled(what.count("opened"), what.count("reopened"), resolved)


def tell(connection: DuckDBPyConnection, told: Sequence[tuple[str, str, int]], now: int) -> None:
    """Put notices into the outbox: kind, finding, and for how many findings it stands."""
    import pyarrow as pa

    if not told:
        return
    last = first_row(connection, "SELECT coalesce(max(number), 0) FROM notice")
    first = (int(last[0]) if last else 0) + 1
    table = pa.table(
        {
            "number": pa.array(range(first, first + len(told)), pa.int64()),
            "kind": pa.array([kind for kind, _, _ in told], pa.string()),
            "finding": pa.array([finding for _, finding, _ in told], pa.string()),
            "findings": pa.array([findings for _, _, findings in told], pa.int64()),
        }
    )
    connection.register("telling", table)
    connection.execute(
        f"""INSERT INTO notice SELECT number, finding || '.' || kind || '.{now}', kind, {now}, finding, findings, {now},
                NULL, FALSE, NULL FROM telling"""
    )
    connection.unregister("telling")


def _worded(revision: Revision, rows: Sequence[Any]) -> list[_New]:
    tellers = [teller(revision.workflow, expectation) for expectation in revision.workflow.audited()]
    return [
        _New(id_, x, what, tellers[x](Violation(kind, since, type_, time, activation)))
        for id_, x, kind, since, type_, time, activation, what in rows
    ]


def _resolve(connection: DuckDBPyConnection, now: int) -> int:
    """What is no longer found is resolved, never deleted. What a source that is behind might have mended stands as it was:
    nothing has been heard that would resolve it."""
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE gone AS SELECT id, noticed FROM standing
           WHERE state <> 'resolved' AND id NOT IN (SELECT id FROM found UNION ALL SELECT id FROM spared)"""
    )
    gone = connection.execute("SELECT id, noticed FROM gone").fetchall()
    if not gone:
        return 0
    connection.execute(
        f"""UPDATE finding AS f SET state = 'resolved', resolved = {now}, changed = {now}, late = {now} - f.since,
                until = NULL, "by" = NULL, reason = NULL FROM gone AS g WHERE g.id = f.id"""
    )
    remember(connection, [(id_, "resolved") for id_, _ in gone], now)
    tell(connection, [("resolved", id_, 1) for id_, noticed in gone if noticed], now)
    return len(gone)


def remember(connection: DuckDBPyConnection, steps: Sequence[tuple[str, str]], now: int) -> None:
    """Add steps that a verdict made to the findings' histories."""
    import pyarrow as pa

    last = first_row(connection, "SELECT coalesce(max(step), 0) FROM history")
    first = (int(last[0]) if last else 0) + 1
    table = pa.table(
        {
            "finding": pa.array([id_ for id_, _ in steps], pa.string()),
            "what": pa.array([what for _, what in steps], pa.string()),
            "step": pa.array(range(first, first + len(steps)), pa.int64()),
        }
    )
    connection.register("steps", table)
    connection.execute(f"INSERT INTO history SELECT finding, {now}, what, '{SAGACITY}', NULL, NULL, step FROM steps")
    connection.unregister("steps")


def _group(connection: DuckDBPyConnection, revision: Revision, news: Sequence[_New], now: int) -> None:
    """Give each new finding its incident, and tell people: of the first ones each, of a storm that it has grown."""
    called = names(revision.workflow)
    audited = revision.workflow.audited()
    by_expectation: defaultdict[int, list[_New]] = defaultdict(list)
    for new in sorted(news, key=lambda new: new.id):
        by_expectation[new.x].append(new)
    told: list[tuple[str, str, int]] = []
    spells = _spells(connection, revision.workflow.name)
    for x, of_x in by_expectation.items():
        spell = spells.get(called[x])
        fresh = hashlib.sha256(f"{revision.workflow.name}\x1f{called[x]}\x1f{now}".encode()).hexdigest()[:20]
        telling = grow(spell, len(of_x), now, fresh)
        for place, new in enumerate(of_x):
            new.incident = telling.spell.id
            new.noticed = place < telling.singly
            if new.noticed:
                told.append((new.what, new.id, 1))
        told += [("escalated", of_x[-1].id, findings) for findings in telling.escalations]
        if telling.begins:
            source = ",".join(sorted({s for (y, _), m in revision.awaited.items() if y == x for s in m.sources})) or None
            connection.execute(
                "INSERT INTO incident SELECT ?, ?, ?, ?, owner, ?, ?, ?, ? FROM found WHERE x = ? LIMIT 1",
                [fresh, revision.workflow.name, called[x], audited[x].severity, source, now, now, telling.spell.findings, x],
            )
        else:
            connection.execute(
                parsed("UPDATE incident SET last = ?, findings = ? WHERE id = ?"),
                [now, telling.spell.findings, telling.spell.id],
            )
    tell(connection, told, now)


def _spells(connection: DuckDBPyConnection, workflow: str) -> dict[str, Spell]:
    """The latest incident of each expectation."""
    rows = connection.execute(
        """SELECT expectation, id, last, findings FROM incident WHERE workflow = ?
           QUALIFY row_number() OVER (PARTITION BY expectation ORDER BY last DESC) = 1""",
        [workflow],
    ).fetchall()
    return {expectation: Spell(id=id_, last=last, findings=findings) for expectation, id_, last, findings in rows}


def _keep(connection: DuckDBPyConnection, workflow: str, news: Sequence[_New], now: int) -> None:
    import pyarrow as pa

    table = pa.table(
        {
            "id": pa.array([new.id for new in news], pa.string()),
            "what": pa.array([new.what for new in news], pa.string()),
            "message": pa.array([new.message for new in news], pa.string()),
            "incident": pa.array([new.incident for new in news], pa.string()),
            "noticed": pa.array([new.noticed for new in news], pa.bool_()),
        }
    )
    connection.register("news", table)
    connection.execute(
        """INSERT INTO finding SELECT f.id, ?, f.case_id, f.expectation, f.kind, f.severity, f.rank, f.owner, f.since,
               f.type, f.time, f.activation, w.message, 'open', ?, ?, NULL, NULL, NULL, NULL, NULL, w.incident, w.noticed
           FROM found AS f JOIN news AS w ON w.id = f.id WHERE w.what = 'opened'""",
        [workflow, now, now],
    )
    connection.execute(
        f"""UPDATE finding AS k SET kind = f.kind, since = f.since, type = f.type, time = f.time, message = w.message,
                severity = f.severity, rank = f.rank, owner = f.owner, changed = {now},
                state = CASE WHEN w.what = 'reopened' THEN 'open' ELSE k.state END,
                resolved = NULL, late = NULL, incident = coalesce(w.incident, k.incident),
                noticed = k.noticed OR w.noticed
            FROM found AS f JOIN news AS w ON w.id = f.id WHERE k.id = f.id AND w.what <> 'opened'"""
    )
    connection.unregister("news")
    remember(connection, [(new.id, new.what) for new in news], now)
