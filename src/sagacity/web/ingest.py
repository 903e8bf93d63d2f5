"""Records handed in over HTTP: answered once they are durable, and never before."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any

import msgspec
from litestar import Request, Response, post
from litestar.params import FromPath

from sagacity.errors import SagacityError
from sagacity.sources.resolve import source_names
from sagacity.web.api.described import body, errors
from sagacity.web.bodies import MOST_RECORDS, Taken, TooLarge, TooMany, records, unpacked
from sagacity.web.context import Here, Served
from sagacity.web.problem import Refused

__all__ = ["INGEST", "Intake", "Received"]

_EVENT = (
    '{"specversion":"1.0","type":"OrderPlaced","source":"/shop","id":"o-1","time":"2026-11-01T10:00:00Z",'
    '"data":{"order_id":"123"}}'
)
_CONTENTS = {
    "application/json": _EVENT,
    "application/cloudevents+json": _EVENT,
    "application/cloudevents-batch+json": f"[{_EVENT}]",
    "application/x-ndjson": f"{_EVENT}\n{_EVENT}\n",
}
_AGAIN = "send it again: copies with the same id are recognised"
_SMALL = 65_536
_LOOK_EVERY = 0.25


class Received(msgspec.Struct, frozen=True):
    """How many records were kept, and how many of them are no JSON objects: those are accounted for as rejected."""

    records: int
    unreadable: int


class Intake:
    """What handing in needs beside the queue: how much is being read at this moment, and whether the server takes anything.

    Belongs to the event loop.
    """

    def __init__(self, served: Served) -> None:
        self._served = served
        self._reading = 0
        self._looked = -_LOOK_EVERY
        self._stalled: str | None = None

    async def body(self, request: Request[Any, Any, Any]) -> bytes:
        """The body, unpacked. Raises Refused: 413, 415, 422, or 503 where too much is being read already."""
        settings = self._served.settings
        packed = request.headers.get("content-encoding", "identity").strip().lower()
        if packed not in ("identity", "gzip", ""):
            raise Refused(415, f"the content encoding {packed[:40]} is not understood", "send it as it is, or as gzip")
        chunks: list[bytes] = []
        size = 0
        try:
            async for chunk in request.stream():
                size += len(chunk)
                self._reading += len(chunk)
                if size > settings.body_most:
                    raise Refused(413, f"the body has more than {settings.body_most:,} bytes", "send it in several parts")
                if self._reading > settings.reading_most:
                    raise Refused(503, "too much is being read at this moment", _AGAIN, {"Retry-After": "1"})
                chunks.append(chunk)
        finally:
            self._reading -= size
        whole = b"".join(chunks)
        if packed != "gzip":
            return whole
        try:
            inside: bytes = await asyncio.to_thread(unpacked, whole, settings.unpacked_most)
            return inside
        except TooLarge:
            raise Refused(413, f"unpacked, the body has more than {settings.unpacked_most:,} bytes", "send less") from None
        except ValueError as error:
            raise Refused(422, f"the body is no gzip: {error}", "nothing was kept; send it again, packed anew") from None

    async def ready(self) -> None:
        """Raises Refused with 503 where nothing would be kept. Looks a few times a second at most."""
        now = monotonic()
        if now - self._looked >= _LOOK_EVERY:
            self._looked = now
            status = await asyncio.to_thread(self._served.live.status)
            dead = status.state in ("stalled", "stopped")
            self._stalled = (status.problem or f"the server is {status.state}") if dead else None
        if self._stalled is not None:
            raise Refused(503, f"nothing is taken in: {self._stalled}", _AGAIN, {"Retry-After": "5"})

    async def keep(self, source: str, taken: Taken) -> None:
        """Hand records on, and wait until they are durable. Raises Refused with 504; BusyError where the queue is full."""
        kept = self._served.push.offer(source, taken.bodies)
        within = self._served.settings.answer_within
        try:
            await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(kept)), within)
        except TimeoutError:
            told = f"the records were not durable within {within:g} s; they may come to be"
            raise Refused(504, told, _AGAIN, {"Retry-After": "5"}) from None


async def _named(served: Served, source: str | None) -> str:
    """The source that records are for. Raises Refused: 404 where there is no such source, 400 where it is not clear."""
    if source is not None and source in served.push.sources:
        return source
    names = list(served.push.sources)
    try:
        for _, workflow in await asyncio.to_thread(served.readings.all):
            names += [name for name in source_names(workflow) if name not in names]
    except SagacityError:
        pass
    there = f"there is {', '.join(names)}" if names else "no workflow names a source yet"
    if source is None:
        if len(names) == 1:
            return names[0]
        raise Refused(400, "which source the records are for is not clear", f"POST /ingest/SOURCE: {there}")
    if source not in names:
        raise Refused(404, f"no workflow has a source {source[:80]}", there)
    return source


async def _take(served: Served, request: Request[Any, Any, Any], source: str | None) -> Response[Received]:
    intake: Intake = request.app.state.intake
    named = await _named(served, source)
    await intake.ready()
    whole = await intake.body(request)
    headers = [(name.decode("latin-1"), value) for name, value in request.scope["headers"]]
    try:
        taken: Taken = await _aside(len(whole), records, whole, request.headers.get("content-type", ""), headers)
    except TooMany:
        raise Refused(413, f"the body has more than {MOST_RECORDS:,} records", "send them in several parts") from None
    await intake.keep(named, taken)
    if len(taken.unreadable) == len(taken.bodies):
        count = len(taken.bodies)
        told = "the body is no JSON object" if count == 1 else f"none of the {count:,} records is a JSON object"
        raise Refused(422, f"{told}; accounted for as rejected", "send a JSON object, an array of them, or one a line")
    return Response(Received(len(taken.bodies), len(taken.unreadable)), status_code=202)


async def _aside(size: int, work: Any, *given: Any) -> Any:
    """Do something on a thread where it would hold up the event loop."""
    return work(*given) if size <= _SMALL else await asyncio.to_thread(work, *given)


@post(
    "/ingest",
    tags=["ingest"],
    summary="Hand records in, to the only source there is",
    status_code=202,
    opt={"need": "ingest"},
    operation_class=body("CloudEvents (structured, binary, batch), JSON objects, or NDJSON; gzip if you like.", _CONTENTS),
    responses=errors(404, 413, 415, 422, 504),
    request_max_body_size=None,
)
async def ingest(served: Here, request: Request[Any, Any, Any]) -> Response[Received]:
    """Answered once every record is durable. Where there are several sources, name one: `/ingest/{source}`."""
    return await _take(served, request, None)


@post(
    "/ingest/{source:str}",
    tags=["ingest"],
    summary="Hand records in",
    status_code=202,
    opt={"need": "ingest"},
    operation_class=body("CloudEvents (structured, binary, batch), JSON objects, or NDJSON; gzip if you like.", _CONTENTS),
    responses=errors(404, 413, 415, 422, 504),
    request_max_body_size=None,
)
async def ingest_to(served: Here, request: Request[Any, Any, Any], source: FromPath[str]) -> Response[Received]:
    """Answered once every record is durable: 202 where at least one of them can be read, 422 where none can. Every record is
    accounted for, those that cannot be read as rejected."""
    return await _take(served, request, source)


INGEST = (ingest, ingest_to)
