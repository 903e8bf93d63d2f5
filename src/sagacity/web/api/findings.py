"""Findings, what people do about them, and incidents."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.openapi.spec import Example
from litestar.params import Body, FromPath, FromQuery, QueryParameter
from msgspec import Meta

from sagacity.ledger.live import Action, FindingFilter, FindingState
from sagacity.web.api.described import Cursor, Limit, errors
from sagacity.web.api.documents import FindingDetail, FindingDocument, IncidentDocument, Listed, listed
from sagacity.web.context import Here, Served
from sagacity.web.deeds import act_on
from sagacity.web.identity import Asking, Identity
from sagacity.web.problem import Refused
from sagacity.web.times import later
from sagacity.workflow.model import Severity
from sagacity.workflow.verdict import FindingKind

__all__ = ["acknowledge", "finding", "findings", "incidents", "reopen", "waive"]

Reason = Annotated[str, Meta(max_length=1_000, description="why; it stands in the history and in the audit log")]


class Because(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why somebody acts on a finding."""

    reason: Reason | None = None


class Waiver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a finding is waived, and until when: an instant, or how long from now such as `7d`; for good without it."""

    reason: Annotated[str, Meta(min_length=1, max_length=1_000)]
    until: Annotated[str, Meta(max_length=100, examples=["7d", "2026-12-01T00:00Z"])] | None = None


BecauseBody = Annotated[Because | None, Body(examples=[Example(value={"reason": "looking into it"})])]
WaiverBody = Annotated[Waiver, Body(examples=[Example(value={"reason": "known carrier strike", "until": "7d"})])]


@get("/api/v1/findings", sync_to_thread=True, tags=["findings"], summary="Findings", responses=errors())
def findings(
    served: Here,
    workflow: FromQuery[str | None] = None,
    states: Annotated[list[FindingState] | None, QueryParameter(name="state", description="may be repeated")] = None,
    owner: FromQuery[str | None] = None,
    severity: FromQuery[Severity | None] = None,
    kind: FromQuery[FindingKind | None] = None,
    expectation: FromQuery[str | None] = None,
    case: FromQuery[str | None] = None,
    incident: FromQuery[str | None] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Listed[FindingDocument]:
    """Those that fit all that is given, newest first."""
    which = FindingFilter(
        workflow=workflow,
        states=tuple(states or ()),
        owner=owner,
        severity=severity,
        kind=kind,
        expectation=expectation,
        case=case,
        incident=incident,
    )
    return listed(served.ledger.findings(which, cursor=cursor, limit=limit), FindingDocument.of)


@get(
    "/api/v1/findings/{finding:str}",
    sync_to_thread=True,
    tags=["findings"],
    summary="One finding, with its history",
    responses=errors(404),
)
def finding(served: Here, finding: FromPath[str]) -> FindingDetail:
    """What is wrong, and all that has become of it."""
    return _detail(served, finding)


@post(
    "/api/v1/findings/{finding:str}/acknowledge",
    tags=["findings"],
    summary="Acknowledge a finding",
    status_code=200,
    opt={"need": "operator"},
    responses=errors(404, 409, 413, 504),
)
async def acknowledge(served: Here, request: Asking, finding: FromPath[str], data: BecauseBody = None) -> FindingDocument:
    """Say that somebody looks into it."""
    reason = data.reason if data else None
    return await _act(served, request.user, finding, Action(what="acknowledge", by=request.user.name, reason=reason))


@post(
    "/api/v1/findings/{finding:str}/waive",
    tags=["findings"],
    summary="Waive a finding",
    status_code=200,
    opt={"need": "operator"},
    responses=errors(404, 409, 413, 504),
)
async def waive(served: Here, request: Asking, finding: FromPath[str], data: WaiverBody) -> FindingDocument:
    """Accept it as it is, for good or until an instant; it is open again from then on if it still stands."""
    until = None if data.until is None else later(data.until, served.now())
    action = Action(what="waive", by=request.user.name, reason=data.reason, until=until)
    return await _act(served, request.user, finding, action)


@post(
    "/api/v1/findings/{finding:str}/reopen",
    tags=["findings"],
    summary="Reopen a finding",
    status_code=200,
    opt={"need": "operator"},
    responses=errors(404, 409, 413, 504),
)
async def reopen(served: Here, request: Asking, finding: FromPath[str], data: BecauseBody = None) -> FindingDocument:
    """Take an acknowledgement or a waiver back."""
    reason = data.reason if data else None
    return await _act(served, request.user, finding, Action(what="reopen", by=request.user.name, reason=reason))


@get("/api/v1/incidents", sync_to_thread=True, tags=["findings"], summary="Incidents", responses=errors())
def incidents(served: Here, cursor: Cursor = None, limit: Limit = 50) -> Listed[IncidentDocument]:
    """Findings grouped by one cause, the one that grew last first."""
    return listed(served.ledger.incidents(cursor=cursor, limit=limit), IncidentDocument.of)


async def _act(served: Served, who: Identity, finding: str, action: Action) -> FindingDocument:
    return FindingDocument.of(await act_on(served, who, finding, action))


def _detail(served: Served, finding: str) -> FindingDetail:
    found = served.ledger.finding(finding)
    if found is None:
        raise Refused(404, f"there is no finding {finding[:80]}", "GET /api/v1/findings lists them")
    return FindingDetail.told(found, served.ledger.history(finding))
