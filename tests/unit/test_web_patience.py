"""Clients that do not read: what waits for them is given up in time."""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from sagacity.web.patience import HeadersInTime

FOREVER = 1e6


class _Unread(asyncio.Transport):
    """A transport that nobody reads from, so that closing it does not end it."""

    def __init__(self) -> None:
        super().__init__()
        self.closing = False
        self.aborted = asyncio.Event()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        del name
        return default

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.aborted.set()


async def _app(scope: Any, receive: Any, send: Any) -> None:
    del scope, receive, send


def _protocol(within: float, read_within: float) -> tuple[HeadersInTime, _Unread]:
    config = uvicorn.Config(_app, log_config=None)
    config.load()
    protocol = HeadersInTime(config, ServerState(), {}, within=within, read_within=read_within)
    transport = _Unread()
    protocol.connection_made(transport)
    return protocol, transport


def test_an_answer_that_is_not_read_ends_the_connection() -> None:
    async def story() -> None:
        protocol, transport = _protocol(FOREVER, 0.001)
        protocol.pause_writing()
        await asyncio.wait_for(transport.aborted.wait(), 30)

    asyncio.run(story())


def test_an_answer_that_is_read_in_the_end_does_not() -> None:
    async def story() -> None:
        slow, transport = _protocol(FOREVER, 0.001)
        slow.pause_writing()
        slow.resume_writing()
        other, later = _protocol(FOREVER, 0.002)
        other.pause_writing()
        await asyncio.wait_for(later.aborted.wait(), 30)
        assert not transport.aborted.is_set()

    asyncio.run(story())


def test_a_connection_that_is_closed_does_not_wait_for_its_reader_for_ever() -> None:
    async def story() -> None:
        _, transport = _protocol(0.001, 0.001)
        await asyncio.wait_for(transport.aborted.wait(), 30)
        assert transport.closing

    asyncio.run(story())
