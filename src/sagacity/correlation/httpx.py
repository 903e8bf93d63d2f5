"""HTTP out: event hooks for httpx's clients. Imports nothing of httpx.

httpx.Client(event_hooks={"request": [hook]})
httpx.AsyncClient(event_hooks={"request": [async_hook]})
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Protocol

from sagacity.correlation.carried import inject

__all__ = ["async_hook", "hook"]


class _Request(Protocol):
    @property
    def headers(self) -> MutableMapping[str, str]: ...


def hook(request: _Request) -> None:
    """Adds what is bound to a request."""
    inject(request.headers)


async def async_hook(request: _Request) -> None:
    """The same, for an asynchronous client."""
    inject(request.headers)
