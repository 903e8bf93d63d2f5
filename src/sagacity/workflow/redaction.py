"""What is not to be kept of a record: the places in it that a source's `redact` names.

A place is a path as in expressions, of names alone: `data.card.number`, `"odd name"`. Where the path leads through an array,
what it names is redacted in every element; where it leads to a text or a number, which it cannot look into, all of that is.
With a name goes what CloudEvents call the same in base64: `data_base64` with `data`.
"""

from __future__ import annotations

from sagacity.errors import ConditionError
from sagacity.workflow.conditions.record import Path, parse_record

__all__ = ["place_of"]


def place_of(text: str) -> tuple[str, ...]:
    """The names on the way to a place. Raises ConditionError for what is no path of names."""
    found = parse_record(text)
    if not isinstance(found, Path):
        raise ConditionError(
            f"{text!r} is no path", hint="write where the value stands in a record, such as data.card.number"
        )
    names = tuple(step for step in found.steps if isinstance(step, str))
    if len(names) < len(found.steps):
        hint = "leave the number out: it is redacted in every element"
        raise ConditionError(f"{text!r} names one element of an array", hint=hint)
    return names
