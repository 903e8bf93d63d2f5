"""Live traffic handed to a server as time goes by, and what the server says of it meanwhile and in the end."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from sagacity.cli.remote import Remote
from sagacity.cli.showing.telling import Teller
from sagacity.demo.answers import Comparison, compare
from sagacity.demo.handed_in import SOURCES
from sagacity.demo.traffic import SETTLED, Message, Pace, live_orders, messages
from sagacity.errors import SagacityError
from sagacity.reconcile.clock import Clock
from sagacity.web.times import instant_of

__all__ = ["Driver", "Seen"]

_STEP = 0.05
_LOOK_EVERY = 500_000
_GRACE = 30_000_000
_PAGE = 500
_CLOUD_EVENTS, _LINES = "application/cloudevents-batch+json", "application/x-ndjson"


class Seen(msgspec.Struct, frozen=True):
    """What was found, held against what was planted: findings, and messages that were delivered twice."""

    findings: Comparison
    again: int
    redelivered: int
    orders: Mapping[str, int]

    @property
    def equal(self) -> bool:
        return self.findings.equal and self.again == self.redelivered


class Driver:
    """Hands the traffic in, message by message, each when its time has come, and looks at the findings twice a second.

    Time is the clock's; nothing happens between two calls of `step`.
    """

    def __init__(self, remote: Remote, pace: Pace, clock: Clock, teller: Teller) -> None:
        self._remote = remote
        self._clock = clock
        self._teller = teller
        self._start = clock.now() + 300_000
        self._orders = list(live_orders(pace, self._start))
        self._cases = {order.case for order in self._orders}
        self._planted = deque(order for order in self._orders if order.fault is not None)
        self._coming = deque(messages(self._orders, pace, self._start))
        again = [message for message in self._coming if message.again]
        self._again, self._again_of = len(again), {message.source for message in again}
        self._held_up: list[Message] = []
        self._known: dict[str, str] = {}
        self._next_look = 0
        self._settled = self._orders[-1].placed + SETTLED

    def run(self) -> Seen:
        """All of it, until everything is settled; or until it should have been for long."""
        while self.step():
            time.sleep(_STEP)
        return self.seen()

    def step(self) -> bool:
        """What is to be done now; whether more is to come."""
        now = self._clock.now() - self._start
        while self._planted and self._planted[0].placed <= now:
            self._teller.planted(self._planted[0].placed, self._planted.popleft())
        due = []
        while self._coming and self._coming[0].at <= now:
            due.append(self._coming.popleft())
        self._held_up += [message for message in due if message.held_up]
        self._hand_in(message for message in due if not message.held_up)
        if now < self._next_look:
            return True
        self._next_look = now + _LOOK_EVERY
        self._look(now)
        if now > self._settled + _GRACE:
            return False
        return bool(self._coming or self._held_up) or self._as_of() < self._settled or not self.seen().equal

    def seen(self) -> Seen:
        """What the server has found by now."""
        found = [each for each in self._findings() if each["case"] in self._cases]
        answers = [answer for order in self._orders if (answer := order.answer) is not None]
        outcomes = ((each["case"], each["expectation"], _outcome(each)) for each in found)
        accounts = self._remote.get("/api/v1/accounts")["items"]
        counts = self._remote.get("/api/v1/workflows/order/counts")
        return Seen(
            compare(answers, outcomes),
            self._again,
            sum(account["redelivered"] for account in accounts if account["source"] in self._again_of),
            counts["cases"],
        )

    def _hand_in(self, due: Iterable[Message]) -> None:
        """Each source's records in one request, in the order in which an order passes through the sources."""
        listed = list(due)
        for source in SOURCES:
            bodies = [message.body for message in listed if message.source == source]
            if not bodies:
                continue
            if source == "orders":
                status, _ = self._remote.send(f"/ingest/{source}", b"[" + b",".join(bodies) + b"]", _CLOUD_EVENTS)
            else:
                status, _ = self._remote.send(f"/ingest/{source}", b"\n".join(bodies) + b"\n", _LINES)
            if status == 422:
                raise SagacityError(f"the server could not read what {source} handed in")

    def _look(self, now: int) -> None:
        """Tell what is new among the findings; hand in what was held up until its absence was found."""
        for finding in sorted(self._findings(), key=lambda each: str(each["changed"])):
            state = "resolved" if finding["state"] == "resolved" else "open"
            if self._known.get(finding["id"]) != state:
                self._teller.found(now, finding, again=finding["id"] in self._known)
                self._known[finding["id"]] = state
        missed = {each["case"] for each in self._findings(state="open", kind="missing")} if self._held_up else set()
        come = [message for message in self._held_up if message.case in missed]
        self._held_up = [message for message in self._held_up if message.case not in missed]
        self._hand_in(come)

    def _findings(self, **which: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor = None
        while True:
            page = self._remote.get("/api/v1/findings", limit=_PAGE, cursor=cursor, **which)
            found += page["items"]
            cursor = page["next"]
            if cursor is None:
                return found

    def _as_of(self) -> int:
        """Up to when the server judges, as an offset."""
        as_of = self._remote.get("/api/v1/status")["as_of"]
        return -1 if as_of is None else instant_of(as_of) - self._start


def _outcome(finding: Mapping[str, Any]) -> Any:
    return "resolved" if finding["state"] == "resolved" else finding["kind"]
