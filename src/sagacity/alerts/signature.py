"""Signatures of webhooks, by the Standard Webhooks scheme: HMAC-SHA256 over `<id>.<timestamp>.<body>`.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from sagacity.errors import UsageError

__all__ = ["secrets_of", "signatures"]

_LEAST = 24


def secrets_of(text: str, what: str) -> tuple[bytes, ...]:
    """The secrets in a text, parted by white space: `whsec_` and base64, or any other text as it is.

    Several are for changing them: what is sent is signed with each. Raises UsageError, which never repeats a secret.
    """
    found = []
    for word in text.split():
        try:
            secret = base64.b64decode(word[6:], validate=True) if word.startswith("whsec_") else word.encode()
        except (binascii.Error, ValueError):
            raise UsageError(f"{what}: what follows whsec_ in its secret is not base64") from None
        if len(secret) < _LEAST:
            raise UsageError(
                f"{what}: its secret is shorter than {_LEAST} bytes",
                hint="make one with: openssl rand -base64 32 | sed s/^/whsec_/",
            )
        found.append(secret)
    return tuple(found)


def signatures(secrets: Sequence[bytes], message: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`: one signature a secret. `timestamp` is in seconds since 1970."""
    signed = f"{message}.{timestamp}.".encode() + body
    made = (base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode() for secret in secrets)
    return " ".join(f"v1,{signature}" for signature in made)
