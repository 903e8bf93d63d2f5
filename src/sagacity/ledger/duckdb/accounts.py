"""The accounting of a source: what became of each raw record, in one pass over its normal relation."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import msgspec

from sagacity.ledger.duckdb.normalise import BAD, column

__all__ = ["Counts", "count"]


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What became of records, see `sagacity.ledger.port.Account`. `latest` is the latest event time up to the cutoff."""

    records: int = 0
    matched: int = 0
    unmatched: int = 0
    orphan: int = 0
    rejected: int = 0
    beyond: int = 0
    events: int = 0
    first: int | None = None
    last: int | None = None
    latest: int | None = None

    def plus(self, other: Counts) -> Counts:
        """Both together."""
        sums = {name: getattr(self, name) + getattr(other, name) for name in _COUNTED}
        return Counts(
            **sums,
            first=min((each for each in (self.first, other.first) if each is not None), default=None),
            last=max((each for each in (self.last, other.last) if each is not None), default=None),
            latest=max((each for each in (self.latest, other.latest) if each is not None), default=None),
        )


_COUNTED = ("records", "matched", "unmatched", "orphan", "rejected", "beyond", "events")


def count(
    connection: duckdb.DuckDBPyConnection, relation: str, slots: Sequence[int], key: str | None, cutoff: int
) -> Counts:
    """Count the records of a normal relation. Events later than `cutoff` are beyond; `key` names the one key that makes a
    case, None where orphans are told apart later, and count as matched here."""
    live = {slot: f"({column(slot, 'type')} IS NOT NULL AND {column(slot, 'time')} <= {cutoff})" for slot in slots}
    held = {
        slot: f"({live[slot]} AND {column(slot, f'key.{key}')} IS NOT NULL)" if key is not None else live[slot]
        for slot in slots
    }
    some = " OR ".join(f"{column(slot, 'type')} IS NOT NULL" for slot in slots) or "FALSE"
    status = f"""CASE WHEN {BAD} THEN 'rejected' WHEN NOT ({some}) THEN 'unmatched'
        WHEN {" OR ".join(held.values()) or "FALSE"} THEN 'matched'
        WHEN {" OR ".join(live.values()) or "FALSE"} THEN 'orphan' ELSE 'beyond' END"""
    times = {slot: f"CASE WHEN {held[slot]} THEN {column(slot, 'time')} END" for slot in slots}
    lively = {slot: f"CASE WHEN {live[slot]} THEN {column(slot, 'time')} END" for slot in slots}
    row = f"""SELECT status, count(*),
        {" + ".join(f"count({sql})" for sql in times.values()) or "0"},
        {_extreme("least", "min", times.values())}, {_extreme("greatest", "max", times.values())},
        {_extreme("greatest", "max", lively.values())}
        FROM (SELECT *, {status} AS status FROM {relation}) GROUP BY status"""
    total = Counts()
    for name, records, events, first, last, latest in connection.execute(row).fetchall():
        if name == "rejected":
            total = total.plus(Counts(records=records, rejected=records))
            continue
        found = {"records": records, name: records, "events": events}
        total = total.plus(Counts(**found, first=first, last=last, latest=latest))
    return total


def _extreme(across: str, within: str, values: Sequence[str] | object) -> str:
    columns = [f"{within}({sql})" for sql in values]  # type: ignore[attr-defined]
    return f"{across}({', '.join(columns)})" if columns else "NULL::BIGINT"
