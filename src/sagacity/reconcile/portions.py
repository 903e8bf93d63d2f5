"""How much is done at once: less where the memory does not suffice, and more again afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sagacity.errors import MemoryLimitError

__all__ = ["Portion"]

T = TypeVar("T")


class Portion:
    """`size` is how many are done next, at most `most`. Belongs to one thread at a time."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.size = most

    def of(self, work: Callable[[int], T]) -> T:
        """Do the work with as many as the memory suffices for. Raises MemoryLimitError where it does not for one."""
        while True:
            try:
                done = work(self.size)
            except MemoryLimitError:
                if not self.halve():
                    raise
                continue
            self.grow()
            return done

    def halve(self) -> bool:
        """Have fewer done next; False where it was one."""
        self.size, before = max(self.size // 2, 1), self.size
        return before > 1

    def grow(self) -> None:
        """Have more done next, since it went well."""
        self.size = min(self.size * 2, self._most)
