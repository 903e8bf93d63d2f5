"""The ids of a saga's messages: made of what they are about, so that whoever makes one again makes the same."""

from __future__ import annotations

from typing import cast

from sagacity.saga.state import Direction

__all__ = ["command_id", "event_id", "read_command_id"]


def command_id(saga_id: str, step: str, direction: Direction, attempt: int) -> str:
    """The id of a command: `<saga>/<step>/<do or undo>/<attempt>`."""
    return f"{saga_id}/{step}/{direction}/{attempt}"


def read_command_id(id: str) -> tuple[str, str, Direction, int] | None:
    """The saga's id, step, direction and attempt that a command's id was made of; None where it is no such id."""
    parts = id.rsplit("/", 3)
    if len(parts) != 4 or parts[2] not in ("do", "undo") or not (parts[3].isascii() and parts[3].isdecimal()):
        return None
    attempt = int(parts[3])
    if str(attempt) != parts[3]:
        return None
    return parts[0], parts[1], cast(Direction, parts[2]), attempt


def event_id(saga_id: str, number: int) -> str:
    """The id of a saga's event: `<saga>/event/<number>`."""
    return f"{saga_id}/event/{number}"
