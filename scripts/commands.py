"""docs/commands.md from the commands' own help: `python scripts/commands.py` writes it anew.

With `--check` it writes nothing, and exits with 1 where the page has another text.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["helped", "main", "page"]

_PAGE = Path(__file__).resolve().parents[1] / "docs" / "commands.md"
_LISTED = re.compile(r"^  ([a-z][a-z-]*)  +\S", re.MULTILINE)
_HEAD = """\
# Commands

What `sagacity COMMAND --help` says, of all commands; `python scripts/commands.py` writes this page anew.

| exit code | meaning |
|---|---|
| 0 | clean |
| 1 | findings |
| 2 | bad usage, a workflow with mistakes, or records of which not one leads to a case |
| 3 | an input that cannot be read, a full disk, a ledger that cannot do its work, a server that does not answer |
| 130 | interrupted |
"""


def helped(command: Sequence[str]) -> str:
    """What a command says of itself, at a width of 100 characters."""
    from sagacity.cli.main import run

    os.environ |= {"COLUMNS": "100", "NO_COLOR": "1"}
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = run([*command, "--help"])
    if code != 0:
        sys.exit(f"sagacity {' '.join(command)} --help ended with {code}")
    return "\n".join(line.rstrip() for line in said.getvalue().splitlines()).strip() + "\n"


def page() -> str:
    """The page: every command, and every command of a command, in the order in which they are listed."""
    from sagacity.cli.main import COMMANDS

    parts = [_HEAD]
    for name in COMMANDS:
        for level, (command, text) in enumerate(_with_its_own((name,))):
            parts.append(f"{'##' if level == 0 else '###'} sagacity {' '.join(command)}\n\n```text\n{text}```\n")
    return "\n".join(parts)


def _with_its_own(command: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    text = helped(command)
    yield command, text
    _, commands, listed = text.partition("\nCommands:\n")
    for name in _LISTED.findall(listed) if commands else ():
        yield (*command, name), helped((*command, name))


def main() -> None:
    now = page()
    if "--check" not in sys.argv:
        _PAGE.write_text(now, encoding="utf-8")
    elif not _PAGE.exists() or now != _PAGE.read_text(encoding="utf-8"):
        sys.exit(f"{_PAGE.name} is not what the commands say: run python scripts/commands.py")


if __name__ == "__main__":
    main()
