"""The other processes of the measurements with a broker; each says at its end, as a line of JSON, how it went.

`produce SERVERS TOPIC FOLDER EVENTS RATE`, `consume SERVERS TOPIC SECONDS`, `judge SERVERS TOPIC LEDGER BEGAN SECONDS`
"""

from __future__ import annotations

import json
import pickle
import resource
import sys
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from confluent_kafka import Producer

from bench.live_ledger import MEMORY, SOURCE, Shifted, peak
from sagacity.ledger.duckdb.live import DuckDBLiveLedger
from sagacity.reconcile.live import Change, Live
from sagacity.sources.kafka import KafkaStream

_CHUNK = 5_000
_EVENT_RATE = 60_000


def produce(servers: str, topic: str, folder: str, events: str, rate: str) -> dict[str, object]:
    """Send the traffic that goes on from a kept ledger: at a rate of events a second, or as fast as may be (0)."""
    with (Path(folder) / "state").open("rb") as file:
        orders, at = pickle.load(file)
    producer = Producer(
        {"bootstrap.servers": servers, "linger.ms": 20, "batch.size": 1_000_000, "compression.type": "lz4", "log_level": 0}
    )
    total, pace, began = int(events), int(rate), time.monotonic()
    for sent in range(0, total, _CHUNK):
        if pace and (early := began + sent / pace - time.monotonic()) > 0:
            time.sleep(early)
        for place, body in enumerate(orders.take(_CHUNK, at, _CHUNK * 1_000_000 // _EVENT_RATE)):
            while True:
                try:
                    producer.produce(topic, body, partition=(sent // _CHUNK + place) % 4)
                    break
                except BufferError:
                    producer.poll(0.1)
        at += _CHUNK * 1_000_000 // _EVENT_RATE
        producer.poll(0)
    producer.flush()
    return {"rate": total / (time.monotonic() - began)}


def consume(servers: str, topic: str, seconds: str) -> dict[str, object]:
    """Poll as the server does, and keep nothing."""
    stream = KafkaStream(servers, {SOURCE: [topic]})
    stream.start({})
    count, began, limit = 0, 0.0, time.monotonic() + float(seconds)
    last = began
    while time.monotonic() < limit:
        taken = sum(len(batch.bodies) for batch in stream.poll(200_000, 0.1))
        if taken and not began:
            began = time.monotonic()
            continue
        if taken:
            count, last = count + taken, time.monotonic()
        elif count and all(reach.state == "current" for reach in stream.reaches()):
            break
    stream.close()
    return {"rate": count / (last - began)}


def judge(servers: str, topic: str, folder: str, began: str, seconds: str) -> dict[str, object]:
    """Rounds as in the server, until nothing has come for a while or the time is over. A round's records count once their
    verdicts are durable."""
    ledger = DuckDBLiveLedger(Path(folder), memory=MEMORY)
    stream = KafkaStream(servers, {SOURCE: [topic]})
    live = Live(ledger, [stream], clock=Shifted(int(began) + 300_000_000))
    rounds: list[tuple[float, int]] = []

    def told(change: Change) -> None:
        if change.records:
            rounds.append((time.monotonic(), change.records))

    live.listen(told)
    thread = threading.Thread(target=live.run)
    thread.start()
    limit = time.monotonic() + 60
    while not live.status().records and time.monotonic() < limit:
        time.sleep(0.005)
    begun = time.monotonic()
    while time.monotonic() < begun + float(seconds):
        time.sleep(0.05)
        reaches = live.status().reaches
        if rounds and reaches[0].state == "current" and time.monotonic() > rounds[-1][0] + 3:
            break
    lag = sum(reach.lag or 0 for reach in live.status().reaches)
    live.stop()
    thread.join(120)
    stream.close()
    ledger.close()
    first, records = rounds[0][0], sum(records for _, records in rounds[1:])
    longest = max(after - before for (before, _), (after, _) in pairwise(rounds))
    return {"rate": records / (rounds[-1][0] - first), "lag": lag, "longest": longest}


_TASKS: dict[str, Callable[..., dict[str, object]]] = {"produce": produce, "consume": consume, "judge": judge}


def main() -> None:
    said = _TASKS[sys.argv[1]](*sys.argv[2:])
    used = resource.getrusage(resource.RUSAGE_SELF)
    said |= {"processor": used.ru_utime + used.ru_stime, "memory": peak()}
    print(sys.argv[1:3], said, file=sys.stderr)
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
