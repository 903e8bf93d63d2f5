"""What a request is refused with: a status, words, and for each field that is wrong, why."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

__all__ = ["ErrorBody", "Failure"]


class ErrorBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """Every answer that is an error. `fields` names what is wrong by its path, such as `items.0.quantity`."""

    error: str
    fields: Mapping[str, str] = {}


class Failure(Exception):  # noqa: N818 - it says what the answer is
    """Raised anywhere in a handler: the request is answered with it."""

    def __init__(
        self,
        status: int,
        error: str,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(error)
        self.status = status
        self.body = ErrorBody(error, dict(fields or {}))
        self.headers = dict(headers or {})
