"""The publisher port: messages out.

Guarantees, for every adapter:

- When `publish` returns, each message is kept by the broker for good (on Kafka: by all replicas in sync).
- When it raises PublishError, those that it names may or may not have been kept: publishing them again may double them, and
  whoever receives must tell by the envelope's source and id. Those that it does not name are kept. Of those that it names
  as refused it is certain that they are not kept, and never will be.
- Messages of one topic with the same key are kept in the order given, also across calls, and also where one of them had to
  be sent again. After a PublishError no later message of the same key has been kept that was given in the same call.
- It takes no longer than its timeout. It belongs to one event loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sagacity.messaging.envelope import Message

__all__ = ["Publisher"]


class Publisher(Protocol):
    """Where messages go out."""

    async def publish(self, messages: Sequence[Message]) -> None:
        """Have these kept by the broker. Raises PublishError where that is not certain for some."""
        ...

    async def close(self) -> None:
        """Let go of connections. May be called more than once."""
        ...
