"""Rejected records are told of in the log: once a minute for each source, with the first reason."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from fakes.live_ledger import MemoryLedger
from sagacity.cli.server.rejections import Rejections
from sagacity.ledger.live import Page, PartState, Refusal

MINUTE = 60_000_000


class _Refusing(MemoryLedger):
    """Knows only how many records of each source were rejected; the latest reason comes first."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: Mapping[str, int] = {}

    def parts(self) -> list[PartState]:
        return [
            PartState(source=source, part="0", position=1, latest=None, heard=None, records=n, rejected=n)
            for source, n in self.refused.items()
        ]

    def refusals(self, *, cursor: str | None = None, limit: int = 50) -> Page[Refusal]:
        del cursor
        found = [
            Refusal(workflow="w", source=source, part="0", position=n, arrived=n, reason=f"reason {n}", shown="")
            for source, count in self.refused.items()
            for n in range(count, 0, -1)
        ]
        return Page(tuple(found[:limit]))


class _Hand:
    at = 10 * MINUTE

    def now(self) -> int:
        return self.at


@pytest.fixture
def ledger() -> _Refusing:
    return _Refusing()


def test_what_is_rejected_is_told_once_a_minute_with_the_first_reason(ledger: _Refusing) -> None:
    told: list[tuple[str, int, str]] = []
    clock = _Hand()
    ledger.refused = {"orders": 2}
    rejections = Rejections(ledger, clock, lambda *said: told.append(said))
    assert not rejections.look()
    assert told == []
    ledger.refused = {"orders": 5}
    assert not rejections.look()
    assert told == [("orders", 3, "reason 3")]
    ledger.refused = {"orders": 6}
    assert rejections.look()
    assert len(told) == 1
    clock.at += MINUTE
    assert not rejections.look()
    assert told[1:] == [("orders", 1, "reason 6")]
