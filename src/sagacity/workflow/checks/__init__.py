"""Whether a workflow makes sense: errors, and doubtful spots as warnings.

A problem's `path` names the spot in the words of the file: `sources.orders.timezone`, `events.OrderPlaced.capture.amount`,
`expectations[3].where`. Checks apply alike to workflows from YAML and from Python.
"""

from __future__ import annotations

from collections.abc import Mapping

from sagacity.workflow.checks.arrivals import check_arrivals
from sagacity.workflow.checks.declarations import check_declarations
from sagacity.workflow.checks.expectations import check_expectations
from sagacity.workflow.checks.lints import lint
from sagacity.workflow.checks.notes import Notes
from sagacity.workflow.formats import SourceFormat, complete
from sagacity.workflow.model import Workflow
from sagacity.workflow.problems import Problem

__all__ = ["check", "located"]


def check(workflow: Workflow, formats: Mapping[str, SourceFormat] | None = None) -> tuple[Problem, ...]:
    """Every error of a workflow, or, where there is none, its doubtful spots.

    `formats` says what the inputs of sources proved to be, where known.
    """
    return tuple(problem for problem, _ in located(workflow, formats))


def located(workflow: Workflow, formats: Mapping[str, SourceFormat] | None = None) -> tuple[tuple[Problem, int | None], ...]:
    """Every problem, with the offset in the text at its path where it concerns one spot of a condition."""
    notes = Notes()
    known = {**_formats_by_path(workflow), **(formats or {})}
    completed = complete(workflow, known) if workflow.keys else workflow
    check_declarations(notes, completed, workflow.sources, set(known))
    check_arrivals(notes, completed)
    parsed = check_expectations(notes, workflow)
    if all(problem.severity == "warning" for problem, _ in notes.found):
        lint(notes, completed, parsed)
    return tuple(notes.found)


_SUFFIXES: dict[str, SourceFormat] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
    ".xes": "xes",
}
_COMPRESSED = (".gz", ".zst")


def _formats_by_path(workflow: Workflow) -> dict[str, SourceFormat]:
    found: dict[str, SourceFormat] = {}
    for name, source in workflow.sources.items():
        path = source.path or ""
        for suffix in _COMPRESSED:
            path = path.removesuffix(suffix)
        for suffix, format in _SUFFIXES.items():
            if path.endswith(suffix):
                found[name] = format
        if source.format is not None:
            found[name] = source.format
    return found
