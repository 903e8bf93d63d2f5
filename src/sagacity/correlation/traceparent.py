"""The headers `traceparent` and `tracestate` of the W3C recommendation Trace Context, read strictly.

https://www.w3.org/TR/trace-context/
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

__all__ = ["TraceParent", "tracestate"]

_VERSION_0 = 55
_LONGEST = 256
_FIELDS = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_NO_TRACE, _NO_PARENT = "0" * 32, "0" * 16
_SAMPLED = 1

_STATE_MEMBERS, _STATE_LONGEST = 32, 512
_STATE_KEY = r"(?:[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})"
_STATE_MEMBER = re.compile(rf"({_STATE_KEY})=[ !-+\--<>-~]{{0,255}}[!-+\--<>-~]")


class TraceParent(msgspec.Struct, frozen=True):
    """A position in a trace: 32 and 16 lower-case hexadecimal digits, neither all zero, and flags from 0 to 255."""

    trace_id: str
    parent_id: str
    flags: int = _SAMPLED

    @property
    def sampled(self) -> bool:
        return bool(self.flags & _SAMPLED)

    def __str__(self) -> str:
        """The header's value, of version 00."""
        return f"00-{self.trace_id}-{self.parent_id}-{self.flags:02x}"

    @classmethod
    def parse(cls, text: str) -> TraceParent | None:
        """What a header's value says; None where the recommendation has it ignored.

        Of a version later than 00 the known fields are read, and of its flags *sampled* alone; version ff is invalid.
        """
        if len(text) > _LONGEST:
            return None
        fields = _FIELDS.fullmatch(text[:_VERSION_0])
        if fields is None:
            return None
        version, trace_id, parent_id, flags = fields.groups()
        rest = text[_VERSION_0:]
        if version == "ff" or trace_id == _NO_TRACE or parent_id == _NO_PARENT:
            return None
        if rest and (version == "00" or not rest.startswith("-") or not rest.isascii() or not rest.isprintable()):
            return None
        return cls(trace_id, parent_id, int(flags, 16) if version == "00" else int(flags, 16) & _SAMPLED)

    @classmethod
    def generate(cls, token_hex: Callable[[int], str]) -> TraceParent:
        """A new trace. `token_hex` yields the hexadecimal digits of so many random bytes, as `secrets.token_hex` does."""
        trace_id = parent_id = ""
        for _ in range(8):
            trace_id, parent_id = token_hex(16), token_hex(8)
            if trace_id != _NO_TRACE and parent_id != _NO_PARENT:
                break
        return cls(trace_id, parent_id)


def tracestate(values: list[str]) -> str | None:
    """The value of all `tracestate` headers together; None where it is empty or has to be ignored as a whole.

    Longer than 512 characters or more than 32 members are not carried on.
    """
    members = [member.strip(" \t") for value in values for member in value.split(",")]
    members = [member for member in members if member]
    found = [_STATE_MEMBER.fullmatch(member) for member in members]
    keys = {match[1] for match in found if match}
    text = ",".join(members)
    if not members or len(keys) < len(members) or len(members) > _STATE_MEMBERS or len(text) > _STATE_LONGEST:
        return None
    return text
