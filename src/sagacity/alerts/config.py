"""The configuration of alerts: channels, routes between findings and channels, and how often to try.

Read from YAML or from a value that has been read already; every mistake is found in one go. Secrets are never in it: a
channel names the environment variable or the file that holds its secret. Durations are microseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from sagacity.alerts.quiet import QuietHours
from sagacity.ledger.live import NoticeKind
from sagacity.workflow.durations import UNITS
from sagacity.workflow.model import Severity

__all__ = [
    "KINDS", "Alerts", "Channel", "Escalation", "LogChannel", "Patterns", "Retries", "Route", "SlackChannel",
    "WebhookChannel",
]  # fmt: skip

KINDS: tuple[NoticeKind, ...] = ("opened", "escalated", "reopened", "resolved")

Patterns: TypeAlias = tuple[str, ...]
"""Shell patterns (`payments*`), of which one must fit. No owner at all fits `*` alone."""


class _Channel(msgspec.Struct, frozen=True, kw_only=True):
    quiet_hours: QuietHours | None = None
    concurrency: int = 4


class WebhookChannel(_Channel, frozen=True, kw_only=True):
    """A signed CloudEvent for a program. `url` or the place that holds it; the secret's place; `timeout` of an attempt."""

    url: str | None = None
    url_env: str | None = None
    url_file: str | None = None
    secret_env: str | None = None
    secret_file: str | None = None
    insecure: bool = False
    timeout: int = 10 * UNITS["s"]


class SlackChannel(_Channel, frozen=True, kw_only=True):
    """A message for people, by an incoming webhook as Slack has them. The URL is the secret, so it is never written here."""

    url_env: str | None = None
    url_file: str | None = None
    insecure: bool = False
    timeout: int = 10 * UNITS["s"]


class LogChannel(_Channel, frozen=True, kw_only=True):
    """One line in the server's own log."""


Channel: TypeAlias = WebhookChannel | SlackChannel | LogChannel


class Escalation(msgspec.Struct, frozen=True, kw_only=True):
    """To whom a finding goes that is still open, and not acknowledged, so long after its notice."""

    after: int
    channels: tuple[str, ...]


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Which findings go to which channels, of which kinds of notice, and what happens where nobody acts.

    The first route that fits by owner, severity and workflow decides; with `onward` the search goes on after it.
    """

    name: str
    channels: tuple[str, ...]
    kinds: tuple[NoticeKind, ...] = KINDS
    escalate: tuple[Escalation, ...] = ()
    owner: Patterns = ("*",)
    workflow: Patterns = ("*",)
    severity: Severity = "info"
    onward: bool = False


class Retries(msgspec.Struct, frozen=True, kw_only=True):
    """How often, and how long, a delivery that fails is tried again.

    The n-th wait is `first` doubled n - 1 times, at most `longest`, of which chance takes up to a half. After `tries`, or
    once a delivery is `give_up_after` old, it is a dead letter.
    """

    tries: int = 12
    first: int = 1 * UNITS["s"]
    longest: int = 10 * UNITS["m"]
    give_up_after: int = 24 * UNITS["h"]


class Alerts(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. `default` is the route of what no other fits."""

    channels: Mapping[str, Channel]
    default: Route
    routes: tuple[Route, ...] = ()
    retries: Retries = Retries()
    public_url: str | None = None
