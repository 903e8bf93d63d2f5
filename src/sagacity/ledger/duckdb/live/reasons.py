"""Why records were rejected: the latest of them, with the beginning of what came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sagacity.ledger.duckdb.live.arrivals import INCOMING
from sagacity.ledger.duckdb.live.paging import page_of
from sagacity.ledger.duckdb.live.revision import Revision
from sagacity.ledger.duckdb.normalise import BAD
from sagacity.ledger.duckdb.rejected import malformed_line, reason_of
from sagacity.ledger.duckdb.rows import first_row
from sagacity.ledger.live import Page, Refusal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["keep_reasons", "refusals"]

_MOST = 100
_KEPT = 1_000
_SHOWN = 120


def keep_reasons(connection: DuckDBPyConnection, revision: Revision, source: str, now: int) -> None:
    """Keep the reasons of the rejected records of a source among what is `incoming`: the first hundred of a batch, and the
    latest thousand in all."""
    normal = revision.normals[source]
    flags = [sql for each in normal.checks for sql in (f"coalesce({each.unread}, FALSE)", f"left({each.shown}, 200)")]
    columns = ", ".join(['"$malformed"', "p", "position", "n", *flags])
    rows = connection.execute(f"SELECT {columns} FROM ({normal.checked}) WHERE {BAD} ORDER BY n LIMIT {_MOST}").fetchall()
    texts = {
        n: (body, shown)
        for n, body, shown in connection.execute(
            f"SELECT n, body, shown FROM {INCOMING} WHERE n IN (SELECT unnest(?))", [[row[3] for row in rows]]
        ).fetchall()
    }
    last = first_row(connection, "SELECT coalesce(max(step), 0) FROM rejected")
    step = int(last[0]) if last else 0
    kept = []
    for broken, p, position, n, *found in rows:
        body, shown = texts[n]
        if broken:
            reason = "not UTF-8 text, or far too long" if body is None else malformed_line(body.encode())
        else:
            reason = reason_of(normal.checks, found)
        step += 1
        kept.append((revision.w, p, position, now, reason, (body or shown or "")[:_SHOWN], step))
    connection.executemany("INSERT INTO rejected VALUES (?, ?, ?, ?, ?, ?, ?)", kept)
    connection.execute(
        f"""DELETE FROM rejected WHERE w = {revision.w} AND rowid NOT IN
            (SELECT rowid FROM rejected WHERE w = {revision.w} ORDER BY step DESC LIMIT {_KEPT})"""
    )


def refusals(connection: DuckDBPyConnection, *, cursor: str | None, limit: int) -> Page[Refusal]:
    """The records whose reasons are kept, the latest first."""
    query = """SELECT w.name AS workflow, p.source, p.part, r.position, r.arrived, r.reason, r.shown, r.step
        FROM rejected AS r JOIN workflow AS w ON w.w = r.w JOIN part AS p ON p.p = r.p WHERE w."current\""""
    names = Refusal.__struct_fields__
    make = lambda row: Refusal(**dict(zip(names, row[: len(names)], strict=True)))  # noqa: E731
    return page_of(connection, query, [], ["-step"], make, cursor=cursor, limit=limit)
