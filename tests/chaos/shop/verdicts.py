"""Whether the reconciler finds what `sagacity check` finds in what was published, and what really went wrong."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec

from sagacity.demo.answers import Answer, Expected, compare
from sagacity.reconcile.result import Finding
from shop.demo.truth import answers, counted

from .published import Published
from .scene import WINDOW, Besieged

__all__ = ["Verdicts", "differences", "forgotten", "judged", "went_wrong"]

_WITHIN = 180.0
_LOOK = 1.0
_SHOWN = 8
_LAST = "select 'last', coalesce(floor(extract(epoch from max(received_at)) * 1000000), 0)::bigint from payments"
_REFUNDED = "select purchase_id::text, count(*) from payments where refunded_at is not null group by 1"
_SHIPPED = "select purchase_id::text, count(*) from shipments group by 1"
_TOO_LATE = "what was refunded was not shipped"


class Verdicts(msgspec.Struct, frozen=True, kw_only=True):
    """`by_story` is how often each thing really went wrong, `findings` how many are open, `resolved` how many were opened
    and mended themselves by what came after all. `delayed` are deadlines that an outage made the shop miss, besides those
    that the databases tell of, by expectation. `wrong` is empty where all are as they must be."""

    by_story: Mapping[str, int]
    findings: int
    resolved: int
    delayed: Mapping[str, int]
    redelivered: int
    messages: int
    wrong: Sequence[str]


def forgotten(logs: Path, databases: Mapping[str, str]) -> set[int]:
    """The purchases that the warehouse confesses never to have shipped."""
    return {int(each.case) for each in went_wrong(logs, databases) if each.fault == "drop"}


def went_wrong(logs: Path, databases: Mapping[str, str]) -> list[Answer]:
    """What must be found, told by logs and databases alone."""
    shipped = dict(counted(databases["warehouse"], _SHIPPED))
    refunded = [id for id, _ in counted(databases["payment"], _REFUNDED) if id in shipped]
    expected = (Expected(_TOO_LATE, "unexpected"),)
    turned = [Answer(id, "refunded", "refunded, and shipped already", expected) for id in refunded]
    return [*answers(logs, databases, WINDOW), *turned]


def judged(besieged: Besieged, databases: Mapping[str, str], folder: Path) -> Verdicts:
    """All of it, once nothing is under way any more and the last deadline has passed. What differs then is wrong."""
    logs = besieged.scene.stack.folder / "logs"
    published = Published(besieged.scene.stack.addresses.kafka, besieged.workflow, folder)
    [(_, last)] = counted(databases["payment"], _LAST)
    due = last / 1_000_000 + WINDOW.total_seconds()
    limit = time.monotonic() + _WITHIN
    while True:
        found = _asked(besieged, due)
        if found is not None:
            as_of, live = found
            differing = differences(live, published.found(as_of))
            if not differing or time.monotonic() > limit:
                break
        elif time.monotonic() > limit:
            return _never(published, besieged)
        time.sleep(_LOOK)
    wrong = went_wrong(logs, databases)
    open_ones = [each for each in live if each["state"] != "resolved"]
    compared = compare(wrong, {(each["case"], each["expectation"], each["kind"]) for each in open_ones})
    planted = {expected.expectation for each in wrong for expected in each.findings}
    delayed = [each for each in compared.unplanted if each[2] == "late" and each[1] not in planted]
    unplanted = [each for each in compared.unplanted if each not in delayed]
    stories = [each.story for each in wrong]
    return Verdicts(
        by_story={story: stories.count(story) for story in sorted(set(stories))},
        findings=len(open_ones),
        resolved=len(live) - len(open_ones),
        delayed=Counter(expectation for _, expectation, _ in delayed),
        redelivered=besieged.reconciler.redelivered(),
        messages=published.messages,
        wrong=[
            *differing,
            *(f"found, and nothing is wrong: {each}" for each in unplanted[:_SHOWN]),
            *(f"wrong, and not found: {each}" for each in compared.unfound[:_SHOWN]),
        ],
    )


def _asked(besieged: Besieged, due: float) -> tuple[str, list[dict[str, Any]]] | None:
    """As-of and findings; None where it has not judged so far, or does not answer."""
    try:
        as_of = besieged.reconciler.as_of()
        if as_of is None or datetime.fromisoformat(as_of).timestamp() <= due:
            return None
        return as_of, besieged.reconciler.findings()
    except httpx.HTTPError:
        return None


def differences(live: Sequence[Mapping[str, Any]], checked: Sequence[Finding]) -> list[str]:
    """Between what the reconciler has open, and what `check` finds."""
    held = {(each["id"], each["kind"]): each["message"] for each in live if each["state"] != "resolved"}
    history = {(each.id, each.kind): f"{each.case}: {each.message}" for each in checked}
    more = [f"the reconciler finds, and check does not: {held[key]}" for key in held.keys() - history.keys()]
    return [
        *more[:_SHOWN],
        *[f"check finds, and the reconciler does not: {history[key]}" for key in history.keys() - held.keys()][:_SHOWN],
    ]


def _never(published: Published, besieged: Besieged) -> Verdicts:
    try:
        state = f"is {besieged.reconciler.state()}, as of {besieged.reconciler.as_of()}"
    except httpx.HTTPError as error:
        state = f"does not answer: {error}"
    return Verdicts(
        by_story={}, findings=0, resolved=0, delayed={}, redelivered=0, messages=published.messages,
        wrong=[f"the reconciler has not judged past the last deadline: it {state}"],
    )  # fmt: skip
