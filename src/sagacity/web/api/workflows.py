"""Workflows: those that are judged by, their pictures and counts, and how to change them."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import get, put
from litestar.params import FromQuery, HeaderParameter, PathParameter, QueryParameter

from sagacity.ledger.live import CaseFilter
from sagacity.report.map import Line, map_of
from sagacity.web.api.described import Cursor, Limit, body, errors
from sagacity.web.api.documents import CaseDocument, Listed, WorkflowSummary, listed
from sagacity.web.context import Here, Served
from sagacity.web.deeds import adopt
from sagacity.web.identity import Asking
from sagacity.web.problem import Refused
from sagacity.web.reading import Readings
from sagacity.workflow.model import Workflow
from sagacity.workflow.verdict import CaseStatus

__all__ = ["adopt_workflow", "cases_of", "counts", "workflow", "workflows"]

_EXAMPLE = """\
workflow: order
sources:
  orders: {format: jsonl, type: type, time: time, id: id, key: data.order_id}
events:
  OrderPlaced: {source: orders}
  PaymentReceived: {source: orders}
timeout: 7d
expect:
  PaymentReceived: once, within 15m of OrderPlaced
"""
Name = Annotated[str, PathParameter(description="a workflow's name")]


class Workflows(msgspec.Struct, frozen=True):
    """All workflows."""

    items: list[WorkflowSummary]


class MapLine(msgspec.Struct, frozen=True):
    """One expectation in a picture: few words, name, definition; and how many unresolved findings there are of it."""

    words: str
    name: str
    definition: str
    findings: int


class MapNode(msgspec.Struct, frozen=True):
    """An event type: where it is found, whether it begins or ends a case, how many events there are."""

    name: str
    source: str
    begins: bool
    ends: bool
    events: int
    lines: list[MapLine]


class MapTie(msgspec.Struct, frozen=True):
    """Expectations from one event type to another. `kind`: an order, both together, or never."""

    source: str
    target: str
    kind: str
    lines: list[MapLine]


class MapDocument(msgspec.Struct, frozen=True):
    """The workflow as a graph; `beneath` holds what spans more than two event types."""

    nodes: list[MapNode]
    ties: list[MapTie]
    beneath: list[MapLine]


class WorkflowDocument(WorkflowSummary, frozen=True, kw_only=True):
    """A workflow: its text as it was given, its sources, and its map."""

    text: str
    description: str | None
    owner: str | None
    sources: list[str]
    map: MapDocument


class CountsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow at a glance: cases by status, findings by state, unresolved findings by owner (`""`: nobody) and by
    expectation, events by type."""

    workflow: str
    cases: dict[str, int]
    findings: dict[str, int]
    by_owner: dict[str, int]
    by_expectation: dict[str, int]
    events: dict[str, int]


@get("/api/v1/workflows", sync_to_thread=True, tags=["workflows"], summary="All workflows", responses=errors())
def workflows(served: Here) -> Workflows:
    """What is judged by, with revisions; without the texts."""
    return Workflows([WorkflowSummary.of(stored) for stored in served.ledger.workflows()])


@get(
    "/api/v1/workflows/{name:str}",
    sync_to_thread=True,
    tags=["workflows"],
    summary="One workflow",
    responses=errors(404),
)
def workflow(served: Here, name: Name) -> WorkflowDocument:
    """Its text, revision, and the map with the numbers of events and findings."""
    found = served.readings.named(name)
    if found is None:
        raise no_workflow(served.readings, name)
    stored, read = found
    return WorkflowDocument(
        **msgspec.structs.asdict(WorkflowSummary.of(stored)),
        text=stored.text,
        description=read.description,
        owner=read.owner,
        sources=list(read.sources),
        map=_map(served, read),
    )


@put(
    "/api/v1/workflows/{name:str}",
    tags=["workflows"],
    summary="Add or change a workflow",
    opt={"need": "operator"},
    operation_class=body("The workflow as YAML, at most 1 MB.", {"application/yaml": _EXAMPLE}),
    responses=errors(409, 412, 413, 422, 504),
)
async def adopt_workflow(
    served: Here,
    request: Asking,
    name: Name,
    if_match: Annotated[
        str | None,
        HeaderParameter(name="If-Match", description="the revision that is to be replaced, in quotes"),
    ] = None,
) -> WorkflowSummary:
    """Judge by this text from now on. What is kept is judged again in the background. A text with mistakes is refused with
    all of them, and the workflow that was there stays."""
    try:
        text = (await request.body()).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused(422, "the workflow is not UTF-8", "save it as UTF-8") from None
    replaced = None if if_match is None else _revision(if_match)
    return WorkflowSummary.of(await adopt(served, request.user, text, name=name, replacing=replaced))


@get(
    "/api/v1/workflows/{name:str}/counts",
    sync_to_thread=True,
    tags=["workflows"],
    summary="A workflow at a glance",
    responses=errors(404),
)
def counts(served: Here, name: Name) -> CountsDocument:
    """How many cases, findings and events there are, each by what matters of them."""
    if served.readings.named(name) is None:
        raise no_workflow(served.readings, name)
    found = served.ledger.counts(name)
    return CountsDocument(
        workflow=name,
        cases=dict(found.cases),
        findings=dict(found.findings),
        by_owner=dict(found.by_owner),
        by_expectation=dict(found.by_expectation),
        events=dict(found.events),
    )


@get(
    "/api/v1/workflows/{name:str}/cases",
    sync_to_thread=True,
    tags=["cases"],
    summary="Cases of a workflow",
    responses=errors(404),
)
def cases_of(
    served: Here,
    name: Name,
    status: FromQuery[CaseStatus | None] = None,
    text: Annotated[
        str | None,
        QueryParameter(
            description="a case id, another key, an event id, a correlation or trace id, or a captured value", max_length=500
        ),
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Listed[CaseDocument]:
    """Newest first."""
    if served.readings.named(name) is None:
        raise no_workflow(served.readings, name)
    which = CaseFilter(workflow=name, status=status, text=text or None)
    return listed(served.ledger.cases(which, cursor=cursor, limit=limit), CaseDocument.of)


def no_workflow(readings: Readings, name: str) -> Refused:
    """What somebody is told who asks for a workflow that there is not."""
    there = [stored.name for stored, _ in readings.all()]
    return Refused(404, f"there is no workflow {name[:80]}", f"there is {', '.join(there)}" if there else "there is none")


def _revision(if_match: str) -> int:
    try:
        return int(if_match.strip().removeprefix("W/").strip('"'))
    except ValueError:
        raise Refused(400, "If-Match is not a revision", 'write it as If-Match: "3"') from None


def _map(served: Served, read: Workflow) -> MapDocument:
    found = served.ledger.counts(read.name)
    drawn = map_of(read, event_counts=found.events)

    def lines(given: tuple[Line, ...]) -> list[MapLine]:
        return [MapLine(line.words, line.name, line.definition, found.by_expectation.get(line.name, 0)) for line in given]

    return MapDocument(
        nodes=[
            MapNode(node.name, node.source, node.begins, node.ends, node.events or 0, lines(node.lines))
            for node in drawn.nodes
        ],
        ties=[MapTie(tie.source, tie.target, tie.kind, lines(tie.lines)) for tie in drawn.ties],
        beneath=lines(drawn.beneath),
    )
