"""What the documentation shows is run, as it stands.

A fenced block that follows `<!-- run -->` is run: `console` blocks command by command (lines that start with `$ `), `sh` and
`python` blocks as a whole. The blocks of a page share one folder: an empty one, or a copy of the folder that the page's
first marker names: `<!-- run in examples/orders-as-messages -->`. A command exits with 0 or, where it checks, with 1 for
findings; `<!-- run, exit 2 -->` states another code. The lines below a command in a `console` block must all appear in its
output, in that order; `...` stands for anything.

The one command of a block that follows `<!-- run, serving -->` is a server. It goes on until the next of them, or the end of
the page; where the page says port 8420, a free one is taken, and commands are told of it by SAGACITY_SERVER. What has been
handed in takes a moment to be judged: what asks the server is asked again, for a while, until it shows what it should.

A page that speaks of `PGDATABASE` has an empty PostgreSQL database, by PostgreSQL's own variables.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import msgspec
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path.relative_to(ROOT)
    for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").glob("*/README.md"))
    if path.exists() and "<!-- run" in path.read_text(encoding="utf-8")
)

_BLOCK = re.compile(
    r"<!-- run(?: in (?P<folder>[\w./-]+))?(?:, exit (?P<exit>\d+))?(?P<serving>, serving)? -->\n+"
    r"```(?P<language>\w+)\n(?P<text>.*?)^```",
    re.DOTALL | re.MULTILINE,
)

_ASKING = re.compile(r"\bsagacity (case|findings)\b|^curl -s [^-]")
_ASKED_FOR = 30.0
"""Seconds."""


class Block(msgspec.Struct, frozen=True):
    """A fenced block that is to be run."""

    language: str
    text: str
    folder: str | None
    exits: tuple[int, ...]
    serving: bool = False


def blocks(page: str) -> Iterator[Block]:
    for match in _BLOCK.finditer(page):
        exits = (int(match["exit"]),) if match["exit"] else (0, 1)
        yield Block(match["language"], match["text"], match["folder"], exits, match["serving"] is not None)


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
    with ExitStack() as servers:
        for block in found:
            if block.serving:
                servers.close()
                environment["SAGACITY_SERVER"] = f"http://127.0.0.1:{_free_port()}"
                ((command, shown),) = commands(block)
                servers.enter_context(_served(command[-1], shown, folder, environment))
                continue
            for command, shown in commands(_elsewhere(block, environment)):
                _run(f"{page}: {command[-1]}", command, shown, block.exits, folder, environment)


def _run(
    named: str, command: list[str], shown: list[str], exits: tuple[int, ...], folder: Path, environment: dict[str, str]
) -> None:
    until = time.monotonic() + (_ASKED_FOR if "SAGACITY_SERVER" in environment and _ASKING.search(command[-1]) else 0)
    while True:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300)
        absent = in_order(shown, done.stdout)
        if (absent is None and done.returncode in exits) or time.monotonic() > until:
            break
        time.sleep(0.5)
    said = f"{named}\nexited with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    assert done.returncode in exits, said
    assert absent is None, f"{said}\nnot shown: {absent}"


def _elsewhere(block: Block, environment: dict[str, str]) -> Block:
    """The block with the port that is served on in place of the one that the page says."""
    port = environment.get("SAGACITY_SERVER", ":8420").rpartition(":")[2]
    return msgspec.structs.replace(block, text=block.text.replace("127.0.0.1:8420", f"127.0.0.1:{port}"))


@contextmanager
def _served(command: str, shown: list[str], folder: Path, environment: dict[str, str]) -> Iterator[None]:
    address = environment["SAGACITY_SERVER"]
    listening = f"exec {command} --listen {address.removeprefix('http://')}"
    log = folder / "serving.log"
    with log.open("wb") as written:
        server = subprocess.Popen(["bash", "-c", listening], cwd=folder, env=environment, stdout=written, stderr=written)
    try:
        until = time.monotonic() + 90
        while not _ready(address):
            assert server.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < until, "the server is not ready"
            time.sleep(0.2)
        said = log.read_text(encoding="utf-8").replace(address, "http://127.0.0.1:8420")
        assert in_order(shown, said) is None, said
        yield
    finally:
        server.send_signal(signal.SIGINT)
        try:
            assert server.wait(60) == 0, log.read_text(encoding="utf-8")
        finally:
            server.kill()
            server.wait()


def _ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/readyz", timeout=30, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_what_the_page_shows_is_what_happens(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if "`PGDATABASE`" in (ROOT / page).read_text(encoding="utf-8"):
        parts = dict(part.split("=", 1) for part in request.getfixturevalue("database").split())
        request.getfixturevalue("monkeypatch").setenv("PGDATABASE", parts["dbname"])
        for name in ("host", "port", "user"):
            request.getfixturevalue("monkeypatch").setenv(f"PG{name.upper()}", parts[name])
    run_page(page, tmp_path)


def test_a_line_that_is_not_printed_is_noticed() -> None:
    assert in_order(["one", "three ... five"], "one two\nthree four five") is None
    assert in_order(["three", "one"], "one two three") == "one"


def test_every_page_with_an_example_is_found() -> None:
    assert Path("README.md") in PAGES
