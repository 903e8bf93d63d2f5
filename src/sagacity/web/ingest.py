"""Records handed in over HTTP: answered once they are durable, and never before."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from time import monotonic
from typing import Any, NamedTuple

import msgspec
from litestar import Request, Response, post
from litestar.params import FromPath

from sagacity.errors import SagacityError
from sagacity.sources.envelope import Headers
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
_AT_ONCE = 2
_WIDEST = 1_032
"""How many bytes one byte of deflate can hold at the most."""
_LOOK_EVERY = 0.25


class Received(msgspec.Struct, frozen=True):
    """How many records were kept, and how many of them are no JSON objects: those are accounted for as rejected."""

    records: int
    unreadable: int


class Handed(NamedTuple):
    """Records that are in the queue, and what comes to pass once they are durable."""

    kept: Future[None]
    records: int
    unreadable: int


class Intake:
    """What handing in needs beside the queue: how much is being read at this moment, and whether the server takes anything.

    What is large or packed is taken apart by few at a time, since it may need several times its size meanwhile. Belongs to
    the event loop.
    """

    def __init__(self, served: Served) -> None:
        self._served = served
        self.most = served.settings.reading_most
        self.reading = 0
        self._aside = asyncio.Semaphore(_AT_ONCE)
        self._looked = -_LOOK_EVERY
        self._stalled: str | None = None

    async def hand(self, request: Request[Any, Any, Any], source: str) -> Handed:
        """Read the body, and hand its records on. Raises Refused: 413, 415, 422, or 503 where too much is being read
        already; BusyError where the queue is full."""
        packed = request.headers.get("content-encoding", "identity").strip().lower()
        if packed not in ("identity", "gzip", ""):
            raise Refused(415, f"the content encoding {packed[:40]} is not understood", "send it as it is, or as gzip")
        headers = [(name.decode("latin-1"), value) for name, value in request.scope["headers"]]
        content_type = request.headers.get("content-type", "")
        with self._room() as room:
            whole = await self._body(request, room)
            if packed != "gzip" and len(whole) <= _SMALL:
                return self._offer(source, _records(whole, content_type, headers))
            async with self._aside:
                if packed == "gzip":
                    room.take(min(len(whole) * _WIDEST, self._served.settings.unpacked_most))
                    whole = await self._unpacked(whole)
                return self._offer(source, await asyncio.to_thread(_records, whole, content_type, headers))

    async def _body(self, request: Request[Any, Any, Any], room: _Room) -> bytes:
        most = self._served.settings.body_most
        chunks: list[bytes] = []
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > most:
                raise Refused(413, f"the body has more than {most:,} bytes", "send it in several parts")
            room.take(len(chunk))
            chunks.append(chunk)
        return b"".join(chunks)

    async def _unpacked(self, whole: bytes) -> bytes:
        most = self._served.settings.unpacked_most
        try:
            return await asyncio.to_thread(unpacked, whole, most)
        except TooLarge:
            raise Refused(413, f"unpacked, the body has more than {most:,} bytes", "send less") from None
        except ValueError as error:
            raise Refused(422, f"the body is no gzip: {error}", "nothing was kept; send it again, packed anew") from None

    def _offer(self, source: str, taken: Taken) -> Handed:
        return Handed(self._served.push.offer(source, taken.bodies), len(taken.bodies), len(taken.unreadable))

    @contextmanager
    def _room(self) -> Iterator[_Room]:
        room = _Room(self)
        try:
            yield room
        finally:
            self.reading -= room.taken

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

    async def durable(self, handed: Handed) -> None:
        """Wait until what was handed on is durable. Raises Refused with 504."""
        within = self._served.settings.answer_within
        try:
            await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(handed.kept)), within)
        except TimeoutError:
            told = f"the records were not durable within {within:g} s; they may come to be"
            raise Refused(504, told, _AGAIN, {"Retry-After": "5"}) from None


class _Room:
    """What one request takes of the bytes that may be read, or unpacked, at a time, until its records are in the queue,
    which has a bound of its own."""

    def __init__(self, intake: Intake) -> None:
        self.taken = 0
        self._intake = intake

    def take(self, size: int) -> None:
        """Raises Refused with 503 where there is no room for so many bytes more."""
        if self._intake.reading + size > self._intake.most:
            raise Refused(503, "too much is being read at this moment", _AGAIN, {"Retry-After": "1"})
        self.taken += size
        self._intake.reading += size


def _records(whole: bytes, content_type: str, headers: Headers) -> Taken:
    try:
        return records(whole, content_type, headers)
    except TooMany:
        raise Refused(413, f"the body has more than {MOST_RECORDS:,} records", "send them in several parts") from None


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
    handed = await intake.hand(request, named)
    await intake.durable(handed)
    if handed.unreadable == handed.records:
        count = handed.records
        told = "the body is no JSON object" if count == 1 else f"none of the {count:,} records is a JSON object"
        raise Refused(422, f"{told}; accounted for as rejected", "send a JSON object, an array of them, or one a line")
    return Response(Received(handed.records, handed.unreadable), status_code=202)


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
