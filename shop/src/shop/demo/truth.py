"""What really went wrong, found out without a single event: by what saboteurs confess in their logs, and by the times that
the databases hold. What Sagacity finds in the events is held against it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from sagacity.demo.answers import Answer, Expected

__all__ = ["FOUND", "answers", "confessed", "counted", "ends", "in_databases", "late", "of_crowd"]

_CONFESSION = "fault planted"
FOUND: Mapping[tuple[str, str], tuple[str, tuple[Expected, ...]]] = {
    ("warehouse", "wrong_amount"): (
        "shipped with a wrong amount", (Expected("ItemShipped.amount = PaymentReceived.amount", "mismatch"),),
    ),
    ("warehouse", "duplicate"): ("shipped twice", (Expected("ItemShipped at most once", "duplicate"),)),
    ("warehouse", "drop"): ("never shipped", (Expected("shipped in time", "missing"),)),
    ("warehouse", "late"): ("shipped too late", (Expected("shipped in time", "late"),)),
    ("compliance", "late"): ("checked too late", (Expected("checked in time", "late"),)),
}  # fmt: skip
"""By service and fault: what it is called, and what must be found."""

_PAID = "select purchase_id, received_at from payments"
_DONE = {
    "warehouse": "select purchase_id, shipped_at from shipments",
    "compliance": "select purchase_id, checked_at from checks",
}


class _Line(msgspec.Struct):
    event: str = ""
    purchase: str = ""
    faults: tuple[str, ...] = ()


_line = msgspec.json.Decoder(_Line).decode


def answers(logs: Path, databases: Mapping[str, str], window: timedelta) -> list[Answer]:
    """Everything that must be found. `logs` is the folder of the services' logs, `databases` are URLs by service."""
    wrong = {(service, fault, id) for service in _DONE for id, fault in confessed(logs / f"{service}.log")}
    wrong |= {(service, "late", id) for service in _DONE for id in late(databases, service, window)}
    return [Answer(id, fault, *FOUND[service, fault]) for service, fault, id in sorted(wrong)]


def in_databases(wrong: Sequence[Answer]) -> list[Answer]:
    """What of it the databases' tables show, too: what was never done. The rest is as soon as their own workflow asks."""
    missing = (Expected("shipped within 5m of paid", "missing"),)
    return [msgspec.structs.replace(each, findings=missing) for each in wrong if each.fault == "drop"]


def confessed(log: Path) -> Iterator[tuple[str, str]]:
    """The purchases that a service has planted a fault in, each with the fault."""
    with log.open("rb") as lines:
        for line in lines:
            try:
                read = _line(line)
            except msgspec.DecodeError:
                continue  # said by something else than the logger
            if read.event == _CONFESSION:
                yield from ((read.purchase, fault) for fault in read.faults)


def late(databases: Mapping[str, str], service: str, window: timedelta) -> set[str]:
    """The purchases that a service has done its part for more than so long after they were paid."""
    paid = _times(databases["payment"], _PAID)
    done = _times(databases[service], _DONE[service])
    return {str(id) for id, at in done.items() if id in paid and at > paid[id] + window}


def counted(url: str, query: str) -> list[tuple[str, int]]:
    """A query's rows of a name and a number."""
    return [(str(name), int(many)) for name, many in _rows(url, query)]


def ends(url: str, told: Collection[str]) -> tuple[dict[str, str], int]:
    """How each purchase of the customers who were told of these ended, by its id, as the purchase service's database keeps
    it; and how many purchases others have made."""
    return of_crowd(_rows(url, "select id, customer_id, status from purchases"), told)


def of_crowd(kept: Iterable[tuple[Any, ...]], told: Collection[str]) -> tuple[dict[str, str], int]:
    """The same of rows of id, customer and status. A customer of whom no purchase was told is somebody else."""
    rows = [(str(id), customer, str(status)) for id, customer, status in kept]
    crowd = {customer for id, customer, _ in rows if id in told}
    return {id: status for id, customer, status in rows if customer in crowd}, sum(row[1] not in crowd for row in rows)


def _times(url: str, query: str) -> dict[int, datetime]:
    return dict(_rows(url, query))


def _rows(url: str, query: str) -> Iterable[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True, connect_timeout=20) as connection:
        return connection.execute(query.encode()).fetchall()
