"""The HTTP API: `/api/v1`, and what machines that look after the server ask for."""

from __future__ import annotations

from collections.abc import Sequence

from litestar.types import ControllerRouterHandler

from sagacity.web.api.cases import any_case, any_timeline, case, case_timeline
from sagacity.web.api.changes import changes
from sagacity.web.api.findings import acknowledge, finding, findings, incidents, reopen, waive
from sagacity.web.api.sagas import SAGAS
from sagacity.web.api.status import accounts, healthz, readyz, rejected, sources, status
from sagacity.web.api.upkeep import audit, dead_letters, judge_again, redrive_dead_letters
from sagacity.web.api.workflows import adopt_workflow, cases_of, counts, workflow, workflows

__all__ = ["API"]

API: Sequence[ControllerRouterHandler] = (
    status,
    sources,
    rejected,
    accounts,
    workflows,
    workflow,
    adopt_workflow,
    counts,
    cases_of,
    case,
    case_timeline,
    any_case,
    any_timeline,
    findings,
    finding,
    acknowledge,
    waive,
    reopen,
    incidents,
    *SAGAS,
    audit,
    dead_letters,
    redrive_dead_letters,
    judge_again,
    changes,
    healthz,
    readyz,
)
