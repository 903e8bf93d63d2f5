"""The one port of the cache's layers: something that can be asked for what stands under a key.

Guarantees, for every layer and for what lies behind them all:

- What is answered was true at some instant after the question was asked, or has not been told of as superseded yet: nothing
  older than `at_least` is ever answered.
- A version belongs to one value. Of two values under a key, the one with the higher version is the newer.
- A layer that cannot do its part passes the question on. Only what lies behind the last layer raises.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

__all__ = ["Change", "Kept", "Source"]


class Kept(msgspec.Struct, frozen=True):
    """What stands under a key. `value` None: nothing does, and that is certain. `version` counts from 1; of what was never
    there it is 0."""

    version: int
    value: bytes | None = None


class Change(msgspec.Struct, frozen=True):
    """What stands under a key has another version now; whatever is older is superseded."""

    key: str
    version: int


class Source(Protocol):
    """Where answers come from: a layer, or the database itself."""

    async def read(self, key: str, at_least: int = 0) -> Kept:
        """What stands under this key, of this version or a newer one."""
        ...
