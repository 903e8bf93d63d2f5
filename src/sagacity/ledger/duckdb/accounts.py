"""The accounting of a source: what became of each raw record, in one pass over its normal relation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
    """Count the records of a normal relation.

    Events later than `cutoff` are beyond. `key` names the one key that makes a case; None where no event lacks it, and
    where several do: orphans are told apart later then, and count as matched here.
    """
    types = {slot: f"{column(slot, 'type')} IS NOT NULL" for slot in slots}
    live = {slot: f"({types[slot]} AND {column(slot, 'time')} <= {cutoff})" for slot in slots}
    held = {slot: f"({live[slot]} AND {_has_case(slot, key)})" for slot in slots}
    status = f"""CASE WHEN {BAD} THEN {_REJECTED} WHEN NOT ({_any(types)}) THEN {_UNMATCHED}
        WHEN {_any(held)} THEN {_MATCHED} WHEN {_any(live)} THEN {_ORPHAN} ELSE {_BEYOND} END"""
    if len(slots) == 1:  # the record's one event is what its status says
        events, first, last, latest = "count(*)", *(f"{f}({column(slots[0], 'time')})" for f in ("min", "max", "max"))
    else:
        events = " + ".join(f"count_if({sql})" for sql in held.values()) or "0"
        first, last = _extreme("least", "min", held), _extreme("greatest", "max", held)
        latest = _extreme("greatest", "max", live)
    rows = connection.execute(
        f"""SELECT status, count(*), {events}, {first}, {last}, {latest}
        FROM (SELECT *, CAST({status} AS TINYINT) AS status FROM {relation}) GROUP BY status"""
    ).fetchall()
    total = Counts()
    for code, records, happened, earliest, last_held, last_live in rows:
        found = {"records": records, _STATUSES[code]: records}
        if code == _MATCHED:
            total = total.plus(Counts(**found, events=happened, first=earliest, last=last_held, latest=last_live))
        else:
            total = total.plus(Counts(**found, latest=last_live if code == _ORPHAN else None))
    return total


_MATCHED, _UNMATCHED, _ORPHAN, _REJECTED, _BEYOND = range(5)
_STATUSES = ("matched", "unmatched", "orphan", "rejected", "beyond")


def _has_case(slot: int, key: str | None) -> str:
    return "TRUE" if key is None else f"{column(slot, f'key.{key}')} IS NOT NULL"


def _any(conditions: Mapping[int, str]) -> str:
    return " OR ".join(conditions.values()) or "FALSE"


def _extreme(across: str, within: str, conditions: Mapping[int, str]) -> str:
    columns = [f"{within}(CASE WHEN {sql} THEN {column(slot, 'time')} END)" for slot, sql in conditions.items()]
    return f"{across}({', '.join(columns)})" if columns else "NULL::BIGINT"
