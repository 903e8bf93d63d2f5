"""A test message, so that a channel is known to work before it is needed."""

from __future__ import annotations

from collections.abc import Mapping

from sagacity.alerts.channel import Again, Message, Outcome, message_id
from sagacity.alerts.channels import made
from sagacity.alerts.config import Alerts
from sagacity.errors import UsageError
from sagacity.ledger.live import LiveFinding

__all__ = ["sample", "send_test"]


async def send_test(alerts: Alerts, channel: str, environment: Mapping[str, str], now: int) -> Outcome:
    """Send one channel a test message, once. Raises UsageError where there is no such channel, or it cannot be made."""
    if channel not in alerts.channels:
        raise UsageError(f"there is no channel {channel!r}", hint=f"there are {', '.join(alerts.channels)}")
    sender = made(channel, alerts.channels[channel], environment, alerts.public_url)
    try:
        return await sender.send(sample(channel, now), now)
    except Exception as error:  # as the worker does
        return Again(f"failed with {type(error).__name__}")
    finally:
        await sender.close()


def sample(channel: str, now: int) -> Message:
    """What is sent. A webhook's event is of the type `org.sagacity.test`."""
    finding = LiveFinding(
        id="test", workflow="test", case="test", expectation="alerts reach this channel", kind="missing", severity="info",
        owner=None, since=now, type=None, time=None, activation=None, message="This is a test. Nothing is wrong.",
        state="open", opened=now, changed=now,
    )  # fmt: skip
    return Message(id=message_id(f"test {now}", channel, 0), kind="opened", at=now, finding=finding, test=True)
