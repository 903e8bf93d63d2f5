"""The outbox of notices: what is to be told, what was, and what could not be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from sagacity.ledger.duckdb.live.paging import page_of
from sagacity.ledger.duckdb.live.reading import FINDING, finding_from
from sagacity.ledger.duckdb.live.statements import parsed
from sagacity.ledger.live import Delivery, Notice, Page, Settled

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["dead_letters", "pending", "settle"]

_DELIVERIES = msgspec.json.Decoder(tuple[Delivery, ...])
_ENCODER = msgspec.json.Encoder()
_NOTICE = 'n.number, n.key, n.kind, n."at", n.findings, n.deliveries'
_FINDING = f"f.case_id, {', '.join(f'f.{name}' for name in FINDING.split(', '))}"


def pending(connection: DuckDBPyConnection, now: int, limit: int) -> list[Notice]:
    """Notices that are to be delivered by now, oldest first."""
    rows = connection.execute(
        f"""SELECT {_NOTICE}, {_FINDING} FROM notice AS n JOIN finding AS f ON f.id = n.finding
            WHERE NOT n.done AND n.again <= ? ORDER BY n.number LIMIT ?""",
        [now, limit],
    ).fetchall()
    return [_notice(row) for row in rows]


def settle(connection: DuckDBPyConnection, settled: Sequence[Settled]) -> None:
    """Keep what became of notices on each of their channels."""
    for each in settled:
        connection.execute(
            parsed("UPDATE notice SET done = ?, failed = ?, again = coalesce(?, again), deliveries = ? WHERE number = ?"),
            [each.again is None, each.failed, each.again, _ENCODER.encode(each.deliveries).decode(), each.number],
        )


def dead_letters(connection: DuckDBPyConnection, *, cursor: str | None, limit: int) -> Page[tuple[Notice, str]]:
    """Notices that were given up, the latest first, with the reason."""
    query = f"""SELECT n.failed AS reason, {_NOTICE}, {_FINDING} FROM notice AS n JOIN finding AS f ON f.id = n.finding
        WHERE n.done AND n.failed IS NOT NULL"""
    return page_of(connection, query, [], ["-number"], lambda row: (_notice(row[1:]), row[0]), cursor=cursor, limit=limit)


def _notice(row: Any) -> Notice:
    number, key, kind, at, findings, deliveries, *finding = row
    return Notice(
        number=number,
        key=key,
        kind=kind,
        at=at,
        finding=finding_from(finding),
        findings=findings,
        deliveries=_DELIVERIES.decode(deliveries) if deliveries else (),
    )
