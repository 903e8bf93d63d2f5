"""When something that fails is left alone, and when it is tried again. Pure: time comes in as an argument, in seconds."""

from __future__ import annotations

__all__ = ["Breaker"]


class Breaker:
    """Closed while what it guards works. After `failures` failures in a row it is open: nothing is allowed, until a pause of
    `first` seconds has passed. Then one is let through at a time; if that fails the pause doubles, up to `most`; if it
    succeeds the breaker is closed again."""

    def __init__(self, failures: int = 4, first: float = 0.5, most: float = 5.0) -> None:
        self._limit = failures
        self._first = first
        self._most = most
        self._failures = 0
        self._pause = first
        self._until: float | None = None

    @property
    def open(self) -> bool:
        """Whether what it guards is thought to be away."""
        return self._until is not None

    def allows(self, now: float) -> bool:
        """Whether one may try now. While open, who is allowed is the only one until the pause has passed once more."""
        if self._until is None:
            return True
        if now < self._until:
            return False
        self._until = now + self._pause
        return True

    def succeeded(self) -> bool:
        """One try has succeeded; whether the breaker was open until now."""
        was = self.open
        self._failures, self._pause, self._until = 0, self._first, None
        return was

    def failed(self, now: float) -> bool:
        """One try has failed; whether that has opened the breaker."""
        was = self.open
        self._failures += 1
        if self._failures < self._limit and not was:
            return False
        if was:
            self._pause = min(self._pause * 2, self._most)
        self._until = now + self._pause
        return not was
