"""The picture and the table of transitions in docs/saga.md, drawn from the table that the code reads.

`python scripts/saga_transitions.py` writes them anew. With `--check` it writes nothing, and exits with 1 where the page has
others.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from sagacity.saga.transitions import TRANSITIONS, Send, Transition

__all__ = ["drawn", "main", "written"]

_PAGE = Path(__file__).resolve().parents[1] / "docs" / "saga.md"
_BETWEEN = re.compile(r"(<!-- transitions -->\n).*?(<!-- end of transitions -->)", re.DOTALL)
_SENT: Mapping[Send | None, str] = {
    None: "",
    "new": "a new command",
    "same": "the same command again",
    "unanswered": "the same command again; a new one, if the last was answered",
}
_ENDS = ("done", "failed", "skipped", "undone", "undo-skipped")
_ALL = 3


def drawn() -> str:
    """The picture, in Mermaid, and the table, in Markdown."""
    return f"{_picture()}\n{_table()}"


def written(page: str) -> str:
    """The page with these between its marks."""
    return _BETWEEN.sub(lambda marks: f"{marks[1]}{drawn()}{marks[2]}", page)


def _picture() -> str:
    lines = ["```mermaid", "stateDiagram-v2", "  direction LR", "  [*] --> pending"]
    labels: dict[tuple[str, str], list[str]] = {}
    for row in TRANSITIONS:
        labels.setdefault((row.status, row.to), []).append(_label(row))
    lines += [f"  {_id(was)} --> {_id(to)}: {', '.join(dict.fromkeys(told))}" for (was, to), told in labels.items()]
    named = dict.fromkeys(status for pair in labels for status in pair if "-" in status)
    lines += [f"  {_id(status)}: {status}" for status in named]
    lines += [f"  {_id(status)} --> [*]" for status in _ENDS]
    return "\n".join([*lines, "```"]) + "\n"


def _table() -> str:
    lines = ["| status | what happens | to steps that are | then | sent | told |", "|---|---|---|---|---|---|"]
    for row in TRANSITIONS:
        told = ", ".join(f"`{type}`" for type in row.tells)
        kinds = "any" if len(row.kinds) == _ALL else ", ".join(row.kinds)
        lines.append(f"| {row.status} | {row.trigger} | {kinds} | {row.to} | {_SENT[row.send]} | {told} |")
    return "\n".join(lines) + "\n"


def _label(row: Transition) -> str:
    undoing = row.kinds == ("compensatable",)
    return (
        row.trigger
        if len(row.kinds) == _ALL or (undoing and "undo" in row.to)
        else f"{row.trigger} ({', '.join(row.kinds)})"
    )


def _id(status: str) -> str:
    return status.replace("-", "_")


def main() -> None:
    page = _PAGE.read_text(encoding="utf-8")
    now = written(page)
    if "--check" not in sys.argv:
        _PAGE.write_text(now, encoding="utf-8")
    elif now != page:
        sys.exit(f"{_PAGE.name} does not have the transitions as they are: run python scripts/saga_transitions.py")


if __name__ == "__main__":
    main()
