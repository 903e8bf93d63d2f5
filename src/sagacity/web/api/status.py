"""How the server does: for people, for programs that watch it, for whoever restarts it."""

from __future__ import annotations

import msgspec
from litestar import Response, get
from litestar.enums import MediaType

from sagacity.errors import SagacityError
from sagacity.web.api.described import Cursor, Limit, errors
from sagacity.web.api.documents import (
    AccountDocument,
    Listed,
    RefusalDocument,
    SourcePart,
    StatusDocument,
    listed,
    source_parts,
)
from sagacity.web.context import Here
from sagacity.web.problem import Refused

__all__ = ["accounts", "healthz", "readyz", "rejected", "sources", "status"]

_RETRY = {"Retry-After": "1"}


@get("/api/v1/status", sync_to_thread=True, tags=["server"], summary="How the server does", responses=errors())
def status(served: Here) -> StatusDocument:
    """State, as-of, rate, and how far each source has been read."""
    return StatusDocument.of(served.live.status())


class Sources(msgspec.Struct, frozen=True):
    """All parts of all sources."""

    items: list[SourcePart]


class Accounts(msgspec.Struct, frozen=True):
    """The accounts of all sources, by workflow."""

    items: list[AccountDocument]


@get("/api/v1/sources", sync_to_thread=True, tags=["sources"], summary="Health and lag of sources", responses=errors())
def sources(served: Here) -> Sources:
    """Each part of each source: whether it is current, behind or down, what waits, and what the ledger has of it."""
    return Sources(source_parts(served.ledger.parts(), served.live.status()))


@get("/api/v1/accounts", sync_to_thread=True, tags=["sources"], summary="What became of records", responses=errors())
def accounts(served: Here) -> Accounts:
    """For each workflow and source: how many records matched, were redelivered, late, unmatched, orphans or rejected."""
    return Accounts([AccountDocument.of(account) for account in served.ledger.accounts()])


@get(
    "/api/v1/sources/rejected",
    sync_to_thread=True,
    tags=["sources"],
    summary="Records that could not be read",
    responses=errors(),
)
def rejected(served: Here, cursor: Cursor = None, limit: Limit = 50) -> Listed[RefusalDocument]:
    """The latest of them, newest first: where each stood, why it was rejected, and how it began."""
    return listed(served.ledger.refusals(cursor=cursor, limit=limit), RefusalDocument.of)


@get(
    "/healthz",
    sync_to_thread=False,
    tags=["server"],
    summary="Whether the process lives",
    media_type=MediaType.TEXT,
    opt={"need": None, "paced": False},
)
def healthz() -> str:
    """Answers as long as the process does anything at all. A server that is not ready is alive."""
    return "ok\n"


class Ready(msgspec.Struct, frozen=True):
    """That the server takes records in and judges them."""

    ready: bool = True


@get(
    "/readyz",
    sync_to_thread=True,
    tags=["server"],
    summary="Whether records are taken in and judged",
    opt={"need": None, "paced": False},
    responses={503: errors(503)[503]},
)
def readyz(served: Here) -> Response[Ready]:
    """503 with the reason while the server starts, is stalled, has stopped, or cannot read its ledger."""
    state = served.live.status()
    if state.state != "running":
        raise Refused(503, f"the server is {state.state}", state.problem, _RETRY)
    try:
        served.ledger.workflows()
    except SagacityError as error:
        raise Refused(503, f"the ledger cannot be read: {error.message}", error.hint, _RETRY) from None
    return Response(Ready())
