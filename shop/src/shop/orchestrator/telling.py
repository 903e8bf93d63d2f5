"""A publisher that tells, beside each message of a saga, what it says of the purchase."""

from __future__ import annotations

from collections.abc import Sequence

from sagacity.errors import PublishError
from sagacity.messaging import Message, Publisher
from shop.contracts.topics import PURCHASE_RESULT
from shop.orchestrator.results import result_of

__all__ = ["Telling"]


class Telling:
    """Puts results into `purchase-result` as the relay publishes what they come of: what is committed is told, at least once
    and in the order of the purchase's messages, and nothing else is. A message of whose result it is not certain that the
    broker keeps it is not certain either: the relay sends both again. Where results can be sent to nobody, what they come of
    rests with them; and where one is refused for good, so is its message: it is buried with the reason, and not lost.
    """

    def __init__(self, inner: Publisher) -> None:
        self._inner = inner

    async def publish(self, messages: Sequence[Message]) -> None:
        every: list[Message] = []
        cause: dict[int, Message] = {}
        for message in messages:
            result = result_of(message)
            if result is not None:
                cause[id(result)] = message
                every.append(result)
            every.append(message)
        try:
            await self._inner.publish(every)
        except PublishError as error:

            def causes(lost: Sequence[Message]) -> dict[int, Message]:
                return {id(each): each for each in (cause.get(id(each), each) for each in lost)}

            uncertain, refused = causes(error.uncertain), causes(error.refused)
            topics = set(error.topics)
            if PURCHASE_RESULT in topics:
                topics.remove(PURCHASE_RESULT)
                topics |= {cause[id(each)].topic for each in error.uncertain if id(each) in cause}
            raise PublishError(
                error.message, tuple(uncertain.values()), refused=tuple(refused.values()), topics=topics, hint=error.hint
            ) from error

    async def close(self) -> None:
        await self._inner.close()
