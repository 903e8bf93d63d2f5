"""Reconcile live: take in what the streams give, keep it, judge the cases that it touched and those that fall due.

One thread writes to the ledger: the one that runs `Live.run`. Whoever else has something to write asks it to, with
`Live.ask`; anybody may read from the ledger at any time.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Literal, TypeAlias, TypeVar

import msgspec

from sagacity.errors import FullError, LedgerError, MemoryLimitError
from sagacity.ledger.live import Judged, LiveLedger, Outlook
from sagacity.reconcile.clock import Clock
from sagacity.reconcile.intake import Intake
from sagacity.reconcile.portions import Portion
from sagacity.reconcile.watermark import Heard, Patience, outlook
from sagacity.sources.stream import Part, Reach, ReachState, Stream

__all__ = ["Change", "Live", "LiveState", "Status"]

T = TypeVar("T")

LiveState: TypeAlias = Literal["starting", "running", "stalled", "stopped"]
"""`stalled`: the ledger can keep nothing for now, for want of room or memory, so nothing is taken in; `Status.problem` says
why."""

_WAIT = 0.1
_RETRY = 1.0
_UPKEEP_EVERY = 60_000_000
_UPKEEP_AGAIN = 1_000_000
_REREAD_AGAIN = 5_000_000
_RATE_OVER = 10_000_000
_CASES = 200_000
_RECORDS = 100_000
_JUDGING_MOST = 1_000_000


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How it goes. `rate` is records a second taken in over the last ten seconds; `since` tells of each part for how long it
    has been in its state; instants are microseconds UTC."""

    state: LiveState
    problem: str | None
    now: int
    started: int
    as_of: int | None
    behind: Mapping[str, int]
    reaches: tuple[Reach, ...]
    records: int
    rate: float
    since: Mapping[Part, int] = {}


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a round has changed, for those who watch."""

    at: int
    as_of: int | None
    records: int
    cases: int
    opened: int
    reopened: int
    resolved: int


class _Settled(msgspec.Struct, frozen=True):
    state: ReachState
    since: int


class _Asked(msgspec.Struct, frozen=True):
    work: Callable[[LiveLedger], Any]
    done: Future[Any]
    judge: bool


class Live:
    """A ledger, the streams that feed it, and the rounds in which it is kept up to date.

    `batch` bounds the records of one round. A round takes what waits, so rounds are large only where more comes than is
    judged; what a round costs by itself is then shared by many. Where much is to be judged, after a replay or for a new
    workflow, a round judges for about a second, so that records go on being taken in meanwhile.
    """

    def __init__(
        self,
        ledger: LiveLedger,
        streams: Sequence[Stream],
        *,
        clock: Clock,
        patience: Patience | None = None,
        batch: int = 200_000,
    ) -> None:
        self.ledger = ledger
        self.clock = clock
        self._intake = Intake(streams, batch)
        self._patience = patience or Patience()
        self._cases = Portion(_CASES)
        self._reread = Portion(_RECORDS)
        self._asked: queue.SimpleQueue[_Asked] = queue.SimpleQueue()
        self._listeners: list[Callable[[Change], None]] = []
        self._stop = threading.Event()
        self._state: LiveState = "starting"
        self._problem: str | None = None
        self._started = clock.now()
        self._outlook: Outlook | None = None
        self._reached: int | None = None
        self._next_due: int | None = 0
        self._settled: dict[Part, _Settled] = {}
        self._current: dict[Part, int] = {}
        self._records = 0
        self._told = 0
        self._recent: deque[tuple[int, int]] = deque()
        self._last_upkeep = self._started
        self._troubles: dict[str, str] = {}
        self._reread_again = 0

    # Asked from any thread ------------------------------------------------------------------------------------------

    def ask(self, work: Callable[[LiveLedger], T], *, judge: bool = True) -> Future[T]:
        """Have the writing thread do something with the ledger, between two rounds, and then look what is to be judged."""
        done: Future[T] = Future()
        self._asked.put(_Asked(work, done, judge))
        return done

    def note(self, work: Callable[[LiveLedger], T]) -> Future[T]:
        """As `ask`, for what changes no verdict, so that a round follows only where one is due anyway."""
        return self.ask(work, judge=False)

    def listen(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Call the listener, on the writing thread, after each round that changed anything. The result stops that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def status(self) -> Status:
        now = self.clock.now()
        reaches = self._intake.reaches()
        recent = [(at, records) for at, records in tuple(self._recent) if now - at <= _RATE_OVER]
        return Status(
            state=self._state,
            problem=self._problem or next(iter(self._troubles.values()), None),
            now=now,
            started=self._started,
            as_of=self._outlook.as_of if self._outlook else self.ledger.as_of(),
            behind=dict(self._outlook.behind) if self._outlook else {},
            reaches=reaches,
            records=self._records,
            rate=sum(records for _, records in recent) / (_RATE_OVER / 1e6),
            since=self._since(reaches),
        )

    def _since(self, reaches: Sequence[Reach]) -> dict[Part, int]:
        """What the last round saw in the same state; anything else has only just come into it."""
        seen = {(each.source, each.part): (self._settled.get((each.source, each.part)), each.state) for each in reaches}
        return {part: known.since for part, (known, state) in seen.items() if known is not None and known.state == state}

    def stop(self) -> None:
        """Have `run` end after the round that it is in."""
        self._stop.set()

    # The writing thread ---------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Give the streams the positions that the ledger knows. `run` does it by itself."""
        self._intake.start(self.ledger)
        self._state = "running"

    def run(self) -> None:
        """Round after round until `stop`. A ledger that can keep nothing for now stalls it; other errors end it."""
        try:
            self.begin()
            while not self._stop.is_set():
                try:
                    self.tick(_WAIT)
                    self._state, self._problem = "running", None
                except (FullError, MemoryLimitError) as error:
                    self._state, self._problem = "stalled", str(error)
                    self._answer()
                    self._stop.wait(_RETRY)
            self._answer()
        except BaseException as error:
            self._problem = str(error)
            raise
        finally:
            self._state = "stopped"

    def tick(self, wait: float = 0.0) -> Judged:
        """One round: what waits is taken in, kept and judged. For whoever owns the time; `run` does this for ever."""
        self._intake.take(wait)
        self._answer()
        now = self.clock.now()
        try:
            self._intake.keep(self.ledger, now, self._reached)
        finally:
            if self._intake.records > self._records:
                self._next_due = 0
            self._count(now, self._intake.records - self._records)
        return self._follow_up(now)

    def _follow_up(self, now: int) -> Judged:
        """Judge what is due, tell who listens, and tend the ledger."""
        judged = self._judge(now)
        records, self._told = self._records - self._told, self._records
        if records or judged.cases:
            self._tell(now, records, judged)
        self._tend(now)
        return judged

    def _judge(self, now: int) -> Judged:
        """Judge what is due. Nothing is asked of the ledger while nothing can have changed."""
        before, horizons = self.ledger.as_of(), self.ledger.horizons()
        if self._outlook is not None:
            before, horizons = self._outlook.as_of, self._outlook.horizons
        found = outlook(self._parts(now), now, self._patience, before, horizons)
        if found is None:
            return Judged(0, 0, 0, 0, None)
        released = self._outlook is not None and found.behind != self._outlook.behind
        self._outlook = found
        total = Judged(0, 0, 0, 0, self._next_due)
        if not released and (self._next_due is None or self._next_due > found.as_of):
            self._reached = found.as_of
            return total
        self._next_due = 0  # until it is done, should the ledger fail
        while True:
            judged = self._cases.of(lambda most: self.ledger.judge(found, now, most))
            total = Judged(
                total.cases + judged.cases,
                total.opened + judged.opened,
                total.reopened + judged.reopened,
                total.resolved + judged.resolved,
                judged.next_due,
            )
            if not judged.more or self._stop.is_set() or self.clock.now() - now >= _JUDGING_MOST:
                self._next_due = 0 if judged.more else judged.next_due
                return total

    def _parts(self, now: int) -> list[Heard]:
        parts = []
        for reach in self._intake.reaches():
            key = (reach.source, reach.part)
            settled = self._settled.get(key)
            if settled is None or settled.state != reach.state:
                settled = self._settled[key] = _Settled(reach.state, now)
            if reach.state == "current":
                self._current[key] = now
            parts.append(
                Heard(
                    source=reach.source,
                    part=reach.part,
                    state=reach.state,
                    since=settled.since,
                    latest=self._intake.latest.get(key),
                    heard=self._intake.heard.get(key),
                    current=self._current.get(key),
                )
            )
        return parts

    def _tend(self, now: int) -> None:
        """Read for changed workflows, and do the upkeep: what fails of it is no reason to stop judging."""
        if self.ledger.owing() and now >= self._reread_again:
            self._try("reread", lambda: self._reread.of(lambda most: self.ledger.rejudge(now, most)))
            self._reread_again = now + (_REREAD_AGAIN if "reread" in self._troubles else 0)
            self._next_due = 0
        if now - self._last_upkeep >= _UPKEEP_EVERY:
            self._last_upkeep = now
            released = self._try("upkeep", lambda: self.ledger.upkeep(now, self._reached))
            self._last_upkeep = now - (_UPKEEP_EVERY - _UPKEEP_AGAIN if released and released.more else 0)

    def _try(self, what: str, work: Callable[[], T]) -> T | None:
        """Do what may fail for want of memory, or of the archive's folder; the status tells of it until it goes well."""
        try:
            done = work()
        except FullError:
            raise
        except LedgerError as error:
            self._troubles[what] = str(error)
            return None
        self._troubles.pop(what, None)
        return done

    def _answer(self) -> None:
        while not self._asked.empty():
            asked = self._asked.get()
            if not asked.done.set_running_or_notify_cancel():
                continue
            try:
                asked.done.set_result(asked.work(self.ledger))
            except BaseException as error:
                asked.done.set_exception(error)
            if asked.judge:
                self._next_due = 0

    def _count(self, now: int, records: int) -> None:
        self._records += records
        if records:
            self._recent.append((now, records))
        while self._recent and now - self._recent[0][0] > _RATE_OVER:
            self._recent.popleft()

    def _tell(self, now: int, records: int, judged: Judged) -> None:
        change = Change(
            at=now,
            as_of=self._outlook.as_of if self._outlook else None,
            records=records,
            cases=judged.cases,
            opened=judged.opened,
            reopened=judged.reopened,
            resolved=judged.resolved,
        )
        for listener in tuple(self._listeners):
            listener(change)
