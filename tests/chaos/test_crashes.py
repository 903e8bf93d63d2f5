"""A few rounds of the crash campaign. The whole of it: `python -m tests.chaos.crashes --rounds 200`."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagacity.testing.servers.kafka import broker_at_hand

from .course import course
from .crashes import campaign

pytestmark = pytest.mark.chaos


def test_a_server_that_is_pushed_to_and_killed_says_what_check_says(tmp_path: Path) -> None:
    outcome = campaign(tmp_path, 4, 11)
    assert outcome.wrong == ()
    assert outcome.findings > 50


def test_a_server_that_reads_topics_and_is_killed_says_what_check_says(tmp_path: Path) -> None:
    if broker_at_hand() is None:
        pytest.skip("no broker of Kafka's protocol is at hand")
    outcome = campaign(tmp_path, 3, 12, kafka=True)
    assert outcome.wrong == ()
    assert outcome.findings > 50


def test_one_seed_gives_one_course() -> None:
    first, again, other = course(5, 3, 1_790_000_000_000_000), course(5, 3, 1_790_000_000_000_000), course(6, 3, 0)
    assert first == again
    assert [sent.body for sent in first.records] != [sent.body for sent in other.records]
    assert len({sent.body for sent in first.records}) < len(first.records)  # some come twice
