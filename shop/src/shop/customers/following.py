"""A purchase by its server-sent events, to its result. Where the stream breaks, another goes on behind what was read."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http.client import HTTPResponse
from typing import Any

import msgspec

from shop.contracts.commands import PurchaseEnded, PurchaseStepChanged
from shop.customers.edge import AWAY, Edge, OutOfPatienceError

__all__ = ["Following"]

_WITHIN = 300.0
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


def _event(data: bytes) -> dict[str, Any]:
    """What is told of a purchase over HTTP, with its time as the shop's own messages have it: microseconds since 1970."""
    told: dict[str, Any] = msgspec.json.decode(data)
    return {**told, "time": (datetime.fromisoformat(told["time"]) - _EPOCH) // _MICROSECOND}


class Following:
    """`path` is the purchase's, `headers` what signs a request now. `steps` is what was told so far, `gap` whether an event
    was missing between two."""

    def __init__(self, edge: Edge, path: str, headers: Callable[[], Mapping[str, str]]) -> None:
        self.steps: list[PurchaseStepChanged] = []
        self.gap = False
        self._edge, self._path, self._headers = edge, f"{path}/events", headers
        self._last = 0

    def to_its_end(self) -> PurchaseEnded:
        """The result, once it is there. Raises OutOfPatienceError."""
        limit = time.monotonic() + _WITHIN
        while time.monotonic() < limit:
            resumed = {"Last-Event-ID": str(self._last)} if self._last else {}
            response = self._edge.opened("GET", self._path, None, {**self._headers(), **resumed})
            if response.status != 200:
                raise OutOfPatienceError(f"{self._path}: {response.status} {response.read(500)!r}")
            try:
                event: dict[bytes, bytes] = {}
                while line := response.readline():
                    name, _, value = line.rstrip(b"\n").partition(b": ")
                    if name:
                        event[name] = value
                        continue
                    if b"data" in event and (result := self._told(event)) is not None:
                        self._finish(response)
                        return result
                    event = {}
            except AWAY:
                self._edge.close()
            self._edge.again += 1
        raise OutOfPatienceError(f"{self._path} has not come to its end")

    def _finish(self, response: HTTPResponse) -> None:
        """Read the end of the stream, so that its connection can be used again."""
        try:
            response.read()
        except AWAY:
            self._edge.close()

    def _told(self, event: Mapping[bytes, bytes]) -> PurchaseEnded | None:
        number = int(event[b"id"])
        self.gap = self.gap or number != self._last + 1
        self._last = number
        if event[b"event"] == b"result":
            return msgspec.convert(_event(event[b"data"]), PurchaseEnded)
        self.steps.append(msgspec.convert(_event(event[b"data"]), PurchaseStepChanged))
        return None
