"""What is learnt from orders with planted faults: the rules that the orders follow, and by them the faults of later
orders.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from bench.planted import TRUE, Log, planted

from sagacity.discover.proposal import Proposal
from sagacity.reconcile.discovery import discover
from sagacity.reconcile.history import History
from sagacity.workflow.instants import iso
from sagacity.workflow.language.reader import load, loads
from sagacity.workflow.model import Assert, Audited, Rule, Workflow

_ORDERS = 2_500


class Learnt:
    """A log, and what was learnt from the first seventy hundredths of its time."""

    def __init__(self, folder: Path) -> None:
        self.log: Log = planted(_ORDERS, seed=5)
        self.all = self.log.write(folder / "all.jsonl")
        cut = self.log.split(0.7)
        self.later = {case for case, began in self.log.began.items() if began > cut}
        self.rest = self.log.write(folder / "later.jsonl", self.later)
        self.proposal: Proposal = discover([str(self.all)], "order_id", until=iso(int(cut * 1e6)), folder=folder)
        self.file = folder / "learnt.workflow.yaml"
        self.file.write_text(self.proposal.text, encoding="utf-8")

    def found(self, workflow: Workflow) -> list[tuple[str, str, set[str]]]:
        """The findings on later orders: the case, the expectation, and the event types that it is about."""
        with History(workflow, {"log": str(self.rest)}, as_of="end") as history:
            result = history.check(details=False)
            about = {tally.name: _types(tally.expectation) for tally in result.tallies}
            return [
                (each.case, each.expectation, about[each.expectation] | ({each.type} if each.type else set()))
                for each in result.findings
            ]


def _types(expectation: Audited) -> set[str]:
    if isinstance(expectation, Rule):
        return set(expectation.events)
    return set(re.findall(r"\b[A-Z]\w+", expectation.predicate)) if isinstance(expectation, Assert) else set()


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Learnt:
    return Learnt(tmp_path_factory.mktemp("planted"))


def test_later_faults_are_found_and_little_else(learnt: Learnt) -> None:
    found = learnt.found(load(learnt.file))
    faults = [fault for fault in learnt.log.faults if fault.case in learnt.later]
    faulty = {fault.case for fault in faults}
    caught = [fault for fault in faults if any(case == fault.case and fault.type in about for case, _, about in found)]
    assert len(faults) > 80
    assert len(caught) >= 0.95 * len(faults)
    assert sum(case in faulty for case, _, _ in found) >= 0.9 * len(found)


def test_what_any_true_rule_finds_is_found(learnt: Learnt) -> None:
    cases = {case for case, _, _ in learnt.found(load(learnt.file))}
    by_rule: dict[str, list[str]] = {}
    for case, rule, _ in learnt.found(loads(TRUE)):
        by_rule.setdefault(rule, []).append(case)
    missed = {rule: [case for case in broken if case not in cases] for rule, broken in by_rule.items()}
    assert len(by_rule) >= 12
    assert {rule: missing for rule, missing in missed.items() if len(missing) > 0.05 * len(by_rule[rule])} == {}


@pytest.mark.parametrize(
    "said",
    [
        "exclusive_choice: [PaymentReceived, OrderCancelled]",
        "amount = OrderPlaced.amount",
        "within 5m of OrderPlaced",
        "not_response: [ItemShipped, GiftWrapped]",
        "when: amount > 1000",
        "when: amount <= 1000",
        "assert: count(ItemShipped) = 0 OR sum(ItemShipped.items) = OrderPlaced.items",
        "begins: OrderPlaced",
    ],
)
def test_the_orders_rules_are_said_in_these_words(learnt: Learnt, said: str) -> None:
    assert said in learnt.proposal.text


def test_the_proposal_fits_on_two_screens(learnt: Learnt) -> None:
    assert learnt.proposal.text.count("\n") <= 100


def test_each_rule_has_its_evidence_and_cases_against_it(learnt: Learnt) -> None:
    planted_in = {fault.case for fault in learnt.log.faults}
    for rule in learnt.proposal.rules:
        assert rule.evidence.support > 0
        assert len(rule.evidence.counter) == min(3, rule.evidence.support - rule.evidence.held)
        assert rule.evidence.confidence >= 0.95
    against = [each.case for rule in learnt.proposal.rules for each in rule.evidence.counter]
    assert sum(case in planted_in for case in against) >= 0.9 * len(against)


def test_a_threshold_of_all_proposes_only_what_always_holds(learnt: Learnt) -> None:
    proposal = discover([str(learnt.all)], "order_id", threshold=1.0)
    assert proposal.rules
    assert {rule.evidence.confidence for rule in proposal.rules} == {1.0}
    assert proposal.violated == 0
