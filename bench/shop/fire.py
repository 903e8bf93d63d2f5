"""Kills every part of the stack while purchases are under way, in an order of chance, spread over the round."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from random import Random

from shop.local.stack import Stack

__all__ = ["Fire"]

_APART = 1.0
"""Seconds from one kill to the next, at least."""
_READY_WITHIN = 120.0
_WATCHED = 0.05
_DISASTERS = ("postgres", "kafka", "redis-1")
"""Killed once each, as a crash would end them, and started again; the last is a master of the cluster."""
_SPARED = "redis"


class Fire:
    """As a context manager it burns meanwhile. `rounds` is how often each service's process is killed; the edge is, too.
    `over` is how many purchases there will be: kills come as these end, the last before the last tenth of them."""

    def __init__(self, stack: Stack, over: int, seed: int, say: Callable[[str], None], *, rounds: int = 1) -> None:
        self.killed: Counter[str] = Counter()
        self._stack = stack
        self._say = say
        self._changed = threading.Condition()
        self._ended = 0
        self._over = False
        services = [name for name in stack.names if not name.startswith(_SPARED) and name not in (*_DISASTERS, "prometheus")]
        chance = Random(f"kills {seed}")
        deck = [*(services * rounds), *_DISASTERS]
        chance.shuffle(deck)
        self._due = [(over * 0.9 * (at + chance.random()) / len(deck), name) for at, name in enumerate(deck)]
        self._thread = threading.Thread(target=self._burn, name="fire", daemon=True)

    def __enter__(self) -> Fire:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._over = True
            self._changed.notify_all()
        self._thread.join()

    def ended(self, many: int) -> None:
        """So many purchases have ended."""
        with self._changed:
            self._ended = max(self._ended, many)
            self._changed.notify_all()

    @property
    def missing(self) -> list[str]:
        """What was to be killed and was not."""
        return [name for _, name in self._due[self.killed.total() :]]

    def _burn(self) -> None:
        for when, name in self._due:
            if not self._waited_for(when):
                return
            self._until_up(name)
            self._stack.kill(name)
            self.killed[name] += 1
            self._say(f"killed {name} after {self._ended} purchases")
            with self._changed:
                self._changed.wait_for(lambda: self._over, _APART)

    def _waited_for(self, many: float) -> bool:
        """Whether so many have ended; False where all is over before."""
        with self._changed:
            self._changed.wait_for(lambda: self._over or self._ended >= many)
            return not self._over

    def _until_up(self, name: str) -> None:
        """What is just coming back from an earlier kill is killed once it is there."""
        limit = time.monotonic() + _READY_WITHIN
        while time.monotonic() < limit and not self._over:
            if all(part.condition == "ready" for part in self._stack.state().named(name)):
                return
            time.sleep(_WATCHED)
