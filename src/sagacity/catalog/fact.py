"""What one document or log says of one event type."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

__all__ = ["Attribute", "Fact", "Kind", "Seen"]

Kind: TypeAlias = Literal["asyncapi", "schema", "workflow", "events"]


class Attribute(msgspec.Struct, frozen=True):
    """A field of an event's payload: its path, the type as the document words it, and whether it must be there."""

    path: str
    type: str
    required: bool


class Seen(msgspec.Struct, frozen=True):
    """Events of one type in a log: how many, and the first and last time of one (microseconds; None where no time could be
    read)."""

    events: int
    first: int | None
    last: int | None


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """What `document` says of an event type.

    `names` are what it is called there, first what stands in an event's type field. `sent_by` and `received_by` are
    applications; `channels` where it travels. `keys` are paths of correlation keys, `reads` all paths that a workflow reads
    of it. `rules` are expectations about it, `owners` who answers for it.
    """

    document: str
    kind: Kind
    names: tuple[str, ...]
    description: str | None = None
    sent_by: tuple[str, ...] = ()
    received_by: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    rules: tuple[str, ...] = ()
    seen: Seen | None = None
