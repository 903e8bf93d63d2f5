"""The channel port: where a notice is delivered, and what came of an attempt.

Guarantees that are asked of every adapter:

- `send` ends within its own time limit, and says what came of it as a value. Whatever it raises counts as `Again`.
- The same message may be sent more than once; its `id` is then the same, so that the receiver can tell.
- Nothing that it returns, raises or logs holds a secret.
- It is asked from one event loop, from several tasks at a time.
"""

from __future__ import annotations

import hashlib
from typing import Protocol, TypeAlias
from urllib.parse import quote, urlencode

import msgspec

from sagacity.ledger.live import LiveFinding, Notice, NoticeKind

__all__ = ["Again", "Message", "Outcome", "Refused", "Sender", "Sent", "message_id", "message_of"]


class Sent(msgspec.Struct, frozen=True):
    """The receiver has it."""


class Again(msgspec.Struct, frozen=True):
    """It failed for now. `after` is how long the receiver asked to be left alone, in microseconds."""

    why: str
    after: int | None = None


class Refused(msgspec.Struct, frozen=True):
    """It failed, and would fail again: the receiver or the configuration has to change first."""

    why: str


Outcome: TypeAlias = Sent | Again | Refused


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A notice as one channel is told it. `id` is the idempotency key. `step` is above 0 where it was escalated;
    `test` where nothing is wrong, and somebody only wants to see a message come.

    `finding_url` and `case_url` lead to the server's pages, None where its public address is not known.
    """

    id: str
    kind: NoticeKind
    at: int
    finding: LiveFinding
    findings: int = 1
    step: int = 0
    test: bool = False
    finding_url: str | None = None
    case_url: str | None = None


class Sender(Protocol):
    """A channel that is ready to be used."""

    async def send(self, message: Message, now: int) -> Outcome: ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


def message_id(key: str, channel: str, step: int) -> str:
    """The idempotency key of a notice on a channel: `msg_` and 32 hexadecimal digits, whatever a notice's key holds."""
    return "msg_" + hashlib.sha256(f"{key}\n{channel}\n{step}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def message_of(notice: Notice, channel: str, step: int, public_url: str | None) -> Message:
    """What a channel is told of a notice. An escalation is of kind *escalated*, whatever was escalated."""
    finding = notice.finding
    finding_url = case_url = None
    if public_url is not None:
        page = f"/findings?{_query(incident=finding.incident)}" if notice.findings > 1 and finding.incident else None
        finding_url = public_url + (page or f"/findings/{quote(finding.id, safe='', errors='replace')}")
        case_url = f"{public_url}/case?{_query(workflow=finding.workflow, case=finding.case)}"
    return Message(
        id=message_id(notice.key, channel, step),
        kind="escalated" if step and notice.kind != "resolved" else notice.kind,
        at=notice.at,
        finding=finding,
        findings=notice.findings,
        step=step,
        finding_url=finding_url,
        case_url=case_url,
    )


def _query(**values: str | None) -> str:
    return urlencode({name: value for name, value in values.items() if value is not None}, errors="replace")
