"""DBOS, with its own API: a workflow of three durable steps. `saga_dbos_side.py DSN IN_FLIGHT TOTAL KIND` prints figures.

`KIND` is `threads` (synchronous functions on DBOS's pool of threads) or `async` (coroutines).
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import threading
import time

from dbos import DBOS, DBOSConfig


@DBOS.step()
def reserve(number: int) -> int:
    return number


@DBOS.step()
def order(number: int) -> int:
    return number


@DBOS.step()
def pay(number: int) -> int:
    return number


@DBOS.workflow()
def purchase(number: int) -> int:
    return reserve(number) + order(number) + pay(number)


@DBOS.step()
async def reserve_async(number: int) -> int:
    return number


@DBOS.step()
async def order_async(number: int) -> int:
    return number


@DBOS.step()
async def pay_async(number: int) -> int:
    return number


@DBOS.workflow()
async def purchase_async(number: int) -> int:
    return await reserve_async(number) + await order_async(number) + await pay_async(number)


def by_threads(in_flight: int, total: int) -> list[float]:
    numbers, latencies, lock = iter(range(total)), [], threading.Lock()

    def worker() -> None:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            began = time.perf_counter()
            assert purchase(number) == 3 * number
            latencies.append(time.perf_counter() - began)

    workers = [threading.Thread(target=worker) for _ in range(in_flight)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    return latencies


async def by_coroutines(in_flight: int, total: int) -> list[float]:
    numbers, latencies = iter(range(total)), []

    async def worker() -> None:
        for number in numbers:
            began = time.perf_counter()
            assert await purchase_async(number) == 3 * number
            latencies.append(time.perf_counter() - began)

    await asyncio.gather(*(worker() for _ in range(in_flight)))
    return latencies


def main(dsn: str, in_flight: int, total: int, kind: str) -> None:
    config: DBOSConfig = {"name": "bench", "system_database_url": dsn, "log_level": "ERROR", "run_admin_server": False}
    DBOS(config=config)
    DBOS.launch()
    warm = min(in_flight, 16)
    if kind == "threads":
        by_threads(warm, warm)
        used, began = time.process_time(), time.perf_counter()
        latencies = by_threads(in_flight, total)
    else:

        async def run() -> tuple[float, float, list[float]]:
            await by_coroutines(warm, warm)
            used, began = time.process_time(), time.perf_counter()
            return used, began, await by_coroutines(in_flight, total)

        used, began, latencies = asyncio.run(run())
    seconds, used = time.perf_counter() - began, time.process_time() - used
    p50 = statistics.median(latencies) * 1000
    print(json.dumps({"rate": total / seconds, "p50": p50, "processor": used / total * 1000}), flush=True)
    DBOS.destroy()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
