"""Why a condition is turned down, in words for its author."""

from __future__ import annotations

from collections.abc import Iterable

from sagacity.workflow.spelling import did_you_mean

__all__ = ["Refusal", "suggestion"]

_SHOWN = 12


class Refusal(Exception):  # noqa: N818
    """Part of a condition that cannot be admitted; the parser adds where it stands and raises a `ConditionError`."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def suggestion(name: str, among: Iterable[str]) -> str:
    """`did you mean ...?` where a known name is close, and what names there are."""
    known = sorted(among)
    close = did_you_mean(name, known)
    meant = f"did you mean `{close}`? " if close else ""
    more = f", and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return f"{meant}there is {', '.join(known[:_SHOWN])}{more}" if known else "there is none"
