"""Collecting what is wrong with a workflow, each with the offset in the text that it is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from sagacity.errors import ConditionError
from sagacity.workflow.problems import Problem
from sagacity.workflow.spelling import did_you_mean

__all__ = ["Notes"]

T = TypeVar("T")


class Notes:
    """Problems in the order in which they were found. `offset` counts the characters of the text at a problem's path."""

    def __init__(self) -> None:
        self.found: list[tuple[Problem, int | None]] = []

    def error(self, path: str, message: str, hint: str | None = None, offset: int | None = None) -> None:
        self.found.append((Problem(message, path, hint), offset))

    def warning(self, path: str, message: str, hint: str | None = None) -> None:
        self.found.append((Problem(message, path, hint, severity="warning"), None))

    def unknown(self, path: str, what: str, name: str, known: Iterable[str]) -> None:
        """Notes that a name is not declared."""
        known = list(known)
        near = did_you_mean(name, known)
        listed = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
        hint = f"did you mean {near}?" if near else f"declared are {listed}" if known else "none is declared"
        self.error(path, f"the {what} '{name}' is not declared", hint)

    def parse(self, path: str, parser: Callable[..., T], text: str, *rest: Any) -> T | None:
        """What a parser makes of a text, None and a problem where it refuses."""
        try:
            return parser(text, *rest)
        except ConditionError as error:
            self.error(path, error.message, error.hint, error.offset)
            return None
