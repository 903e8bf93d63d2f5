"""Case ids that look alike, for engines that cannot tell how far one text is from another."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sagacity.ledger.engine import Row
from sagacity.plan.fill import Tree, fill

__all__ = ["distance", "similar"]

_MOST = 1_000
"""Candidates that are looked at."""


def similar(rows: Callable[[Tree], list[Row]], case: str, n: int) -> list[str]:
    """The case ids of `events` that are nearest to one that is not there, nearest first.

    A slip leaves one half of an id as it was: those that begin with the first half or end with the second are looked at,
    and any at all where there are too few of them.
    """
    half = len(case) // 2
    alike = fill(
        """SELECT DISTINCT case_id FROM events
           WHERE SUBSTRING(case_id, 1, :half) = :head
              OR SUBSTRING(case_id, LENGTH(case_id) - :rest + 1, :rest) = :tail
           ORDER BY case_id LIMIT :most""",
        half=half,
        rest=len(case) - half,
        head=case[:half],
        tail=case[half:],
        most=_MOST,
    )
    found = {str(near) for (near,) in rows(alike)}
    if len(found) < n:
        some = fill("SELECT DISTINCT case_id FROM events ORDER BY case_id LIMIT :most", most=_MOST)
        found.update(str(near) for (near,) in rows(some))
    return _nearest(found, case)[:n]


def _nearest(found: Iterable[str], case: str) -> list[str]:
    return sorted(found, key=lambda near: (distance(near, case), near))


def distance(a: str, b: str) -> int:
    """How many characters must be changed, added or left out to make one text of the other (Levenshtein)."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]
