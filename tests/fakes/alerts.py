"""An outbox, channels and a clock in memory, for tests that own the time and every failure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any, cast

import msgspec

from sagacity.alerts.channel import Message, Outcome, Sent
from sagacity.alerts.config import Alerts
from sagacity.alerts.reading import read
from sagacity.errors import FullError
from sagacity.ledger.live import FindingState, LiveFinding, LiveLedger, Notice, NoticeKind, Page, Settled
from sagacity.workflow.model import Severity

__all__ = ["NOON", "FakeClock", "FakeOutbox", "Given", "alerts_of", "finding", "notice"]

NOON = 1_790_337_600_000_000
"""2026-09-25T12:00Z, a Friday."""


class FakeClock:
    """Stands still until told."""

    def __init__(self, at: int = NOON) -> None:
        self.at = at

    def now(self) -> int:
        return self.at


class FakeOutbox:
    """The notices of a live ledger, as the port describes them. `full` is asked before each write whether it fails."""

    def __init__(self, full: Callable[[], bool] = lambda: False) -> None:
        self.kept: dict[int, Notice] = {}
        self.again: dict[int, int | None] = {}
        self.failed: dict[int, str | None] = {}
        self.states: dict[str, LiveFinding] = {}
        self.full = full

    def add(self, notice: Notice) -> None:
        self.kept[notice.number] = notice
        self.again[notice.number] = notice.at
        self.states[notice.finding.id] = notice.finding

    def stand(self, finding: str, state: FindingState, **changes: Any) -> None:
        """From now on the finding is in this state."""
        self.states[finding] = msgspec.structs.replace(self.states[finding], state=state, **changes)

    def notices(self, now: int, limit: int = 100) -> list[Notice]:
        due = [number for number, again in self.again.items() if again is not None and again <= now]
        return [self._read(number) for number in sorted(due)[:limit]]

    def settle(self, settled: Sequence[Settled]) -> None:
        if self.full():
            raise FullError("no room")
        for each in settled:
            if each.number in self.kept:
                self.kept[each.number] = msgspec.structs.replace(self.kept[each.number], deliveries=each.deliveries)
                self.again[each.number], self.failed[each.number] = each.again, each.failed

    def dead_letters(self, *, cursor: str | None = None, limit: int = 50) -> Page[tuple[Notice, str]]:
        dead = [number for number in sorted(self.kept) if self.failed.get(number) and self.again[number] is None]
        start = int(cursor or 0)
        items = tuple((self._read(number), self.failed[number] or "") for number in dead[start : start + limit])
        return Page(items, str(start + limit) if start + limit < len(dead) else None)

    def ask(self, work: Callable[[LiveLedger], None]) -> Future[None]:
        """Has the writing thread, which is this one, do it at once."""
        done: Future[None] = Future()
        try:
            work(cast(LiveLedger, self))
            done.set_result(None)
        except Exception as error:
            done.set_exception(error)
        return done

    def earliest(self) -> int | None:
        return min((again for again in self.again.values() if again is not None), default=None)

    def _read(self, number: int) -> Notice:
        kept = self.kept[number]
        return msgspec.structs.replace(kept, finding=self.states[kept.finding.id])


class Given:
    """A channel whose outcomes are given, one an attempt; afterwards all is well. An exception is raised."""

    def __init__(self, outcomes: Iterator[Outcome | Exception] | None = None) -> None:
        self.outcomes = iter(()) if outcomes is None else outcomes
        self.attempts: list[Message] = []
        self.received: list[Message] = []

    async def send(self, message: Message, now: int) -> Outcome:
        del now
        self.attempts.append(message)
        outcome = next(self.outcomes, Sent())
        if isinstance(outcome, Exception):
            raise outcome
        if isinstance(outcome, Sent):
            self.received.append(message)
        return outcome

    async def close(self) -> None:
        pass


def finding(
    id: str = "f1",
    *,
    severity: Severity = "error",
    owner: str | None = "payments",
    workflow: str = "orders",
    state: FindingState = "open",
    opened: int = NOON,
    resolved: int | None = None,
) -> LiveFinding:
    return LiveFinding(
        id=id, workflow=workflow, case="123", expectation="paid orders are shipped", kind="missing", severity=severity,
        owner=owner, since=opened, type=None, time=None, activation=None, message="PaymentReceived, and no ItemShipped",
        state=state, opened=opened, changed=opened, resolved=resolved,
    )  # fmt: skip


def notice(
    number: int = 1, kind: NoticeKind = "opened", of: LiveFinding | None = None, at: int = NOON, findings: int = 1
) -> Notice:
    about = of or finding()
    return Notice(number=number, key=f"{about.id}/{kind}/{number}", kind=kind, at=at, finding=about, findings=findings)


def alerts_of(**sections: Any) -> Alerts:
    """A configuration with three channels that write to the log, and whatever is given."""
    channels = {name: {"kind": "log"} for name in ("team", "lead", "journal")}
    return read({"channels": channels, "default": {"channels": ["journal"]}, **sections})
