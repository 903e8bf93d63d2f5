"""Documents for machines: JSON and JUnit XML, complete, well formed, and honest about what they leave out."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

import report_samples as samples
from sagacity.report.document import SCHEMA, encoded, explanation_document, to_document
from sagacity.report.junit import render_junit

ALL = (samples.realistic, samples.clean, samples.empty, samples.huge, samples.hostile)


@pytest.mark.parametrize("make", ALL)
def test_the_document_survives_encoding_unchanged(make: Any) -> None:
    document = to_document(make(), 20)
    assert document["schema"] == SCHEMA
    assert json.loads(encoded(document)) == document


def test_findings_are_listed_up_to_the_limit_and_the_document_says_so() -> None:
    findings = to_document(samples.huge(), 7)["findings"]
    assert (findings["total"], len(findings["listed"]), findings["truncated"]) == (812_345, 7, True)
    whole = to_document(samples.realistic(), None)["findings"]
    assert (len(whole["listed"]), whole["truncated"]) == (whole["total"], False)


def test_instants_come_as_iso_and_as_microseconds() -> None:
    document = to_document(samples.realistic())
    assert document["as_of"] == {"time": "2026-11-16T00:00:00Z", "us": 1_794_787_200_000_000}
    assert to_document(samples.clean())["as_of"] is None


def test_each_source_adds_up() -> None:
    parts = ("matched", "redelivered", "unmatched", "orphan", "rejected", "beyond")
    for source in to_document(samples.realistic())["sources"]:
        assert source["records"] == sum(source[part] for part in parts)


def test_findings_of_all_expectations_add_up_to_the_total() -> None:
    document = to_document(samples.realistic())
    assert sum(entry["findings"] for entry in document["expectations"]) == document["findings"]["total"]
    for entry in document["expectations"]:
        assert sum(entry["kinds"].values()) == entry["findings"]


def test_an_explained_case_holds_its_events_exactly_and_each_reason() -> None:
    result = samples.realistic()
    document = explanation_document(result.workflow, result.worst[0], result.as_of)
    assert document["schema"] == SCHEMA
    assert document["events"][0]["attributes"] == {"amount": "4.50", "amount.currency": "EUR"}
    by_name = {entry["name"]: entry for entry in document["expectations"]}
    assert by_name["paid within 15m"]["status"] == "violated"
    assert by_name["paid within 15m"]["violations"][0]["kind"] == "late"
    assert {missed["type"] for missed in document["missed"]} == {"PaymentReceived", "ItemShipped"}
    assert json.loads(encoded(document)) == document


@pytest.mark.parametrize("make", ALL)
def test_junit_is_well_formed_and_counts_its_cases(make: Any) -> None:
    result = make()
    suite = ElementTree.fromstring(render_junit(result).encode()).find("testsuite")
    assert suite is not None
    cases = suite.findall("testcase")
    assert len(cases) == len(result.tallies) == int(suite.attrib["tests"])
    assert sum(case.find("failure") is not None for case in cases) == int(suite.attrib["failures"])
    assert sum(case.find("skipped") is not None for case in cases) == int(suite.attrib["skipped"])


def test_a_junit_failure_lists_the_first_findings_and_counts_the_rest() -> None:
    root = ElementTree.fromstring(render_junit(samples.realistic()).encode())
    failure = next(case for case in root.iter("testcase") if case.attrib["name"] == "paid within 15m").find("failure")
    assert failure is not None
    assert failure.attrib["type"] == "critical"
    lines = (failure.text or "").splitlines()
    assert lines[0] == "every OrderPlaced has PaymentReceived later, within 15m"
    assert [line.startswith("case ") for line in lines[1:4]] == [True, True, True]
    assert lines[4] == "and 65 more"


def test_an_expectation_that_applied_to_nothing_is_skipped_in_junit() -> None:
    root = ElementTree.fromstring(render_junit(samples.empty()).encode())
    assert all(case.find("skipped") is not None for case in root.iter("testcase"))
