"""The engine port: where a plan runs over events, and what every engine must do so that verdicts are the same.

Guarantees, for every adapter:

- Relations are named as in `sagacity.plan`. `intake` makes `events` with the columns of `sagacity.plan.columns`; nothing
  else of the plan's is there before. What is there is this ledger's alone, whoever else uses the engine, and gone after
  `close`; nothing of it outlives the process by more than the engine takes to notice.
- Texts compare, order and are counted by code points; times are 64-bit integers of microseconds; decimals are exact,
  whatever is computed of them. An engine that cannot hold a value refuses it, and never rounds it.
- `rows` yields tuples of Python values: int for whole numbers, Decimal for others, str, bool, None.
- Errors are `SagacityError`s that say how to mend them; no driver's error passes through, and no password.
- An engine belongs to one thread at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

from sagacity.ledger.port import Intake, Progress
from sagacity.plan.fill import Tree
from sagacity.sources.inputs import Input
from sagacity.workflow.model import Workflow

__all__ = ["Engine", "Kind", "Row", "Steps"]

Row: TypeAlias = tuple[Any, ...]

Kind: TypeAlias = Literal["text", "number", "truth", "instant"]
"""What a column of a written file holds; an instant is in microseconds, absent where it never comes."""


class Engine(Protocol):
    """Events of one workflow, and queries over them."""

    name: str
    """What messages call it."""

    def close(self) -> None:
        """Let go of everything. May be called more than once."""
        ...

    def intake(
        self,
        workflow: Workflow,
        inputs: Mapping[str, Input],
        *,
        as_of: int | None,
        now: int,
        max_rejected: int | None,
        progress: Progress | None = None,
    ) -> Intake:
        """Make the relation `events`, and account for every raw record: see `sagacity.ledger.port.Ledger.intake`."""
        ...

    def make(self, relation: str, query: Tree) -> None:
        """Make a relation of a query's rows, in place of one of this name."""
        ...

    def add(self, relation: str, query: Tree) -> None:
        """Add a query's rows to a relation."""
        ...

    def rows(self, query: Tree) -> list[Row]:
        """The rows of a query: for what is known to be few."""
        ...

    def similar_cases(self, case: str, n: int) -> list[str]:
        """Case ids of `events` that look like one that is not there, nearest first."""
        ...

    def write(self, query: Tree, columns: Mapping[str, Kind], path: Path) -> None:
        """Write a query's rows to a file, by the ending of its name. Raises UsageError, LedgerError."""
        ...

    def watched(self, progress: Progress | None, what: str) -> AbstractContextManager[None]:
        """Report the progress of what is asked for within."""
        ...


class Steps:
    """The progress of an engine that does not tell how far a query is: it goes on with each query."""

    def __init__(self) -> None:
        self._told: tuple[Progress, str] | None = None
        self._done = 0

    @contextmanager
    def watched(self, progress: Progress | None, what: str) -> Iterator[None]:
        self._done = 0
        self._told = None if progress is None else (progress, what)
        if progress is not None:
            progress(what, 0.0)
        try:
            yield
        finally:
            self._told = None
        if progress is not None:
            progress(what, 1.0)

    def further(self) -> None:
        """One more query is done."""
        self._done += 1
        if self._told is not None:
            progress, what = self._told
            progress(what, self._done / (self._done + _HALFWAY))


_HALFWAY = 8
"""So many queries are taken to be half of the work."""
