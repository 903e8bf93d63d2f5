"""How the server does."""

from __future__ import annotations

from litestar import get

from sagacity.web.context import Served

__all__ = ["status"]


@get("/api/v1/status", sync_to_thread=True)
def status(served: Served) -> dict[str, str | None]:
    """How the server does."""
    return {"state": served.live.status().state}
