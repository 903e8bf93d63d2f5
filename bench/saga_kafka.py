"""Sagas over Kafka: orchestrator and two participants are processes of their own, with databases of their own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from bench.saga import server
from bench.setting import Setting
from bench.table import table

__all__ = ["saga_kafka"]

_SIDE = Path(__file__).with_name("saga_kafka_side.py")
_WITHIN = 240
_IN_FLIGHT = {1: 100, 64: 2000, 256: 4000}


def saga_kafka(setting: Setting) -> str:
    """Three durable steps; commands, replies and events over a broker of four partitions."""
    with server() as servers, tempfile.TemporaryDirectory(dir=setting.folder) as folder:
        from confluent_kafka.admin import AdminClient
        from confluent_kafka.cimpl import NewTopic

        from sagacity.testing.servers.kafka import Broker, prepare_broker
        from sagacity.testing.servers.unavailable import UnavailableError

        try:
            kind = prepare_broker()
        except UnavailableError as missing:
            return f"### Sagas over Kafka\n\n{missing}\n"
        broker = Broker(kind, Path(folder).resolve())
        started: list[subprocess.Popen[bytes]] = []
        try:
            broker.start()
            admin = AdminClient({"bootstrap.servers": broker.servers})
            for made in admin.create_topics([NewTopic(name, 4, 1) for name in ("commands", "replies", "events")]).values():
                made.result(30)
            command = [sys.executable, str(_SIDE), "participant", servers("participants"), broker.servers]
            started += [subprocess.Popen(command) for _ in range(2)]
            rows = [
                _row(setting, in_flight, total, servers("dsn"), broker.servers) for in_flight, total in _IN_FLIGHT.items()
            ]
        finally:
            for each in started:
                each.terminate()
            for each in started:
                each.wait(30)
            broker.stop()
    title = f"Three steps over {kind}, an orchestrator and two participants, fsync on"
    return table(title, ("in flight", "sagas/s", "p50 ms", "p99 ms"), rows)


def _row(setting: Setting, in_flight: int, total: int, dsn: str, kafka: str) -> tuple[str, ...]:
    runs = []
    for turn in range(setting.rounds):
        command = [sys.executable, str(_SIDE), "orchestrator", dsn, kafka, str(in_flight), str(total)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_WITHIN, check=False)
        if done.returncode:
            raise RuntimeError(f"the orchestrator ended with {done.returncode}:\n{done.stderr[-2000:]}")
        runs.append(json.loads(done.stdout.splitlines()[-1]))
        setting.say(f"{in_flight} in flight, turn {turn + 1}: {runs[-1]['rate']:,.0f}/s, p50 {runs[-1]['p50']:.1f} ms")
    rate, p50, p99 = (median(run[name] for run in runs) for name in ("rate", "p50", "p99"))
    return f"{in_flight}", f"{rate:,.0f}", f"{p50:.1f}", f"{p99:.1f}"
