"""A server as a process: started, found ready, stopped, killed, frozen, started again."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sagacity.testing.servers import leash
from sagacity.testing.servers.unavailable import UnavailableError

__all__ = ["Server"]

_POLL = 0.05
_SPAWNER = ThreadPoolExecutor(1, "servers")
"""All are started by this one thread: the kernel ends a process with the thread that started it, and this one never ends."""
_LOG_END = 2000
_LOG_AT_MOST = 32 * 1024 * 1024


class Server(ABC):
    """One process with a folder and a log of its own. One server is not for several threads at once."""

    up_within = 60.0
    """Seconds in which it must be ready."""
    stop_within = 15.0
    """Seconds that it has to stop by itself before it is killed."""
    stop_signal = signal.SIGTERM
    kill_signal = signal.SIGKILL
    user: tuple[int, int] | None = None
    """The user and group that it runs as, where it may not be the caller."""

    def __init__(self, name: str, folder: Path | None = None, *, log: Path | None = None) -> None:
        self.name = name
        self._own_folder = folder is None
        self.folder = folder or Path(tempfile.mkdtemp(prefix=f"sagacity-{name}-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = log or self.folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:  # noqa: B027 - most have nothing to prepare
        """Make what it needs in its folder. Called at each start."""

    @abstractmethod
    def command(self) -> Sequence[str]:
        """The program and its arguments."""

    def environment(self) -> Mapping[str, str] | None:
        """Its environment; None for the caller's."""
        return None

    @abstractmethod
    def answers(self) -> bool:
        """Whether it can be used, asked once; takes two seconds at most, and raises nothing."""

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        return self._process.pid if self._process is not None else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def launch(self) -> None:
        """Start it, and do not wait."""
        self.prepare()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > _LOG_AT_MOST:
            self.log.replace(self.log.with_name(self.log.name + ".1"))
        uid, gid = self.user or (-1, -1)
        bound = [str(int(self.kill_signal)), str(os.getpid()), str(uid), str(gid)]
        with self.log.open("ab") as log:
            starting = _SPAWNER.submit(
                subprocess.Popen,
                [sys.executable, "-I", "-S", leash.__file__, *bound, *self.command()],
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a terminal's Ctrl-C reaches the starter alone, which stops all in order
            )
            self._process = starting.result()

    def start(self) -> None:
        """Start it, and wait until it answers. Raises UnavailableError where it does not, with the end of its log."""
        self.launch()
        self.until_ready()

    def until_ready(self) -> None:
        """Wait until it answers, once it is launched. Raises UnavailableError where it does not, and stops it."""
        limit = time.monotonic() + self.up_within
        while time.monotonic() < limit and self.running:
            if self.answers():
                return
            time.sleep(_POLL)
        ended = None if self._process is None else self._process.poll()
        self.stop()
        why = (
            f"did not come up within {self.up_within:.0f} s" if ended is None else f"ended with {ended} instead of coming up"
        )
        raise UnavailableError(f"{self.name} {why}:\n{self.tail()}", hint=f"its log is {self.log}")

    def stop(self) -> bool:
        """Stop it; True where it ended by itself in time, False where it had to be killed."""
        return self._end(self.stop_signal)

    def kill(self) -> None:
        """End it as a crash would."""
        self._end(self.kill_signal)

    def wait(self, seconds: float | None = None) -> int | None:
        """Its exit code once it has ended; None where it has not within that time, or never ran."""
        if self._process is None:
            return None
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(seconds)
        return None

    def freeze(self) -> None:
        """Let it answer nothing, with its connections open, until `thaw`."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def remove(self) -> None:
        """Stop it, and remove its folder where it made one of its own."""
        self.stop()
        if self._own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def tail(self, characters: int = _LOG_END) -> str:
        """The end of its log."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - characters))
            return log.read().decode(errors="replace")

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> bool:
        process, self._process = self._process, None
        if process is None:
            return True
        if process.poll() is None:
            process.send_signal(number)
            process.send_signal(signal.SIGCONT)  # a frozen one would never hear of it
        try:
            process.wait(self.stop_within)
            return True
        except subprocess.TimeoutExpired:
            return False
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # it and whatever it started
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
