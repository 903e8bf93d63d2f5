"""Constructors of expectations: one for each template, equal to what a workflow file yields."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import yaml

from sagacity import expect
from sagacity.errors import UsageError
from sagacity.workflow.language.reader import loads
from sagacity.workflow.model import Expectation
from sagacity.workflow.templates import TEMPLATES, Template

_FILE = """\
workflow: w
keys: order_id
sources: {s: {format: csv, time: time, key: order_id}}
events:
  A: {capture: {x: x as decimal}}
  B: {capture: {x: x as decimal}}
timeout: 30d
"""


def _read(entry: dict[str, Any]) -> Expectation:
    (expectation,) = loads(_FILE + yaml.safe_dump({"rules": [entry]})).expectations
    return expectation


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=list(TEMPLATES))
def test_each_template_has_a_constructor_that_equals_the_file(template: Template) -> None:
    events = ("A", "B")[: template.arity]
    options: dict[str, Any] = {"when": "x > 1", "severity": "critical", "owner": "me", "name": "n", "description": "d"}
    if template.activated:
        options |= {"where": "a.x = b.x", "within": "15m"}
    if template.counts:
        options["n"] = 3
    constructed = getattr(expect, template.name)(*events, **options)
    assert constructed == _read({template.name: list(events), **options})
    assert getattr(expect, template.name)(*events) == _read({template.name: list(events)})


def test_matches_equals_the_file() -> None:
    constructed = expect.matches(
        "A", "B", by="x", cardinality="many_to_one", amount=("x", "x"), tolerance=Decimal("0.01"), within="3d", owner="me"
    )
    written = {"from": "A", "to": "B", "by": ["x", "x"], "cardinality": "many_to_one", "amount": "x", "tolerance": 0.01}
    assert constructed == _read({"matches": {**written, "within": "3d"}, "owner": "me"})


def test_asserts_equals_the_file() -> None:
    assert expect.asserts("sum(A.x) = 1", immediate=True) == _read({"assert": "sum(A.x) = 1", "immediate": True})
    assert expect.asserts("sum(A.x) = 1") == _read({"assert": "sum(A.x) = 1"})


def test_a_window_is_text_a_timedelta_or_microseconds() -> None:
    windows = ("15m", timedelta(minutes=15), 900_000_000)
    assert {expect.response("A", "B", within=window).within for window in windows} == {900_000_000}


@pytest.mark.parametrize("window", ["15 parsecs", timedelta(seconds=-1), -1])
def test_a_window_that_is_none_is_refused(window: expect.Duration) -> None:
    with pytest.raises(UsageError):
        expect.response("A", "B", within=window)


def test_a_shorthand_that_is_not_understood_is_refused() -> None:
    with pytest.raises(UsageError, match="at character 1"):
        expect.said("A", "onec")


def test_everything_public_is_listed() -> None:
    constructors = {*TEMPLATES, "matches", "asserts", "said", "Duration"}
    assert set(expect.__all__) == constructors
