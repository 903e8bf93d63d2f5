"""Storms: many findings of one cause are one incident, and people are told once, not often."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from live_story import Story

TWO_RULES = """\
workflow: order
keys: order
sources: {orders: {type: type, time: time, id: id, key: order}}
events: {Placed: {owner: shop}, Paid: {owner: payments}, Checked: }
timeout: 1h
expect:
  Paid: within 10s of Placed
  Checked: {is: within 10s of Placed, severity: critical}
"""


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    with Story(tmp_path) as story:
        yield story


def storm(story: Story, orders: int, at: float, prefix: str = "") -> None:
    for number in range(orders):
        story.tell("Placed", f"{prefix}{number}", at)
    story.round(at + 0.1)
    story.round(at + 13)


def test_a_storm_is_one_incident_with_few_notices(story: Story) -> None:
    storm(story, 1_500, 0)
    (incident,) = story.ledger.incidents().items
    assert (incident.findings, incident.open, incident.owner, incident.source) == (1_500, 1_500, "payments", "orders")
    told = story.told()
    assert told[:10] == [("opened", 1)] * 10
    assert told[10:] == [("escalated", 1_500)]
    assert {finding.incident for finding in story.findings(incident=incident.id)} == {incident.id}


def test_an_incident_that_grows_slowly_is_told_at_each_power_of_ten(story: Story) -> None:
    for step in range(4):
        storm(story, 30, step * 15, f"{step}-")
    (incident,) = story.ledger.incidents().items
    assert incident.findings == 120
    assert [told for told in story.told() if told[0] == "escalated"] == [("escalated", 30), ("escalated", 120)]


def test_findings_far_apart_are_incidents_of_their_own(story: Story) -> None:
    storm(story, 3, 0, "a")
    storm(story, 2, 1_000, "b")
    assert [incident.findings for incident in story.ledger.incidents().items] == [2, 3]
    assert [kind for kind, _ in story.told()] == ["opened"] * 5


def test_different_expectations_are_different_incidents(tmp_path: Path) -> None:
    with Story(tmp_path, TWO_RULES) as story:
        storm(story, 3, 0)
        found = {(it.expectation, it.severity, it.findings) for it in story.ledger.incidents().items}
        assert {(severity, findings) for _, severity, findings in found} == {("error", 3), ("critical", 3)}
        assert len({expectation for expectation, _, _ in found}) == 2


def test_an_incident_counts_what_is_still_open(story: Story) -> None:
    storm(story, 4, 0)
    for number in range(3):
        story.tell("Paid", str(number), 9)
    story.round(20)
    (incident,) = story.ledger.incidents().items
    assert (incident.findings, incident.open) == (4, 1)


def test_only_whose_opening_was_told_is_told_to_be_resolved(story: Story) -> None:
    storm(story, 40, 0)
    for number in range(40):
        story.tell("Paid", str(number), 9)
    story.round(20)
    kinds = [kind for kind, _ in story.told()]
    assert (kinds.count("opened"), kinds.count("escalated"), kinds.count("resolved")) == (10, 1, 10)
