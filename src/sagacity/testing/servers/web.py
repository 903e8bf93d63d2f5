"""Asking a server by HTTP how it is."""

from __future__ import annotations

import urllib.error
import urllib.request

__all__ = ["body_of", "status_of"]

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy of the machine has no say on 127.0.0.1


def status_of(url: str, seconds: float = 2.0) -> int | None:
    """The status that a GET is answered with; None where nobody answers."""
    try:
        with _DIRECT.open(url, timeout=seconds) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code
    except (OSError, ValueError):
        return None


def body_of(url: str, seconds: float = 2.0) -> bytes | None:
    """What a GET is answered with; None where nobody answers, or with an error."""
    try:
        with _DIRECT.open(url, timeout=seconds) as answer:
            return bytes(answer.read())
    except (OSError, ValueError):
        return None
