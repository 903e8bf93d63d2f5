"""One part of the stack, kept running: started when what it needs is ready, and again when it ends by itself, ever later."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import msgspec

from sagacity.testing.servers.server import Server
from sagacity.testing.servers.unavailable import UnavailableError

__all__ = ["Condition", "Keeper", "Part"]

Condition: TypeAlias = Literal["waiting", "starting", "ready", "restarting", "stopping", "stopped", "failed"]

_LONGEST_PAUSE = 15.0
_STEADY = 30.0


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the stack consists of: a process, or (without a server) a step that is done once.

    `then` is called each time that its process is ready, before others are told so. `pause` is the wait in seconds before it
    is started again; it doubles with each failure in a row.
    """

    name: str
    server: Server | None = None
    needs: tuple[str, ...] = ()
    then: Callable[[], None] | None = None
    pause: float = 0.5
    where: str = ""
    """Its address, as a person would use it."""


class Keeper:
    """Keeps one part running in a thread of its own. `told` is called after each change of `condition`, in any thread."""

    def __init__(
        self, part: Part, needs: Sequence[Keeper], changed: threading.Condition, told: Callable[[Keeper], None]
    ) -> None:
        self.part = part
        self.condition: Condition = "waiting"
        self.failure: UnavailableError | None = None
        self.restarts = 0
        self.took = 0.0
        """Seconds of its last start."""
        self.ended: int | None = None
        """The exit code of its last process."""
        self._needs = tuple(needs)
        self._changed = changed
        self._told = told
        self._stopping = threading.Event()
        self._launching = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"keeper of {part.name}", daemon=True)

    @property
    def pid(self) -> int | None:
        return self.part.server.pid if self.part.server is not None else None

    def start(self) -> None:
        """Begin, without waiting."""
        self._thread.start()

    def stop(self) -> bool:
        """End it, and wait until it has; True where it ended by itself in time, False where it had to be killed."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        well = True
        with self._launching:
            if self.part.server is not None and self.part.server.running:
                self._become("stopping")
                well = self.part.server.stop()
        if self._thread.is_alive():
            self._thread.join()
        self._become("stopped")
        return well

    def signal(self, number: signal.Signals) -> None:
        """Send its process a signal, if it has one."""
        if (pid := self.pid) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _run(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopping.is_set() or all(need.condition == "ready" for need in self._needs))
        pause = self.part.pause
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                if not self._started(began):
                    return
            except UnavailableError as error:
                if self._stopping.is_set():
                    return
                if not self.restarts:
                    self.failure = error
                    self._become("failed")
                    return
            else:
                if self.part.server is None:
                    return
                self.ended = self.part.server.wait()
            if self._stopping.is_set():
                return
            pause = self.part.pause if time.monotonic() - began > _STEADY else pause
            self.restarts += 1
            self._become("restarting")
            if self._stopping.wait(pause):
                return
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _started(self, began: float) -> bool:
        """Start it, and wait until it is ready; False where it is to stop instead. Raises UnavailableError."""
        server = self.part.server
        if self.condition != "restarting":
            self._become("starting")
        with self._launching:
            if self._stopping.is_set():
                return False
            if server is not None:
                server.launch()
        self._told(self)
        if server is not None:
            server.until_ready()
        if self.part.then is not None:
            try:
                self.part.then()
            except Exception as error:  # it may be gone again, and is then as one that does not start
                if server is not None:
                    server.stop()
                raise UnavailableError(f"{self.part.name} is not ready: {error}") from error
        self.took = time.monotonic() - began
        self._become("ready")
        return True

    def _become(self, condition: Condition) -> None:
        with self._changed:
            self.condition = condition
            self._changed.notify_all()
        self._told(self)
