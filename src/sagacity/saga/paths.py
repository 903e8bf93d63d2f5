"""Paths: where the fields of a payload, and the resource that a saga locks, are taken from.

`input` is the saga's input, `replies.<step>` what a step's participant answered, `saga.id` the saga's id; further names
lead into objects, numbers into arrays from 0. What is found is passed on as it was written, so that no number loses a digit.
What is not found is null. A field whose name holds a dot cannot be reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import msgspec

__all__ = ["NULL", "PathError", "evaluate", "parse", "payload", "resource_key"]

NULL = msgspec.Raw(b"null")
"""What is not there."""

_ROOTS = ("input", "replies", "saga")
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_array = msgspec.json.Decoder(list[msgspec.Raw])


class PathError(ValueError):
    """A path that leads nowhere; says how to mend it."""


@lru_cache(maxsize=4096)
def parse(path: str) -> tuple[str, ...]:
    """A path's names. Raises PathError where it is none."""
    names = tuple(path.split("."))
    if names[0] not in _ROOTS:
        raise PathError(f"{path!r} does not begin with input, replies or saga: write input.{path}, or replies.<step>.{path}")
    if not all(names):
        raise PathError(f"{path!r} has an empty name in it: write names with one dot between them")
    if names[0] == "replies" and len(names) < 2:
        raise PathError(f"{path!r} names no step: write replies.<step>")
    if names[0] == "saga" and names != ("saga", "id"):
        raise PathError(f"{path!r} is not known of a saga: only saga.id is")
    return names


def evaluate(path: str, saga_id: str, input: msgspec.Raw, replies: Mapping[str, msgspec.Raw]) -> msgspec.Raw:
    """The JSON text that a path leads to, `null` where it leads to nothing."""
    root, *names = parse(path)
    if root == "saga":
        return msgspec.Raw(msgspec.json.encode(saga_id))
    if root == "replies":
        return _reach(replies.get(names[0], NULL), names[1:])
    return _reach(input, names)


def payload(fields: Mapping[str, str], saga_id: str, input: msgspec.Raw, replies: Mapping[str, msgspec.Raw]) -> msgspec.Raw:
    """A JSON object of what each field's path leads to, the same bytes in whatever order the fields were declared."""
    return msgspec.Raw(
        msgspec.json.encode({field: evaluate(path, saga_id, input, replies) for field, path in sorted(fields.items())})
    )


def resource_key(path: str, saga_id: str, input: msgspec.Raw) -> str | None:
    """What a saga with this input locks: the path's last name and the value found, such as `account="17"`; None for null."""
    found = evaluate(path, saga_id, input, {})
    value = msgspec.json.encode(msgspec.json.decode(found), order="deterministic").decode()
    return None if value == "null" else f"{parse(path)[-1]}={value}"


def _reach(value: msgspec.Raw, names: list[str]) -> msgspec.Raw:
    for name in names:
        first = bytes(memoryview(value)[:64]).lstrip()[:1]
        if first == b"{":
            value = _object.decode(value).get(name, NULL)
        elif first == b"[" and name.isdecimal():
            elements = _array.decode(value)
            value = elements[int(name)] if int(name) < len(elements) else NULL
        else:
            return NULL
    return value
