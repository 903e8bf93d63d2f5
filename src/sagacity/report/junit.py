"""A result as JUnit XML: a suite for the workflow, a case for each expectation, a failure where it has findings."""

from __future__ import annotations

from sagacity.reconcile.result import Result, Tally
from sagacity.report.markup import Markup, join, tag
from sagacity.report.summary import accounted, headline
from sagacity.report.text import plural
from sagacity.workflow.words.definition import definition
from sagacity.workflow.words.wording import instant

__all__ = ["render_junit"]


def render_junit(result: Result) -> str:
    """The XML document. An expectation that applied to no case is reported as skipped; ends in a newline."""
    cases = [_case(result, tally) for tally in result.tallies]
    failures = sum(1 for tally in result.tallies if tally.findings)
    skipped = sum(1 for tally in result.tallies if _idle(tally))
    counts = {"tests": f"{len(cases)}", "failures": f"{failures}", "errors": "0", "skipped": f"{skipped}"}
    counts["time"] = f"{result.elapsed:.3f}"
    about = [tag("property", name=name, value=value) for name, value in _properties(result).items()]
    out = tag("system-out", headline(result))
    cases = [join((Markup("\n"), case)) for case in cases]
    suite = tag("testsuite", tag("properties", about), cases, out, name=result.workflow.name, **counts)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tag("testsuites", suite, name="sagacity", **counts)}\n'


def _properties(result: Result) -> dict[str, str]:
    return {
        "as_of": instant(result.as_of),
        "cases": f"{result.cases.total}",
        "cases.complete": f"{result.cases.complete}",
        "cases.open": f"{result.cases.open}",
        "cases.violated": f"{result.cases.violated}",
        "records": accounted(result),
    }


def _idle(tally: Tally) -> bool:
    return not tally.findings and not (tally.satisfied or tally.pending)


def _case(result: Result, tally: Tally) -> Markup:
    outcome = None
    if tally.findings:
        kinds = ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in tally.kinds.items())
        text = f"{plural(tally.findings, 'finding')} in {plural(tally.violated, 'case')}: {kinds}"
        lines = [f"case {finding.case}: {finding.message}" for finding in tally.examples]
        more = tally.findings - len(lines)
        lines += [f"and {more:,} more"] if lines and more > 0 else []
        # Line feeds part the examples, so each line is escaped for itself.
        body = Markup("\n".join(join(line) for line in (definition(result.workflow, tally.expectation), *lines)))
        outcome = tag("failure", body, message=text, type=tally.severity)
    elif _idle(tally):
        outcome = tag("skipped", message="applied to no case")
    owner = result.workflow.name if tally.owner is None else f"{result.workflow.name}.{tally.owner}"
    return tag("testcase", outcome, name=tally.name, classname=owner, time="0")
