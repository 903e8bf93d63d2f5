"""One case: its row, and its timeline with each expectation's verdict."""

from __future__ import annotations

from typing import Annotated

from litestar import get
from litestar.params import FromPath, QueryParameter

from sagacity.ledger.live import CaseRow, FindingFilter
from sagacity.web.api.case_document import TimelineDocument
from sagacity.web.api.described import errors
from sagacity.web.api.documents import CaseDocument
from sagacity.web.api.workflows import no_workflow
from sagacity.web.context import Here, Served
from sagacity.web.problem import Refused
from sagacity.web.timeline import Timeline, timeline

__all__ = ["any_case", "any_timeline", "case", "case_timeline", "found_timeline"]

WorkflowName = Annotated[
    str | None, QueryParameter(description="the case's workflow; needed where cases of several have this id")
]
CaseId = Annotated[str, QueryParameter(description="the value of the workflow's first key", max_length=2_000)]
_FINDINGS = 500


@get("/api/v1/cases/{case:str}", sync_to_thread=True, tags=["cases"], summary="One case", responses=errors(404, 409))
def case(served: Here, case: FromPath[str], workflow: WorkflowName = None) -> CaseDocument:
    """The case as it was judged last."""
    return CaseDocument.of(_row(served, case, workflow))


@get(
    "/api/v1/cases/{case:str}/timeline",
    sync_to_thread=True,
    tags=["cases"],
    summary="A case's timeline",
    responses=errors(404, 409),
)
def case_timeline(served: Here, case: FromPath[str], workflow: WorkflowName = None) -> TimelineDocument:
    """Every event of the case, those later than its as-of included and marked as not judged; each expectation with its
    verdict and the reason; its findings."""
    return TimelineDocument.of(found_timeline(served, case, workflow))


@get("/api/v1/case", sync_to_thread=True, tags=["cases"], summary="One case, whatever its id", responses=errors(404, 409))
def any_case(served: Here, case: CaseId, workflow: WorkflowName = None) -> CaseDocument:
    """As `/api/v1/cases/{case}`, for ids that an address cannot hold: with a slash, empty, `..`."""
    return CaseDocument.of(_row(served, case, workflow))


@get(
    "/api/v1/timeline",
    sync_to_thread=True,
    tags=["cases"],
    summary="A case's timeline, whatever its id",
    responses=errors(404, 409),
)
def any_timeline(served: Here, case: CaseId, workflow: WorkflowName = None) -> TimelineDocument:
    """As `/api/v1/cases/{case}/timeline`, for ids that an address cannot hold."""
    return TimelineDocument.of(found_timeline(served, case, workflow))


def found_timeline(served: Served, case: str, workflow: str | None = None) -> Timeline:
    """The timeline of a case; of the one workflow that has it where none is named. Reads from the ledger.

    Raises Refused: 404 where there is no such case, 409 where several workflows have one.
    """
    row = _row(served, case, workflow)
    found = served.readings.named(row.workflow)
    if found is None:
        raise no_workflow(served.readings, row.workflow)
    which = FindingFilter(workflow=row.workflow, case=row.case)
    findings = served.ledger.findings(which, limit=_FINDINGS).items
    stored = served.ledger.events(row.workflow, row.case)
    return timeline(found[1], row, stored, findings, served.live.status().behind if row.behind else None)


def _row(served: Served, case: str, workflow: str | None) -> CaseRow:
    named = [stored.name for stored in served.ledger.workflows()]
    if workflow is not None and workflow not in named:
        raise no_workflow(served.readings, workflow)
    asked = named if workflow is None else [workflow]
    rows = [row for name in asked if (row := served.ledger.case(name, case)) is not None]
    if not rows:
        raise Refused(404, f"there is no case {case[:80]}", "GET /api/v1/workflows/NAME/cases?text= searches for one")
    if len(rows) > 1:
        told = ", ".join(row.workflow for row in rows)
        raise Refused(409, f"several workflows have a case {case[:80]}: {told}", "say which: ?workflow=")
    return rows[0]
