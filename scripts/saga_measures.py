"""The table of measures in docs/saga.md, written from the table that the code reads.

`python scripts/saga_measures.py` writes it anew. With `--check` it writes nothing, and exits with 1 where the page has
another.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from sagacity.saga.metrics import MEASURES

__all__ = ["main", "table", "written"]

_PAGE = Path(__file__).resolve().parents[1] / "docs" / "saga.md"
_BETWEEN = re.compile(r"(<!-- measures -->\n).*?(<!-- end of measures -->)", re.DOTALL)


def table() -> str:
    """The table, in Markdown."""
    lines = ["| metric | kind | labels | what |", "|---|---|---|---|"]
    for each in MEASURES:
        labels = ", ".join(f"`{label}`" for label in each.labels)
        lines.append(f"| `{each.name}` | {each.kind} | {labels} | {each.help} |")
    return "\n".join(lines) + "\n"


def written(page: str) -> str:
    """The page with the table between its marks."""
    return _BETWEEN.sub(lambda marks: f"{marks[1]}{table()}{marks[2]}", page)


def main() -> None:
    page = _PAGE.read_text(encoding="utf-8")
    now = written(page)
    if "--check" not in sys.argv:
        _PAGE.write_text(now, encoding="utf-8")
    elif now != page:
        sys.exit(f"{_PAGE.name} does not have the measures as they are: run python scripts/saga_measures.py")


if __name__ == "__main__":
    main()
