"""Where a server may listen: on loopback always, beyond it only with tokens. Pure."""

from __future__ import annotations

from ipaddress import ip_address

from sagacity.errors import UsageError
from sagacity.web.tokens import Tokens

__all__ = ["LOOPBACK", "check_listening", "is_loopback"]

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""The usual names of this machine for itself."""


def is_loopback(host: str) -> bool:
    """Whether a host name or address can be reached from this machine alone, as far as it tells by itself."""
    bare = host.strip("[]").rstrip(".").lower()
    if bare == "localhost" or bare.endswith(".localhost"):
        return True
    try:
        return ip_address(bare).is_loopback
    except ValueError:
        return False


def check_listening(host: str, tokens: Tokens) -> None:
    """Refuse to be reachable for everybody. Raises UsageError where the host is not loopback and there are no tokens.

    An empty host stands for all addresses.
    """
    if is_loopback(host) or tokens:
        return
    where = host or "every address"
    raise UsageError(
        f"refusing to listen on {where} without tokens: whoever can reach it could read and change everything",
        hint="make tokens with `sagacity token new --role operator` and name their file, or listen on 127.0.0.1",
    )
