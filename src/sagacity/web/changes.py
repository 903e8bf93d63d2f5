"""Changes told to those who watch, by server-sent events, without ever holding up the rounds.

Each watcher has a bounded queue. One that does not keep up loses it and is told once to `reload`: it is behind, and what it
shows has to be read anew. The writing thread only hands a change to the event loop, and never waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal, TypeAlias

from sagacity.reconcile.live import Change, Live

__all__ = ["Changes", "Watch"]

Told: TypeAlias = tuple[Literal["change", "reload"], int, Change | None]
"""What a watcher is told: the kind, the number (of this process's changes), and the change itself."""


class Watch:
    """One watcher's queue. Belongs to the event loop."""

    def __init__(self, most: int) -> None:
        self._waiting: asyncio.Queue[Told] = asyncio.Queue(most + 1)
        self._most = most
        self._lost = False

    def tell(self, told: Told) -> None:
        """Queue a change, or note that the watcher has fallen behind."""
        if self._lost:
            return
        if self._waiting.qsize() >= self._most:
            while not self._waiting.empty():
                self._waiting.get_nowait()
            self._lost = True
            told = ("reload", told[1], None)
        self._waiting.put_nowait(told)

    async def next(self, within: float) -> Told | None:
        """The next thing to tell; None where there was none within so many seconds."""
        try:
            told = await asyncio.wait_for(self._waiting.get(), within)
        except TimeoutError:
            return None
        if told[0] == "reload":
            self._lost = False
        return told


class Changes:
    """All watchers of one process. `begin` and `end` belong to the event loop's start and end."""

    def __init__(self, live: Live, *, most: int = 200, each: int = 256) -> None:
        self._live = live
        self._most = most
        self._each = each
        self._watchers: set[Watch] = set()
        self._number = 0
        self._stop: Callable[[], None] | None = None
        self.closing = False

    def __len__(self) -> int:
        return len(self._watchers)

    def begin(self) -> None:
        """Listen from now on, on the running event loop."""
        loop = asyncio.get_running_loop()

        def heard(change: Change) -> None:
            try:
                loop.call_soon_threadsafe(self.tell, change)
            except RuntimeError:  # the loop has ended in the meantime
                return

        self.closing = False
        self._stop = self._live.listen(heard)

    def end(self) -> None:
        """Stop listening; watchers end by themselves at their next look."""
        self.closing = True
        if self._stop is not None:
            self._stop()
        for watch in self._watchers:
            watch.tell(("reload", self._number, None))

    def tell(self, change: Change) -> None:
        """Give every watcher a change."""
        self._number += 1
        for watch in self._watchers:
            watch.tell(("change", self._number, change))

    def full(self) -> bool:
        """Whether as many watch as may."""
        return len(self._watchers) >= self._most

    def join(self) -> Watch:
        """One more watcher."""
        watch = Watch(self._each)
        self._watchers.add(watch)
        return watch

    def leave(self, watch: Watch) -> None:
        """A watcher is gone."""
        self._watchers.discard(watch)
