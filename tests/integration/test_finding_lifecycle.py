"""The life of a finding: opened by a verdict, acknowledged and waived by people, resolved and opened again; what is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from live_story import SECOND, START, Story
from sagacity.errors import UsageError
from sagacity.ledger.live import Action, Delivery, Settled


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """An order that was not paid in time."""
    with Story(tmp_path) as story:
        story.tell("Placed", "1", 0)
        story.round(0.1)
        story.round(13)
        yield story


def act(story: Story, what: str, *, reason: str | None = None, until: float | None = None, by: str = "ann") -> None:
    end = None if until is None else START + round(until * SECOND)
    action = Action(what=what, by=by, reason=reason, until=end)  # type: ignore[arg-type]
    story.ledger.act(story.finding().id, action, story.clock.now())


def test_a_late_payment_resolves_the_finding_and_says_how_late(story: Story) -> None:
    story.tell("Paid", "1", 9.5)
    assert story.round(25).resolved == 1
    finding = story.finding()
    assert (finding.state, finding.resolved, finding.late) == ("resolved", START + 25 * SECOND, 15 * SECOND)
    assert story.life() == ["opened", "resolved"]


def test_a_payment_that_happened_too_late_changes_the_finding_and_does_not_resolve_it(story: Story) -> None:
    story.tell("Paid", "1", 14)
    story.round(20)
    story.round(21)
    finding = story.finding()
    assert (finding.state, finding.kind) == ("open", "late")
    assert story.life() == ["opened", "changed"]


def test_an_acknowledged_finding_stays_so_as_its_verdict_changes(story: Story) -> None:
    act(story, "acknowledge", reason="looking")
    story.tell("Paid", "1", 14)
    story.round(20)
    story.round(21)
    finding = story.finding()
    assert (finding.state, finding.by, finding.reason, finding.kind) == ("acknowledged", "ann", "looking", "late")


def test_a_waiver_ends_by_itself_and_the_finding_is_open_again(story: Story) -> None:
    act(story, "waive", reason="the bank is closed", until=200)
    story.ledger.settle([Settled(number=each.number, deliveries=()) for each in story.ledger.notices(story.clock.now())])
    story.round(100)
    assert (story.finding().state, story.finding().until) == ("waived", START + 200 * SECOND)
    story.round(261)  # upkeep is done about once a minute
    finding = story.finding()
    assert (finding.state, finding.until, finding.by, finding.reason) == ("open", None, None, None)
    assert story.life() == ["opened", "waived", "reopened"]
    assert story.ledger.history(finding.id)[-1].reason == "the waiver ended"
    assert story.told() == [("reopened", 1)]


def test_a_finding_that_is_waived_for_good_stays_waived(story: Story) -> None:
    act(story, "waive", reason="a test order")
    story.round(100)
    story.round(100_000)
    assert story.finding().state == "waived"


def test_a_waived_finding_can_be_opened_by_hand(story: Story) -> None:
    act(story, "waive", reason="by mistake", until=500)
    act(story, "reopen", reason="it was a mistake", by="bob")
    finding = story.finding()
    assert (finding.state, finding.until, finding.by) == ("open", None, "bob")
    story.round(1_000)
    assert story.life() == ["opened", "waived", "reopened"]


def test_a_waived_finding_is_resolved_when_it_is_no_longer_true(story: Story) -> None:
    act(story, "waive", reason="known", until=500)
    story.tell("Paid", "1", 9)
    story.round(30)
    assert (story.finding().state, story.finding().until) == ("resolved", None)
    story.round(1_000)
    assert story.life() == ["opened", "waived", "resolved"]


def test_a_resolved_finding_that_comes_back_is_the_same_one_with_its_history(tmp_path: Path) -> None:
    text = """\
workflow: order
keys: order
sources: {orders: {type: type, time: time, id: id, key: order}}
events: {Placed: , Paid: , Refunded: }
timeout: 1h
rules:
  - chain_response: [Placed, Paid]
    within: 10s
"""
    with Story(tmp_path, text) as story:
        story.tell("Placed", "1", 0)
        story.round(0.1)
        story.round(13)
        first = story.finding()
        story.tell("Paid", "1", 9)
        story.round(20)
        assert story.finding().state == "resolved"
        story.tell("Refunded", "1", 5)  # so the very next event is not the payment after all
        assert story.round(30).reopened == 1
        again = story.finding()
        assert (again.id, again.state, again.resolved, again.late, again.opened) == (
            first.id,
            "open",
            None,
            None,
            first.opened,
        )
        assert story.life() == ["opened", "resolved", "reopened"]
        assert [kind for kind, _ in story.told()] == ["opened", "resolved", "reopened"]


@pytest.mark.parametrize(
    ("state", "what", "told"),
    [("resolved", "acknowledge", "is resolved"), ("resolved", "waive", "is resolved"), ("open", "reopen", "is open")],
)
def test_an_action_that_makes_no_sense_is_refused(story: Story, state: str, what: str, told: str) -> None:
    if state == "resolved":
        story.tell("Paid", "1", 9)
        story.round(20)
    with pytest.raises(UsageError, match=told):
        act(story, what)
    assert story.finding().state == state


def test_a_waiver_that_has_ended_already_and_a_finding_that_is_not_there_are_refused(story: Story) -> None:
    with pytest.raises(UsageError, match="in the past"):
        act(story, "waive", until=5)
    with pytest.raises(UsageError, match="there is no finding"):
        story.ledger.act("nothing", Action(what="acknowledge", by="ann"), START)


def test_notices_wait_until_they_have_been_delivered(story: Story) -> None:
    (notice,) = story.ledger.notices(story.clock.now())
    assert (notice.kind, notice.finding.id, notice.at) == ("opened", story.finding().id, story.clock.now())
    story.restart()
    assert [each.key for each in story.ledger.notices(story.clock.now())] == [notice.key]
    story.ledger.settle([Settled(number=notice.number, deliveries=())])
    assert story.told(10_000) == []


def test_a_notice_that_failed_is_due_again_at_its_instant_and_keeps_what_became_of_it(story: Story) -> None:
    (notice,) = story.ledger.notices(story.clock.now())
    again = START + 60 * SECOND
    tried = Delivery(channel="pager", since=notice.at, again=again, tries=1, error="503")
    story.ledger.settle([Settled(number=notice.number, deliveries=(tried,), again=again), Settled(number=99, deliveries=())])
    assert story.told(59) == []
    (later,) = story.ledger.notices(again)
    assert (later.key, later.deliveries) == (notice.key, (tried,))


def test_a_dead_letter_is_listed_with_its_reason_until_it_is_tried_again(story: Story) -> None:
    (notice,) = story.ledger.notices(story.clock.now())
    story.ledger.settle([Settled(number=notice.number, deliveries=(), failed="the channel is gone")])
    ((dead, reason),) = story.ledger.dead_letters().items
    assert (dead.number, reason, story.told(10_000)) == (notice.number, "the channel is gone", [])
    story.ledger.settle([Settled(number=notice.number, deliveries=(), again=START)])
    assert story.ledger.dead_letters().items == ()
    assert story.told() == [("opened", 1)]


def test_a_finding_reads_its_state_of_the_present_in_an_old_notice(story: Story) -> None:
    act(story, "acknowledge")
    (notice,) = story.ledger.notices(story.clock.now())
    assert notice.finding.state == "acknowledged"
