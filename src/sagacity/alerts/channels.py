"""Channels made from their configuration: secrets looked up, addresses checked, nothing sent yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sagacity.alerts.addresses import address_problem, kept
from sagacity.alerts.channel import Sender
from sagacity.alerts.config import Alerts, Channel, LogChannel, SlackChannel, WebhookChannel
from sagacity.errors import UsageError

__all__ = ["made", "senders"]


def senders(alerts: Alerts, environment: Mapping[str, str]) -> dict[str, Sender]:
    """Each channel of a configuration, ready for use. Raises UsageError where a secret is absent or makes no sense."""
    return {name: made(name, channel, environment, alerts.public_url) for name, channel in alerts.channels.items()}


def made(name: str, channel: Channel, environment: Mapping[str, str], public_url: str | None = None) -> Sender:
    """One channel, ready for use. Raises UsageError."""
    return _MADE[type(channel)](name, channel, environment, public_url)


def _webhook(name: str, channel: WebhookChannel, environment: Mapping[str, str], public_url: str | None) -> Sender:
    from sagacity.alerts.post import Post
    from sagacity.alerts.signature import secrets_of
    from sagacity.alerts.webhook import Webhook

    what = f"channel {name}"
    text = kept(f"{what}: its secret", environment, variable=channel.secret_env, file=channel.secret_file)
    secrets = secrets_of(text, what)
    return Webhook(Post(_address(what, channel, environment), channel.timeout), secrets, public_url or "sagacity")


def _slack(name: str, channel: SlackChannel, environment: Mapping[str, str], _public_url: str | None) -> Sender:
    from sagacity.alerts.post import Post
    from sagacity.alerts.slack import Slack

    return Slack(Post(_address(f"channel {name}", channel, environment), channel.timeout))


def _log(_name: str, _channel: LogChannel, _environment: Mapping[str, str], _public_url: str | None) -> Sender:
    from sagacity.alerts.log import Log

    return Log()


def _address(what: str, channel: WebhookChannel | SlackChannel, environment: Mapping[str, str]) -> str:
    url = channel.url if isinstance(channel, WebhookChannel) else None
    url = url or kept(f"{what}: its URL", environment, variable=channel.url_env, file=channel.url_file)
    wrong = address_problem(url, insecure=channel.insecure)
    if wrong:
        raise UsageError(f"{what}: its URL {wrong}")
    return url


_MADE: dict[type[Any], Callable[[str, Any, Mapping[str, str], str | None], Sender]] = {
    WebhookChannel: _webhook,
    SlackChannel: _slack,
    LogChannel: _log,
}
