"""What people do about findings, and what comes of it by itself when a waiver ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sagacity.errors import UsageError
from sagacity.ledger.duckdb.live.settling import SAGACITY, tell
from sagacity.ledger.duckdb.rows import first_row
from sagacity.ledger.live import Action

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["act", "expire", "note"]

_MOVES: dict[str, tuple[str, str, frozenset[str]]] = {
    "acknowledge": ("acknowledged", "acknowledged", frozenset(("open", "waived"))),
    "waive": ("waived", "waived", frozenset(("open", "acknowledged", "waived"))),
    "reopen": ("open", "reopened", frozenset(("acknowledged", "waived"))),
}
"""For each action: the state it leads to, the step that the history keeps, and the states in which it makes sense."""


def act(connection: DuckDBPyConnection, finding: str, action: Action, now: int) -> None:
    """Carry an action out. Raises UsageError where there is no such finding, or the action makes no sense."""
    row = first_row(connection, "SELECT state FROM finding WHERE id = ?", [finding])
    if row is None:
        raise UsageError(f"there is no finding {finding}", hint="sagacity findings lists them")
    state, step, sensible = _MOVES[action.what]
    if row[0] not in sensible:
        hint = "it opens again by itself if it comes back" if row[0] == "resolved" else None
        raise UsageError(f"finding {finding} is {row[0]}, so it cannot be {step}", hint=hint)
    if action.until is not None and action.until <= now:
        raise UsageError("a waiver cannot end in the past", hint="name an instant to come, or none for good")
    connection.execute(
        'UPDATE finding SET state = ?, changed = ?, until = ?, "by" = ?, reason = ? WHERE id = ?',
        [state, now, action.until, action.by, action.reason, finding],
    )
    _remember(connection, finding, step, action.by, action.reason, action.until, now)


def note(connection: DuckDBPyConnection, by: str, what: str, now: int) -> None:
    """Add to the audit log."""
    connection.execute("INSERT INTO audit SELECT ?, ?, ?, coalesce(max(step), 0) + 1 FROM audit", [now, by, what])


def expire(connection: DuckDBPyConnection, now: int) -> int:
    """Open again what was waived until now; how many findings."""
    ended = connection.execute("SELECT id FROM finding WHERE state = 'waived' AND until <= ?", [now]).fetchall()
    for (finding,) in ended:
        connection.execute(
            """UPDATE finding SET state = 'open', changed = ?, until = NULL, "by" = NULL, reason = NULL, noticed = TRUE
               WHERE id = ?""",
            [now, finding],
        )
        _remember(connection, finding, "reopened", SAGACITY, "the waiver ended", None, now)
    tell(connection, [("reopened", finding, 1) for (finding,) in ended], now)
    return len(ended)


def _remember(
    connection: DuckDBPyConnection, finding: str, step: str, by: str, reason: str | None, until: int | None, now: int
) -> None:
    connection.execute(
        "INSERT INTO history SELECT ?, ?, ?, ?, ?, ?, coalesce(max(step), 0) + 1 FROM history",
        [finding, now, step, by, reason, until],
    )
