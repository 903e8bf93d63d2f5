"""Entity tags made of versions: `"7"` is version 7 of what an address shows (RFC 9110, section 8.8.3)."""

from __future__ import annotations

import re

from shop.chassis.failures import Failure

__all__ = ["etag", "unchanged", "wanted_versions"]

_TAG = re.compile(r'\s*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?:,|$)')


def etag(version: int) -> str:
    """The tag of a version."""
    return f'"{version}"'


def unchanged(if_none_match: str | None, version: int) -> bool:
    """Whether who asks has this version already, by what If-None-Match says: then the answer is 304."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or any(tag == str(version) for _, tag in _tags(if_none_match))


def wanted_versions(if_match: str | None) -> tuple[int, ...] | None:
    """Of which versions a thing must be to be changed, by what If-Match says; None for any. Tags that are none of ours match
    no version. Raises Failure 400 for what is no list of tags."""
    if if_match is None or if_match.strip() == "*":
        return None
    tags = _tags(if_match)
    if not tags:
        raise Failure(400, 'If-Match must be a list of entity tags, such as "7"', {"If-Match": "is no list of entity tags"})
    return tuple(int(tag) for weak, tag in tags if not weak and tag.isascii() and tag.isdecimal() and len(tag) < 19)


def _tags(header: str) -> list[tuple[bool, str]]:
    """The tags of a header, each with whether it is weak; none where it is not written as it should be."""
    tags, at = [], 0
    while at < len(header):
        found = _TAG.match(header, at)
        if found is None:
            return []
        tags.append((found[1] is not None, found[2]))
        at = found.end()
    return tags
