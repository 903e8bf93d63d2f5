"""Servers as processes: real, in a folder of their own, killed and started again, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from sagacity.testing.servers.__main__ import main
from sagacity.testing.servers.ports import free_ports, is_free
from sagacity.testing.servers.postgres import PostgreSQL, postgres_at_hand
from sagacity.testing.servers.redis import NODES, RedisCluster, RedisNode
from sagacity.testing.servers.server import Server
from sagacity.testing.servers.unavailable import UnavailableError


class Sleeper(Server):
    """A program that does nothing, and answers once it has said so."""

    up_within = 20.0
    stop_within = 1.0
    code = "import time; print('awake', flush=True); time.sleep(600)"

    def command(self) -> list[str]:
        return [sys.executable, "-c", self.code]

    def answers(self) -> bool:
        return "awake" in self.tail()


class Deaf(Sleeper):
    """Hears no request to stop."""

    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('awake', flush=True); time.sleep(600)"


class Failing(Sleeper):
    """Ends before it can be used."""

    code = "raise SystemExit('there is no disk')"


@pytest.fixture
def sleeper(tmp_path: Path) -> Sleeper:
    return Sleeper("sleeper", tmp_path)


def test_a_server_is_ready_when_start_returns_and_gone_when_stop_does(sleeper: Sleeper) -> None:
    sleeper.start()
    pid = sleeper.pid
    assert sleeper.running
    assert pid is not None
    assert sleeper.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_killed_server_starts_again(sleeper: Sleeper) -> None:
    sleeper.start()
    first = sleeper.pid
    sleeper.kill()
    assert not sleeper.running
    sleeper.start()
    assert sleeper.pid != first
    sleeper.stop()


def test_a_server_that_does_not_hear_is_killed_after_its_bound(tmp_path: Path) -> None:
    deaf = Deaf("deaf", tmp_path)
    deaf.start()
    assert not deaf.stop()
    assert not deaf.running


def test_a_frozen_server_can_be_stopped(sleeper: Sleeper) -> None:
    sleeper.start()
    sleeper.freeze()
    assert sleeper.stop()


def test_one_that_does_not_come_up_says_why_and_where_its_log_is(tmp_path: Path) -> None:
    failing = Failing("failing", tmp_path)
    with pytest.raises(UnavailableError, match="failing ended with 1 instead of coming up") as raised:
        failing.start()
    assert "there is no disk" in raised.value.message
    assert str(failing.log) in str(raised.value.hint)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_a_server_ends_with_the_process_that_started_it_even_when_that_is_killed(tmp_path: Path) -> None:
    starter = (
        "import sys, signal, os\n"
        "from pathlib import Path\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from test_servers import Sleeper\n"
        f"server = Sleeper('sleeper', Path({str(tmp_path)!r}))\n"
        "server.start()\n"
        "print(server.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", starter], capture_output=True, text=True, timeout=60)
    server = int(ended.stdout)
    assert _ended(server)


def _ended(pid: int) -> bool:
    """Whether the process is gone; one that is dying is waited for, by the file that the kernel gives of it."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    import select

    try:
        return bool(select.select([watched], [], [], 20)[0])
    finally:
        os.close(watched)


def test_ports_that_are_given_out_are_free_and_different() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert all(map(is_free, ports))


def test_each_role_has_its_database_and_cannot_enter_anothers() -> None:
    binaries = postgres_at_hand()
    if binaries is None:
        pytest.skip("no PostgreSQL is at hand")
    server = PostgreSQL(binaries, password="of the superuser")
    try:
        server.start()
        order, stock = server.give("order", "secret of order"), server.give("stock", "secret of stock")
        with psycopg.connect(order) as connection:
            connection.execute("create table kept (id int)")
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(order.replace("secret of order", "guess"))
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            psycopg.connect(stock.replace("dbname=stock", "dbname=order"))
        server.stop()
        server.start()
        assert server.give("order", "secret of order") == order
        with psycopg.connect(order) as connection:
            assert connection.execute("select to_regclass('kept')").fetchone() == ("kept",)
    finally:
        server.remove()


def test_a_redis_cluster_has_three_masters_and_filters(redis_cluster: RedisCluster) -> None:
    assert len(redis_cluster.masters()) == NODES // 2
    assert [_add(node) for node in redis_cluster.masters()].count(1) == 1


def test_a_replica_takes_over_from_a_lost_master(redis_cluster: RedisCluster) -> None:
    lost = redis_cluster.masters()[0]
    lost.kill()
    redis_cluster.start()
    assert lost.running
    assert all(node.joined() for node in redis_cluster.nodes)


def _add(node: RedisNode) -> object:
    """1 from the one master that the key belongs to, None from the others, which send the caller there."""
    return node.ask("CF.ADD", "filter", "item")


def test_a_server_can_be_run_from_a_terminal_until_it_is_interrupted(tmp_path: Path) -> None:
    if postgres_at_hand() is None:
        pytest.skip("there is no PostgreSQL")
    command = [sys.executable, "-m", "sagacity.testing.servers", "postgres"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    try:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        with psycopg.connect(address) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
        told = server.stdout.readline()
        assert f"PGPORT={address.rpartition(':')[2].partition('/')[0]} " in told
        server.send_signal(signal.SIGINT)
        assert server.wait(60) == 0
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(address, connect_timeout=2)
    finally:
        server.kill()
        server.wait()


def test_a_server_that_there_is_not_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["mysql"], ["prepare", "mysql"], []):
        with pytest.raises(SystemExit) as refused:
            main(arguments)
        assert refused.value.code == 2
    assert "usage: python -m sagacity.testing.servers" in capsys.readouterr().err
