"""One connection to the edge, for one thread. What is away for a moment is asked again."""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

__all__ = ["AWAY", "Answer", "Edge", "OutOfPatienceError"]

AWAY = (OSError, http.client.HTTPException)
"""What the client raises where nobody answers, or not to the end."""

_TIMEOUT = 40.0
"""Seconds; a stream shows that it lives more often than that."""
_BUSY = frozenset({429, 502, 503, 504})
_PAUSE, _MOST = 0.05, 1.0


class OutOfPatienceError(Exception):
    """Nobody has answered for too long."""


class Answer(msgspec.Struct, frozen=True):
    """What was answered; `body` is decoded JSON."""

    status: int
    body: Any


class Edge:
    """`web` is the edge's address, `patience` how many seconds the shop may be away. `again` counts requests that were made
    again: such as were refused because somebody behind the edge was away, or whose answer did not come."""

    def __init__(self, web: str, patience: float = 240.0) -> None:
        self.again = 0
        self._at = urlsplit(web).netloc
        self._patience = patience
        self._connection = http.client.HTTPConnection(self._at, timeout=_TIMEOUT)

    def ask(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        """The answer, whatever it is. To be used for what may be done twice. Raises OutOfPatienceError."""
        given = None if body is None else msgspec.json.encode(body)
        response = self.opened(method, path, given, {"Content-Type": "application/json", **(headers or {})})
        try:
            content = response.read()
        except AWAY:
            self.again += 1
            self.close()
            return self.ask(method, path, body, headers)
        return Answer(response.status, msgspec.json.decode(content) if content else None)

    def opened(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> http.client.HTTPResponse:
        """The same, with its body yet to be read."""
        limit, pause = time.monotonic() + self._patience, _PAUSE
        while True:
            try:
                self._connection.request(method, path, body, dict(headers))
                response = self._connection.getresponse()
                if not _away(response):
                    return response
                why = f"{response.status} {response.read(200)!r}"
            except AWAY as error:
                why = repr(error)
                self.close()
            if time.monotonic() > limit:
                raise OutOfPatienceError(f"{method} {path}: {why}")
            self.again += 1
            time.sleep(pause)
            pause = min(2 * pause, _MOST)

    def close(self) -> None:
        self._connection.close()


def _away(response: http.client.HTTPResponse) -> bool:
    """Whether it is the edge that answers, or a service that is without something."""
    plain = not (response.getheader("Content-Type") or "").startswith("application/json")
    return response.status in _BUSY or (response.status == 404 and plain)
