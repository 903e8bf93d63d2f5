"""Becomes another program that ends when its parent does: `leash.py SIGNAL PARENT UID GID PROGRAM ARGUMENT...`

Run as a file, by an interpreter that imports nothing else. On Linux the kernel sends the signal when the thread that started
this process ends, for whatever reason; elsewhere nothing is promised. The user is changed here and not by the starter, since
another user may not be able to read this interpreter, and since changing it afterwards would undo the promise.
"""

from __future__ import annotations

import ctypes
import os
import sys

__all__ = ["main"]

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of linux/prctl.h


def main(arguments: list[str]) -> None:
    """Change user where one is given (not -1), be bound to the parent, and become the program."""
    number, parent, user, group = map(int, arguments[:4])
    program = arguments[4:]
    if user >= 0:
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, number)
        if os.getppid() != parent:  # it ended before it could be bound to
            sys.exit(1)
    os.execvp(program[0], program)


if __name__ == "__main__":
    main(sys.argv[1:])
