"""A stream of records from files."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from glob import glob, has_magic
from pathlib import Path
from typing import TypeAlias

import msgspec

from sagacity.errors import SourceError, UsageError
from sagacity.sources.envelope import plain
from sagacity.sources.follow.identity import HEAD, Identity, identify, part_name, read_part_name, shown
from sagacity.sources.follow.packed import Packed, unpacked_head
from sagacity.sources.follow.tail import CHUNK, Tail
from sagacity.sources.sniff import named_format
from sagacity.sources.stream import Batch, Part, Reach

__all__ = ["FollowStream"]

_NAP = 0.05
_LEAVE_AFTER = 5.0
_OPEN_MOST = 512
_GZIP = b"\x1f\x8b"

Key: TypeAlias = tuple[str, int, int]
"""A source, a device, an inode."""


class _Followed(msgspec.Struct):
    """A file that is read. `gone` is since when it is no longer found at a place that is followed."""

    source: str
    part: str
    path: str
    tail: Tail | Packed
    gone: float | None = None
    error: str | None = None
    active: float = 0.0


class FollowStream:
    """Follows files that lines are appended to, and folders and globs that files come into.

    `files` gives the paths of each source: a file, a glob (`**` goes into folders), or a folder, of which every file with
    the name of a JSON lines file (`.jsonl`, `.ndjson`, `.json`, also `.gz`) is followed, in the folders below as well. A
    part is a file, named by its path and by what tells it from others (see `identity`); positions are bytes in it, of
    the decompressed text where it is compressed with gzip.

    A line counts once it is complete. A line of more than 16 MiB is given shortened, so that it is rejected. A file that is
    renamed is read on to its end, as is one that is deleted while it is followed; one that is cut off or replaced is a new
    part. Files that come or go are noticed within `look_every` seconds. `reaches` may be called from any thread.
    """

    def __init__(self, files: Mapping[str, Sequence[str]], *, look_every: float = 1.0) -> None:
        for source, paths in files.items():
            if not paths or isinstance(paths, str) or not all(paths):
                raise UsageError(f"source '{source}' has no files to follow", hint="give a list of paths, globs or folders")
        self._given = tuple((source, path) for source, paths in files.items() for path in paths)
        self._look_every = look_every
        self._next_look = 0.0
        self._known: dict[Part, int] = {}
        self._followed: dict[Key, _Followed] = {}
        self._unopened: dict[tuple[str, str], Reach] = {}
        self._turn = 0
        self._closed = threading.Event()
        self._inodes: dict[tuple[str, int], dict[str, Identity]] = {}
        self._said = tuple(Reach(source=source, part=shown(path), state="behind") for source, path in self._given)

    def start(self, positions: Mapping[Part, int]) -> None:
        sources = {source for source, _ in self._given}
        for (source, part), at in positions.items():
            read = read_part_name(part) if source in sources else None
            if read is not None:
                self._keep(source, part, read[1], at)
        self._look()
        self._seek_renamed()
        self._tell()

    def poll(self, most: int, wait: float) -> list[Batch]:
        limit = time.monotonic() + wait
        while not self._closed.is_set():
            if time.monotonic() >= self._next_look:
                self._look()
            batches = self._read(most)
            self._tell()
            left = limit - time.monotonic()
            if batches or left <= 0:
                return batches
            self._closed.wait(min(left, _NAP))
        return []

    def durable(self, batches: Sequence[Batch]) -> None:
        """Nobody waits: the ledger keeps the positions."""

    def reaches(self) -> list[Reach]:
        return list(self._said)

    def close(self) -> None:
        self._closed.set()
        for followed in self._followed.values():
            followed.tail.close()
        self._followed.clear()

    # Records --------------------------------------------------------------------------------------------------------

    def _read(self, most: int) -> list[Batch]:
        """A chunk of each file in turn until there are as many records as were asked for, or no more."""
        batches: list[Batch] = []
        keys = list(self._followed)
        self._turn = (self._turn + 1) % max(len(keys), 1)
        budget = 16 * CHUNK
        for key in [*keys[self._turn :], *keys[: self._turn]]:
            while most > 0 and budget > 0 and (batch := self._next(key, most)) is not None:
                budget -= CHUNK
                if batch.bodies:
                    most -= len(batch.bodies)
                    batches.append(batch)
        return batches

    def _next(self, key: Key, most: int) -> Batch | None:
        """The next records of a file, none where only blank lines or part of a long one were read; None at its end."""
        followed = self._followed[key]
        try:
            if followed.tail.is_another():
                self._forget(key)
                self._open(followed.source, followed.path, key)
                return None
            if not followed.tail.waiting:
                followed.error = None
                return None
            lines = followed.tail.read(most)
        except (OSError, SourceError) as error:
            followed.error = _reason(error)
            return None
        followed.error = None
        followed.active = time.monotonic()
        self._known[followed.source, followed.part] = lines.end
        bodies = lines.bodies
        if bodies and lines.positions[0] == 0:
            bodies = [plain(bodies[0]), *bodies[1:]]
        return Batch(source=followed.source, part=followed.part, bodies=bodies, positions=lines.positions, resume=lines.end)

    # Files ----------------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Find the files that are there by now, and let go of those that are gone and read."""
        now = time.monotonic()
        self._next_look = now + self._look_every
        self._unopened = {}
        found: set[Key] = set()
        for source, given in self._given:
            paths = 0
            for path in _paths(given):
                paths += 1
                key = self._find(source, path)
                if key is not None:
                    found.add(key)
            if not paths:
                self._unopened[source, given] = _nothing_there(source, given)
        for key, followed in list(self._followed.items()):
            followed.gone = None if key in found else followed.gone or now
            if followed.gone is not None and now - followed.gone >= _LEAVE_AFTER and not followed.tail.waiting:
                self._forget(key)
        self._spare()

    def _keep(self, source: str, part: str, identity: Identity, at: int) -> None:
        self._known[source, part] = at
        self._inodes.setdefault((source, identity.inode), {})[part] = identity

    def _find(self, source: str, path: str) -> Key | None:
        try:
            status = os.stat(path)  # noqa: PTH116 - a Path for each of thousands of files is slow
            if not stat.S_ISREG(status.st_mode):
                return None
            key = (source, status.st_dev, status.st_ino)
            followed = self._followed.get(key)
            if followed is None:
                self._open(source, path, key)
            else:
                followed.path = path
                followed.tail.moved(path)
        except FileNotFoundError:
            return None
        except (OSError, SourceError) as error:
            self._unopened[source, path] = Reach(source=source, part=shown(path), state="down", error=_reason(error))
            return None
        return key

    def _open(self, source: str, path: str, key: Key) -> None:
        """Follow a file, from where it was left if it is known. A file without a complete line is looked at again."""
        with Path(path).open("rb") as file:
            head = file.read(HEAD)
            status = os.fstat(file.fileno())
        if (status.st_dev, status.st_ino) != key[1:]:
            return
        packed = head.startswith(_GZIP)
        whole = False
        if packed:
            head, whole = unpacked_head(path, HEAD)
        identity = identify(status.st_ino, head, whole)
        if identity is None:
            self._unopened[source, path] = Reach(source=source, part=shown(path), state="current", lag=0)
            return
        part, identity, offset = self._place(source, path, identity, head, None if packed else status.st_size)
        tail = (Packed if packed else Tail)(path, identity, offset)
        self._keep(source, part, identity, offset)
        self._followed[key] = _Followed(source, part, path, tail, active=time.monotonic())

    def _place(self, source: str, path: str, fresh: Identity, head: bytes, size: int | None) -> tuple[str, Identity, int]:
        """The part that a file is, and where to read on. What is shorter than what was read of it is a new part."""
        known = [
            (identity.length, identity.generation, part, identity)
            for part, identity in self._inodes.get((source, fresh.inode), {}).items()
            if identity.holds(fresh.inode, head)
        ]
        if not known:
            return part_name(path, fresh), fresh, 0
        _, _, part, identity = max(known, key=lambda each: each[:3])
        at = self._known[source, part]
        if size is None or at <= size:
            return part, identity, at
        identity = identity.next()
        return part_name(path, identity), identity, 0

    def _seek_renamed(self) -> None:
        """Files that were renamed while nobody looked, to a name that is not followed: read them to their end."""
        open_parts = {(followed.source, followed.part) for followed in self._followed.values()}
        folders: dict[str, dict[int, str]] = {}
        for (source, part), at in list(self._known.items()):
            read = read_part_name(part)
            if read is None or (source, part) in open_parts:
                continue
            folder = os.path.dirname(read[0]) or "."  # noqa: PTH120
            if folder not in folders:
                folders[folder] = _inodes(folder)
            path = folders[folder].get(read[1].inode)
            if path is not None and _goes_on(path, read[1], at):
                self._find(source, path)

    def _spare(self) -> None:
        """Hold no more files open than a process may, those longest silent first."""
        held = [followed for followed in self._followed.values() if followed.tail.open and not followed.tail.waiting]
        for followed in sorted(held, key=lambda each: each.active)[: max(len(held) - _OPEN_MOST, 0)]:
            followed.tail.close()

    def _forget(self, key: Key) -> None:
        self._followed.pop(key).tail.close()

    def _tell(self) -> None:
        said = dict(self._unopened)
        for followed in self._followed.values():
            waiting = followed.tail.waiting
            said[followed.source, followed.part] = Reach(
                source=followed.source,
                part=followed.part,
                state="down" if followed.error else "behind" if waiting else "current",
                lag=None if followed.error or waiting else 0,
                error=followed.error or followed.tail.lacks,
            )
        self._said = tuple(said.values())


