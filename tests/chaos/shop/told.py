"""Whether each purchase came to one end, and everybody is told the same of it, however often and whoever is asked."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from bench.shop.buyer import Token
from bench.shop.planned import Ended, Wares, wrong_ends

from shop.customers.edge import Edge
from shop.customers.following import Following

__all__ = ["ends", "retold", "turned"]

_SILENT = "no answer in time"
_AT_ONCE = 4
_PATH = "/api/v1/purchases"


def turned(ended: Sequence[Ended]) -> list[Ended]:
    """Those that were turned back since a participant was away for longer than the orchestrator is patient."""
    return [each for each in ended if each.status == "FAILED" and _SILENT in (each.reason or "")]


def ends(ended: Sequence[Ended], wares: Wares) -> list[str]:
    """What ended otherwise than it must, in words; those that were turned back may end so."""
    back = turned(ended)
    rest = [each for each in ended if each not in back]
    if any(each.planned.kind == "last units" for each in back):  # then some of the last units may be left
        rest = [each for each in rest if each.planned.kind != "last units"]
    return wrong_ends(rest, wares)


def retold(web: str, ended: Sequence[Ended], token: Token, key: str) -> list[str]:
    """Ask again for each purchase that was taken on: what it is, how it went from the beginning, and the same once more
    with the same idempotency key. What is told otherwise than its buyer was told, in words."""
    taken_on = [each for each in ended if each.id is not None]
    with ThreadPoolExecutor(_AT_ONCE) as asking:
        parts = [taken_on[at::_AT_ONCE] for at in range(_AT_ONCE)]
        return [wrong for found in asking.map(lambda part: _asked(web, part, token, key), parts) for wrong in found]


def _asked(web: str, ended: Sequence[Ended], token: Token, key: str) -> list[str]:
    edge = Edge(web)
    try:
        return [f"purchase {each.id}: {why}" for each in ended for why in _unlike(edge, each, token, key)]
    finally:
        edge.close()


def _unlike(edge: Edge, ended: Ended, token: Token, key: str) -> list[str]:
    def signed() -> dict[str, str]:
        return {"Authorization": f"Bearer {token(ended.planned.customer)}"}

    def unlike(what: str, now: object, then: object) -> list[str]:
        return [] if now == then else [f"{what} is {now}, and its buyer was told {then}"]

    path = f"{_PATH}/{ended.id}"
    shown = edge.ask("GET", path, headers=signed()).body
    following = Following(edge, path, signed)
    result = following.to_its_end()
    again = edge.ask("POST", _PATH, ended.planned.body, {**signed(), "Idempotency-Key": f"{key}-{ended.planned.number}"})
    steps = tuple((each.step, each.result, each.time) for each in following.steps)
    return [
        *unlike("its status", (shown["status"], shown["reason"]), (ended.status, ended.reason)),
        *unlike("its result", (result.result, result.reason), (ended.status, ended.reason)),
        *unlike("how it went", (steps, following.gap), (ended.steps, False)),
        *unlike("the same with its key", (again.status, again.body.get("id")), (202, str(ended.id))),
    ]
