"""What a round came to, and rounds as columns of one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil

import msgspec

from bench.table import table

__all__ = ["Round", "quantile", "told"]


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """What a round came to. `took` has the seconds from POST to result of each purchase that was taken on, sorted. `wrong`
    is what did not end as it must, `found` what `sagacity check` finds, `sums` which sums disagree: all empty where all is
    well."""

    name: str
    took: Sequence[float]
    answered: Sequence[float]
    seconds: float
    ends: dict[str, int]
    again: int
    kills: dict[str, int]
    settled: float
    unanswered: int
    wrong: Sequence[str]
    found: Sequence[str]
    sums: Sequence[str]
    others: float | None
    load: float

    @property
    def well(self) -> bool:
        return not (self.wrong or self.found or self.sums)

    @property
    def many(self) -> int:
        return sum(self.ends.values())


def _milliseconds(share: float) -> Callable[[Round], str]:
    return lambda each: f"{1000 * quantile(each.took, share):,.0f}"


def _kills(each: Round) -> str:
    servers = sum(many for name, many in each.kills.items() if name in ("redis-1", "postgres", "kafka"))
    return f"{sum(each.kills.values()) - servers} + {servers}" if each.kills else "–"


_ROWS: tuple[tuple[str, Callable[[Round], str]], ...] = (
    ("purchases", lambda each: f"{each.many:,}"),
    ("POST to result, p50 ms", _milliseconds(0.5)),
    ("p95 ms", _milliseconds(0.95)),
    ("p99 ms", _milliseconds(0.99)),
    ("POST to its answer, p50 ms", lambda each: f"{1000 * quantile(each.answered, 0.5):,.0f}"),
    ("purchases a second", lambda each: f"{each.many / each.seconds:,.1f}"),
    ("kills: services and edge, servers", _kills),
    ("requests made again", lambda each: f"{each.again:,}"),
    ("succeeded", lambda each: f"{each.ends.get('SUCCESS', 0):,}"),
    ("turned back", lambda each: f"{each.ends.get('FAILED', 0):,}"),
    ("of these after an outage that was too long", lambda each: f"{each.unanswered:,}"),
    ("refused", lambda each: f"{each.ends.get('REFUSED', 0):,}"),
    ("everything settled after, s", lambda each: f"{each.settled:.1f}"),
    ("**ended otherwise than they must**", lambda each: f"{len(each.wrong):,}"),
    ("**findings between the databases**", lambda each: f"{len(each.found):,}"),
    ("**sums that disagree**", lambda each: f"{len(each.sums):,}"),
    ("load before", lambda each: f"{each.load:.1f}"),
    ("processors that others kept busy", lambda each: "?" if each.others is None else f"{each.others:.2f}"),
)


def told(rounds: Sequence[Round]) -> str:
    """The table."""
    rows = [(name, *(show(each) for each in rounds)) for name, show in _ROWS]
    return table("Purchases, from POST to result", ("", *(each.name for each in rounds)), rows)


def quantile(sorted_values: Sequence[float], share: float) -> float:
    """The least value that at least so large a share does not exceed; 0 where there are none."""
    if not sorted_values:
        return 0.0
    return sorted_values[max(ceil(share * len(sorted_values)) - 1, 0)]
