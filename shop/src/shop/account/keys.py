"""The keys that tokens are signed with. Several are believed, so that they can be changed without anybody being logged out:
put the new one first, and take the old one away when the tokens that it signed have expired."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

__all__ = ["Keys", "parse_keys"]

_SHORTEST = 32


class Keys(Struct, frozen=True):
    """Secrets by key id; `signing` is the id of the one that signs."""

    signing: str
    secrets: Mapping[str, bytes]

    def __repr__(self) -> str:
        return f"Keys({', '.join(self.secrets)})"


def parse_keys(text: str) -> Keys:
    """Keys as `id=base64,id=base64`. Raises ValueError, which never says what a key is."""
    found: dict[str, bytes] = {}
    for place, part in enumerate(text.split(","), 1):
        id, _, encoded = part.strip().partition("=")
        if not id or not encoded:
            raise ValueError(f"key {place} is not of the form id=base64")
        if id in found:
            raise ValueError(f"there are two keys {id!r}")
        found[id] = _decoded(id, encoded)
    return Keys(next(iter(found)), MappingProxyType(found))


def _decoded(id: str, encoded: str) -> bytes:
    try:
        plain = encoded.replace("-", "+").replace("_", "/").rstrip("=")
        secret = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"key {id!r} is not base64") from None
    if len(secret) < _SHORTEST:
        raise ValueError(f"key {id!r} has {len(secret)} bytes, and needs {_SHORTEST}: openssl rand -base64 {_SHORTEST}")
    return secret
