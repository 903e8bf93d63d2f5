"""What an operator looks after: the audit log, notices that could not be delivered, judging again."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.openapi.spec import Example
from litestar.params import Body
from msgspec import Meta

from sagacity.web.api.described import Cursor, Limit, errors
from sagacity.web.api.documents import AuditEntry, Letter, Listed, listed
from sagacity.web.context import Here
from sagacity.web.deeds import redrive, replay
from sagacity.web.identity import Asking
from sagacity.web.times import instant_of

__all__ = ["audit", "dead_letters", "judge_again", "redrive_dead_letters"]


class Period(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """From an instant on, up to another, which no longer belongs to it."""

    from_: Annotated[str, Meta(max_length=100)]
    to: Annotated[str, Meta(max_length=100)]


class Replayed(msgspec.Struct, frozen=True):
    """What a replay did: cases judged again; findings opened, reopened and resolved: none, unless verdicts were wrong.
    `archived` cases that reach into the period were not judged again."""

    cases: int
    opened: int
    reopened: int
    resolved: int
    archived: int


class Letters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which dead letters: the numbers of their notices; null for all."""

    numbers: Annotated[list[Annotated[str, Meta(pattern="^[0-9]{1,18}$")]], Meta(max_length=10_000)] | None = None


class Redriven(msgspec.Struct, frozen=True):
    """How many notices will be delivered again."""

    redriven: int


LettersBody = Annotated[Letters, Body(examples=[Example(value={"numbers": ["17"]})])]
PeriodBody = Annotated[Period, Body(examples=[Example(value={"from": "2026-10-01", "to": "2026-10-02"})])]


@get("/api/v1/audit", sync_to_thread=True, tags=["upkeep"], summary="The audit log", responses=errors())
def audit(served: Here, cursor: Cursor = None, limit: Limit = 50) -> Listed[AuditEntry]:
    """Who did what, newest first."""
    return listed(served.ledger.audits(cursor=cursor, limit=limit), AuditEntry.of)


@get(
    "/api/v1/notices/dead-letters",
    sync_to_thread=True,
    tags=["upkeep"],
    summary="Notices that were never delivered",
    responses=errors(),
)
def dead_letters(served: Here, cursor: Cursor = None, limit: Limit = 50) -> Listed[Letter]:
    """Each with the reason."""
    return listed(served.ledger.dead_letters(cursor=cursor, limit=limit), Letter.of)


@post(
    "/api/v1/notices/dead-letters/redrive",
    tags=["upkeep"],
    summary="Deliver them after all",
    status_code=200,
    opt={"need": "operator"},
    responses=errors(413, 504),
)
async def redrive_dead_letters(served: Here, request: Asking, data: LettersBody) -> Redriven:
    """Have dead letters delivered again: those of the numbers given, or all of them without any. Channels that a notice has
    reached already are not told again."""
    numbers = None if data.numbers is None else {int(number) for number in data.numbers}
    return Redriven(await redrive(served, request.user, numbers))


@post(
    "/api/v1/replay",
    tags=["upkeep"],
    summary="Judge a period again",
    status_code=200,
    opt={"need": "operator"},
    responses=errors(409, 413, 504),
)
async def judge_again(served: Here, request: Asking, data: PeriodBody) -> Replayed:
    """Judge again every case with an event in the period, from what the ledger keeps; archived cases are not judged
    again. Answered when all is done, however long that takes."""
    judged = await replay(served, request.user, instant_of(data.from_), instant_of(data.to))
    return Replayed(judged.cases, judged.opened, judged.reopened, judged.resolved, judged.archived)
