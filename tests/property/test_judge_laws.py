"""Laws that verdicts obey, whatever the workflow and the log. They are stated over the reference judge; every engine obeys
them too, since it is held to the judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from strategies import Log, as_ofs, cases_of, logs, rules, workflows

from sagacity.judge import Judge
from sagacity.workflow.model import Implied, Rule, Workflow
from sagacity.workflow.templates import TEMPLATES, Legs
from sagacity.workflow.trace import FOREVER, Event
from sagacity.workflow.verdict import CaseVerdict, Status, Verdict

thorough = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def judged(draw: st.DrawFn) -> tuple[Workflow, Log, int]:
    """A workflow, a log and an instant to judge it at."""
    workflow = draw(workflows())
    return workflow, draw(logs(workflow)), draw(as_ofs())


@st.composite
def ruled(draw: st.DrawFn, *templates: str) -> tuple[Workflow, Rule, Log]:
    """A workflow with one rule of one of these templates and nothing that ends a case, the rule, and a log."""
    workflow = draw(workflows(lambda workflow: rules(workflow, templates), most=1))
    workflow = replace(workflow, ends=(), timeout=None)
    (rule,) = workflow.expectations
    assert isinstance(rule, Rule)
    return workflow, rule, draw(logs(workflow, cases=3))


def verdicts(workflow: Workflow, log: Log, as_of: int) -> Iterator[tuple[list[Event], CaseVerdict]]:
    """Each case that exists by as-of, with its verdict."""
    judge = Judge(workflow)
    return ((events, judge.judge(events, as_of)) for events in cases_of(log, as_of, workflow).values())


def on(workflow: Workflow, rule: Rule, events: Sequence[Event], as_of: int = FOREVER) -> Verdict:
    """The verdict on this one rule."""
    return Judge(replace(workflow, expectations=(rule,))).judge(events, as_of).verdicts[0]


def violated(verdict: Verdict) -> Counter[tuple[str | None, str | None]]:
    """The activations that are violated, and by how many legs."""
    return Counter((violation.type, violation.activation) for violation in verdict.violations)


@thorough
@given(judged=judged(), data=st.data())
def test_the_order_of_arrival_never_changes_a_verdict(judged: tuple[Workflow, Log, int], data: st.DataObject) -> None:
    workflow, log, as_of = judged
    judge = Judge(workflow)
    for events, verdict in verdicts(workflow, log, as_of):
        assert judge.judge(data.draw(st.permutations(events)), as_of) == verdict


@thorough
@given(judged=judged(), data=st.data())
def test_a_redelivery_changes_nothing_but_what_is_said_of_redeliveries(
    judged: tuple[Workflow, Log, int], data: st.DataObject
) -> None:
    workflow, log, as_of = judged
    judge = Judge(workflow)
    for events, verdict in verdicts(workflow, log, as_of):
        copies = data.draw(st.lists(st.sampled_from(events), max_size=3))
        copies = [copy for copy in copies if copy.id is not None and copy.time <= as_of]
        again = judge.judge([*copies, *events], as_of)
        assert again.redelivered == verdict.redelivered + len(copies)
        assert (again.start, again.end, again.ended) == (verdict.start, verdict.end, verdict.ended)
        for expectation, before, after in zip(workflow.audited(), verdict.verdicts, again.verdicts, strict=True):
            of_identity = isinstance(expectation, Implied) and expectation.rule == "identity"
            assert (before.violations == after.violations) if of_identity else (before == after)


@thorough
@given(judged=judged())
def test_every_activation_is_fulfilled_pending_or_violated(judged: tuple[Workflow, Log, int]) -> None:
    for _, case in verdicts(*judged):
        for verdict in case.verdicts:
            assert verdict.activations == verdict.fulfilled + verdict.pending + len(verdict.violations)


@thorough
@given(judged=judged())
def test_what_is_due_is_violated_and_what_is_not_yet_due_is_pending(judged: tuple[Workflow, Log, int]) -> None:
    _, _, as_of = judged
    for _, case in verdicts(*judged):
        for verdict in case.verdicts:
            assert (verdict.due is None) is (verdict.pending == 0)
            assert verdict.due is None or verdict.due > as_of
            assert all(violation.since <= as_of for violation in verdict.violations)


@thorough
@given(judged=judged())
def test_a_complete_log_leaves_nothing_open(judged: tuple[Workflow, Log, int]) -> None:
    workflow, log, _ = judged
    for _, case in verdicts(workflow, log, FOREVER):
        assert case.ended
        assert Status.PENDING not in {verdict.status for verdict in case.verdicts}


@thorough
@given(judged=judged())
def test_a_verdict_is_that_on_the_events_up_to_as_of(judged: tuple[Workflow, Log, int]) -> None:
    workflow, log, as_of = judged
    judge = Judge(workflow)
    for events, verdict in verdicts(workflow, log, as_of):
        assert judge.judge([event for event in events if event.time <= as_of], as_of) == verdict


COMPOUND = {
    "succession": ("response", "precedence"),
    "alternate_succession": ("alternate_response", "alternate_precedence"),
    "chain_succession": ("chain_response", "chain_precedence"),
    "not_succession": ("not_response", "not_precedence"),
    "not_chain_succession": ("not_chain_response", "not_chain_precedence"),
}


@thorough
@given(ruled=ruled(*COMPOUND), as_of=as_ofs())
def test_a_succession_is_its_response_and_its_precedence(ruled: tuple[Workflow, Rule, Log], as_of: int) -> None:
    workflow, rule, log = ruled
    for events in cases_of(log, as_of, workflow).values():
        whole = on(workflow, rule, events, as_of)
        parts = [on(workflow, replace(rule, template=template), events, as_of) for template in COMPOUND[rule.template]]
        assert whole.activations == sum(part.activations for part in parts)
        assert whole.pending == sum(part.pending for part in parts)
        assert Counter(whole.violations) == Counter(violation for part in parts for violation in part.violations)


@thorough
@given(ruled=ruled("co_existence", "not_co_existence"), as_of=as_ofs())
def test_co_existence_is_responded_existence_both_ways(ruled: tuple[Workflow, Rule, Log], as_of: int) -> None:
    workflow, rule, log = ruled
    one_way = rule.template.replace("co_existence", "responded_existence")
    for events in cases_of(log, as_of, workflow).values():
        whole = on(workflow, replace(rule, where=None), events, as_of)
        there = on(workflow, replace(rule, where=None, template=one_way), events, as_of)
        back = on(workflow, replace(rule, where=None, template=one_way, events=rule.events[::-1]), events, as_of)
        assert Counter(whole.violations) == Counter([*there.violations, *back.violations])


LEGGED = [name for name, template in TEMPLATES.items() if isinstance(template.shape, Legs)]

LADDERS = (
    ("chain_response", "alternate_response", "response", "responded_existence"),
    ("chain_precedence", "alternate_precedence", "precedence"),
)


@pytest.mark.parametrize("ladder", LADDERS, ids=["response", "precedence"])
@thorough
@given(data=st.data())
def test_a_chain_is_an_alternate_and_an_alternate_is_a_response(ladder: Sequence[str], data: st.DataObject) -> None:
    workflow, rule, log = data.draw(ruled(ladder[0]))
    for events in cases_of(log, FOREVER, workflow).values():
        found = [violated(on(workflow, replace(rule, template=template), events)) for template in ladder]
        for strict, loose in pairwise(found):
            assert loose <= strict


@thorough
@given(ruled=ruled(*LEGGED))
def test_a_wider_window_forgives_more_and_forbids_more(ruled: tuple[Workflow, Rule, Log]) -> None:
    workflow, rule, log = ruled
    for events in cases_of(log, FOREVER, workflow).values():
        windows = [violated(on(workflow, replace(rule, within=within), events)) for within in (0, 1, 3, None)]
        for narrow, wide in pairwise(windows):
            assert (narrow <= wide) if rule.template.startswith("not_") else (wide <= narrow)


NEGATED = [name for name in TEMPLATES if name.startswith("not_")]


@thorough
@given(ruled=ruled(*NEGATED))
def test_without_concurrent_events_a_negated_rule_forbids_what_the_positive_one_asks_for(
    ruled: tuple[Workflow, Rule, Log],
) -> None:
    workflow, rule, log = ruled
    for events in cases_of(log, FOREVER, workflow).values():
        apart = [replace(event, seq=seq, id=None) for seq, event in enumerate(events)]
        positive = on(workflow, replace(rule, template=rule.template.removeprefix("not_")), apart)
        negative = on(workflow, rule, apart)
        assert negative.activations == positive.activations
        assert negative.fulfilled == len(positive.violations)


MIRRORED = {
    "response": "precedence",
    "alternate_response": "alternate_precedence",
    "chain_response": "chain_precedence",
    "not_response": "not_precedence",
    "not_chain_response": "not_chain_precedence",
}


@thorough
@given(ruled=ruled(*MIRRORED))
def test_a_precedence_is_a_response_seen_in_a_mirror(ruled: tuple[Workflow, Rule, Log]) -> None:
    workflow, rule, log = ruled
    for events in cases_of(log, FOREVER, workflow).values():
        forward = [replace(event, id=None) for event in events]
        mirror = [replace(event, time=-event.time, seq=-event.seq) for event in forward]
        bare = replace(rule, when=None, where=None)
        response = on(workflow, bare, forward)
        precedence = on(workflow, replace(bare, template=MIRRORED[rule.template], events=rule.events[::-1]), mirror)
        assert (response.activations, response.fulfilled) == (precedence.activations, precedence.fulfilled)


AT_ONCE = [name for name in LEGGED if name.startswith("not_") or name.endswith("precedence")]


@thorough
@given(ruled=ruled(*AT_ONCE), as_of=st.integers(1, 6))
def test_what_is_violated_at_once_stays_violated(ruled: tuple[Workflow, Rule, Log], as_of: int) -> None:
    workflow, rule, log = ruled
    for events in cases_of(log, as_of, workflow).values():
        assert violated(on(workflow, rule, events, as_of)) <= violated(on(workflow, rule, events))


@thorough
@given(ruled=ruled(*LEGGED))
def test_a_violation_stands_from_its_instant_and_not_before(ruled: tuple[Workflow, Rule, Log]) -> None:
    workflow, rule, log = ruled
    for events in cases_of(log, FOREVER, workflow).values():
        whole = on(workflow, rule, events)
        for violation in whole.violations:
            name, before = (violation.type, violation.activation), violation.since - 1
            assert name in violated(on(workflow, rule, events, violation.since))
            if cases_of([("", event) for event in events], before, workflow):
                assert violated(on(workflow, rule, events, before))[name] < violated(whole)[name]


@thorough
@given(ruled=ruled(*TEMPLATES), as_of=as_ofs())
def test_a_condition_that_is_always_true_changes_nothing(ruled: tuple[Workflow, Rule, Log], as_of: int) -> None:
    workflow, rule, log = ruled
    where = "a.time = a.time" if TEMPLATES[rule.template].activated else None
    always = replace(rule, name="one", when="time IS NOT NULL", where=where)
    for events in cases_of(log, as_of, workflow).values():
        bare = replace(always, when=None, where=None)
        assert on(workflow, always, events, as_of) == on(workflow, bare, events, as_of)
