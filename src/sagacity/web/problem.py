"""Errors as RFC 9457 problem details: one table from what went wrong to a status, one shape for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException

from sagacity.errors import (
    FullError,
    LedgerError,
    MessagingError,
    SagacityError,
    SourceError,
    StoreError,
    UsageError,
    WorkflowError,
)
from sagacity.sources.push import BusyError
from sagacity.web.logs import log
from sagacity.workflow.problems import Problem as WorkflowProblem

__all__ = ["MEDIA_TYPE", "Mistake", "Problem", "Refused", "answer", "answered", "problem_of"]

MEDIA_TYPE = "application/problem+json"

_STATUSES: tuple[tuple[type[SagacityError], int], ...] = (
    (BusyError, 503),
    (FullError, 503),
    (WorkflowError, 422),
    (UsageError, 400),
    (SourceError, 503),
    (LedgerError, 503),
    (StoreError, 503),
    (MessagingError, 503),
    (SagacityError, 400),
)
"""The first class that fits says what a request is answered with."""

_RETRY_AFTER = "1"


class Mistake(msgspec.Struct, frozen=True, kw_only=True):
    """A mistake in a workflow: where it stands, what it is, and how to mend it. Lines and columns count from 1."""

    message: str
    hint: str | None = None
    path: str = ""
    severity: str = "error"
    file: str | None = None
    line: int | None = None
    column: int | None = None

    @classmethod
    def of(cls, problem: WorkflowProblem) -> Mistake:
        place = problem.place
        return cls(
            message=problem.message,
            hint=problem.hint,
            path=problem.path,
            severity=problem.severity,
            file=place.file if place else None,
            line=place.line if place else None,
            column=place.column if place else None,
        )


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What went wrong (RFC 9457). `hint` says how to mend it; `problems` lists the mistakes of a workflow."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"
    hint: str | None = None
    problems: Sequence[Mistake] = ()


class Refused(Exception):  # noqa: N818
    """A request that is answered with a problem."""

    def __init__(self, status: int, detail: str, hint: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.problem = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, hint=hint)
        self.headers = dict(headers or {})


def problem_of(error: Exception) -> tuple[Problem, dict[str, str]]:
    """The problem that an error is told as, and headers that belong to it. What was not foreseen is told as 500 without
    a word of what it says, since that could hold anything."""
    match error:
        case Refused():
            return error.problem, error.headers
        case WorkflowError():
            count = len(error.problems)
            detail = f"the workflow has {count} mistake{'' if count == 1 else 's'}; the one that was there stays"
            mistakes = tuple(map(Mistake.of, error.problems))
            return Problem(title=HTTPStatus(422).phrase, status=422, detail=detail, problems=mistakes), {}
        case SagacityError():
            status = next(status for kind, status in _STATUSES if isinstance(error, kind))
            headers = {"Retry-After": _RETRY_AFTER} if status == 503 else {}
            return Problem(title=HTTPStatus(status).phrase, status=status, detail=error.message, hint=error.hint), headers
        case HTTPException():
            return _of_framework(error), dict(error.headers or {})
        case _:
            detail = "a mistake in Sagacity itself; the server's log says more"
            return Problem(title=HTTPStatus(500).phrase, status=500, detail=detail), {}


def answer(problem: Problem, headers: Mapping[str, str] | None = None) -> Response[Problem]:
    """The problem as a response."""
    return Response(problem, status_code=problem.status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def answered(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """The exception handler of the whole application."""
    problem, headers = problem_of(error)
    if problem.status == 500:
        log().error("unforeseen", method=request.method, path=request.url.path, exc_info=error)
    return answer(problem, headers)


def _of_framework(error: HTTPException) -> Problem:
    status = error.status_code
    detail, hint = error.detail, None
    if isinstance(error.extra, list) and error.extra:
        told = [each for each in error.extra if isinstance(each, dict)]
        detail = "; ".join(f"{each.get('key', '?')}: {each.get('message', '')}" for each in told) or detail
    if status == 404:
        detail, hint = "there is nothing at this address", "GET /api/v1/openapi.json lists what there is"
    if status >= 500:
        detail = "a mistake in Sagacity itself; the server's log says more"
    return Problem(title=HTTPStatus(status).phrase, status=status, detail=detail[:1000], hint=hint)
