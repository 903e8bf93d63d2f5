"""Which channels a notice goes to, and when: pure decisions on facts and the time.

What happens to a notice between its planning and its delivery is decided again when it falls due, from the finding as it
stands then (`verdict`):

- A finding that is acknowledged, waived or resolved is escalated no further.
- A notice that was not tried yet, since quiet hours held it back or the server was down, is folded into the later one where
  its finding has moved on: *opened* and *reopened* into *resolved* where that goes to the same channel, *resolved* into
  *reopened*. The later one tells both instants, so nothing is lost; a notice about several findings is never folded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Literal, TypeAlias

import msgspec

from sagacity.alerts.config import Alerts, Patterns, Route
from sagacity.alerts.quiet import quiet_until, reaches
from sagacity.ledger.live import Delivery, LiveFinding, Notice, NoticeKind

__all__ = ["Decided", "Decision", "deliveries", "planned", "routed", "verdict"]

Decided: TypeAlias = Literal["deliver", "defer", "drop"]

_TOLD: tuple[NoticeKind, ...] = ("opened", "reopened", "escalated")
_ACTED = {"acknowledged": "the finding is acknowledged", "waived": "the finding is waived", "resolved": "it is resolved"}
_FOLDED: dict[str, tuple[NoticeKind, frozenset[str]]] = {
    "opened": ("resolved", frozenset({"resolved"})),
    "reopened": ("resolved", frozenset({"resolved"})),
    "escalated": ("resolved", frozenset({"resolved"})),
    "resolved": ("reopened", frozenset({"open", "acknowledged", "waived"})),
}
"""For each kind of notice the kind that it is folded into, and the states of a finding in which it is."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done on one channel. `at` is the instant before which nothing is, `reason` why it is not done now."""

    channel: str
    step: int
    decided: Decided
    at: int
    reason: str | None = None


def routed(alerts: Alerts, finding: LiveFinding) -> tuple[Route, ...]:
    """The routes that a finding takes: the first that fits, those after it while they say to go on; else the default."""
    found: list[Route] = []
    for route in alerts.routes:
        if _fits(route, finding):
            found.append(route)
            if not route.onward:
                return tuple(found)
    return tuple(found) or (alerts.default,)


def deliveries(alerts: Alerts, notice: Notice, now: int) -> tuple[Decision, ...]:
    """What is to be done about a notice on each channel of its routes, once a channel and step."""
    found: dict[tuple[str, int], Decision] = {}
    for channel, step, wait, carried in _aimed(alerts, notice):
        if step and notice.kind == "resolved" and _told(found, channel):
            continue
        at = notice.at + wait
        decision = Decision(channel=channel, step=step, decided="deliver", at=now)
        quiet = quiet_until(alerts.channels[channel].quiet_hours, notice.finding.severity, max(at, now))
        if not carried:
            reason = f"the route carries no notices of kind {notice.kind}"
            decision = Decision(channel=channel, step=step, decided="drop", at=now, reason=reason)
        elif quiet is not None:
            decision = Decision(channel=channel, step=step, decided="defer", at=quiet, reason="quiet hours")
        elif at > now and step:
            decision = Decision(channel=channel, step=step, decided="defer", at=at, reason="unless somebody acts before")
        known = found.get((channel, step))
        if known is None or known.decided == "drop":
            found[channel, step] = decision
    return tuple(found.values())


def planned(alerts: Alerts, notice: Notice, now: int) -> tuple[Delivery, ...]:
    """The decisions about a notice that is new, as what the ledger keeps of them."""
    return tuple(
        Delivery(
            channel=decision.channel,
            step=decision.step,
            state="dropped" if decision.decided == "drop" else "waiting",
            since=decision.at,
            again=decision.at,
            error=decision.reason if decision.decided == "drop" else None,
        )
        for decision in deliveries(alerts, notice, now)
    )


def verdict(alerts: Alerts, notice: Notice, delivery: Delivery, now: int) -> Decision:
    """What is to be done about a delivery that has fallen due, from how its finding stands now."""
    finding = notice.finding

    def decision(decided: Decided, at: int = now, reason: str | None = None) -> Decision:
        return Decision(channel=delivery.channel, step=delivery.step, decided=decided, at=at, reason=reason)

    if delivery.step and notice.kind != "resolved" and delivery.tries == 0 and finding.state in _ACTED:
        return decision("drop", reason=f"not escalated: {_ACTED[finding.state]}")
    into, states = _FOLDED[notice.kind]
    untold = delivery.tries == 0 and notice.findings == 1 and not delivery.step
    if untold and finding.state in states and _goes(alerts, notice, into, delivery.channel):
        return decision("drop", reason=f"folded into the notice that it is {into}")
    quiet = quiet_until(alerts.channels[delivery.channel].quiet_hours, finding.severity, now)
    return decision("deliver") if quiet is None else decision("defer", quiet, "quiet hours")


def _aimed(alerts: Alerts, notice: Notice) -> Iterator[tuple[str, int, int, bool]]:
    """Each channel with its step, how long after the notice it is due, and whether its route carries such a notice."""
    finding = notice.finding
    for route in routed(alerts, finding):
        carried = notice.kind in route.kinds
        yield from ((channel, 0, 0, carried) for channel in route.channels)
        for step, escalation in enumerate(route.escalate, 1):
            if notice.kind in _TOLD and carried:
                yield from ((channel, step, escalation.after, True) for channel in escalation.channels)
            elif carried and (finding.resolved or finding.opened) - finding.opened >= escalation.after:
                # Whoever may have been escalated to is told that it is over, too.
                yield from ((channel, step, 0, True) for channel in escalation.channels)


def _told(found: Mapping[tuple[str, int], Decision], channel: str) -> bool:
    return any(each.channel == channel and each.decided != "drop" for each in found.values())


def _goes(alerts: Alerts, notice: Notice, kind: NoticeKind, channel: str) -> bool:
    later = msgspec.structs.replace(notice, kind=kind)
    return any(aimed == channel and step == 0 and carried for aimed, step, _, carried in _aimed(alerts, later))


def _fits(route: Route, finding: LiveFinding) -> bool:
    return (
        reaches(finding.severity, route.severity)
        and _matched(route.owner, finding.owner or "")
        and _matched(route.workflow, finding.workflow)
    )


def _matched(patterns: Patterns, text: str) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)
