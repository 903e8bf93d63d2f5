"""The address of a server, taken before anything else is done."""

from __future__ import annotations

import errno
import socket

from sagacity.errors import UsageError

__all__ = ["bound"]


def bound(host: str, port: int) -> list[socket.socket]:
    """Sockets that hold the address, one for each family that the host has; nobody can connect until they listen.

    An empty host stands for all addresses, port 0 for any that is free. Raises UsageError where the address is in use,
    is not this machine's, or may not be taken.
    """
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise UsageError(f"cannot listen on {where}: {error.strerror or error}", hint="try 127.0.0.1:8420") from None
    taken: list[socket.socket] = []
    for family, kind, protocol, _, address in dict.fromkeys(found):
        try:
            made = socket.socket(family, kind, protocol)
        except OSError:  # a family that this machine does not speak
            continue
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            made.bind((address[0], taken[0].getsockname()[1] if taken else port, *address[2:]))
        except OSError as error:
            made.close()
            if error.errno == errno.EADDRNOTAVAIL and len(found) > 1:
                continue
            for each in taken:
                each.close()
            raise _refused(error, port, where) from None
        taken.append(made)
    if not taken:
        raise UsageError(f"cannot listen on {where}: it is no address of this machine", hint="try 127.0.0.1:8420")
    return taken


def _refused(error: OSError, port: int, where: str) -> UsageError:
    if error.errno == errno.EADDRINUSE:
        other = f"{where.rpartition(':')[0]}:{port + 1 if port < 65_535 else port - 1}"
        return UsageError(f"{where} is in use", hint=f"choose another port, such as --listen {other}")
    hint = "ports below 1024 need rights of their own: try 127.0.0.1:8420" if error.errno == errno.EACCES else None
    return UsageError(f"cannot listen on {where}: {error.strerror}", hint=hint or "try 127.0.0.1:8420")
