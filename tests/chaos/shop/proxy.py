"""Stands before a server, and delays, holds up, cuts and swallows what passes."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["Proxy"]

_AT_ONCE = 65_536
_STARTED_WITHIN = 30.0
_RESET = struct.pack("ii", 1, 0)


class Proxy:
    """Listens on `port` of 127.0.0.1 from when it is made, and passes on what comes to a port that is told it. As a context
    manager it runs, in a thread of its own. Everything here may be called from any thread."""

    def __init__(self) -> None:
        self.delay = 0.0
        """Seconds that each packet waits before it is passed on."""
        self.severed = 0
        """How many connections were cut."""
        self.swallowed = 0
        """How many bytes of answers were lost."""
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = int(self._listening.getsockname()[1])
        self._towards: int | None = None
        self._deaf = False
        self._links: set[_Link] = set()
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy {self.port}", daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._accepted, sock=self._listening), self._loop
        ).result(_STARTED_WITHIN)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._ended(), self._loop).result(_STARTED_WITHIN)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STARTED_WITHIN)
        self._loop.close()

    def towards(self, port: int) -> None:
        """Whom it stands before. Whoever comes earlier is turned away."""
        self._towards = port

    def stall(self) -> None:
        """Nothing passes until `flow`; connections stay open, and new ones are taken."""
        self._soon(self._flowing.clear)

    def flow(self) -> None:
        self._soon(self._flowing.set)

    def deafen(self) -> None:
        """What is asked still arrives, and no answer comes back, until `hear`."""
        self._deaf = True

    def hear(self) -> None:
        """Answers pass again. Connections of which some were lost are cut: nobody can make sense of the rest."""
        self._deaf = False
        self._soon(lambda: self._sever([link for link in self._links if link.deaf]))

    def cut(self) -> None:
        """Each connection that is open now is cut as soon as something passes: in the middle of that."""
        self._soon(self._tear)

    def _soon(self, done: Callable[[], Any]) -> None:
        self._loop.call_soon_threadsafe(done)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link(writer)
        try:
            if self._towards is None:
                return
            beyond, forward = await asyncio.open_connection("127.0.0.1", self._towards)
            link.add(forward)
            self._links.add(link)
            await asyncio.gather(
                self._passed_on(link, reader, forward, answers=False), self._passed_on(link, beyond, writer, answers=True)
            )
        except OSError:
            pass  # one side is gone, and the other is told by the end of its connection
        finally:
            self._links.discard(link)
            link.close()

    async def _passed_on(
        self, link: _Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool
    ) -> None:
        while packet := await reader.read(_AT_ONCE):
            if self.delay:
                await asyncio.sleep(self.delay)
            await self._flowing.wait()
            if link.torn:
                writer.write(packet[: len(packet) // 2])
                self._sever([link])
                return
            if answers and (link.deaf or self._deaf):
                link.deaf = True
                self.swallowed += len(packet)
                continue
            writer.write(packet)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()

    def _tear(self) -> None:
        for link in self._links:
            link.torn = True

    def _sever(self, links: list[_Link]) -> None:
        for link in links:
            self.severed += 1
            link.close(reset=True)

    async def _ended(self) -> None:
        if self._server is not None:
            self._server.close()
        self._flowing.set()
        self._sever(list(self._links))
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


class _Link:
    """A connection and the one beyond it. `torn`: to be cut at the next packet. `deaf`: answers were lost."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.torn = self.deaf = False
        self._writers = [writer]

    def add(self, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)

    def close(self, *, reset: bool = False) -> None:
        """End both, in order or so that whoever reads gets an error."""
        for writer in self._writers:
            found = writer.get_extra_info("socket")
            if reset and found is not None:
                with contextlib.suppress(OSError):
                    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()
