"""Messages for people, by an incoming webhook as Slack has them (Mattermost and others take the same).

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from __future__ import annotations

from typing import Any

import msgspec

from sagacity.alerts.channel import Message, Outcome
from sagacity.alerts.post import Post
from sagacity.ledger.live import LiveFinding
from sagacity.workflow.instants import instant, span

__all__ = ["Slack", "blocks", "escaped", "headline"]

_HEADLINES = {
    "opened": "{severity} in {workflow}: {expectation}",
    "escalated": "Still open, {severity} in {workflow}: {expectation}",
    "reopened": "Open again, {severity} in {workflow}: {expectation}",
    "resolved": "Resolved in {workflow}: {expectation}",
}
_STATES = {
    "open": None,
    "acknowledged": "Acknowledged by {by}.",
    "waived": "Waived by {by}.",
    "resolved": "Resolved {resolved}.",
}
_LONGEST = 500
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class Slack:
    """A conversation that people read."""

    def __init__(self, post: Post) -> None:
        self._post = post

    async def send(self, message: Message, now: int) -> Outcome:
        body = msgspec.json.encode({"text": escaped(headline(message)), "blocks": blocks(message)})
        return await self._post(body, {"content-type": "application/json; charset=utf-8"}, now)

    async def close(self) -> None:
        await self._post.close()


def headline(message: Message) -> str:
    """What has happened in one line of plain text."""
    finding = message.finding
    text = _HEADLINES[message.kind].format(
        severity=finding.severity.capitalize(), workflow=finding.workflow, expectation=finding.expectation
    )
    return f"{text} ({message.findings:,} findings)" if message.findings > 1 else text


def blocks(message: Message) -> list[dict[str, Any]]:
    """The message: a headline, what is wrong in plain sentences, and whose it is."""
    finding = message.finding
    case = _linked(f"case {finding.case}", message.case_url)
    sentences = [f"*{escaped(headline(message))}*", f"{case}: {escaped(finding.message)}"]
    if message.findings > 1:
        sentences.append(f"And {message.findings - 1:,} more of the same cause.")
    if state := _STATES[finding.state]:
        at = instant(finding.resolved) if finding.resolved is not None else ""
        sentences.append(escaped(state.format(by=finding.by or "somebody", resolved=at)) + _late(finding))
    facts = [f"Owner: {escaped(finding.owner or 'nobody')}", f"Since {instant(finding.since)}"]
    facts.append(_linked(f"Finding {finding.id}", message.finding_url))
    return [
        {"type": "section", "text": {"type": "mrkdwn", "text": "\n".join(sentences), "verbatim": True}},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "  ·  ".join(facts), "verbatim": True}]},
    ]


def escaped(text: str) -> str:
    """Text that stands for itself: no mention, link or formatting can be made of it, and it is of bounded length."""
    flat = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    short = flat if len(flat) <= _LONGEST else flat[: _LONGEST - 1] + "…"
    # A zero-width space keeps the signs of the formatting language apart from the words that they would format.
    plain = "".join(f"\u200b{letter}\u200b" if letter in "*~`" else letter for letter in short)
    return plain.translate(_ESCAPES)


def _late(finding: LiveFinding) -> str:
    return f" It was {span(finding.late, 2)} late." if finding.state == "resolved" and finding.late else ""


def _linked(text: str, url: str | None) -> str:
    shown = escaped(text)
    return shown if url is None else f"<{url.replace('|', '%7C').replace('>', '%3E')}|{shown}>"
