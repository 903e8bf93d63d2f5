"""The JSON Schema of workflow files: it accepts what the reader accepts, and rejects mistakes of shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from sagacity.cli.init import STARTER
from sagacity.workflow.language.reader import read
from sagacity.workflow.language.schema import schema
from sagacity.workflow.templates import TEMPLATES

jsonschema = pytest.importorskip("jsonschema")

HEAD = """\
workflow: order
keys: order_id
sources: {log: {format: csv, time: at, key: order_id}}
events: {Placed: {capture: {amount: amount as decimal}}, Paid: {capture: {amount: amount as decimal}}}
timeout: 30d
"""


def _accepts(text: str) -> bool:
    return bool(jsonschema.Draft202012Validator(schema()).is_valid(yaml.safe_load(text)))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    assert json.loads(json.dumps(schema())) == schema()


def test_the_starter_and_the_examples_are_accepted(project: Path) -> None:
    files = sorted(project.glob("examples/**/*.workflow.yaml"))
    for text in (STARTER, *(file.read_text("utf-8") for file in files)):
        jsonschema.validate(yaml.safe_load(text), schema(), jsonschema.Draft202012Validator)


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=list(TEMPLATES))
def test_each_template_takes_in_the_schema_what_it_takes_in_the_reader(template: Any) -> None:
    events = ["Placed", "Paid"][: template.arity]
    options = {"n": 2, "when": "amount > 1", "where": "a.amount = b.amount", "within": "15m", "immediate": True}
    for name, value in options.items():
        text = HEAD + yaml.safe_dump({"rules": [{template.name: events, name: value}]})
        assert _accepts(text) == (read(text)[0] is not None), text
    other = HEAD + yaml.safe_dump({"rules": [{template.name: ["Placed", "Paid", "Placed"]}]})
    assert not _accepts(other)
    assert read(other)[0] is None


@pytest.mark.parametrize(
    "more",
    [
        "begins: Placed\nends: [Paid]\nunexpected: forbid\nversion: 1.1\nx-mine: {a: [b]}\n",
        "expect: {Placed: once, Paid: [once, {is: after Placed, severity: info, owner: me}]}\n",
        "accepted: {Paid once: {held: 98, of: 99, until: '2026-10-12', by: anna}}\n",
        "rules:\n  - matches: {from: Placed, to: Paid, by: [amount, amount], amount: amount, tolerance: 0.01, within: 3d}\n",
        "rules:\n  - {assert: count(Placed) = 1, immediate: true, name: x, severity: critical, description: d}\n",
    ],
)
def test_what_the_reader_accepts_is_accepted(more: str) -> None:
    assert read(HEAD + more)[0] is not None, read(HEAD + more)[1]
    assert _accepts(HEAD + more)


@pytest.mark.parametrize(
    "text",
    [
        "workflow: order\n",
        HEAD + "begin: Placed\n",
        HEAD + "unexpected: maybe\n",
        HEAD + "ends: {a: b}\n",
        HEAD.replace("30d", "30") + "expect: {Placed: once}\n",
        HEAD.replace("30d", "soon"),
        HEAD.replace("csv", "json"),
        HEAD.replace("time: at", "tme: at"),
        HEAD.replace("amount as decimal", "{type: decimal}", 1),
        HEAD.replace("amount as decimal", "{value: amount, type: money}", 1),
        HEAD + "expect: {Placed: {severity: info}}\n",
        HEAD + "expect: {Placed: {is: once, severity: high}}\n",
        HEAD + "rules: [{severity: info}]\n",
        HEAD + "rules: [{initt: Placed}]\n",
        HEAD + "rules: [{init: Placed, end: Paid}]\n",
        HEAD + "rules: [{matches: {from: Placed, by: amount}}]\n",
        HEAD + "rules: {init: Placed}\n",
    ],
)
def test_a_mistake_of_shape_is_rejected_by_schema_and_reader_alike(text: str) -> None:
    assert not _accepts(text)
    assert read(text)[0] is None
