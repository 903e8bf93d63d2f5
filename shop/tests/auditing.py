"""Holds what the shop published, and what its databases keep, against its workflows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict

import sagacity
from sagacity.reconcile.result import Result
from sagacity.sources.envelope import KAFKA, record
from sagacity.workflow.language.reader import load
from whole_shop import Shop

__all__ = ["DATABASES", "EVENTS", "audited_databases", "audited_events", "url_of"]

_WORKFLOWS = Path(__file__).resolve().parents[1] / "workflows"
EVENTS = _WORKFLOWS / "shop.workflow.yaml"
DATABASES = _WORKFLOWS / "databases.workflow.yaml"
_TABLES = {
    "purchases": ("purchase", "purchases"),
    "reservations": ("product", "reservations"),
    "orders": ("order", "orders"),
    "payments": ("payment", "payments"),
    "shipments": ("warehouse", "shipments"),
    "checks": ("compliance", "checks"),
}


def audited_events(shop: Shop, purchases: set[str], folder: Path) -> Result:
    """`sagacity check` over what was published about some purchases."""
    sources: dict[str, Any] = {}
    for name, source in load(EVENTS).sources.items():
        path = folder / f"{name}.jsonl"
        with path.open("wb") as out:
            for topic in source.topics:
                for _, headers, value in shop.raw(topic, purchases):
                    out.write(record(value, headers, KAFKA) + b"\n")
        sources[name] = path
    return sagacity.check(EVENTS, sources, as_of="end")


def audited_databases(shop: Shop) -> Result:
    """`sagacity check` over the databases' tables."""
    sources = {name: f"{url_of(shop.databases[service])}#{table}" for name, (service, table) in _TABLES.items()}
    return sagacity.check(DATABASES, sources, as_of="end")


def url_of(dsn: str) -> str:
    """A database's dsn as a URL."""
    known = conninfo_to_dict(dsn)
    return f"postgresql://{known['user']}@{known['host']}:{known['port']}/{known['dbname']}"
