"""Notices as lines of the server's own log: one structured line each."""

from __future__ import annotations

import structlog

from sagacity.alerts.channel import Message, Outcome, Sent
from sagacity.workflow.instants import iso

__all__ = ["Log"]

_LEVELS = {"info": "info", "warning": "warning", "error": "error", "critical": "critical"}


class Log:
    """Writes to the logger `sagacity.alerts`, at the finding's severity; what is resolved at `info`."""

    def __init__(self) -> None:
        self._log = structlog.get_logger("sagacity.alerts")

    async def send(self, message: Message, now: int) -> Outcome:
        del now
        finding = message.finding
        level = "info" if message.kind == "resolved" else _LEVELS[finding.severity]
        getattr(self._log, level)(
            f"finding {message.kind}",
            notice=message.id,
            finding=finding.id,
            findings=message.findings,
            workflow=finding.workflow,
            case=finding.case,
            expectation=finding.expectation,
            kind=finding.kind,
            severity=finding.severity,
            owner=finding.owner,
            state=finding.state,
            since=iso(finding.since),
            what=finding.message,
            url=message.finding_url,
        )
        return Sent()

    async def close(self) -> None:
        pass
