"""Which channels are told of what, and when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from fakes.alerts import NOON, alerts_of, finding, notice
from sagacity.alerts.config import Alerts
from sagacity.alerts.quiet import QuietHours, quiet_until
from sagacity.alerts.routes import Decision, deliveries, planned, routed, verdict
from sagacity.workflow.model import Severity

HOUR = 3_600_000_000
MINUTE = 60_000_000
NIGHT = {"from": "22:00", "to": "07:00", "timezone": "UTC"}


def us(text: str, zone: str = "UTC") -> int:
    at = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    return round(at.astimezone(UTC).timestamp() * 1_000_000)


def told(decisions: tuple[Decision, ...]) -> list[tuple[str, str]]:
    return [(decision.channel, decision.decided) for decision in decisions]


def sleeping(**more: Any) -> Alerts:
    channels = {"team": {"kind": "log", "quiet_hours": {**NIGHT, **more}}, "journal": {"kind": "log"}}
    return alerts_of(channels=channels, routes=[{"channels": ["team"]}])


def test_the_first_route_that_fits_decides() -> None:
    alerts = alerts_of(routes=[{"owner": "pay*", "channels": ["team"]}, {"channels": ["lead"]}])
    assert told(deliveries(alerts, notice(), NOON)) == [("team", "deliver")]
    assert told(deliveries(alerts, notice(of=finding(owner="stock")), NOON)) == [("lead", "deliver")]


def test_a_route_that_continues_lets_the_next_have_it_too() -> None:
    alerts = alerts_of(routes=[{"channels": ["journal"], "continue": True}, {"owner": "payments", "channels": ["team"]}])
    assert told(deliveries(alerts, notice(), NOON)) == [("journal", "deliver"), ("team", "deliver")]


def test_what_no_route_wants_takes_the_default() -> None:
    alerts = alerts_of(routes=[{"owner": "stock", "channels": ["team"]}])
    assert told(deliveries(alerts, notice(), NOON)) == [("journal", "deliver")]


def test_a_finding_without_an_owner_fits_only_the_pattern_for_all() -> None:
    alerts = alerts_of(routes=[{"owner": ["a*", "?*"], "channels": ["team"]}, {"owner": "*", "channels": ["lead"]}])
    assert told(deliveries(alerts, notice(of=finding(owner=None)), NOON)) == [("lead", "deliver")]


@pytest.mark.parametrize(("severity", "channel"), [("warning", "journal"), ("error", "team"), ("critical", "team")])
def test_a_route_takes_its_severity_and_worse(severity: Severity, channel: str) -> None:
    alerts = alerts_of(routes=[{"severity": "error", "channels": ["team"]}])
    assert told(deliveries(alerts, notice(of=finding(severity=severity)), NOON)) == [(channel, "deliver")]


def test_a_kind_that_the_route_does_not_carry_is_dropped_and_does_not_fall_to_the_default() -> None:
    alerts = alerts_of(routes=[{"kinds": ["opened"], "channels": ["team"]}])
    (decision,) = deliveries(alerts, notice(kind="reopened"), NOON)
    assert (decision.channel, decision.decided) == ("team", "drop")
    assert decision.reason == "the route carries no notices of kind reopened"


def test_the_route_is_named_by_its_place() -> None:
    alerts = alerts_of(routes=[{"owner": "x", "channels": []}, {"channels": ["team"]}])
    assert [route.name for route in routed(alerts, finding())] == ["routes[1]"]


def test_nobody_acts_and_the_next_channel_is_told() -> None:
    alerts = alerts_of(routes=[{"channels": ["team"], "escalate": [{"after": "30m", "channels": ["lead"]}]}])
    first, second = planned(alerts, notice(), NOON)
    assert (second.channel, second.step, second.again) == ("lead", 1, NOON + 30 * MINUTE)
    assert verdict(alerts, notice(), second, second.again).decided == "deliver"
    assert first.again == NOON


@pytest.mark.parametrize("state", ["acknowledged", "waived", "resolved"])
def test_somebody_acts_and_the_next_channel_is_left_alone(state: Any) -> None:
    alerts = alerts_of(routes=[{"channels": ["team"], "escalate": [{"after": "30m", "channels": ["lead"]}]}])
    second = planned(alerts, notice(), NOON)[1]
    decision = verdict(alerts, notice(of=finding(state=state)), second, second.again)
    assert decision.decided == "drop"
    assert "not escalated" in (decision.reason or "")


def test_whoever_it_was_escalated_to_is_told_that_it_is_over() -> None:
    escalate = [{"after": "30m", "channels": ["lead"]}, {"after": "2h", "channels": ["team"]}]
    alerts = alerts_of(routes=[{"channels": ["team"], "escalate": escalate}])
    soon = notice(kind="resolved", of=finding(state="resolved", resolved=NOON + 5 * MINUTE))
    assert told(deliveries(alerts, soon, NOON)) == [("team", "deliver")]
    later = notice(kind="resolved", of=finding(state="resolved", resolved=NOON + 3 * HOUR))
    assert told(deliveries(alerts, later, NOON)) == [("team", "deliver"), ("lead", "deliver")]


def test_quiet_hours_defer_until_they_are_over() -> None:
    at = us("2026-09-25T23:30")
    (decision,) = deliveries(sleeping(), notice(at=at), at)
    assert (decision.decided, decision.at, decision.reason) == ("defer", us("2026-09-26T07:00"), "quiet hours")


def test_the_severity_that_breaks_through_does() -> None:
    at = us("2026-09-25T23:30")
    critical = notice(at=at, of=finding(severity="critical"))
    assert told(deliveries(sleeping(), critical, at)) == [("team", "deliver")]
    assert told(deliveries(sleeping(severity="none"), critical, at)) == [("team", "defer")]
    assert told(deliveries(sleeping(severity="error"), notice(at=at), at)) == [("team", "deliver")]


def test_the_day_is_that_on_which_the_quiet_begins() -> None:
    alerts = sleeping(days=["fri"])
    assert told(deliveries(alerts, notice(), us("2026-09-26T03:00"))) == [("team", "defer")]
    assert told(deliveries(alerts, notice(), us("2026-09-26T23:00"))) == [("team", "deliver")]


@pytest.mark.parametrize(
    ("zone", "now", "ends"),
    [
        ("Europe/Berlin", "2026-03-29T00:30+00:00", "2026-03-29T05:00+00:00"),  # the clocks skip an hour: 7 is 5 UTC
        ("Europe/Berlin", "2026-10-25T00:30+00:00", "2026-10-25T06:00+00:00"),  # they show one twice: 7 is 6 UTC
        ("America/New_York", "2026-07-01T03:00+00:00", "2026-07-01T11:00+00:00"),
        ("Pacific/Apia", "2011-12-30T09:00+00:00", "2011-12-30T17:00+00:00"),  # a day that the calendar left out
        ("Asia/Kolkata", "2026-07-01T17:00+00:00", "2026-07-02T01:30+00:00"),
    ],
)
def test_quiet_hours_are_those_of_the_zone_as_its_clocks_change(zone: str, now: str, ends: str) -> None:
    quiet = QuietHours(begins=22 * 60, ends=7 * 60, timezone=zone)
    at, until = (round(datetime.fromisoformat(text).timestamp() * 1_000_000) for text in (now, ends))
    assert quiet_until(quiet, "error", at) == until
    assert quiet_until(quiet, "error", until) is None


def test_an_hour_that_is_shown_twice_is_quiet_twice() -> None:
    quiet = QuietHours(begins=120, ends=150, timezone="Europe/Berlin")  # 02:00 to 02:30
    first, second = us("2026-10-25T00:10"), us("2026-10-25T01:10")
    assert quiet_until(quiet, "error", first) == quiet_until(quiet, "error", second) == us("2026-10-25T01:30")


def test_a_finding_that_was_resolved_in_the_night_is_told_once() -> None:
    at, morning = us("2026-09-25T23:30"), us("2026-09-26T07:00")
    over = finding(state="resolved", resolved=at + HOUR)
    (opened,) = planned(sleeping(), notice(at=at), at)
    decision = verdict(sleeping(), notice(at=at, of=over), opened, morning)
    assert (decision.decided, decision.reason) == ("drop", "folded into the notice that it is resolved")
    (resolved,) = planned(sleeping(), notice(2, "resolved", over, at + HOUR), at + HOUR)
    assert resolved.again == morning
    assert verdict(sleeping(), notice(2, "resolved", over), resolved, morning).decided == "deliver"


def test_it_is_not_folded_where_the_route_carries_no_resolutions() -> None:
    alerts = alerts_of(routes=[{"channels": ["team"], "kinds": ["opened"]}])
    (opened,) = planned(alerts, notice(), NOON)
    over = notice(of=finding(state="resolved", resolved=NOON + HOUR))
    assert verdict(alerts, over, opened, NOON + HOUR).decided == "deliver"


def test_neither_a_storm_nor_what_was_tried_is_folded() -> None:
    alerts = alerts_of()
    (opened,) = planned(alerts, notice(), NOON)
    over = finding(state="resolved", resolved=NOON + HOUR)
    assert verdict(alerts, notice(of=over, findings=250), opened, NOON).decided == "deliver"
    tried = msgspec.structs.replace(opened, tries=1)
    assert verdict(alerts, notice(of=over), tried, NOON).decided == "deliver"
    assert verdict(alerts, notice(of=over), opened, NOON).decided == "drop"


def test_a_retry_that_falls_into_quiet_hours_waits_as_well() -> None:
    at = us("2026-09-25T21:59")
    (opened,) = planned(sleeping(), notice(at=at), at)
    tried = msgspec.structs.replace(opened, tries=1, again=at + 2 * MINUTE)
    decision = verdict(sleeping(), notice(at=at), tried, at + 2 * MINUTE)
    assert (decision.decided, decision.at) == ("defer", us("2026-09-26T07:00"))
