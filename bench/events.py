"""Order events for the benchmarks, made by the database itself: deterministic, any number, a few seconds for ten million.

Seven event types over orders of four to five events each. About 8 % of the orders leave in two or more parcels, 1 % of
the events are delivered twice, 2 % of the orders have something wrong. Ids and order ids are texts, times are
microseconds, amounts are decimals. Records stand in the order of their arrival, not of their cases.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

__all__ = ["AS_OF", "CASES_PER_EVENT", "jsonl", "parquet"]

AS_OF = "2026-12-15T00:00:00Z"
"""After the last event, before the last orders are over."""

CASES_PER_EVENT = 0.22

# u(k) is a number in [0, 1) that depends on the order and k alone; wait(k, s) an exponential span of mean s seconds.
_MACROS = """
CREATE MACRO u(i, k) AS (hash(i * 64 + k) >> 12)::DOUBLE / 4503599627370496.0;
CREATE MACRO wait(i, k, seconds) AS to_microseconds((-ln(1.0 - u(i, k)) * seconds * 1000000)::BIGINT);
"""

_ORDERS = """
CREATE TEMP TABLE orders AS
SELECT i,
       'A' || (1000000 + i) AS order_id,
       TIMESTAMP '2026-09-01' + to_microseconds(((i + u(i, 0)) * (100 * 86400000000 / {orders}))::BIGINT) AS placed,
       (0.99 + exp(3.0 + 1.1 * sqrt(-2 * ln(1.0 - u(i, 1))) * cos(6.283185307 * u(i, 2))))::DECIMAL(18, 2) AS amount,
       CASE WHEN u(i, 3) < 0.6 THEN 'USD' WHEN u(i, 3) < 0.9 THEN 'EUR' ELSE 'GBP' END AS currency,
       u(i, 4) < 0.03 AS cancelled,
       CASE WHEN u(i, 5) < 0.01 THEN 3 WHEN u(i, 5) < 0.08 THEN 2 ELSE 1 END AS parcels,
       u(i, 6) < 0.45 AS tracked,
       u(i, 7) < 0.03 AS refunded,
       CASE WHEN u(i, 8) < 0.02 THEN floor(u(i, 8) * 400)::INT END AS fault,
       to_microseconds(5000000) + wait(i, 9, 60) AS to_pay
FROM range({orders}) AS numbers(i)
"""

# Faults, by number: 0 never paid nor cancelled, 1 paid twice, 2 another amount, 3 paid late, 4 never checked,
# 5 never shipped, 6 shipped before paid, 7 refunded too much.
_EVENTS = """
CREATE TEMP TABLE events AS
WITH paid AS (
    SELECT *, placed + to_pay + CASE WHEN fault = 3 THEN INTERVAL 2 HOUR ELSE INTERVAL 0 HOUR END AS paid_at
    FROM orders WHERE NOT cancelled AND coalesce(fault, -1) <> 0
), shipped AS (
    SELECT i, order_id, n, CASE WHEN fault = 6 AND n = 0 THEN placed + INTERVAL 1 SECOND
           ELSE paid_at + INTERVAL 2 HOUR + wait(i, 20 + n, 28800) + to_hours(n) END AS sent_at, tracked
    FROM paid, range(3) AS parcel(n) WHERE n < parcels AND coalesce(fault, -1) <> 5
), every AS (
    SELECT i, 0 AS k, 'OrderPlaced' AS type, order_id, placed AS time, amount, currency FROM orders
    UNION ALL
    SELECT i, 1, 'PaymentReceived', order_id, paid_at, CASE WHEN fault = 2 THEN amount + 1 ELSE amount END, currency
    FROM paid
    UNION ALL
    SELECT i, 2, 'PaymentReceived', order_id, paid_at + INTERVAL 40 SECOND, amount, currency FROM paid WHERE fault = 1
    UNION ALL
    SELECT i, 3, 'ComplianceCheckDone', order_id, paid_at + INTERVAL 5 MINUTE + wait(i, 10, 7200), NULL, NULL
    FROM paid WHERE coalesce(fault, -1) <> 4
    UNION ALL
    SELECT i, 4 + n, 'ItemShipped', order_id, sent_at, NULL, NULL FROM shipped
    UNION ALL
    SELECT i, 8 + n, 'ParcelDelivered', order_id, sent_at + INTERVAL 12 HOUR + wait(i, 30 + n, 43200), NULL, NULL
    FROM shipped WHERE tracked
    UNION ALL
    SELECT i, 12, 'OrderCancelled', order_id, placed + INTERVAL 10 MINUTE + wait(i, 11, 3600), NULL, NULL
    FROM orders WHERE cancelled
    UNION ALL
    SELECT i, 13, 'RefundIssued', order_id, paid_at + INTERVAL 3 DAY + wait(i, 12, 86400),
           CASE WHEN fault = 7 THEN amount + 5 ELSE amount END, currency
    FROM paid WHERE refunded OR fault = 7
)
SELECT printf('%016x', hash(i * 64 + k + {orders} * 64)) AS id, type, order_id, time,
       amount::DECIMAL(18, 2) AS amount, currency,
       time + wait(i, 40 + k, 3) AS arrival
FROM every
"""

_ARRIVED = """
SELECT id, type, order_id, time, amount, currency FROM (
    SELECT * FROM events
    UNION ALL SELECT * REPLACE (arrival + INTERVAL 20 SECOND AS arrival) FROM events WHERE {again}
) ORDER BY arrival
"""


def parquet(folder: Path, events: int, *, copies: bool = True) -> Path:
    """A folder of Parquet files that hold about so many events; made once and kept."""
    target = folder / f"orders-{events}{'' if copies else '-distinct'}"
    if not (target / "done").exists():
        _make(target, events, copies)
    return target


def jsonl(folder: Path, events: int) -> Path:
    """A file of JSON lines that holds the events of `parquet`; made once and kept."""
    target = folder / f"orders-{events}.jsonl"
    if not target.exists():
        source = parquet(folder, events)
        partial = target.with_suffix(".partial")
        with duckdb.connect() as connection:
            connection.execute(f"COPY (FROM '{source}/*.parquet') TO '{partial}' (FORMAT json)")
        partial.rename(target)
    return target


def _make(target: Path, events: int, copies: bool) -> None:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    orders = max(round(events * CASES_PER_EVENT), 1)
    with duckdb.connect() as connection:
        connection.execute(f"SET temp_directory = '{target}/spill'")
        connection.execute(_MACROS)
        connection.execute(_ORDERS.format(orders=orders))
        connection.execute(_EVENTS.format(orders=orders))
        arrived = _ARRIVED.format(again="hash(id) % 100 = 0" if copies else "false")
        per_file = max(events // 8, 1)
        connection.execute(f"CREATE TEMP TABLE arrived AS {arrived}")
        for n in range(9):
            page = f"SELECT * FROM arrived WHERE rowid >= {n * per_file} AND rowid < {(n + 1) * per_file}"
            if n < 8 or connection.execute(f"SELECT count(*) FROM ({page})").fetchone() != (0,):
                connection.execute(f"COPY ({page}) TO '{target}/events-{n}.parquet' (FORMAT parquet, COMPRESSION zstd)")
    shutil.rmtree(target / "spill", ignore_errors=True)
    (target / "done").touch()
