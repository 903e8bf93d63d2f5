"""The whole story, as `make demo` tells it: every server, every service, every fault of the script, and the audit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sagacity.testing.servers.traefik import traefik_at_hand
from shop.local.state import read

LIMIT = 600.0

pytestmark = pytest.mark.skipif(traefik_at_hand() is None, reason="no Traefik is at hand")


def test_what_is_found_is_what_was_planted_and_every_purchase_is_accounted_for(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "shop.demo", "--data", str(tmp_path), "--seconds", "30", "--port", "0"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT,
    )  # fmt: skip
    said = f"{told.stdout}\n{told.stderr}"
    assert told.returncode == 0, said
    assert "Every purchase is accounted for; every fault was found, and nothing else." in said
    for story in ("never shipped", "shipped twice", "shipped with a wrong amount"):
        assert story in said.partition("The closing audit")[2], said
    state = read(tmp_path)
    assert state is not None
    assert not [part.name for part in state.parts if part.lives]
