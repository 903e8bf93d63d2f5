"""Sagacity over Kafka, each role a process of its own, with a database of its own.

`saga_kafka_side.py participant DSN SERVERS` does the steps until it is told to stop;
`saga_kafka_side.py orchestrator DSN SERVERS IN_FLIGHT TOTAL` runs sagas of three steps and prints what they took.
"""

from __future__ import annotations

import asyncio
import json
import signal
import statistics
import sys
import time

from sagacity.messaging.kafka import KafkaPublisher, KafkaSubscriber
from sagacity.saga import Command, Orchestrator, Participant, Saga, Step, Transaction, install, install_participant

PURCHASE = Saga(
    "purchase",
    1,
    (
        Step("reserve", "Reserve", "commands", "Release"),
        Step("order", "Order", "commands", "CancelOrder"),
        Step("pay", "Pay", "commands", "Refund"),
    ),
    replies_topic="replies",
    events_topic="events",
)


async def participant(dsn: str, servers: str) -> None:
    await install_participant(dsn)
    shop = Participant("shop", dsn)

    async def done(command: Command, _: Transaction) -> int:
        return int(command.data["number"])

    for name in ("Reserve", "Order", "Pay"):
        shop.handles(name)(done)
    reading = KafkaSubscriber(servers, ["commands"], "shop", shop.positions, settings={"session.timeout.ms": "6000"})
    running = asyncio.create_task(shop.run(reading, KafkaPublisher(servers)))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    await asyncio.gather(running, return_exceptions=True)
    await reading.close()


async def orchestrator(dsn: str, servers: str, in_flight: int, total: int) -> None:
    await install(dsn)
    running_here = Orchestrator(dsn, [PURCHASE])
    reading = KafkaSubscriber(
        servers, ["replies"], "orchestrator", running_here.positions, settings={"session.timeout.ms": "6000"}
    )
    running = asyncio.create_task(running_here.run(reading, KafkaPublisher(servers)))
    run = time.time_ns()

    async def burst(prefix: str, many: int) -> list[float]:
        numbers, latencies = iter(range(many)), []

        async def worker() -> None:
            for number in numbers:
                began = time.perf_counter()
                saga = await running_here.execute("purchase", f"{prefix}-{run}-{number}", {"number": number})
                assert saga.status == "completed"
                latencies.append((time.perf_counter() - began) * 1000)

        await asyncio.gather(*(worker() for _ in range(in_flight)))
        return latencies

    await burst("warm", max(in_flight, 30))  # so that all have joined their groups
    began = time.perf_counter()
    latencies = await burst("run", total)
    seconds = time.perf_counter() - began
    running.cancel()
    p99 = statistics.quantiles(latencies, n=100)[98]
    print(json.dumps({"rate": total / seconds, "p50": statistics.median(latencies), "p99": p99}), flush=True)
    await asyncio.gather(running, return_exceptions=True)
    await reading.close()


if __name__ == "__main__":
    if sys.argv[1] == "participant":
        asyncio.run(participant(*sys.argv[2:4]))
    else:
        asyncio.run(orchestrator(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])))
