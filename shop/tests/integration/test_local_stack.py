"""The stack as processes, with stand-ins for the services: started, killed, restarted, stopped, and never left behind."""

from __future__ import annotations

import os
import select
import signal
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from sagacity.testing.servers.traefik import traefik_at_hand
from sagacity.testing.servers.unavailable import UnavailableError
from shop.local.assembly import Layout, assemble
from shop.local.catalogue import Service
from shop.local.command import main
from shop.local.stack import Stack
from shop.local.state import State, read

STAND_IN = Path(__file__).parents[1] / "stand_in.py"
LIMIT = 60.0

pytestmark = pytest.mark.skipif(traefik_at_hand() is None, reason="no Traefik is at hand")


def stand_in(name: str, replicas: int = 1) -> Service:
    program = (sys.executable, str(STAND_IN), name)
    return Service(name=name, replicas=replicas, paths=(f"/api/v1/{name}s",), program=program)


LAYOUT = Layout(catalogue=(stand_in("product", 2), stand_in("order")))

UP = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_local_stack import LAYOUT, main
sys.exit(main(["up", "--data", sys.argv[1]], layout=LAYOUT))
"""


def asked(url: str) -> dict[str, object]:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=LIMIT) as answer:
        found: dict[str, object] = msgspec.json.decode(answer.read())
        return found


def posted(url: str) -> int:
    """What a POST is answered with."""
    return httpx.post(url, timeout=LIMIT, trust_env=False).status_code


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with assemble(tmp_path, LAYOUT, lambda _: None) as started:
        yield started


def process(state: State, name: str) -> int:
    pid = state.named(name)[0].pid
    assert pid is not None
    return pid


def ended(pids: list[int]) -> bool:
    """Whether all of these processes are gone; those that are about to are waited for."""
    for pid in pids:
        try:
            watched = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            if not select.select([watched], [], [], 20)[0]:
                return False
        finally:
            os.close(watched)
    return True


def test_requests_reach_each_service_through_the_edge_by_their_path(stack: Stack) -> None:
    assert asked(f"{stack.web}/api/v1/orders/7")["service"] == "order"
    assert {asked(f"{stack.web}/api/v1/products/7")["pid"] for _ in range(4)} == {
        process(stack.state(), "product-1"), process(stack.state(), "product-2"),
    }  # fmt: skip


def test_a_path_that_only_begins_like_a_services_is_not_its(stack: Stack) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        asked(f"{stack.web}/api/v1/orders-of-others")


def test_a_killed_replica_is_started_again_and_nobody_outside_notices(stack: Stack) -> None:
    first = process(stack.state(), "product-1")
    stack.kill("product-1")
    answers = [asked(f"{stack.web}/api/v1/products/7")["service"] for _ in range(20)]
    assert answers == ["product"] * 20
    assert stack.wait_ready("product-1", after=0, seconds=LIMIT)
    assert process(stack.state(), "product-1") != first
    assert stack.restarts("product-2") == 0


def test_what_a_dying_replica_had_begun_to_read_is_read_by_another_but_is_never_posted_twice(stack: Stack) -> None:
    pids = [process(stack.state(), name) for name in ("product-1", "product-2")]
    answers = [asked(f"{stack.web}/api/v1/products/dies-with/{pids[0]}")["pid"] for _ in range(2)]
    assert answers == [pids[1]] * 2
    assert stack.wait_ready("product-1", after=0, seconds=LIMIT)
    assert sorted(posted(f"{stack.web}/api/v1/products/dies-with/{pids[1]}") for _ in range(2)) == [200, 502]


def test_stopping_drains_every_service_and_leaves_no_process(tmp_path: Path) -> None:
    with assemble(tmp_path, LAYOUT, lambda _: None) as stack:
        pids = [part.pid for part in stack.state().parts if part.pid is not None]
        assert len(pids) == 4
    assert ended(pids)
    for name in ("product-1", "product-2", "order"):
        assert "drained" in (tmp_path / "logs" / f"{name}.log").read_text()


def test_a_restart_finds_the_same_ports_and_secrets_and_only_their_owner_can_read_these(tmp_path: Path) -> None:
    first = assemble(tmp_path, LAYOUT, lambda _: None)
    secrets = (tmp_path / "secrets.json").read_bytes()
    again = assemble(tmp_path, LAYOUT, lambda _: None)
    assert [part.where for part in first.state().parts] == [part.where for part in again.state().parts]
    assert (tmp_path / "secrets.json").read_bytes() == secrets
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_a_service_that_does_not_come_up_stops_the_rest_and_says_why(tmp_path: Path) -> None:
    broken = Service(name="payment", program=(sys.executable, "-c", "raise SystemExit('PAYMENT_DATABASE_URL is not set')"))
    layout = msgspec.structs.replace(LAYOUT, catalogue=(*LAYOUT.catalogue, broken))
    stack = assemble(tmp_path, layout, lambda _: None)
    with pytest.raises(UnavailableError, match="PAYMENT_DATABASE_URL is not set"), stack:
        pass
    assert not any(part.lives for part in stack.state().parts)


def test_up_status_kill_logs_and_down_as_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(tmp_path)]
    with _up(tmp_path) as up:
        state = read(tmp_path)
        assert state is not None
        assert main(["status", *data]) == 0
        assert "product-2" in capsys.readouterr().out
        assert main(["up", *data], layout=LAYOUT) == 1
        assert "running in" in capsys.readouterr().out.replace("\n", " ")
        assert main(["kill", "order", *data]) == 0
        _until(up, "order is ready again")
        assert main(["kill", "nobody", *data]) == 1
        assert main(["logs", "order", *data]) == 0
        assert "ready" in capsys.readouterr().out
        assert main(["down", *data]) == 0
        assert up.wait(LIMIT) == 0
        assert ended([part.pid for part in state.parts if part.pid is not None])
        assert main(["status", *data]) == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_all_of_it(tmp_path: Path, number: signal.Signals) -> None:
    with _up(tmp_path) as up:
        pids = [part.pid for part in (read(tmp_path) or pytest.fail("no state")).parts if part.pid is not None]
        up.send_signal(number)
        up.send_signal(number)  # some terminals tell a process and its group
        assert up.wait(LIMIT) == 0
        assert ended(pids)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_nothing_is_left_behind_when_up_itself_is_killed(tmp_path: Path) -> None:
    with _up(tmp_path) as up:
        pids = [part.pid for part in (read(tmp_path) or pytest.fail("no state")).parts if part.pid is not None]
        up.kill()
        assert ended(pids)
    assert main(["down", "--data", str(tmp_path)]) == 0


def test_down_ends_what_was_left_behind(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as left:
        with assemble(tmp_path, LAYOUT, lambda _: None) as stack:
            state = stack.state()
        part = msgspec.structs.replace(state.parts[0], pid=left.pid, identity=_identity(left.pid))
        dead = msgspec.structs.replace(state, identity="another", parts=(part,))
        (tmp_path / "state.json").write_bytes(msgspec.json.encode(dead))
        assert main(["down", "--data", str(tmp_path)]) == 0
        assert left.wait(LIMIT) == -signal.SIGKILL


def _identity(pid: int) -> str | None:
    from shop.local.seen import identity

    return identity(pid)


class _up:  # noqa: N801 - used as a function is
    """`up` as a process of its own, ready; killed at the end if it still runs."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-u", "-c", UP, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def __enter__(self) -> subprocess.Popen[str]:
        _until(self._process, "memory of all")
        return self._process

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def _until(up: subprocess.Popen[str], said: str) -> None:
    assert up.stdout is not None
    lines = []
    for line in up.stdout:
        lines.append(line)
        if said in line:
            return
    pytest.fail("".join(lines))
