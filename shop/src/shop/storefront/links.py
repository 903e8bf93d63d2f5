"""Templates of addresses that the page fills in: `{purchase}` and `{trace}` stand for ids. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection

__all__ = ["wrong_with"]

_PLACE = re.compile(r"\{([^{}]*)\}")
_ADDRESS = re.compile(r"(?:https?://[^/\s{}]|/(?![/\\]))[^\s<>\"\\]*")


def wrong_with(template: str, known: Collection[str]) -> str | None:
    """Why a template cannot be used, None where it can: it leads to HTTP or to this origin, and names a known id."""
    if not _ADDRESS.fullmatch(template):
        return f"{template!r} is no address: it must begin with http://, https:// or /, without spaces"
    places = _PLACE.findall(template)
    if not places or not set(places) <= set(known):
        names = " or ".join(f"{{{name}}}" for name in sorted(known))
        return f"{template!r} must have {names} where the id goes, and nothing else in braces"
    return None
