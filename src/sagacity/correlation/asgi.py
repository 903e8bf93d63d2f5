"""HTTP in: an ASGI middleware, for any framework."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from sagacity.correlation.carried import FIELDS, extract
from sagacity.correlation.context import bound, new_id

__all__ = ["ASGIApplication", "ASGIMiddleware"]

_Message: TypeAlias = "MutableMapping[str, Any]"
_Receive: TypeAlias = "Callable[[], Awaitable[_Message]]"
_Send: TypeAlias = "Callable[[_Message], Awaitable[None]]"
ASGIApplication: TypeAlias = "Callable[[_Message, _Receive, _Send], Awaitable[None]]"

_NAME = FIELDS["id"][0].encode()


class ASGIMiddleware:
    """Binds what a request carries for as long as it is answered, and names the correlation id in the answer.

    With `accept=False`, for the edge where requests come from strangers, what they carry is ignored and each gets a new id.
    """

    def __init__(self, app: ASGIApplication, *, accept: bool = True, new_id: Callable[[], str] = new_id) -> None:
        self._app = app
        self._accept = accept
        self._new_id = new_id

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        found = extract(scope.get("headers", ()) if self._accept else (), new_id=self._new_id)

        async def named(message: _Message) -> None:
            if message["type"] in ("http.response.start", "websocket.accept"):
                headers = list(message.get("headers", ()))
                if not any(bytes(name).lower() == _NAME for name, _ in headers):
                    message = {**message, "headers": [*headers, (_NAME, found.id.encode())]}
            await send(message)

        with bound(found):
            await self._app(scope, receive, named)
