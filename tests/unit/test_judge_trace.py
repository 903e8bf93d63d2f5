"""How a trace is prepared: which events are one, in what order they stand, when a case starts and ends."""

from __future__ import annotations

import msgspec
import pytest

from judged import DAY, at, failures, judge_one, rule, workflow_of
from sagacity.judge import judge
from sagacity.workflow.model import Source, Workflow
from sagacity.workflow.trace import FOREVER, Event
from sagacity.workflow.verdict import CaseStatus, CaseVerdict, Status, Verdict

ONCE = rule("exactly", "A", n=1)
ANSWERED = rule("response", "A", "B")


def case_of(*events: Event, as_of: float = 99, workflow: Workflow | None = None) -> CaseVerdict:
    return judge(workflow or workflow_of(ONCE), events, round(as_of * DAY))


def identity(*events: Event) -> Verdict:
    (*_, verdict) = case_of(*events).verdicts
    assert verdict.expectation == "one content per event id"
    return verdict


def test_a_redelivered_event_is_one_event() -> None:
    case = case_of(at(0, "A", id="1"), at(0, "A", id="1"), at(0, "A", id="1"))
    assert (case.redelivered, case.verdicts[0].status) == (2, Status.SATISFIED)


def test_events_without_an_id_are_events_of_their_own() -> None:
    case = case_of(at(0, "A"), at(0, "A"))
    assert (case.redelivered, case.verdicts[0].status) == (0, Status.VIOLATED)


def test_ids_are_unique_within_their_type_alone() -> None:
    assert case_of(at(0, "A", id="1"), at(1, "B", id="1")).redelivered == 0


def test_a_copy_that_differs_in_its_position_alone_is_no_conflict() -> None:
    verdict = identity(at(0, "A", id="1", seq=3), at(0, "A", id="1", seq=7))
    assert (verdict.status, verdict.activations) == (Status.SATISFIED, 1)


def test_a_copy_with_another_content_is_a_conflict_since_the_earliest_that_differs() -> None:
    copies = [at(day, "A", id="1", items=items) for day, items in ((3, 1), (1, 1), (2, 2))]
    verdict = identity(*copies, at(5, "A", id="2"))
    assert failures(verdict) == [("A", 1, "conflict", 2)]
    assert (verdict.activations, verdict.violations[0].activation) == (1, "1")


def test_ids_that_came_once_are_not_judged() -> None:
    assert identity(at(0, "A", id="1")).status is Status.VACUOUS


def test_of_several_copies_the_earliest_is_kept() -> None:
    late_copy = (at(2, "B"), at(3, "A", id="1"), at(1, "A", id="1"))
    assert judge_one(ANSWERED, *late_copy).status is Status.SATISFIED


def test_of_copies_at_one_position_the_least_by_its_attributes_is_kept() -> None:
    copies = (at(0, "A", id="1", amount=5, currency="EUR"), at(0, "A", id="1", amount=5), at(0, "A", id="1", amount=7))
    kept = rule("existence", "A", when="amount = 5 AND amount IS NOT NULL")
    assert judge_one(kept, *copies).status is Status.SATISFIED
    assert judge_one(rule("existence", "A", when="amount IS NULL"), *copies, at(0, "A", id="1")).status is Status.SATISFIED


def test_later_events_than_as_of_take_no_part() -> None:
    case = case_of(at(0, "A", id="1"), at(5, "A", id="1"), at(5, "A"), as_of=4)
    assert (case.redelivered, case.verdicts[0].status) == (0, Status.SATISFIED)


def test_a_case_without_an_event_up_to_as_of_does_not_exist() -> None:
    with pytest.raises(ValueError, match="no event up to as-of"):
        case_of(at(5, "A"), as_of=4)


def test_a_case_without_an_end_is_open_until_the_log_is_complete() -> None:
    never = case_of(at(0, "A"))
    assert (never.ended, never.end, never.status) == (False, FOREVER, CaseStatus.OPEN)
    complete = judge(workflow_of(ONCE), [at(0, "A")], FOREVER)
    assert (complete.ended, complete.status) == (True, CaseStatus.COMPLETE)


