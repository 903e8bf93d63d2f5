"""What keeps a part of the local stack running, with a process that only waits."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from sagacity.testing.servers.server import Server
from shop.local.keeper import Keeper, Part

LIMIT = 60.0


class Idle(Server):
    def __init__(self, folder: Path) -> None:
        super().__init__("idle", folder)
        self.launched: list[int] = []

    def command(self) -> Sequence[str]:
        return (sys.executable, "-c", "import time; time.sleep(600)")

    def launch(self) -> None:
        super().launch()
        self.launched.append(self.pid or 0)

    def answers(self) -> bool:
        return True


def test_a_part_that_is_lost_again_while_it_is_made_ready_is_started_once_more_and_nothing_is_left_behind(
    tmp_path: Path,
) -> None:
    server, changed = Idle(tmp_path), threading.Condition()

    def give() -> None:
        if len(server.launched) == 2:
            raise ConnectionError("it is gone again")

    keeper = Keeper(Part(name="idle", server=server, then=give, pause=0.01), (), changed, lambda _: None)
    keeper.start()
    try:
        with changed:
            assert changed.wait_for(lambda: keeper.condition == "ready", LIMIT)
        server.kill()
        with changed:
            assert changed.wait_for(lambda: len(server.launched) == 3 and keeper.condition == "ready", LIMIT)
        assert not any(Path(f"/proc/{pid}").exists() for pid in server.launched[:2] if pid != os.getpid())
    finally:
        keeper.stop()


def test_a_part_that_cannot_be_made_ready_at_its_first_start_has_failed(tmp_path: Path) -> None:
    server, changed = Idle(tmp_path), threading.Condition()

    def give() -> None:
        raise ConnectionError("nobody answers")

    keeper = Keeper(Part(name="idle", server=server, then=give), (), changed, lambda _: None)
    keeper.start()
    with changed:
        assert changed.wait_for(lambda: keeper.condition == "failed", LIMIT)
    assert "idle is not ready: nobody answers" in str(keeper.failure)
    assert not server.running
    keeper.stop()
