"""Which sagas may run, where several want the same resources: one after another, in the order in which they were started.

A saga runs once it is the first of those that have not ended on each resource that it locks. Since all wait in one order,
none waits for another in a circle.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["may_run"]


def may_run(unended: Iterable[tuple[str, Sequence[str]]]) -> tuple[str, ...]:
    """Of sagas that have not ended, as (id, resources) in the order of their start: those that may run, in that order."""
    taken: set[str] = set()
    running: list[str] = []
    for saga, resources in unended:
        if taken.isdisjoint(resources):
            running.append(saga)
        taken.update(resources)
    return tuple(running)