@pytest.mark.parametrize(("closed_on", "end"), [(3, 3), (9, 5)])
def test_a_case_ends_with_an_ending_event_or_its_timeout(closed_on: int, end: int) -> None:
    workflow = workflow_of(ONCE, ends=("B",), timeout=5)
    events = (at(closed_on, "B"), at(12, "B"), at(0, "A"))
    case = case_of(*events, as_of=end, workflow=workflow)
    assert (case.start, case.end, case.ended, case.status) == (0, end * DAY, True, CaseStatus.COMPLETE)
    assert not case_of(*events, as_of=end - 1 / DAY, workflow=workflow).ended


def test_an_open_case_is_violated_as_soon_as_one_expectation_is() -> None:
    assert case_of(at(0, "A"), at(1, "A")).status is CaseStatus.VIOLATED


def test_a_forbidden_unexpected_event_starts_the_case_and_is_told() -> None:
    workflow = workflow_of(rule("init", "A"), unexpected="forbid", timeout=5)
    case = case_of(at(1, "A"), at(0, "surprise", id="s"), at(2, "surprise"), workflow=workflow)
    unexpected = case.verdicts[1]
    assert (case.start, case.end, case.verdicts[0].status) == (0, 5 * DAY, Status.SATISFIED)
    assert failures(unexpected) == [("surprise", 0, "unexpected", 0), ("surprise", 2, "unexpected", 2)]
    assert [violation.activation for violation in unexpected.violations] == ["s", f"{2 * DAY}/0"]


def test_an_allowed_unexpected_event_takes_no_part() -> None:
    assert case_of(at(1, "A"), at(0, "surprise")).start == DAY
    with pytest.raises(ValueError, match="no event"):
        case_of(at(0, "surprise"))


def test_a_workflow_says_how_a_case_begins() -> None:
    workflow = workflow_of(begins=("A", "B"))
    assert case_of(at(0, "B"), at(1, "C"), workflow=workflow).verdicts[0].status is Status.SATISFIED
    assert failures(case_of(at(0, "C"), at(1, "B"), workflow=workflow).verdicts[0]) == [("out_of_order", 0)]
    assert failures(case_of(at(0, "C"), workflow=workflow).verdicts[0]) == [("missing", 0)]


def test_activations_are_named_by_their_ids_or_else_their_positions() -> None:
    events = (at(0, "A", id="x"), Event("A", 7, 2), Event("A", 7, 2), Event("B", 3), Event("A", 7, 1))
    verdict = judge_one(ANSWERED, *events, as_of=99, timeout=1)
    assert [violation.activation for violation in verdict.violations] == ["7/1", "7/2", "7/2#2"]


def test_events_at_one_position_are_numbered_in_the_order_of_their_attributes() -> None:
    events = (Event("A", 7, 0, None, {"items": 2}), Event("A", 7, 0, None, {"items": 1}), Event("A", 7))
    for items, name in ((None, "7/0"), (1, "7/0#2"), (2, "7/0#3")):
        when = "items IS NULL" if items is None else f"items = {items}"
        (violation,) = judge_one(rule("response", "A", "B", when=when), *events).violations
        assert violation.activation == name


def test_verdicts_stand_in_the_order_of_what_is_audited() -> None:
    workflow = workflow_of(ANSWERED, ONCE, begins=("A",), unexpected="forbid")
    told = [verdict.expectation for verdict in case_of(at(0, "A"), workflow=workflow).verdicts]
    assert told == [
        "response(A, B)",
        "exactly(1, A)",
        "begins with A",
        "no unexpected event",
        "one content per event id",
    ]


def test_a_workflow_without_ids_has_no_identity_to_judge() -> None:
    workflow = msgspec.structs.replace(workflow_of(ONCE), sources={"log": Source()})
    assert len(case_of(at(0, "A"), workflow=workflow).verdicts) == 1


def test_violations_come_in_the_order_of_their_time_and_type() -> None:
    verdict = judge_one(rule("co_existence", "B", "A", where="a.ref = b.ref"), at(2, "B"), at(2, "A"), at(1, "B"))
    assert [(each.time, each.type) for each in verdict.violations] == [(DAY, "B"), (2 * DAY, "A"), (2 * DAY, "B")]


def test_a_deadline_beyond_all_time_is_never_due() -> None:
    verdict = judge_one(rule("response", "A", "B", within=FOREVER / DAY), at(1, "A"), as_of=2)
    assert (verdict.pending, verdict.due) == (1, FOREVER)
