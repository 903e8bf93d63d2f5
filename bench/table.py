"""A table as text, in the form that Markdown reads too."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["table"]


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The title, then the table: the first column flush left, the others flush right."""
    cells = [tuple(header), *(tuple(row) for row in rows)]
    widths = [max(len(row[n]) for row in cells) for n in range(len(header))]

    def line(row: Sequence[str]) -> str:
        aligned = [
            cell.ljust(width) if n == 0 else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return f"| {' | '.join(aligned)} |"

    rule = [("-" * width if n == 0 else "-" * (width - 1) + ":") for n, width in enumerate(widths)]
    return "\n".join([f"### {title}", "", line(header), line(rule), *(line(row) for row in rows), ""])
