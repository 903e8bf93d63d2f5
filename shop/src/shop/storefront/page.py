"""The one page, and what may be done by it: which files it consists of, and where it may send and load from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

__all__ = ["FOLDER", "HEADERS", "assets", "document", "version"]

FOLDER = "/storefront"
"""Where everything but the page itself is found."""

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
"""The page writes what it is told as text alone: no script and no style stands in it, and it speaks to its own origin."""

_KINDS = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@cache
def assets() -> dict[str, tuple[str, bytes]]:
    """Each file by its name: content type and content."""
    folder = files(__package__).joinpath("assets")
    found = {each.name: each.read_bytes() for each in folder.iterdir() if each.name.rpartition(".")[2] in _KINDS}
    return {name: (_KINDS[name.rpartition(".")[2]], found[name]) for name in sorted(found)}


@cache
def version() -> str:
    """The hash of all files. It stands in their addresses, so that modules of two versions are never mixed."""
    total = hashlib.sha256()
    for name, (_, content) in assets().items():
        total.update(name.encode() + b"\0" + content + b"\0")
    return total.hexdigest()[:16]


def document(case_url: str | None, trace_url: str | None) -> bytes:
    """The page. The templates are as in the settings; what is None has no link."""
    at = f"{FOLDER}/{version()}"
    modules = (name for name in assets() if name.endswith(".js") and name != "theme.js")
    given = {
        "assets": at,
        "preloads": "\n".join(f'<link rel="modulepreload" href="{at}/{name}">' for name in modules),
        "case_url": escape(case_url or ""),
        "trace_url": escape(trace_url or ""),
    }
    text = files(__package__).joinpath("assets", "index.html").read_text(encoding="utf-8")
    return Template(text).substitute(given).encode()
