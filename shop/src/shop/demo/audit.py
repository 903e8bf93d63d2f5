"""The closing audit: whether every purchase is accounted for by its customer, by the databases and by Sagacity."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import httpx
import msgspec

import sagacity
from sagacity.demo.answers import Answer, Comparison, compare
from shop.demo.crowd import Bought
from shop.demo.opening import DATABASES, WINDOW, Open
from shop.demo.truth import answers, counted, ends, in_databases
from shop.demo.watching import Reconciler

__all__ = ["Audit", "audited"]

_WITHIN = 60.0
_LOOK = 0.5
_LAST = "select 'last', coalesce(floor(extract(epoch from max(received_at)) * 1000000), 0)::bigint from payments"
_TABLES = {
    "purchases": ("purchase", "purchases"),
    "reservations": ("product", "reservations"),
    "orders": ("order", "orders"),
    "payments": ("payment", "payments"),
    "shipments": ("warehouse", "shipments"),
    "checks": ("compliance", "checks"),
}


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """`told` is how each customer was told that a purchase ended, by its id, `kept` what the purchase service's database
    says of it; `others` is how many purchases somebody else has made meanwhile. `unpaid` are purchases that were bought
    though nobody could pay for them; `turned_back`, with their reasons, those that could be paid and were not bought, as may
    be where somebody was silent for too long. `databases` holds what `sagacity check` finds in the tables, `findings` what
    Sagacity found live, each against what went wrong. `by_fault` is, for each fault, how often it struck."""

    told: Mapping[str, str]
    kept: Mapping[str, str]
    others: int
    unpaid: Sequence[str]
    turned_back: Sequence[str]
    rows: int
    databases: Comparison
    findings: Comparison
    by_fault: Mapping[str, int]
    cases: Mapping[str, int]
    redelivered: int

    @property
    def good(self) -> bool:
        """Whether everything is accounted for."""
        return not self.differing and not self.unpaid and self.databases.equal and self.findings.equal

    @property
    def differing(self) -> Sequence[str]:
        """Purchases of which the customer was told something else than is kept, or which only one of them knows."""
        return sorted(id for id in self.told.keys() | self.kept.keys() if self.told.get(id) != self.kept.get(id))


def audited(shop: Open, bought: Sequence[Bought], reconciler: Reconciler) -> Audit:
    """All of it, once the last deadline has passed. Raises httpx.HTTPError and psycopg.Error where somebody is away."""
    urls = shop.stack.addresses.databases
    wrong, found = _settled(shop, urls, reconciler)
    sources = {name: f"{urls[service]}#{table}" for name, (service, table) in _TABLES.items()}
    result = sagacity.check(DATABASES, sources, as_of="end")
    taken_on = [(each.id, each) for each in bought if each.id is not None]
    told = {id: each.status for id, each in taken_on}
    kept, others = ends(urls["purchase"], told.keys())
    return Audit(
        told=told,
        kept=kept,
        others=others,
        unpaid=[id for id, each in taken_on if each.dear and each.status == "SUCCESS"],
        turned_back=[f"{id}: {each.reason}" for id, each in taken_on if not each.dear and each.status != "SUCCESS"],
        rows=sum(account.records for account in result.accounts),
        databases=compare(in_databases(wrong), ((each.case, each.expectation, each.kind) for each in result.findings)),
        findings=found,
        by_fault=Counter(each.story for each in wrong),
        cases=reconciler.cases(),
        redelivered=reconciler.redelivered(),
    )


def _settled(shop: Open, urls: Mapping[str, str], reconciler: Reconciler) -> tuple[list[Answer], Comparison]:
    """What went wrong and what was found, once Sagacity has judged past the last deadline and the two agree; as they are
    after a minute otherwise."""
    limit = time.monotonic() + _WITHIN
    [(_, last)] = counted(urls["payment"], _LAST)
    due = last / 1_000_000 + WINDOW.total_seconds()
    logs = Path(shop.stack.folder) / "logs"
    while True:
        wrong = answers(logs, urls, WINDOW)
        try:
            found = compare(wrong, reconciler.outcomes())
            as_of = reconciler.as_of()
        except httpx.HTTPError:
            if time.monotonic() > limit:
                raise
            continue
        past = as_of is not None and datetime.fromisoformat(as_of).timestamp() > due
        if (past and found.equal) or time.monotonic() > limit:
            return wrong, found
        time.sleep(_LOOK)
