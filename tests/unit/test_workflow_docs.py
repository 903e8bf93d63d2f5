"""The reference of the workflow file is in step with the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sagacity.workflow.durations import UNITS
from sagacity.workflow.language.reader import read
from sagacity.workflow.language.schema import schema
from sagacity.workflow.templates import TEMPLATES, Legs, Template

_FRAME = """\
workflow: frame
keys: order_id
sources: {log: {format: jsonl, key: data.order_id}}
events:
  OrderPlaced: {capture: {amount: data.amount as decimal}}
  PaymentReceived: {capture: {amount: data.amount as decimal, invoice_id: data.invoice_id as text}}
  InvoiceIssued: {capture: {amount: data.amount as decimal, invoice_id: data.invoice_id as text}}
  ComplianceCheckDone:
timeout: 30d
unexpected: forbid
"""


@pytest.fixture
def page(project: Path) -> str:
    return (project / "docs" / "workflow-file.md").read_text("utf-8")


def _row(template: Template) -> str:
    named = f"{template.name}: a" if template.arity == 1 else f"{template.name}: [a, b]"
    legs = template.shape.legs if isinstance(template.shape, Legs) else ()
    activations = ", ".join(dict.fromkeys("ab"[leg.activation] for leg in legs)) or "none"
    takes = "`when`, `where`, `within`" if template.activated else "`n`, `when`" if template.counts else "`when`"
    return f"| `{named}` | {template.meaning} | {activations} | {takes} |"


def test_the_table_of_templates_is_that_of_the_code(page: str) -> None:
    table = page.split("<!-- templates -->\n")[1].split("\n<!-- end of templates -->")[0].splitlines()
    assert table[2:] == [_row(template) for template in TEMPLATES.values()]


def test_every_key_of_the_file_is_explained(page: str) -> None:
    definitions = schema()["$defs"]
    described = {
        *schema()["properties"],
        *definitions["source"]["properties"],
        *definitions["event"]["properties"],
        *definitions["rule"]["properties"],
        *definitions["rule"]["properties"]["matches"]["properties"],
        *definitions["acceptance"]["properties"],
        *definitions["capture"]["anyOf"][1]["properties"],
    } - set(TEMPLATES)
    assert [key for key in sorted(described) if not re.search(rf"`{key}\b|### {key}\b", page)] == []


def test_every_unit_of_durations_is_named(page: str) -> None:
    assert f"`{' '.join(UNITS)}`" in page


def test_every_example_has_nothing_wrong(page: str) -> None:
    examples = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert len(examples) >= 5
    for example in examples:
        text = example if example.startswith("workflow:") else _FRAME + example
        assert read(text, "example")[1] == (), text
