"""How long a participant tries what may pass: pauses that grow, within bounds, and chance in them so that not all come back
at once."""

from __future__ import annotations

import random

__all__ = ["Patience"]

_REMEMBERED = 10_000


class Patience:
    """`attempts` counts runs of a handler on one message, the first included; the n-th pause is `first` times 2 to the power
    of n - 1 seconds, `most` at most, less up to half of it by chance. `database` is the pause while the database is away,
    which counts as no attempt."""

    def __init__(self, attempts: int = 5, first: float = 0.1, most: float = 5.0, database: float = 0.5) -> None:
        self.attempts = attempts
        self._first = first
        self._most = most
        self._database = database
        self._failures: dict[str, int] = {}

    def after_failure(self, id: str) -> float | None:
        """A message has failed once more: the pause before it is tried again, in seconds; None if it is not."""
        failures = self._failures.pop(id, 0) + 1
        if failures >= self.attempts:
            return None
        if len(self._failures) >= _REMEMBERED:
            self._failures.pop(next(iter(self._failures)))
        self._failures[id] = failures
        return min(self._first * 2.0 ** (failures - 1), self._most) * random.uniform(0.5, 1.0)

    def for_database(self) -> float:
        """The pause, in seconds, before a database that is away is tried again."""
        return self._database * random.uniform(0.5, 1.0)
