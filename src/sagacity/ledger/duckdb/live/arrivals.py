"""Batches as they arrive, as a relation: `incoming`, one row a record, numbered, without what is redacted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from sagacity.ledger.duckdb.jsonl import LONGEST_LINE
from sagacity.ledger.duckdb.live.redaction import Places, redacted
from sagacity.sources.stream import Batch, Part

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["INCOMING", "arrive"]

INCOMING = "incoming"
"""Columns: `n` the record's number, `p` its part's, `source`, `position` within the part (of
what is pushed, and so has no place in any log, the record's number), `body` the text (NULL where it is
not UTF-8 or far too long), `shown` the beginning of what came in place of a text."""

_SHOWN = 120


def arrive(
    connection: DuckDBPyConnection,
    batches: Sequence[Batch],
    numbers: Mapping[Part, int],
    first: int,
    redact: Mapping[str, Places],
) -> int:
    """Register the batches as `incoming`; how many records there are.

    `numbers` has the number of each part, `first` is the first record's. `redact` names, by source, the places whose values
    are not to be kept; of a source that has any, a record that is no JSON object is not kept either.
    """
    bodies: list[bytes] = []
    ps: list[int] = []
    sources: list[str] = []
    positions: list[int] = []
    for batch in batches:
        taken = batch.bodies
        if places := redact.get(batch.source):
            taken = [redacted(body, places) for body in taken]
        pushed = range(first + len(bodies), first + len(bodies) + len(taken))
        bodies.extend(taken)
        positions.extend(pushed if batch.resume is None else batch.positions)
        ps.extend([numbers[batch.source, batch.part]] * len(taken))
        sources.extend([batch.source] * len(taken))
    texts, shown = _texts(bodies)
    table = pa.table(
        {
            "n": pa.array(range(first, first + len(bodies)), pa.int64()),
            "p": pa.array(ps, pa.int32()),
            "source": pa.array(sources, pa.string()),
            "position": pa.array(positions, pa.int64()),
            "body": texts,
            "shown": shown,
        }
    )
    connection.register(INCOMING, table)
    return len(bodies)


def _texts(bodies: Sequence[bytes]) -> tuple[pa.Array, pa.Array]:
    """The bodies as text, and the beginning of each that is none. Whether one is UTF-8 is checked for all at once, and
    one by one only where some are not."""
    if max(map(len, bodies), default=0) <= LONGEST_LINE:
        try:
            return pa.array(bodies, pa.binary()).cast(pa.large_string()), pa.nulls(len(bodies), pa.string())
        except pa.ArrowInvalid:
            pass
    texts: list[str | None] = []
    shown: list[str | None] = []
    for body in bodies:
        text = None
        if len(body) <= LONGEST_LINE:
            try:
                text = body.decode()
            except UnicodeDecodeError:
                text = None
        texts.append(text)
        shown.append(None if text is not None else body[:_SHOWN].decode(errors="backslashreplace"))
    return pa.array(texts, pa.large_string()), pa.array(shown, pa.string())
