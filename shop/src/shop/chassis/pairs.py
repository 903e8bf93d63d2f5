"""Settings of a library, by its own names, in one variable."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["Pairs"]

_HIDDEN = "********"
_SECRET = re.compile(r"(password|passphrase|secret|token|key|pem|config)$")
_BETWEEN = re.compile(r"(?<!\\),")


class Pairs:
    """`key=value,key=value`; a comma within a value is written `\\,`. Of what is a password, a secret or a key by its name
    the value is shown nowhere: neither in a log, nor in a traceback, nor by `--print-config`."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = dict(values or {})

    @classmethod
    def read(cls, text: str) -> Pairs:
        """From a variable's text. Raises ValueError for what is no pair, without saying what it is."""
        values = {}
        parts = [part.replace("\\,", ",").strip() for part in _BETWEEN.split(text)]
        for number, part in enumerate(parts, 1):
            key, equals, value = part.partition("=")
            if part and not (equals and key.strip()):
                raise ValueError(rf"part {number} of it is no key=value; a comma within a value is written \,")
            if part:
                values[key.strip()] = value.strip()
        return cls(values)

    def reveal(self) -> dict[str, str]:
        """All of it, for the one who needs it."""
        return dict(self._values)

    def __str__(self) -> str:
        return ",".join(
            f"{key}={_HIDDEN if _SECRET.search(key) else _escaped(value)}" for key, value in self._values.items()
        )

    __repr__ = __str__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pairs) and other._values == self._values

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))


def _escaped(value: str) -> str:
    return value.replace(",", "\\,")
