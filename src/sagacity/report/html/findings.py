"""The table of findings: filters and the first findings as data; the page's script draws the rows."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sagacity.reconcile.result import Finding, Result
from sagacity.report.markup import Markup, tag
from sagacity.report.summary import BY_SEVERITY, KINDS
from sagacity.report.text import plural, shortened, visible
from sagacity.workflow.words.wording import instant

__all__ = ["findings_data", "findings_section"]

_COLUMNS = ("severity", "case", "kind", "message", "since", "order", "expectation", "owner")
_HEADS = (
    ("severity", "Severity"),
    ("case", "Case"),
    ("kind", "Kind"),
    ("message", "Finding"),
    ("since", "Since"),
    ("expectation", "Expectation"),
    ("owner", "Owner"),
)
_LONGEST = 600


def findings_section(result: Result, listed: Sequence[Finding]) -> Markup:
    """Filters, an empty table for the script to fill, and the way from page to page."""
    total = len(result.findings)
    if not total:
        return tag("div", tag("p", "Nothing was found.", class_="empty"), class_="card flush")
    heads = [
        tag("th", tag("button", label, type="button", class_="sort"), scope="col", data_by=name, aria_sort="none")
        for name, label in _HEADS
    ]
    table = tag(
        "table",
        tag("caption", "Findings", class_="hidden"),
        tag("thead", tag("tr", heads)),
        tag("tbody", tag("tr", tag("td", "The table is drawn by a script, which did not run.", colspan="7"))),
        class_="stack",
    )
    turn = (
        tag("button", "Previous", type="button", data_turn="back"),
        tag("button", "Next", type="button", data_turn="forth"),
    )
    pager = tag("div", tag("span", "", data_said=True, role="status"), tag("div", turn, class_="turn"), class_="pager")
    return tag("div", _filters(listed), tag("div", table, class_="scroll"), pager, class_="card flush")


def listed_said(listed: int, total: int) -> str:
    """How many findings the table holds."""
    if listed == total:
        return f"{plural(total, 'finding')}, worst first."
    return f"The first {listed:,} of {plural(total, 'finding')}, worst first; --findings FILE writes all of them."


def _filters(listed: Sequence[Finding]) -> Markup:
    kinds = [kind for kind in KINDS if any(finding.kind == kind for finding in listed)]
    severities = [severity for severity in BY_SEVERITY if any(finding.severity == severity for finding in listed)]
    owners = sorted({_text(finding.owner or "nobody") for finding in listed})
    expectations = list(dict.fromkeys(_text(finding.expectation) for finding in listed))
    search = tag("input", type="search", name="text", placeholder="case, event, words", autocomplete="off")
    return tag(
        "form",
        tag("label", "Search", search, class_="search"),
        _pick("Kind", "kind", [(kind, kind.replace("_", " ")) for kind in kinds]),
        _pick("Severity", "severity", [(severity, severity) for severity in severities]),
        _pick("Owner", "owner", [(owner, owner) for owner in owners]),
        _pick("Expectation", "expectation", [(name, shortened(name, 80)) for name in expectations]),
        tag("button", "Clear", type="button", data_clear=True),
        class_="filters",
        aria_label="Filter the findings",
    )


def _pick(label: str, name: str, options: list[tuple[str, str]]) -> Markup:
    choices = [tag("option", "all", value=""), *(tag("option", shown, value=value) for value, shown in options)]
    return tag("label", label, tag("select", choices, name=name), class_="pick")


def findings_data(listed: Sequence[Finding]) -> Markup:
    """The findings as JSON that stands in a page safely."""
    rows = [
        (
            finding.severity,
            _text(finding.case),
            finding.kind,
            _text(finding.message),
            instant(finding.since),
            finding.since,
            _text(finding.expectation),
            _text(finding.owner) if finding.owner else None,
        )
        for finding in listed
    ]
    text = json.dumps({"columns": _COLUMNS, "rows": rows}, ensure_ascii=True, separators=(",", ":"))
    # No sign that could end the element, or open a comment in it.
    safe = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return tag("script", Markup(safe), type="application/json", id="findings-data")


def _text(text: str) -> str:
    return shortened(visible(text), _LONGEST)
