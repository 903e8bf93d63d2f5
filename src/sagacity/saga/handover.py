"""Commands for participants within the process: handed over after the commit that is their cause, in batches."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from sagacity.messaging import Envelope
from sagacity.saga.participant import Participant

__all__ = ["Handover", "Lane"]

_AT_ONCE = 200


class Lane:
    """What waits for one participant. While it does a batch, the next gathers."""

    def __init__(self, participant: Participant, answered: Callable[[Sequence[Envelope]], None]) -> None:
        self._participant = participant
        self._answered = answered
        self._waiting: deque[Envelope] = deque()
        self._wake = asyncio.Event()

    def give(self, command: Envelope) -> None:
        self._waiting.append(command)
        self._wake.set()

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            commands = [self._waiting.popleft() for _ in range(min(len(self._waiting), _AT_ONCE))]
            if not self._waiting:
                self._wake.clear()
            replies = await self._participant.do(commands)
            if replies:
                self._answered(replies)


class Handover:
    """Which topics are served within the process, and by whom. Participants that serve several topics have one lane."""

    def __init__(self, local: Mapping[str, Participant], answered: Callable[[Sequence[Envelope]], None]) -> None:
        lanes = {id(each): Lane(each, answered) for each in local.values()}
        self.lanes = tuple(lanes.values())
        self._by_topic = {topic: lanes[id(each)] for topic, each in local.items()}

    def give(self, topic: str, command: Envelope) -> None:
        self._by_topic[topic].give(command)
