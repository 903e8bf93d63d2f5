"""Sagacity: a saga of three durable steps, participants in the process. `saga_side.py DSN IN_FLIGHT TOTAL KIND`.

`KIND` is `inline` (steps are done in the orchestrator's own transactions) or `local` (in transactions of their own).
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from typing import Any

from sagacity.saga import Saga, Step
from sagacity.saga.handlers import Command
from sagacity.saga.orchestrator import Orchestrator
from sagacity.saga.participant import Participant
from sagacity.saga.postgres import install, install_participant
from sagacity.saga.postgres.transaction import Transaction

PURCHASE = Saga(
    "purchase",
    1,
    (
        Step("reserve", "Reserve", "shop", "Release"),
        Step("order", "Order", "shop", "CancelOrder"),
        Step("pay", "Pay", "shop", "Refund"),
    ),
)


async def main(dsn: str, in_flight: int, total: int, kind: str) -> None:
    await install(dsn)
    await install_participant(dsn)
    shop = Participant("shop", dsn)

    async def done(command: Command, _: Transaction) -> int:
        return int(command.data["number"])

    for name in ("Reserve", "Order", "Pay"):
        shop.handles(name)(done)
    within: dict[str, Any] = {kind: {"shop": shop}}
    orchestrator = Orchestrator(dsn, [PURCHASE], events=False, **within)
    running = asyncio.create_task(orchestrator.run())

    async def burst(prefix: str, many: int) -> list[float]:
        numbers, latencies = iter(range(many)), []

        async def worker() -> None:
            for number in numbers:
                began = time.perf_counter()
                saga = await orchestrator.execute("purchase", f"{prefix}-{number}", {"number": number})
                assert saga.status == "completed"
                latencies.append(time.perf_counter() - began)

        await asyncio.gather(*(worker() for _ in range(in_flight)))
        return latencies

    run = time.time_ns()
    await burst(f"warm-{run}", min(in_flight, 16))
    used, began = time.process_time(), time.perf_counter()
    latencies = await burst(f"run-{run}", total)
    seconds, used = time.perf_counter() - began, time.process_time() - used
    running.cancel()
    p50 = statistics.median(latencies) * 1000
    print(json.dumps({"rate": total / seconds, "p50": p50, "processor": used / total * 1000}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
