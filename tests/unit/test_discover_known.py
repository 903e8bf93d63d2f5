"""Which suggested rules a workflow has already, in whatever words."""

from __future__ import annotations

import pytest

from sagacity.discover.known import known
from sagacity.workflow.language.reader import loads
from sagacity.workflow.model import Expectation

HEAD = """
workflow: order
keys: order_id
sources: {log: {format: jsonl, key: order_id}}
events: {A: {capture: {amount: amount as decimal}}, B: {capture: {amount: amount as decimal}}}
timeout: 1d
"""


def _said(text: str) -> tuple[Expectation, ...]:
    return loads(f"{HEAD}{text}").expectations


@pytest.mark.parametrize(
    ("suggested", "stated"),
    [
        ("expect: {A: at most once}", "expect: {A: once}"),
        ("expect: {A: at least once}", "expect: {A: twice}"),
        ("expect: {A: once}", "expect: {A: [at least once, at most once]}"),
        ("expect: {A: once}", "rules: [{exactly: A, n: 1, name: one and no more, severity: critical, owner: me}]"),
        ("expect: {B: within 15m of A}", "expect: {B: within 20m of A}"),
        ("expect: {B: within 15m of A}", "rules: [{chain_response: [A, B], within: 1h}]"),
        ("expect: {B: after A}", "rules: [{succession: [A, B]}]"),
        ("rules: [{succession: [A, B]}]", "rules: [{response: [A, B]}, {chain_precedence: [A, B]}]"),
        ("rules: [{response: [A, B], when: amount > 100}]", "rules: [{response: [A, B], when: amount > 90}]"),
        ("rules: [{response: [A, B], when: amount > 100}]", "rules: [{response: [A, B]}]"),
        ("rules: [{exclusive_choice: [A, B]}]", "rules: [{exclusive_choice: [B, A], name: either}]"),
        ("rules: [{not_response: [B, A]}]", "rules: [{not_co_existence: [B, A]}]"),
        ("expect: {B: [once, amount = A.amount]}", "expect: {B: once}\nrules: [{assert: A.amount = B.amount}]"),
    ],
)
def test_what_is_said_in_other_words_is_known(suggested: str, stated: str) -> None:
    assert all(known(each, _said(stated)) for each in _said(suggested))


@pytest.mark.parametrize(
    ("suggested", "stated"),
    [
        ("expect: {A: once}", "expect: {A: at most once}"),
        ("expect: {A: once}", "expect: {B: once}"),
        ("expect: {B: within 15m of A}", "rules: [{response: [A, B]}]"),
        ("expect: {B: within 15m of A}", "expect: {A: within 15m of B}"),
        ("rules: [{response: [A, B]}]", "rules: [{response: [A, B], when: amount > 90}]"),
        ("rules: [{succession: [A, B]}]", "rules: [{response: [A, B]}]"),
        ("rules: [{co_existence: [A, B]}]", "rules: [{responded_existence: [A, B]}]"),
        ("rules: [{assert: A.amount = B.amount}]", "rules: [{assert: A.amount > B.amount}]"),
    ],
)
def test_what_says_less_is_not_enough(suggested: str, stated: str) -> None:
    assert not any(known(each, _said(stated)) for each in _said(suggested))
