"""Dead letters, taken up again once what was wrong has been mended."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from sagacity.ledger.live import Delivery, LiveLedger, Notice, Settled

__all__ = ["redrive"]


def redrive(ledger: LiveLedger, now: int, numbers: Collection[int] | None = None) -> int:
    """Have dead letters delivered again, all or those of these numbers; how many. For the thread that writes.

    Channels that a notice has reached are not told again; on the others its tries are counted anew.
    """
    found: list[Notice] = []
    cursor: str | None = None
    while True:
        page = ledger.dead_letters(cursor=cursor, limit=500)
        found += [notice for notice, _ in page.items if numbers is None or notice.number in numbers]
        cursor = page.cursor
        if cursor is None:
            break
    if found:
        ledger.settle([Settled(number=each.number, deliveries=_revived(each.deliveries, now), again=now) for each in found])
    return len(found)


def _revived(deliveries: tuple[Delivery, ...], now: int) -> tuple[Delivery, ...]:
    return tuple(
        msgspec.structs.replace(each, state="waiting", since=now, again=now, tries=0) if each.state == "dead" else each
        for each in deliveries
    )
