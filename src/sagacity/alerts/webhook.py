"""A webhook for programs: a CloudEvent, signed.

The body is a CloudEvent 1.0 in structured mode, of type `org.sagacity.finding.<kind>`; `docs/alerts.md` states it field by
field. Signed by the Standard Webhooks scheme (`sagacity.alerts.signature`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from sagacity.alerts.channel import Message, Outcome
from sagacity.alerts.post import Post
from sagacity.alerts.signature import signatures
from sagacity.ledger.live import LiveFinding
from sagacity.workflow.durations import UNITS
from sagacity.workflow.instants import iso
from sagacity.workflow.trace import FOREVER

__all__ = ["Webhook", "cloud_event"]

_INSTANTS = frozenset({"since", "time", "opened", "changed", "resolved", "until"})


class Webhook:
    """A receiver of signed CloudEvents."""

    def __init__(self, post: Post, secrets: Sequence[bytes], source: str = "sagacity") -> None:
        self._post = post
        self._secrets = secrets
        self._source = source

    async def send(self, message: Message, now: int) -> Outcome:
        body = msgspec.json.encode(cloud_event(message, self._source))
        timestamp = now // UNITS["s"]
        headers = {
            "content-type": "application/cloudevents+json; charset=utf-8",
            "webhook-id": message.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signatures(self._secrets, message.id, timestamp, body),
        }
        return await self._post(body, headers, now)

    async def close(self) -> None:
        await self._post.close()


def cloud_event(message: Message, source: str) -> dict[str, Any]:
    """The body. Instants are ISO 8601 in UTC, `late` is in microseconds; what is not known is null."""
    return {
        "specversion": "1.0",
        "id": message.id,
        "source": source,
        "type": "org.sagacity.test" if message.test else f"org.sagacity.finding.{message.kind}",
        "subject": message.finding.id,
        "time": iso(message.at),
        "datacontenttype": "application/json",
        "data": {
            "kind": message.kind,
            "findings": message.findings,
            "escalation": message.step,
            "finding": _finding(message.finding),
            "links": {"finding": message.finding_url, "case": message.case_url},
        },
    }


def _finding(finding: LiveFinding) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.to_builtins(finding)
    return {name: _instant(value) if name in _INSTANTS and value is not None else value for name, value in values.items()}


def _instant(us: int) -> str | None:
    return None if us == FOREVER else iso(us)