def _paths(given: str) -> Iterator[str]:
    if os.path.isdir(given):  # noqa: PTH112
        for parent, folders, names in os.walk(given):
            folders[:] = [name for name in folders if not name.startswith((".", "_"))]
            for name in names:
                if named_format(name) == "jsonl" and not name.endswith(".zst") and not name.startswith((".", "_")):
                    yield os.path.join(parent, name)  # noqa: PTH118
    elif has_magic(given) and not os.path.exists(given):  # noqa: PTH110
        yield from glob(given, recursive=True)  # noqa: PTH207
    elif os.path.lexists(given):
        yield given


def _inodes(folder: str) -> dict[int, str]:
    """The files of a folder by their inode numbers."""
    try:
        with os.scandir(folder) as entries:
            return {entry.inode(): entry.path for entry in entries if entry.is_file(follow_symlinks=False)}
    except OSError:
        return {}


def _goes_on(path: str, identity: Identity, at: int) -> bool:
    """Whether this is the file, and has more than what was read of it."""
    try:
        with Path(path).open("rb") as file:
            return os.fstat(file.fileno()).st_size > at and identity.holds(identity.inode, file.read(HEAD))
    except OSError:
        return False


def _nothing_there(source: str, given: str) -> Reach:
    if has_magic(given) or os.path.isdir(given):  # noqa: PTH112
        return Reach(source=source, part=shown(given), state="current", lag=0, error="no file is there yet")
    return Reach(source=source, part=shown(given), state="down", error="there is no such file; it is read once it is there")


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror or error}; it is tried again"
    return str(error).replace("\n  hint: ", "; ")
