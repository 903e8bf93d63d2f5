"""Sessions of browsers: a cookie that says who logged in until when, signed, so that the server keeps nothing.

The cookie is `payload.signature`, both base64url: the payload is JSON of the token's name, its hash's first half (so that
a session ends with its token), the expiry and a random part; the signature is HMAC-SHA-256. The CSRF value is another
HMAC of the same payload, so that it can be told to pages without telling the cookie.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec

from sagacity.web.identity import Identity
from sagacity.web.tokens import Known, Tokens

__all__ = ["COOKIE", "Sessions"]

COOKIE = "sagacity_session"


class _Payload(msgspec.Struct, frozen=True, array_like=True):
    name: str
    token: str
    until: int
    salt: str


class Sessions:
    """Makes and reads cookies. `secret` holds 32 bytes or more; instants are microseconds since 1970-01-01T00:00Z."""

    def __init__(self, secret: bytes, tokens: Tokens) -> None:
        if len(secret) < 32:
            raise ValueError("a session secret needs 32 bytes")
        self._sign = hmac.digest(secret, b"sagacity session cookie", "sha256")
        self._csrf = hmac.digest(secret, b"sagacity csrf value", "sha256")
        self._tokens = tokens

    def issue(self, known: Known, until: int, salt: bytes) -> str:
        """The cookie of somebody who showed their token."""
        payload = msgspec.json.encode(_Payload(known.name, known.hash[:32], until, salt.hex()))
        signature = hmac.digest(self._sign, payload, "sha256")
        return f"{_text(payload)}.{_text(signature)}"

    def read(self, cookie: str, now: int) -> Identity | None:
        """Who logged in with this cookie; None where it is not one of ours, has expired, or the token is gone."""
        encoded, _, signature = cookie.partition(".")
        payload, given = _bytes(encoded), _bytes(signature)
        if payload is None or given is None:
            return None
        if not hmac.compare_digest(hmac.digest(self._sign, payload, "sha256"), given):
            return None
        said = msgspec.json.decode(payload, type=_Payload)
        known = next((each for each in self._tokens.known if each.name == said.name), None)
        if known is None or known.hash[:32] != said.token or said.until <= now:
            return None
        csrf = _text(hmac.digest(self._csrf, payload, "sha256"))
        return Identity(name=known.name, roles=known.roles, csrf=csrf)


def _text(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def _bytes(text: str) -> bytes | None:
    try:
        return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except ValueError:
        return None
