"""Logs as JSON lines on standard error, each with the service, the correlation id and the trace id. Bodies are never
logged."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from sagacity import correlation
from sagacity.correlation import TraceParent

__all__ = ["logger", "set_up"]

_CHATTY = {
    "alembic.runtime.plugins": logging.WARNING,
    "httpcore": logging.WARNING,
    "httpx": logging.WARNING,
    "psycopg": logging.ERROR,  # it and its pool tell of every attempt, and of every end; readiness says what is the matter
}
_GUESS = re.compile(r"\n\t.*")
"""What libpq adds to what is the matter, such as "Is the server running on that host?", in lines of their own."""
_LINES = re.compile(r"\s*\n\s*")


def set_up(service: str, *, level: int = logging.INFO, stream: Any = None) -> None:
    """Have this process log as JSON lines, what libraries say through `logging` included. Called once, by whoever runs
    it."""

    def named(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["service"] = service
        return event

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        named,
        _correlated,
        _in_one_line,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    finish = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(finish)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name, least in _CHATTY.items():
        logging.getLogger(name).setLevel(least)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def logger(name: str) -> Any:
    """A logger: `logger("shop.account").info("registered", customer="17")`. What is said are words, what differs are
    fields."""
    return structlog.stdlib.get_logger(name)


def _correlated(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    found = correlation.current()
    if found is not None:
        event.setdefault("correlation_id", found.id)
        parent = TraceParent.parse(found.traceparent) if found.traceparent else None
        if parent is not None:
            event.setdefault("trace_id", parent.trace_id)
    return event


def _in_one_line(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name in ("event", "reason"):
        if isinstance(said := event.get(name), str):
            event[name] = _LINES.sub("; ", _GUESS.sub("", said).strip())
    return event
