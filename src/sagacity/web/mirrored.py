"""Documents that say what something else says, attribute by attribute."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

__all__ = ["mirrored"]

D = TypeVar("D", bound=msgspec.Struct)


def mirrored(kind: type[D], given: Any, **other: Any) -> D:
    """A document of this kind: its fields are the attributes of the same name of what is given, but for the `other`."""
    same = {name: getattr(given, name) for name in kind.__struct_fields__ if name not in other}
    return kind(**same, **other)
