"""What a process remembers of sagas is bounded, and never goes back."""

from __future__ import annotations

import msgspec

from saga_stories import PURCHASE
from sagacity.saga.decide import begin
from sagacity.saga.recent import Recent
from sagacity.saga.state import SagaState


def _saga(id: str, size: int = 0) -> SagaState:
    return begin(PURCHASE, id, msgspec.json.encode({"items": "x" * size}), 1).saga


def _known(recent: Recent, *ids: str) -> list[str]:
    return [id for id in ids if recent.get(id) is not None]


def test_the_oldest_are_forgotten_once_there_are_too_many() -> None:
    recent = Recent(most=2)
    for id in ("a", "b", "c"):
        recent.know(1, _saga(id))
    assert _known(recent, "a", "b", "c") == ["b", "c"]


def test_the_oldest_are_forgotten_once_they_hold_too_much() -> None:
    recent = Recent(most_bytes=250_000)
    for id in ("a", "b", "c"):
        recent.know(1, _saga(id, 100_000))
    assert _known(recent, "a", "b", "c") == ["b", "c"]
    recent.know(2, _saga("b"))
    recent.know(1, _saga("d", 100_000))
    assert _known(recent, "b", "c", "d") == ["b", "c", "d"], "what was let go of makes room"


def test_what_is_known_to_have_gone_on_is_not_taken_back() -> None:
    recent = Recent()
    recent.know(3, _saga("a"))
    recent.know(2, _saga("a", 10))
    assert recent.get("a") == (3, _saga("a"))
    recent.know(4, msgspec.structs.replace(_saga("a"), status="completed"))
    assert recent.get("a") is None
