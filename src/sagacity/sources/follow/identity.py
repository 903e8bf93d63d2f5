"""What tells a file from another one of the same name, and from itself under a new name. Pure.

A ledger keeps an integer for each part, and no more. So a part's name holds what a file is known by:

    logs/orders.jsonl#1835021.212.9f86d081884c7d65

the path at which it was first seen, its inode number, and the length and digest of its first complete lines (of at most
4096 bytes). Lines that are complete never change in a file that is only appended to, so that these bytes are known before
the first record is given, and stay. Renaming a file changes neither; a new file under the old name has another inode, and
a file that was cut off and written anew has other first lines, or is shorter than what was read of it. In that last case,
where even the first lines are the same, a number is added: `….1`.

It is exact but for two things that nobody can tell from outside: a file that was written anew in its place between two
looks, with the same first lines and to at least its old length; and a deleted file whose inode number went to a new file
with the same first lines.
"""

from __future__ import annotations

import hashlib
import os
import re

import msgspec

__all__ = ["HEAD", "Identity", "identify", "part_name", "read_part_name", "shown"]

HEAD = 4096

_NAME = re.compile(r"(?s)(.+)#(\d+)\.(\d+)\.([0-9a-f]{16})(?:\.(\d+))?")


class Identity(msgspec.Struct, frozen=True):
    inode: int
    length: int
    digest: str
    generation: int = 0

    def holds(self, inode: int, head: bytes) -> bool:
        """Whether a file of this inode number that begins so may be the one."""
        return inode == self.inode and len(head) >= self.length and _digest(head[: self.length]) == self.digest

    def next(self) -> Identity:
        return Identity(self.inode, self.length, self.digest, self.generation + 1)


def identify(inode: int, head: bytes, whole: bool = False) -> Identity | None:
    """What a file is known by. None while it has no complete line; `whole` says that nothing will be added to it."""
    head = head[:HEAD]
    length = len(head) if whole or (len(head) == HEAD and b"\n" not in head) else head.rfind(b"\n") + 1
    return Identity(inode, length, _digest(head[:length])) if length else None


def shown(path: str) -> str:
    """A path as text: bytes in it that are none stay to be seen, as `\\xff`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def part_name(path: str, identity: Identity) -> str:
    name = f"{shown(path)}#{identity.inode}.{identity.length}.{identity.digest}"
    return f"{name}.{identity.generation}" if identity.generation else name


def read_part_name(part: str) -> tuple[str, Identity] | None:
    """The path at which a part was first seen, and what it is known by; None for a part of another kind."""
    match = _NAME.fullmatch(part)
    if match is None:
        return None
    path, inode, length, digest, generation = match.groups()
    return path, Identity(int(inode), int(length), digest, int(generation or 0))


def _digest(head: bytes) -> str:
    return hashlib.sha256(head).hexdigest()[:16]
