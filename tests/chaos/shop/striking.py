"""Does what is planned, and notes what was done."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
from confluent_kafka import KafkaException

from shop.demo.twice import delivered_again

from .injuries import SORTS, Injury, Kind
from .scene import Besieged

__all__ = ["Striking"]

_AGAIN = 1.0
"""Seconds after which it is tried again, where somebody is not up."""
_DOWN_AT_ONCE = 2
_STALLS_WITHIN = 12.0
"""Seconds that a full disk may take to be noticed: while nothing is to be written, nobody does."""


class Striking:
    """As a context manager it strikes, in a thread of its own; what lasts is over before it is left."""

    def __init__(self, besieged: Besieged, planned: Sequence[Injury], say: Callable[[str], None]) -> None:
        self.done: Counter[tuple[Kind, str]] = Counter()
        """What was done, by kind and to whom."""
        self.stalled = 0
        """How often a full disk was seen to stall the reconciler."""
        self.failure: BaseException | None = None
        self._besieged, self._say = besieged, say
        self._stack = besieged.scene.stack
        self._numbers = itertools.count()
        self._due = [(each.at, next(self._numbers), self._beginning(each)) for each in planned]
        self._ends = 0.0 if not planned else planned[-1].at + _AGAIN
        self._over = threading.Event()
        self._publishing = ThreadPoolExecutor(1, "again")
        self._published: list[Future[int]] = []
        self._thread = threading.Thread(target=self._run, name="striking", daemon=True)
        self._begin: Mapping[Kind, Callable[[Injury], bool]] = {
            "kill": lambda it: self._when_up(it.whom, self._stack.kill),
            "crash": lambda it: self._when_up(it.whom, self._stack.kill),
            "restart": lambda it: self._when_up(it.whom, self._stack.restart),
            "freeze": lambda it: self._when_up(it.whom, self._stack.freeze),
            "slow": self._slow,
            "stall": lambda it: self._proxied(it.whom, "stall"),
            "cut": lambda it: self._proxied(it.whom, "cut"),
            "deafen": lambda it: self._proxied(it.whom, "deafen"),
            "again": self._deliver_again,
            "fill": self._fill,
        }
        self._end: Mapping[Kind, Callable[[Injury], bool]] = {
            "freeze": lambda it: self._always(self._stack.thaw, it.whom),
            "slow": lambda it: self._at_once(it.whom),
            "stall": lambda it: self._proxied(it.whom, "flow"),
            "deafen": lambda it: self._proxied(it.whom, "hear"),
            "fill": self._free,
        }
        self._filled = 0.0

    def __enter__(self) -> Striking:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._publishing.shutdown()
        if self.failure is not None:
            raise self.failure

    @property
    def again(self) -> int:
        """How many events were delivered again."""
        return sum(each.result() for each in self._published)

    def _run(self) -> None:
        began = time.monotonic()
        heapq.heapify(self._due)
        try:
            while self._due:
                at, _, act = heapq.heappop(self._due)
                self._over.wait(max(0.0, began + at - time.monotonic()))
                act(time.monotonic() - began)
        except BaseException as error:
            self.failure = error

    def _beginning(self, injury: Injury) -> Callable[[float], None]:
        def act(now: float) -> None:
            if self._over.is_set():
                return
            if not self._begin[injury.kind](injury):
                if now < self._ends:
                    self._push(now + _AGAIN, act)
                return
            self.done[injury.kind, injury.whom] += 1
            lasts = f" for {injury.lasts:.1f} s" if injury.lasts else ""
            self._say(f"{now:6.1f} s  {injury.whom}: {SORTS[injury.kind].told}{lasts}")
            if injury.kind in self._end:
                self._push(now + injury.lasts, self._ending(injury))

        return act

    def _ending(self, injury: Injury) -> Callable[[float], None]:
        def act(now: float) -> None:
            if not self._end[injury.kind](injury):
                self._push(now + _AGAIN, act)

        return act

    def _push(self, at: float, act: Callable[[float], None]) -> None:
        heapq.heappush(self._due, (at, next(self._numbers), act))

    def _when_up(self, name: str, done: Callable[[str], None]) -> bool:
        """What is just coming back is left alone until it is there, and so is everybody while many are down: on a slow
        machine there would be nothing left to be struck."""
        state = self._stack.state()
        down = sum(part.condition != "ready" for part in state.parts)
        if down > _DOWN_AT_ONCE or any(part.condition != "ready" for part in state.named(name)):
            return False
        done(name)
        return True

    def _always(self, done: Callable[[str], None], whom: str) -> bool:
        done(whom)
        return True

    def _proxied(self, whom: str, what: str) -> bool:
        getattr(self._besieged.proxies[whom], what)()
        return True

    def _slow(self, injury: Injury) -> bool:
        self._besieged.proxies[injury.whom].delay = injury.delay
        return True

    def _at_once(self, whom: str) -> bool:
        self._besieged.proxies[whom].delay = 0.0
        return True

    def _deliver_again(self, _: Injury) -> bool:
        self._published.append(self._publishing.submit(self._delivered_again))
        return True

    def _delivered_again(self) -> int:
        """Once the broker lets it be done."""
        while not self._over.is_set():
            try:
                return delivered_again(self._stack.addresses.kafka)
            except KafkaException:
                self._over.wait(_AGAIN)
        return 0

    def _fill(self, _: Injury) -> bool:
        disk = self._besieged.disk
        if disk is not None:
            disk.fill()
            self._filled = time.monotonic()
        return True

    def _free(self, _: Injury) -> bool:
        """Not before it was noticed, if it is noticed at all."""
        disk = self._besieged.disk
        seen = self._is_stalled()
        if not seen and time.monotonic() - self._filled < _STALLS_WITHIN and not self._over.is_set():
            return False
        self.stalled += seen
        if disk is not None:
            disk.free()
        return True

    def _is_stalled(self) -> bool:
        try:
            return self._besieged.reconciler.state() == "stalled"
        except httpx.HTTPError:
            return False
