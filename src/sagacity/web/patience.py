"""How long a client may take to send a request, and to read its answer: nobody holds a connection by sending or reading
slowly, or not at all."""

from __future__ import annotations

import asyncio
from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from sagacity.web.problem import Refused

__all__ = ["HeadersInTime", "body_in_time"]


def body_in_time(within: float, app: ASGIApp) -> ASGIApp:
    """An application whose requests have to have sent their bodies within so many seconds. Answered with 408 otherwise."""

    async def bounded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        whole = False
        end = asyncio.get_running_loop().time() + within

        async def in_time() -> Any:
            nonlocal whole
            if whole:
                return await receive()
            try:
                async with asyncio.timeout_at(end):
                    message = await receive()
            except TimeoutError:
                whole = True
                told = f"the body had not come within {within:g} s"
                raise Refused(408, told, "send it again, in smaller parts", {"Connection": "close"}) from None
            whole = message["type"] != "http.request" or not message.get("more_body", False)
            return message

        await app(scope, in_time, send)

    return bounded


class HeadersInTime(H11Protocol):
    """uvicorn's protocol, which closes a connection where the headers of a request have not come `within` so many seconds
    from its beginning, or from its last answer; and breaks it off where what waits to be sent is not read in `read_within`:
    so many seconds from when that became much, or from the closing."""

    def __init__(self, *given: Any, within: float, read_within: float, **named: Any) -> None:
        super().__init__(*given, **named)
        self._within = within
        self._read_within = read_within
        self._late: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._late, self._unread):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._have_read()

    def resume_writing(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        super().resume_writing()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._wait()

    def _wait(self) -> None:
        if self._late is not None:
            self._late.cancel()
        self._late = self.loop.call_later(self._within, self._close_idle)

    def _close_idle(self) -> None:
        busy = self.cycle is not None and not self.cycle.response_complete
        if busy:
            return
        if not self.transport.is_closing():
            self.transport.close()
        self._have_read()  # closing waits for the reader, however long

    def _have_read(self) -> None:
        if self._unread is None:
            self._unread = self.loop.call_later(self._read_within, self._break_off)

    def _break_off(self) -> None:
        self.transport.abort()
