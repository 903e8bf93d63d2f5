"""What is wrong with a workflow: where, why, and how to mend it."""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["Place", "Problem"]


class Place(msgspec.Struct, frozen=True, order=True):
    """A position in a text: file name, line and column, both counted from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Problem(msgspec.Struct, frozen=True):
    """One mistake (`error`) or doubtful spot (`warning`) in a workflow.

    `path` names the spot within the workflow (`events.OrderPlaced.capture.amount`); `place` is where it stands in the
    file, absent for workflows that were built in Python.
    """

    message: str
    path: str = ""
    hint: str | None = None
    place: Place | None = None
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        where = str(self.place) if self.place else self.path
        hint = f"\n  hint: {self.hint}" if self.hint else ""
        return f"{where}: {self.severity}: {self.message}{hint}"
