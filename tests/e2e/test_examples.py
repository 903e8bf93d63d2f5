"""The examples, checked by the product: the outcome is the one that stands beside them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

import sagacity

RECEIPT = Path(__file__).resolve().parents[3] / "shared" / "data" / "receipt.xes.gz"


@pytest.mark.parametrize("name", ["orders-as-messages", "orders-table-and-payments"])
def test_an_example_has_the_findings_that_it_says_it_has(project: Path, name: str) -> None:
    folder = project / "examples" / name
    expected = json.loads((folder / "expected.json").read_text())
    (workflow,) = folder.glob("*.workflow.yaml")
    result = sagacity.check(workflow, as_of=expected["as_of"])
    found = sorted([finding.case, finding.expectation, finding.kind] for finding in result.findings)
    assert found == sorted(expected["findings"])
    cases = result.cases
    assert {"complete": cases.complete, "open": cases.open, "violated": cases.violated} == expected["cases"]


def test_the_permit_log_has_the_findings_that_it_says_it_has(project: Path) -> None:
    if not RECEIPT.exists():
        pytest.skip("receipt.xes.gz is not beside the project")
    folder = project / "examples" / "permit-log"
    expected = json.loads((folder / "expected.json").read_text())
    result = sagacity.check(folder / "permit.workflow.yaml", sources={"log": RECEIPT}, as_of=expected["as_of"])
    kinds = Counter((finding.expectation, finding.kind) for finding in result.findings)
    assert kinds == Counter({(name, kind): n for name, by in expected["kinds"].items() for kind, n in by.items()})
    cases = result.cases
    assert {"complete": cases.complete, "open": cases.open, "violated": cases.violated} == expected["cases"]
