"""Sagas as this process left them, the latest of them: bounded by how many they are, and by how much they hold."""

from __future__ import annotations

from sagacity.saga.state import ENDED, SagaState

__all__ = ["Recent"]

_MOST = 50_000
_MOST_BYTES = 256 * 1024 * 1024
_EACH = 2_000
"""Bytes that a saga takes beside its input and what its steps replied, about."""


class Recent:
    """By id, with the revision of each."""

    def __init__(self, most: int = _MOST, most_bytes: int = _MOST_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: dict[str, tuple[int, SagaState]] = {}

    def get(self, id: str) -> tuple[int, SagaState] | None:
        """A saga and its revision; None where it is not known."""
        return self._kept.get(id)

    def know(self, revision: int, saga: SagaState) -> None:
        """How a saga stands as this process left it. What has ended is not needed again, and what is known to have gone on
        is not taken back."""
        known = self._kept.get(saga.id)
        if known is not None and known[0] > revision:
            return
        self.forget(saga.id)
        if saga.status in ENDED:
            return
        self._kept[saga.id] = (revision, saga)
        self._bytes += _size(saga)
        while self._kept and (len(self._kept) > self._most or self._bytes > self._most_bytes):
            self.forget(next(iter(self._kept)))

    def forget(self, id: str) -> None:
        """How it stands is not certain any more."""
        if (known := self._kept.pop(id, None)) is not None:
            self._bytes -= _size(known[1])


def _size(saga: SagaState) -> int:
    replies = sum(len(memoryview(data)) for data in saga.replies.values())
    return _EACH + len(memoryview(saga.input)) + replies
