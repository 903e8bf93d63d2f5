"""Changes as server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from litestar import get
from litestar.params import HeaderParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage

from sagacity.web.api.described import errors
from sagacity.web.api.documents import ChangeDocument
from sagacity.web.context import Here, Served
from sagacity.web.problem import Refused

__all__ = ["changes"]

_RETRY = 2_000


@get(
    "/api/v1/changes",
    tags=["server"],
    summary="Changes as they happen",
    media_type="text/event-stream",
    responses=errors(),
)
async def changes(
    served: Here,
    last: Annotated[str | None, HeaderParameter(name="Last-Event-ID", description="of a watcher that comes again")] = None,
) -> ServerSentEvent:
    """Server-sent events: `hello` at first; `change` with a JSON document for every round that changed something, and, with
    counts of 0, where somebody did; `heartbeat` while nothing does; `reload` where changes were missed, because the watcher
    was too slow or comes again (`Last-Event-ID`): what it shows is to be read anew."""
    if served.changes.full():
        raise Refused(503, "too many watch already", "try again later", {"Retry-After": "10"})
    return ServerSentEvent(_told(served, "hello" if last is None else "reload"))


async def _told(served: Served, first: str) -> AsyncIterator[ServerSentEventMessage]:
    watch = served.changes.join()  # here: what was never begun is never ended either
    try:
        yield ServerSentEventMessage(event=first, data="{}", retry=_RETRY, sep="\n")
        while not served.changes.closing:
            told = await watch.next(served.settings.heartbeat)
            if told is None:
                yield ServerSentEventMessage(event="heartbeat", data="{}", sep="\n")
                continue
            kind, number, change = told
            data = "{}" if change is None else msgspec.json.encode(ChangeDocument.of(change)).decode()
            yield ServerSentEventMessage(event=kind, id=number, data=data, sep="\n")
    finally:
        served.changes.leave(watch)
