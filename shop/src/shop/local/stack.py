"""All parts of the shop on one machine: started side by side as far as they do not need each other, stopped in reverse."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sagacity.testing.servers.unavailable import UnavailableError
from shop.local.environment import Addresses
from shop.local.keeper import Keeper, Part
from shop.local.seen import identity, resident
from shop.local.state import Process, State, write

__all__ = ["Stack"]

Say = Callable[[str], None]


class Stack:
    """Parts that are kept running until `stop`. As a context manager it starts them, and stops them at the end.

    `say` gets a line for each change that a person cares for. `web` and `rpc` are where the edge takes requests.
    """

    def __init__(
        self,
        folder: Path,
        parts: Sequence[Part],
        say: Say,
        *,
        web: str = "",
        rpc: str = "",
        addresses: Addresses | None = None,
    ) -> None:
        self.folder = folder
        self.web = web
        self.rpc = rpc
        self._addresses = addresses
        self._say = say
        self._changed = threading.Condition()
        self._writing = threading.Lock()
        self._began = time.monotonic()
        self._ending = False
        self._keepers: dict[str, Keeper] = {}
        for part in parts:  # each after those that it needs
            needs = [self._keepers[name] for name in part.needs]
            self._keepers[part.name] = Keeper(part, needs, self._changed, self._note)
        self._spoken: dict[str, Any] = {}

    def __enter__(self) -> Stack:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def addresses(self) -> Addresses:
        """Where the servers are that services use, and with what secrets."""
        if self._addresses is None:
            raise ValueError("this stack has no servers")
        return self._addresses

    def where(self, name: str) -> str:
        """The address at which a part answers over HTTP."""
        return self._keepers[name].part.where.split()[0]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._keepers)

    def start(self) -> None:
        """Start all, and wait until all are ready, or until `stop` is called. Raises UnavailableError for the first that
        does not come up."""
        self._began = time.monotonic()
        for keeper in self._keepers.values():
            keeper.start()
        with self._changed:
            self._changed.wait_for(lambda: self._ending or self._failed() is not None or self.ready)
        if (failed := self._failed()) is not None:
            raise failed.failure or UnavailableError(f"{failed.part.name} does not start")

    @property
    def ready(self) -> bool:
        """Whether every part is ready now."""
        return all(keeper.condition == "ready" for keeper in self._keepers.values())

    def wait_ready(self, name: str, *, after: int, seconds: float = 120.0) -> bool:
        """Wait until a part is ready again, once it has been started again more than `after` times."""
        keeper = self._keepers[name]
        with self._changed:
            return self._changed.wait_for(lambda: keeper.restarts > after and keeper.condition == "ready", seconds)

    def restarts(self, name: str) -> int:
        """How many times a part has been started again."""
        return self._keepers[name].restarts

    def kill(self, name: str) -> None:
        """End a part as a crash would. It is started again."""
        server = self._keepers[name].part.server
        if server is not None:
            self._keepers[name].signal(signal.Signals(server.kill_signal))

    def restart(self, name: str) -> None:
        """End a part in order. It is started again."""
        server = self._keepers[name].part.server
        if server is not None:
            self._keepers[name].signal(signal.Signals(server.stop_signal))

    def freeze(self, name: str) -> None:
        """Let a part do nothing until `thaw`, its connections open."""
        self._keepers[name].signal(signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        self._keepers[name].signal(signal.SIGCONT)

    def resident(self) -> dict[str, int]:
        """Bytes of memory of each part that has a process."""
        pids = {keeper.pid: name for name, keeper in self._keepers.items() if keeper.pid is not None}
        return {pids[pid]: size for pid, size in resident(pids).items()}

    def state(self) -> State:
        """As it is now."""
        return State(
            pid=os.getpid(),
            identity=identity(os.getpid()),
            parts=tuple(map(_process, self._keepers.values())),
            web=self.web,
            rpc=self.rpc,
        )

    def stop(self) -> None:
        """Stop all in reverse, those side by side that do not need each other. Whatever does not end in time is killed."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        for layer in reversed(self._layers()):
            with ThreadPoolExecutor(len(layer)) as side_by_side:
                for keeper, well in zip(layer, side_by_side.map(Keeper.stop, layer), strict=True):
                    if not well:
                        self._say(f"{keeper.part.name} did not end in time and was killed")
        write(self.folder, self.state())

    def kill_all(self) -> None:
        """End everything at once. For when `stop` takes too long; what runs `stop` goes on and finds nothing left."""
        for keeper in self._keepers.values():
            keeper.signal(signal.SIGKILL)

    def _layers(self) -> list[list[Keeper]]:
        depth: dict[str, int] = {}
        for name, keeper in self._keepers.items():
            depth[name] = 1 + max((depth[need] for need in keeper.part.needs), default=-1)
        return [[self._keepers[name] for name in depth if depth[name] == level] for level in range(max(depth.values()) + 1)]

    def _failed(self) -> Keeper | None:
        return next((keeper for keeper in self._keepers.values() if keeper.condition == "failed"), None)

    def _note(self, keeper: Keeper) -> None:
        """Write down a change, and say it where it is news."""
        with self._writing:
            write(self.folder, self.state())
            now, name = (keeper.condition, keeper.restarts), keeper.part.name
            if self._spoken.get(name) == now:
                return
            self._spoken[name] = now
        at = f"{time.monotonic() - self._began:6.1f} s"
        match keeper.condition:
            case "ready" if keeper.restarts:
                self._say(f"{at}  {name} is ready again after {keeper.took:.1f} s")
            case "ready":
                self._say(f"{at}  {name} is ready ({keeper.took:.1f} s)")
            case "restarting":
                ended = "" if keeper.ended is None else f" with {keeper.ended}"
                self._say(f"{at}  {name} ended{ended} and is started again")
            case "stopping":
                self._say(f"{at}  {name} stops")


def _process(keeper: Keeper) -> Process:
    pid, server = keeper.pid, keeper.part.server
    return Process(
        name=keeper.part.name,
        condition=keeper.condition,
        pid=pid,
        identity=identity(pid) if pid is not None else None,
        restarts=keeper.restarts,
        where=keeper.part.where,
        log=str(server.log) if server is not None else "",
        crash=int(server.kill_signal) if server is not None else int(signal.SIGKILL),
    )
