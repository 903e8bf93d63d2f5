"""From a broker to durable verdicts: a topic that is full, and one that is sent to at a steady rate, on the same machine."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from bench.live_ledger import Filled
from bench.setting import Setting
from bench.table import table
from sagacity.testing.servers.kafka import Broker, prepare_broker
from sagacity.testing.servers.unavailable import UnavailableError

__all__ = ["from_broker"]

_PARTITIONS = 4
_RATE = 60_000
_MOST_SECONDS = 60


def from_broker(setting: Setting, kept: Filled, folder: Path) -> str:
    """A table: events a second, what waits at the end, and the memory of the process that judges."""
    try:
        kind = prepare_broker()
    except UnavailableError as missing:
        return f"### Live: from a broker\n\n{missing}\n"
    seconds = max(min(_MOST_SECONDS, setting.events * _MOST_SECONDS // 10_000_000), 5)
    rows = []
    with _broker(kind, setting) as broker:
        rows.append(_plain(setting, broker, kept, seconds))
        rows.append(_drained(setting, broker, kept, folder, seconds))
        rows.append(_steady(setting, broker, kept, folder, seconds))
    title = f"Live: {kind} to durable verdicts, {kept.orders.orders:,} cases in the ledger, {seconds} s"
    return table(title, ("", "events/s", "CPU s", "peak MiB", "waiting at the end", "longest round"), rows)


@contextmanager
def _broker(kind: str, setting: Setting) -> Iterator[Broker]:
    with tempfile.TemporaryDirectory(dir=setting.folder) as folder:
        broker = Broker(kind, Path(folder).resolve())
        broker.start()
        try:
            yield broker
        finally:
            broker.stop()


def _topic(broker: Broker, name: str) -> str:
    admin = AdminClient({"bootstrap.servers": broker.servers, "log_level": 0})
    admin.create_topics([NewTopic(name, _PARTITIONS, 1)])[name].result(30)
    return name


def _side(what: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench.live_side", what, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)


def _said(process: subprocess.Popen[str]) -> Any:
    said, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
    return json.loads(said.splitlines()[-1])


def _produced(setting: Setting, broker: Broker, kept: Filled, topic: str, events: int, rate: int) -> subprocess.Popen[str]:
    setting.say(f"{events:,} events to {topic}" + (f", {rate:,} a second" if rate else ""))
    return _side("produce", broker.servers, topic, kept.folder, events, rate)


def _row(name: str, said: Any) -> tuple[str, ...]:
    waiting = "" if said.get("lag") is None else f"{said['lag']:,}"
    longest = f"{said['longest']:.1f} s" if "longest" in said else ""
    return name, f"{said['rate']:,.0f}", f"{said['processor']:.1f}", f"{said['memory']:,}", waiting, longest


def _plain(setting: Setting, broker: Broker, kept: Filled, seconds: int) -> tuple[str, ...]:
    topic = _topic(broker, "full")
    _said(_produced(setting, broker, kept, topic, 2 * _RATE * seconds * 2 // 3, 0))
    return _row("plain consume, nothing kept", _said(_side("consume", broker.servers, topic, seconds)))


def _drained(setting: Setting, broker: Broker, kept: Filled, folder: Path, seconds: int) -> tuple[str, ...]:
    kept.copy(folder)
    setting.say("judging what waits")
    return _row("a full topic", _said(_side("judge", broker.servers, "full", folder, kept.now, seconds)))


def _steady(setting: Setting, broker: Broker, kept: Filled, folder: Path, seconds: int) -> tuple[str, ...]:
    topic = _topic(broker, "steady")
    kept.copy(folder)
    judging = _side("judge", broker.servers, topic, folder, kept.now, seconds)
    producing = _produced(setting, broker, kept, topic, _RATE * seconds, _RATE)
    row = _row(f"sent at {_RATE:,} a second", _said(judging))
    sent = _said(producing)
    setting.say(f"sent at {sent['rate']:,.0f} a second, {sent['processor']:.1f} CPU s")
    return row
