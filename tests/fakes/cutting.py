"""A way to a PostgreSQL on which an answer can be lost: the server has done what was asked, and the client never hears."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from psycopg.conninfo import conninfo_to_dict, make_conninfo

__all__ = ["Cutting", "cutting"]

_IDLE = b"Z\x00\x00\x00\x05I"
"""The server is ready, and no transaction is open."""


class Cutting:
    """`dsn` leads through it. The answer to the first request that contains `needle` is lost, with its connection."""

    def __init__(self, dsn: str, server: tuple[str, int]) -> None:
        self.dsn = dsn
        self.needle: bytes | None = None
        self.cut = 0
        self._server = server

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, requests = await asyncio.open_connection(*self._server)
        armed = [False]

        async def forth() -> None:
            while data := await reader.read(65536):
                if self.needle is not None and self.needle in data:
                    armed[0], self.needle = True, None
                requests.write(data)

        async def back() -> None:
            while data := await answers.read(65536):
                if not armed[0]:
                    writer.write(data)
                elif data.endswith(_IDLE):
                    self.cut += 1
                    return

        try:
            async with asyncio.TaskGroup() as tasks:
                going = tasks.create_task(forth())
                coming = tasks.create_task(back())
                await asyncio.wait((going, coming), return_when=asyncio.FIRST_COMPLETED)
                going.cancel()
                coming.cancel()
        finally:
            for each in (writer, requests):
                each.close()
                with suppress(OSError):
                    await each.wait_closed()


@asynccontextmanager
async def cutting(dsn: str) -> AsyncIterator[Cutting]:
    """A way to the database at `dsn`, for as long as it is needed."""
    said = conninfo_to_dict(dsn)
    plain = {"sslmode": "disable", "gssencmode": "disable"}
    way = Cutting("", (str(said["host"]), int(said["port"] or 5432)))
    listening = await asyncio.start_server(way.connected, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    way.dsn = make_conninfo(dsn, host="127.0.0.1", port=port, **plain)
    try:
        yield way
    finally:
        listening.close()
