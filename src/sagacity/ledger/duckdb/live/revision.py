"""A revision of a workflow as the live ledger uses it: how its sources' records read, and its plan with as-of left open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from sagacity.ledger.duckdb.fields import Field, identifier, literal, pointer
from sagacity.ledger.duckdb.jsonl import LONGEST_LINE, layout_of
from sagacity.ledger.duckdb.live.arrivals import INCOMING
from sagacity.ledger.duckdb.normalise import Normal, normal_of
from sagacity.ledger.duckdb.scan import Part
from sagacity.ledger.duckdb.shapes import Shape, shape_of
from sagacity.plan.facts import Facts
from sagacity.plan.fill import Tree
from sagacity.plan.plan import Step, compile_plan
from sagacity.plan.summary import findings, waiting_cases
from sagacity.workflow.awaited import Awaited, awaited
from sagacity.workflow.formats import complete
from sagacity.workflow.model import Workflow

__all__ = ["AS_OF", "Judging", "Revision", "Told", "revision_of", "taken_table"]

AS_OF = "getvariable('as_of')"
"""SQL of the instant that is judged for."""

_TRIMMED = "CASE WHEN starts_with(body, '{') THEN body ELSE trim(body, chr(32) || chr(9) || chr(10) || chr(13)) END"
"""Trimming takes longer than parsing, and what comes after a document does no harm."""


class Told(NamedTuple):
    """Queries for what each stage says of the cases that it tells of: see `sagacity.plan.summary.WaitingCases`."""

    screened: str
    rescreened: str
    examined: str


class Judging(msgspec.Struct, frozen=True, kw_only=True):
    """The statements of a plan that is `waiting`, over the relation `events`, in which `case_id` is the case's number.

    `screen`, which most cases go no further than; `take`, for those that it does not clear; `rescreen`, for those of them
    that it cannot be trusted with, `spared` where there are none; `doubt`, which makes `doubtful`; `trace`, for these, of
    which `undecided` says for how many each expectation is open; `outcomes`, by expectation, which add to what `none` made;
    `findings`. `told` yields the cases that each of the three stages tells of.
    """

    screen: str
    take: tuple[str, ...]
    rescreen: str
    spared: str
    doubt: str
    undecided: str
    trace: tuple[str, ...]
    none: str
    outcomes: tuple[tuple[str, ...], ...]
    findings: str
    told: Told


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """`w` numbers its tables. `normals` holds, by source, the SQL that turns `incoming` into events side by side.
    `current`: it is judged by."""

    w: int
    workflow: Workflow
    shapes: Mapping[str, Shape]
    normals: Mapping[str, Normal]
    judging: Judging
    awaited: Awaited
    current: bool


_NAMED = """WITH examined AS (SELECT x.c, j.case_id FROM temp.main.examined AS x JOIN judging AS j ON j.c = x.case_id)"""
"""Findings bear the name of a case, not its number."""


def revision_of(w: int, workflow: Workflow, *, current: bool) -> Revision:
    """Compile a workflow. Raises UsageError where it does not say how its events are read."""
    workflow = complete(workflow, dict.fromkeys(_sources(workflow), "jsonl"))
    shapes = {name: shape_of(workflow, name) for name in _sources(workflow)}
    return Revision(
        w=w,
        workflow=workflow,
        shapes=shapes,
        normals={name: normal_of(shape, _part(name, shape)) for name, shape in shapes.items()},
        judging=_judging(workflow),
        awaited=awaited(workflow),
        current=current,
    )


def _judging(workflow: Workflow) -> Judging:
    plan, facts = compile_plan(workflow, None, waiting=True), Facts(workflow, None)
    place = [step.relation for step in plan.steps].index("rescreened")
    screen, *steps = (_making(step) for step in plan.steps)
    told = ", ".join(plan.screens[1].query.named_selects)
    types = range(len(workflow.events))
    return Judging(
        screen=screen,
        take=tuple(steps[: place - 1]),
        rescreen=steps[place - 1],
        spared=f"CREATE OR REPLACE TEMP TABLE rescreened AS SELECT {told} FROM examined WHERE FALSE",
        doubt=steps[place],
        undecided=_run_time(plan.undecided()),
        trace=tuple(steps[place + 1 :]),
        none=_making(next(plan.examination((), types))),
        outcomes=tuple(
            tuple(f"INSERT INTO {step.relation} {_run_time(step.query)}" for step in plan.examination((x,), types))
            for x in range(len(workflow.audited()))
        ),
        findings=f"CREATE OR REPLACE TEMP TABLE found AS {_NAMED} {_run_time(findings(facts))}",
        told=Told(*map(_run_time, waiting_cases(facts))),
    )


def _making(step: Step) -> str:
    return f"CREATE OR REPLACE TEMP TABLE {step.relation} AS {_run_time(step.query)}"


def _sources(workflow: Workflow) -> list[str]:
    return list(dict.fromkeys([*workflow.sources, *(event.source for event in workflow.events.values())]))


def _run_time(query: Tree) -> str:
    return query.sql("duckdb").replace("$as_of", AS_OF)


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
