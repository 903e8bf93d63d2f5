"""Records that are handed in, over HTTP for one: answered only once they are durable."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future

from sagacity.errors import SagacityError
from sagacity.sources.stream import Batch, Part, Reach

__all__ = ["BusyError", "PushStream"]

_CLOSING = "this server is shutting down"
_AFTERWARDS = "send it again to the one that comes after"


class BusyError(SagacityError):
    """More records wait than the stream holds. Nothing of the offer was taken; try again shortly."""


class PushStream:
    """A bounded queue between whoever offers records, on any thread, and the one thread that polls.

    `most` bounds the records that wait; `bytes_most` their size.
    """

    part = "push"

    def __init__(self, sources: Sequence[str], *, most: int = 100_000, bytes_most: int = 64 * 2**20) -> None:
        self.sources = tuple(sources)
        """The sources that records may be handed in for."""
        self._most = most
        self._bytes_most = bytes_most
        self._waiting: deque[tuple[str, Sequence[bytes], Future[None]]] = deque()
        self._records = 0
        self._bytes = 0
        self._changed = threading.Condition()
        self._closed = False

    def serve(self, sources: Sequence[str]) -> None:
        """Take records for these sources too, from now on."""
        self.sources = tuple(dict.fromkeys([*self.sources, *sources]))

    def offer(self, source: str, bodies: Sequence[bytes]) -> Future[None]:
        """Hand records in. The future is done when they are durable, and fails where they will never be.

        Raises BusyError where too much waits already.
        """
        done: Future[None] = Future()
        if not bodies:
            done.set_result(None)
            return done
        size = sum(map(len, bodies))
        with self._changed:
            if self._closed:
                raise BusyError(_CLOSING, hint=_AFTERWARDS)
            if len(bodies) > self._most or size > self._bytes_most:
                raise BusyError(
                    f"{len(bodies):,} records of {size:,} bytes are too much at a time", hint="send less at a time"
                )
            if self._records + len(bodies) > self._most or self._bytes + size > self._bytes_most:
                raise BusyError(f"{self._records:,} records wait to be taken in", hint="send it again in a second")
            self._waiting.append((source, bodies, done))
            self._records += len(bodies)
            self._bytes += size
            self._changed.notify_all()
        return done

    def start(self, positions: Mapping[Part, int]) -> None:
        """Nothing to do: what is pushed cannot be read again."""

    def poll(self, most: int, wait: float) -> list[Batch]:
        """What was offered, in whole offers; the first even where it alone holds more than `most` records."""
        with self._changed:
            if not self._waiting and wait > 0:
                self._changed.wait(wait)
            batches = []
            taken = 0
            while self._waiting and (taken == 0 or taken + len(self._waiting[0][1]) <= most):
                source, bodies, done = self._waiting.popleft()
                positions = range(len(bodies))
                batches.append(Batch(source=source, part=self.part, bodies=bodies, positions=positions, ticket=done))
                taken += len(bodies)
                self._records -= len(bodies)
                self._bytes -= sum(map(len, bodies))
            return batches

    def durable(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            if isinstance(batch.ticket, Future) and not batch.ticket.done():
                batch.ticket.set_result(None)

    def reaches(self) -> list[Reach]:
        """A source that is pushed to is always current: what it has not handed in cannot be known."""
        return [Reach(source=source, part=self.part, state="current", lag=0) for source in self.sources]

    def close(self) -> None:
        """Refuse what waits, and whatever comes."""
        with self._changed:
            self._closed = True
            while self._waiting:
                _, _, done = self._waiting.popleft()
                if not done.done():
                    done.set_exception(
                        BusyError("this server is shutting down", hint="send it again to the one that comes after")
                    )
            self._records = self._bytes = 0
            self._changed.notify_all()
