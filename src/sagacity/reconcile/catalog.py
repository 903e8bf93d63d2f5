"""The catalogue of event types, from documents, workflows and logs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sagacity.catalog.asyncapi import asyncapi_facts
from sagacity.catalog.entry import Catalog, Read
from sagacity.catalog.fact import Fact, Kind, Seen
from sagacity.catalog.gaps import gaps_of
from sagacity.catalog.merging import merged
from sagacity.catalog.part import Part
from sagacity.catalog.schemas import is_schema, schema_facts
from sagacity.catalog.workflows import workflow_facts
from sagacity.discover.fields import Stated, event_fields, maker_field
from sagacity.discover.keys import keyish, suggested
from sagacity.errors import UsageError
from sagacity.ledger.duckdb.mining import DuckDBMining
from sagacity.ledger.mining import Census, Mining, Sample
from sagacity.ledger.port import Progress
from sagacity.reconcile.documents import Documents, told_apart
from sagacity.reconcile.records import Records
from sagacity.sources.inputs import Input
from sagacity.workflow.formats import complete
from sagacity.workflow.language.reader import load

__all__ = ["catalog"]

_KEYS = 4
_CARRIED = 0.5
"""A field correlates an event type if at least so many of its sampled records have it."""


def catalog(
    files: Any,
    *,
    type: str | None = None,
    time: str | None = None,
    memory: str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Catalog:
    """Every event type of which documents (AsyncAPI 2 and 3, JSON Schema, workflows) and logs tell, and what is amiss.

    `files` are paths, folders or globs. `type` and `time` name the fields of records that say so, where their names are not
    the usual ones. Raises UsageError, SourceError, WorkflowError, LedgerError.
    """
    given = [str(each) for each in (files if isinstance(files, list | tuple) else [files])]
    if not given:
        raise UsageError("nothing is given to make a catalogue of", hint="name AsyncAPI documents, workflows, and events")
    paths, logs = told_apart(given)
    documents, facts, read = Documents(), [], []
    for path in paths:
        told = _told(documents, path)
        if told is not None:
            kind, title, found = told
            facts += found
            read.append(Read(path, kind, title, len(found)))
    if logs:
        found, seen = _seen(logs, type, time, memory, threads, progress)
        facts += found
        read += seen
    if not read:
        raise UsageError("nothing of what is given tells of event types", hint="; ".join(documents.notes) or None)
    entries = merged(facts)
    return Catalog(entries, gaps_of(entries), tuple(read), tuple(documents.notes))


def _told(documents: Documents, path: str) -> tuple[Kind, str, list[Fact]] | None:
    """What a document tells; None, and a note, where it is of no kind that does."""
    part = documents.read(path)
    if part.at("workflow"):
        workflow = complete(load(path))
        return "workflow", f"workflow {workflow.name}", workflow_facts(workflow, path)
    for kind, fits, named, facts in _KINDS:
        if fits(part):
            return kind, part.text(*named) or path, facts(part, path)
    documents.notes.append(f"{path} is neither an AsyncAPI document, a JSON Schema nor a workflow, and was passed over")
    return None


_KINDS: tuple[tuple[Kind, Callable[[Part], bool], tuple[str, ...], Callable[[Part, str], list[Fact]]], ...] = (
    ("asyncapi", lambda part: bool(part.at("asyncapi")), ("info", "title"), asyncapi_facts),
    ("schema", is_schema, ("title",), schema_facts),
)


def _seen(
    logs: list[str], type: str | None, time: str | None, memory: str | None, threads: int | None, progress: Progress | None
) -> tuple[list[Fact], list[Read]]:
    records = Records(logs)
    mining: Mining = DuckDBMining(memory=memory, threads=threads)
    try:
        inputs = records.inputs(mining)
        found, read = [], []
        for number, (source, given) in enumerate(inputs.items()):
            if progress is not None:
                progress(f"reading {source}", number / len(inputs))
            facts = _facts(mining, source, given, event_fields(mining.sample(source, given, None), type, time, None))
            found += facts
            events = sum(fact.seen.events for fact in facts if fact.seen is not None)
            read.append(Read(given.given, "events", f"{events:,} events", len(facts)))
        return found, read
    finally:
        mining.close()
        records.close()


def _facts(mining: Mining, source: str, given: Input, stated: Stated) -> list[Fact]:
    sample = mining.sample(source, given, stated.type)
    maker = maker_field(sample, stated)
    census = mining.census(source, given, stated.type, stated.time, maker)
    keyed = _keyed(mining, source, given, stated, sample, census)
    return [
        Fact(
            document=given.given,
            kind="events",
            names=(each.type,),
            sent_by=each.makers,
            keys=keyed.get(each.type, ()),
            seen=Seen(each.events, each.first, each.last),
        )
        for each in census
    ]


def _keyed(
    mining: Mining, source: str, given: Input, stated: Stated, sample: Sample, census: Sequence[Census]
) -> Mapping[str, tuple[str, ...]]:
    """Of each event type, the likeliest correlation key that its records carry."""
    seen, links = mining.keys(source, given, stated.type, keyish(sample, stated)[:_KEYS])
    carried = {field.path: field.by_type for field in sample.fields}
    records = carried.get(stated.time, {})
    found: dict[str, tuple[str, ...]] = {}
    for candidate in suggested(seen, links, sum(each.events for each in census), len(census)).candidates:
        for kind, n in carried.get(candidate.path, {}).items():
            if n >= _CARRIED * records.get(kind, n):
                found.setdefault(kind, (candidate.path,))
    return found
