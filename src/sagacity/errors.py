"""Every error that Sagacity raises on purpose.

    SagacityError
    ├── WorkflowError        the workflow's author must mend it; carries problems with file:line:column
    ├── DefinitionError      the saga's author must mend it; carries every mistake
    ├── ConditionError       a condition or assert that makes no sense; carries the offset in its text
    ├── UsageError           the caller asked for something that makes no sense
    ├── SourceError          an input cannot be read at all
    │   └── RejectedError    more records than allowed were unreadable; carries the first of them
    ├── LedgerError          the ledger could not do its work (disk, memory, locks)
    │   ├── FullError        the disk is full; the same call may be made again once there is room
    │   └── MemoryLimitError the memory that it may use was not enough; the same work in smaller parts may succeed
    ├── StoreError           the database of sagas, or of a participant, could not do its work; nothing of it is kept
    └── MessagingError       messages could not be sent, or kept
        ├── PublishError     some of the messages may not have reached the broker; carries which
        └── FencedError      somebody else has taken over what was read here; nothing of the transaction is kept

A class says whose fault it is, and its message says how to mend it. The command line maps each to an exit code in one
place (`sagacity.cli.main`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sagacity.messaging.envelope import Message
    from sagacity.workflow.problems import Problem

__all__ = [
    "ConditionError", "DefinitionError", "FencedError", "FullError", "LedgerError", "MemoryLimitError", "MessagingError",
    "PublishError", "RejectedError", "SagacityError", "SourceError", "StoreError", "UsageError", "WorkflowError",
]  # fmt: skip


class SagacityError(Exception):
    """Base of every error that Sagacity raises on purpose. `hint` says how to mend it."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message


class WorkflowError(SagacityError):
    """A workflow that cannot be used. `problems` says where and why, one entry a mistake."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class DefinitionError(SagacityError):
    """A saga's definition that cannot be used. `problems` says what is wrong and how to mend it, one entry a mistake."""

    def __init__(self, name: str, problems: Sequence[str]) -> None:
        super().__init__("\n".join(f"saga {name!r}: {problem}" for problem in problems))
        self.problems = tuple(problems)


class ConditionError(SagacityError):
    """A condition or assert that makes no sense. `offset` is the 0-based position in its text, 0 where it is not known."""

    def __init__(self, message: str, hint: str | None = None, offset: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.offset = offset


class UsageError(SagacityError):
    """A call or command that makes no sense as it stands, such as a source that the workflow does not name."""


class SourceError(SagacityError):
    """An input that cannot be read at all: no such file, a Parquet file cut short, a missing column."""


class RejectedError(SourceError):
    """More records than allowed were unreadable. `rejected` holds the first of them as `file:line: reason`."""

    def __init__(self, message: str, rejected: Sequence[str], *, hint: str | None = None) -> None:
        super().__init__("\n".join([message, *(f"  {line}" for line in rejected)]), hint=hint)
        self.rejected = tuple(rejected)


class LedgerError(SagacityError):
    """The ledger could not do its work: disk full, memory limit, a file that another process holds."""


class FullError(LedgerError):
    """The ledger's disk is full. Nothing of the failed call is kept; it may be made again once there is room."""


class MemoryLimitError(LedgerError):
    """The memory that the ledger may use was not enough. Nothing of the failed call is kept; less at a time may succeed."""


class MessagingError(SagacityError):
    """Messages could not be sent or kept: an envelope that cannot be put on the wire, a database without the tables."""


class PublishError(MessagingError):
    """Of `uncertain` it is not known whether the broker keeps them; all others of the call are kept. `refused` are those
    among them that it does not keep and never will, such as one that is too large. `topics` are those that are not there, or
    may not be written to: nothing can be sent to them until somebody mends that, and all else could be."""

    def __init__(
        self,
        message: str,
        uncertain: Sequence[Message],
        *,
        refused: Sequence[Message] = (),
        topics: Iterable[str] = (),
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.uncertain = tuple(uncertain)
        self.refused = tuple(refused)
        self.topics = frozenset(topics)


class FencedError(MessagingError):
    """A position is no longer where it was left: another member reads that partition now. The transaction must fail."""


class StoreError(SagacityError):
    """The database of sagas, or of a participant, could not do its work. Nothing of the transaction is kept; it may be tried
    again."""
