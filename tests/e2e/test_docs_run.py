"""What the documentation shows is run, as it stands.

A fenced block that follows `<!-- run -->` is run: `console` blocks command by command (lines that start with `$ `), `sh` and
`python` blocks as a whole. The blocks of a page share one folder: an empty one, or a copy of the folder that the page's
first marker names: `<!-- run in examples/orders-as-messages -->`. A command exits with 0 or, where it checks, with 1 for
findings; `<!-- run, exit 2 -->` states another code. The lines below a command in a `console` block must all appear in its
output, in that order; `...` stands for anything.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path.relative_to(ROOT)
    for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").glob("*/README.md"))
    if path.exists() and "<!-- run" in path.read_text(encoding="utf-8")
)

_BLOCK = re.compile(
    r"<!-- run(?: in (?P<folder>[\w./-]+))?(?:, exit (?P<exit>\d+))? -->\n+```(?P<language>\w+)\n(?P<text>.*?)^```",
    re.DOTALL | re.MULTILINE,
)


class Block(msgspec.Struct, frozen=True):
    """A fenced block that is to be run."""

    language: str
    text: str
    folder: str | None
    exits: tuple[int, ...]


def blocks(page: str) -> Iterator[Block]:
    for match in _BLOCK.finditer(page):
        exits = (int(match["exit"]),) if match["exit"] else (0, 1)
        yield Block(match["language"], match["text"], match["folder"], exits)


def commands(block: Block) -> list[tuple[list[str], list[str]]]:
    """Each command of a block as its arguments, with the lines of output that are shown below it."""
    if block.language == "python":
        return [([sys.executable, "-c", block.text], [])]
    if block.language == "sh":
        return [(["bash", "-e", "-c", block.text], [])]
    found: list[tuple[list[str], list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append((["bash", "-e", "-c", line[2:]], []))
        elif line.strip():
            found[-1][1].append(line)
    return found


def in_order(shown: list[str], output: str) -> str | None:
    """The first shown line that does not appear in the output after the ones before it; None where all do."""
    rest = " ".join(output.split())
    for line in shown:
        for part in line.split("..."):
            wanted = " ".join(part.split())
            at = rest.find(wanted)
            if at < 0:
                return line
            rest = rest[at + len(wanted) :]
    return None


def run_page(page: Path, folder: Path) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    found = list(blocks(text))
    assert len(found) == text.count("<!-- run"), f"{page}: a marker is not followed by a block, or is misspelt"
    if found[0].folder:
        shutil.copytree(ROOT / found[0].folder, folder, dirs_exist_ok=True)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, "PATH": path, "COLUMNS": "120", "NO_COLOR": "1"}
    for block in found:
        for command, shown in commands(block):
            done = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
            )
            said = f"{page}: {command[-1]}\nexited with {done.returncode}:\n{done.stdout}\n{done.stderr}"
            assert done.returncode in block.exits, said
            absent = in_order(shown, done.stdout)
            assert absent is None, f"{said}\nnot shown: {absent}"


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_what_the_page_shows_is_what_happens(page: Path, tmp_path: Path) -> None:
    run_page(page, tmp_path)


def test_a_line_that_is_not_printed_is_noticed() -> None:
    assert in_order(["one", "three ... five"], "one two\nthree four five") is None
    assert in_order(["three", "one"], "one two three") == "one"


def test_every_page_with_an_example_is_found() -> None:
    assert Path("README.md") in PAGES
