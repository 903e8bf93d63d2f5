"""The HTTP API."""

from __future__ import annotations

from collections.abc import Sequence

from litestar.types import ControllerRouterHandler

from sagacity.web.api.status import status

__all__ = ["API"]

API: Sequence[ControllerRouterHandler] = (status,)
