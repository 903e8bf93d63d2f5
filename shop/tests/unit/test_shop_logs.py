"""What a service logs while its database is away."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from shop.chassis import logs

AWAY = "connection to server at 127.0.0.1 failed: Connection refused\n\tIs the server running on that host?"
CUT = (
    "consuming input failed: server closed the connection unexpectedly\n"
    "\tThis probably means the server terminated abnormally\n\tbefore or while processing the request."
)


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What is logged, as it is in a service's process; put back afterwards."""
    root, told = logging.getLogger(), io.StringIO()
    kept = root.handlers[:], root.level
    levels = {name: each.level for name, each in root.manager.loggerDict.items() if isinstance(each, logging.Logger)}
    logs.set_up("told", stream=told)
    try:
        yield told
    finally:
        structlog.reset_defaults()
        root.handlers[:] = kept[0]
        root.setLevel(kept[1])
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize("said", [AWAY, CUT], ids=["refused", "cut"])
def test_of_a_database_that_is_away_what_is_the_matter_is_logged_without_the_drivers_guesses(
    said: str, stream: io.StringIO
) -> None:
    logs.logger("shop.told").warning("waiting", reason=said)
    logging.getLogger("sagacity.messaging.relay").warning("%s", said)
    first = said.split("\n")[0]
    assert [(line.get("reason"), line["event"]) for line in lines(stream)] == [(first, "waiting"), (None, first)]


def test_what_else_has_several_lines_is_told_in_one(stream: io.StringIO) -> None:
    logs.logger("shop.told").warning("given up", reason="UniqueViolation: twice\nDETAIL:  Key (id)=(7) already exists.\n")
    assert [line["reason"] for line in lines(stream)] == ["UniqueViolation: twice; DETAIL:  Key (id)=(7) already exists."]


def test_what_the_driver_ignores_while_it_gives_a_connection_up_is_not_logged(stream: io.StringIO) -> None:
    logging.getLogger("psycopg").warning("error ignored terminating %r: %s", "<pipeline>", "the connection is lost")
    logging.getLogger("psycopg.pool").warning("error connecting in %r: %s", "pool-1", AWAY)
    logging.getLogger("psycopg").error("this is")
    assert [line["event"] for line in lines(stream)] == ["this is"]
