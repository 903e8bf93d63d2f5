"""Batches as they arrive, as a relation: `incoming`, one row a record, numbered, without what is redacted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
import pyarrow as pa

from sagacity.ledger.duckdb.jsonl import LONGEST_LINE
from sagacity.sources.stream import Batch, Part

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["INCOMING", "Paths", "arrive"]

INCOMING = "incoming"
"""Columns: `n` the record's number, `p` its part's, `source`, `position` within the part, `body` the text (NULL where it is
not UTF-8 or far too long), `shown` the beginning of what came in place of a text."""

Paths = Sequence[tuple[str, ...]]
"""Places in a record, each a list of names."""

_REDACTED = msgspec.Raw(b'"[redacted]"')
_SHOWN = 120
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENCODER = msgspec.json.Encoder()


def arrive(
    connection: DuckDBPyConnection,
    batches: Sequence[Batch],
    numbers: Mapping[Part, int],
    first: int,
    redact: Mapping[str, Paths],
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
            taken = [_redacted(body, places) for body in taken]
        bodies.extend(taken)
        positions.extend(batch.positions)
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


def _redacted(body: bytes, places: Paths) -> bytes:
    """The record without the values at these places; every other value stays as it is written."""
    try:
        document = _OBJECT.decode(body)
        for place in places:
            _redact(document, place)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return b"[a record that is no JSON object, of a source with redacted fields]"
    return _ENCODER.encode(document)


def _redact(document: dict[str, msgspec.Raw], place: tuple[str, ...]) -> None:
    name, *rest = place
    if name not in document:
        return
    if not rest:
        document[name] = _REDACTED
        return
    raw = bytes(document[name]).lstrip()
    if raw.startswith(b"["):
        items = msgspec.json.decode(raw, type=list[msgspec.Raw])
        document[name] = msgspec.Raw(_ENCODER.encode([_within(item, tuple(rest)) for item in items]))
    else:
        document[name] = _within(document[name], tuple(rest))


def _within(raw: msgspec.Raw, place: tuple[str, ...]) -> msgspec.Raw:
    """A value with what lies at a place within it redacted; one that holds nothing stays as it is."""
    if not bytes(raw).lstrip().startswith(b"{"):
        return raw
    inner = _OBJECT.decode(raw)
    _redact(inner, place)
    return msgspec.Raw(_ENCODER.encode(inner))
