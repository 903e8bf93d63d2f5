"""The web as a server in this process: uvicorn, set up so that nobody can hold it up or make it grow."""

from __future__ import annotations

import socket
from functools import partial
from typing import Any

import uvicorn
from litestar import Litestar

from sagacity.web.context import Served
from sagacity.web.patience import HeadersInTime, body_in_time

__all__ = ["Server", "server"]

_HEADERS = 65_536
_CONNECTIONS = 1_000
_GRACE = 10


class Server(uvicorn.Server):
    """Ends the streams of changes before it waits for connections to end; they would last for ever."""

    def __init__(self, config: uvicorn.Config, served: Served) -> None:
        super().__init__(config)
        self._served = served

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._served.changes.end()
        await super().shutdown(sockets)


def server(app: Litestar, *, host: str = "127.0.0.1", port: int = 8420, **more: Any) -> Server:
    """A server to `run()`, which returns after SIGINT or SIGTERM, or once `should_exit` is set.

    Headers have at most 64 kB, at most 1,000 connections are open, and the end waits for answers at most 10 s. h11 is used
    since the faster parser knows no bound for headers. No line is logged for requests, and no header of them is believed to
    tell where they come from. `more` goes to `uvicorn.Config`.
    """
    settings = app.state.served.settings
    config = uvicorn.Config(
        body_in_time(settings.body_within, app),
        host=host,
        port=port,
        http=partial(  # type: ignore[arg-type]
            HeadersInTime, within=settings.headers_within, read_within=settings.body_within
        ),
        ws="none",
        h11_max_incomplete_event_size=_HEADERS,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_GRACE,
        server_header=False,
        proxy_headers=False,
        access_log=False,
        log_config=None,
        **more,
    )
    return Server(config, app.state.served)
