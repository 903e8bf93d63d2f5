"""Where alerts may be sent to, and where secrets come from."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from sagacity.errors import UsageError

__all__ = ["address_problem", "is_loopback", "kept", "origin"]

_MOST = 64 * 1024


def address_problem(url: str, *, insecure: bool) -> str | None:
    """What is wrong with the address of a receiver, never repeating it; None where nothing is.

    Beyond this machine it must be https, unless `insecure`. Names and passwords in it are refused.
    """
    if any(ord(letter) <= 32 or ord(letter) == 127 for letter in url):
        return "is not a URL: it has spaces or control characters in it"
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "is not a URL"
    if parts.scheme not in ("http", "https") or not host:
        return "is not a URL that begins with https://"
    if parts.username is not None or parts.password is not None:
        return "has a name or password in it: receivers know the sender by the signature"
    if parts.scheme == "http" and not insecure and not is_loopback(host):
        return "is not https: what is sent could be read and changed on its way; `insecure: true` allows it all the same"
    return None


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself, by its name or address alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origin(url: str) -> str:
    """An address without its path, which may hold a secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def kept(what: str, environment: Mapping[str, str], *, variable: str | None, file: str | None) -> str:
    """What an environment variable or a file holds, without white space around it. Raises UsageError; never repeats it."""
    if variable is not None:
        found = environment.get(variable, "").strip()
        if not found:
            raise UsageError(f"{what}: the environment variable {variable} is not set", hint=f"set {variable}")
        return found
    try:
        with Path(file or "").open("rb") as opened:
            content = opened.read(_MOST + 1)
        found = content.decode().strip()
    except OSError as error:
        raise UsageError(f"{what}: cannot read {file}: {error.strerror}", hint="name a file that holds it") from None
    except UnicodeDecodeError:
        raise UsageError(f"{what}: {file} is not UTF-8", hint="the file holds the secret as text") from None
    if not found or len(content) > _MOST:
        wrong = "is too large" if found else "holds nothing"
        raise UsageError(f"{what}: {file} {wrong}", hint="write the secret into it, and nothing else")
    return found
