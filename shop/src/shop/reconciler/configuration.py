"""What the server is told, made of the reconciler's settings. Pure."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from sagacity.workflow.durations import format_duration
from shop.reconciler.settings import Settings

__all__ = ["configuration"]

_MICROSECOND = timedelta(microseconds=1)


def configuration(settings: Settings) -> dict[str, Any]:
    """The configuration of `sagacity serve`; paths are made absolute."""
    told: dict[str, Any] = {
        "workflows": [str(Path(each).absolute()) for each in settings.workflows],
        "ledger": settings.ledger,
        "listen": f"{settings.http.host}:{settings.http.port}",
        "kafka": {"servers": settings.kafka.servers},
        "lateness": format_duration(settings.lateness // _MICROSECOND),
    }
    if settings.trace_url is not None:
        told["traces"] = settings.trace_url
    if settings.sagas_url is not None:
        told["sagas"] = settings.sagas_url.reveal()
    return told
