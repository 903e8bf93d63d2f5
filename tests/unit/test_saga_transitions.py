"""The transitions of a saga's steps are a table without contradictions."""

from __future__ import annotations

from sagacity.saga.transitions import TRANSITIONS, find


def test_no_step_has_two_ways_to_go_on() -> None:
    ways = [(row.status, row.trigger, kind) for row in TRANSITIONS for kind in row.kinds]
    assert len(ways) == len(set(ways))


def test_nothing_happens_to_what_has_settled() -> None:
    for status in ("failed", "skipped", "undone", "undo-skipped"):
        assert not [row for row in TRANSITIONS if row.status == status]
    assert find("done", "undo", "pivot") is None
