"""What docs/api.md shows is what a server answers: each example that follows `<!-- ask -->`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_docs_run import in_order

from serving import on_a_port, serving

EXAMPLE = re.compile(r"<!-- ask -->\n```console\n(.*?)^```", re.DOTALL | re.MULTILINE)
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLES = EXAMPLE.findall(PAGE)


def test_every_example_is_found() -> None:
    assert len(EXAMPLES) == PAGE.count("<!-- ask -->") > 5


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving() as world, on_a_port(world.app) as made:
        yield made


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("example", EXAMPLES, ids=[example.split("http://127.0.0.1:8420")[-1][:30] for example in EXAMPLES])
def test_what_the_page_shows_is_what_is_answered(example: str, address: str) -> None:
    for asked in re.split(r"^\$ ", example, flags=re.MULTILINE)[1:]:
        command, *shown = asked.splitlines()
        done = subprocess.run(
            ["bash", "-e", "-c", command.replace("http://127.0.0.1:8420", address)],
            capture_output=True, text=True, check=False, timeout=60, env=dict(os.environ),
        )  # fmt: skip
        absent = in_order(shown, done.stdout)
        assert absent is None, f"{command}\n{done.stdout}\n{done.stderr}\nnot shown: {absent}"


def test_every_metric_that_the_page_names_is_there(address: str) -> None:
    text = subprocess.run(["curl", "-s", f"{address}/metrics"], capture_output=True, text=True, check=True).stdout
    named = set(re.findall(r"`(sagacity_\w+)`", PAGE))
    assert {name for name in named if name not in text} == set()
