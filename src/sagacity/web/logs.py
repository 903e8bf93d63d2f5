"""Logs as JSON lines on standard error. Bodies, headers and cookies are never logged."""

from __future__ import annotations

import sys
from typing import Any

import structlog

__all__ = ["log", "set_up"]


def set_up() -> None:
    """Have this process log as JSON lines to standard error. Called once, by whoever runs the server."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def log() -> Any:
    """The logger of the web."""
    return structlog.get_logger("sagacity.web")
