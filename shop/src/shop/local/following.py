"""Logs as they are written, each with its part's name in a colour of its own."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

__all__ = ["Follower", "shown"]

_EVERY = 0.3
_COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "bright_cyan", "bright_green", "bright_magenta", "bright_blue")
_LEVELS = {"warning": "yellow", "error": "red", "critical": "bold red"}
_TOLD = {"timestamp", "level", "event", "service", "logger", "exception"}
_AT_ONCE = 256 * 1024


class Follower:
    """Follows log files in a thread until `stop`. `logs` are files by name; `from_end` leaves out what is already there."""

    def __init__(self, logs: Mapping[str, Path], console: Console, *, from_end: bool = True) -> None:
        self._console = console
        self._width = max(map(len, logs), default=0)
        self._files = dict(logs)
        self._colours = {name: _COLOURS[number % len(_COLOURS)] for number, name in enumerate(sorted(logs))}
        self._read = {name: _size(file) if from_end else 0 for name, file in logs.items()}
        self._rest = dict.fromkeys(logs, b"")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="logs", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Tell what has been written up to now, and end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> None:
        """Tell the lines that have been written since the last look."""
        for name, file in self._files.items():
            size = _size(file)
            if size < self._read[name]:  # begun anew
                self._read[name], self._rest[name] = 0, b""
            if size == self._read[name]:
                continue
            with file.open("rb") as log:
                log.seek(self._read[name])
                new = log.read(_AT_ONCE)
            self._read[name] += len(new)
            *lines, self._rest[name] = (self._rest[name] + new).split(b"\n")
            for line in lines:
                self._console.print(self._line(name, line.decode(errors="replace")), soft_wrap=True)

    def _line(self, name: str, line: str) -> Text:
        return Text.assemble((f"{name:<{self._width}} ", self._colours[name]), shown(line))

    def _run(self) -> None:
        while not self._stopping.wait(_EVERY):
            self.look()
        self.look()


def shown(line: str) -> Text:
    """A line for a person: of a structured one the time of day, the level, the event, and the rest as name=value."""
    try:
        told: Any = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return Text(line)
    if not isinstance(told, dict) or "event" not in told:
        return Text(line)
    level = str(told.get("level", ""))
    at = str(told.get("timestamp", ""))[11:19]
    rest = " ".join(f"{name}={value}" for name, value in told.items() if name not in _TOLD)
    text = Text.assemble((f"{at} ", "dim"), (f"{level:<7} ", _LEVELS.get(level, "dim")), f"{told['event']} ", (rest, "dim"))
    if told.get("exception"):
        text.append(f"\n{told['exception']}", "red")
    return text


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
