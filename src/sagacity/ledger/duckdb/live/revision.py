"""A revision of a workflow as the live ledger uses it: how its sources' records read, and its plan with as-of left open."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sagacity.ledger.duckdb.fields import Field, identifier, literal, pointer
from sagacity.ledger.duckdb.jsonl import LONGEST_LINE, layout_of
from sagacity.ledger.duckdb.live.arrivals import INCOMING
from sagacity.ledger.duckdb.normalise import Normal, normal_of
from sagacity.ledger.duckdb.scan import Part
from sagacity.ledger.duckdb.shapes import Shape, shape_of
from sagacity.plan.facts import Facts
from sagacity.plan.plan import compile_plan
from sagacity.plan.summary import cases, findings
from sagacity.workflow.awaited import Awaited, awaited
from sagacity.workflow.formats import complete
from sagacity.workflow.model import Workflow

__all__ = ["AS_OF", "Revision", "revision_of", "taken_table"]

AS_OF = "getvariable('as_of')"
"""SQL of the instant that is judged for."""

_TRIMMED = "trim(body, chr(32) || chr(9) || chr(10) || chr(13))"


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """`w` numbers its tables. `normals` holds, by source, the SQL that turns `incoming` into events side by side;
    `steps` the plan's relations with the SQL that makes or extends each. `current`: it is judged by."""

    w: int
    workflow: Workflow
    shapes: Mapping[str, Shape]
    normals: Mapping[str, Normal]
    steps: tuple[tuple[str, str], ...]
    findings: str
    cases: str
    awaited: Awaited
    current: bool


def revision_of(w: int, workflow: Workflow, *, current: bool) -> Revision:
    """Compile a workflow. Raises UsageError where it does not say how its events are read."""
    workflow = complete(workflow, dict.fromkeys(_sources(workflow), "jsonl"))
    shapes = {name: shape_of(workflow, name) for name in _sources(workflow)}
    plan = compile_plan(workflow, None, waiting=True)
    steps = []
    everything = plan.examination(range(len(workflow.audited())), range(len(workflow.events)))
    for step in (*plan.steps, *everything):
        verb = f"CREATE OR REPLACE TEMP TABLE {step.relation} AS" if step.create else f"INSERT INTO {step.relation}"
        steps.append((step.relation, f"{verb} {_run_time(step.query.sql('duckdb'))}"))
    return Revision(
        w=w,
        workflow=workflow,
        shapes=shapes,
        normals={name: normal_of(shape, _part(name, shape)) for name, shape in shapes.items()},
        steps=tuple(steps),
        findings=_run_time(findings(Facts(workflow, None)).sql("duckdb")),
        cases=_run_time(cases(waiting=True).sql("duckdb")),
        awaited=awaited(workflow),
        current=current,
    )


def _sources(workflow: Workflow) -> list[str]:
    return list(dict.fromkeys([*workflow.sources, *(event.source for event in workflow.events.values())]))


def _run_time(sql: str) -> str:
    return sql.replace("$as_of", AS_OF)


def _part(name: str, shape: Shape) -> Part:
    """The records of one source in `incoming`, read as JSON lines are."""
    layout = layout_of(shape.paths())
    fields = {path: Field(sql, "json", document="json", place=pointer(path.steps)) for path, sql in layout.fields.items()}
    documents = f"""(SELECT n, p, position, shown, CASE WHEN json_valid(body) THEN {_TRIMMED} END AS json
        FROM {INCOMING} WHERE source = {literal(name)})"""
    return Part(
        name=name,
        relation=f"(SELECT {', '.join(['n', 'p', 'position', 'shown', 'json', *layout.columns])} FROM {documents})",
        fields=fields,
        files=[("", name)],
        format="live",
        malformed=f"(json IS NULL OR NOT starts_with(json, '{{') OR strlen(json) > {LONGEST_LINE})",
        row="position",
        carried=("n", "p"),
        costly=True,
    )


def taken_table(w: int, source: str) -> str:
    """The temporary table of a source's records, normalised."""
    return identifier(f"taken {w} {source}")
