"""Ports of 127.0.0.1 that nobody listens on."""

from __future__ import annotations

import contextlib
import socket

__all__ = ["free_ports", "is_free"]


def free_ports(many: int) -> list[int]:
    """As many different ports, free at this moment. Whoever listens on them soon has them; nothing reserves them."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(many)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


def is_free(port: int) -> bool:
    """Whether this port can be listened on now. One whose last connections are being closed counts as free."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
