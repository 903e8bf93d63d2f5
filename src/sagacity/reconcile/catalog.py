"""The catalogue of event types, from documents, workflows and logs."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sagacity.catalog.asyncapi import asyncapi_facts
from sagacity.catalog.entry import Catalog, Entry, Read
from sagacity.catalog.fact import Fact, Kind, Seen
from sagacity.catalog.gaps import gaps_of
from sagacity.catalog.merging import merged
from sagacity.catalog.part import Part
from sagacity.catalog.schemas import event_named, is_schema, schema_facts
from sagacity.catalog.workflows import workflow_facts
from sagacity.discover.fields import Stated, event_fields, maker_field
from sagacity.discover.keys import keyish, promising, suggested
from sagacity.errors import SourceError, UsageError
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
    told = told_apart(given, [field for field in (type, time) if field is not None])
    documents, facts, read = Documents(), [], []
    for path in told.documents:
        with _passed_over(path, path in told.named, documents.notes):
            said = _told(documents, path)
            if said is not None:
                kind, title, found = said
                facts += found
                read.append(Read(path, kind, title, len(found)))
    logs = _Logs(told.named, documents.notes, type, time, memory, threads, progress)
    found, seen = logs.seen(list(told.logs))
    facts += found
    read += seen
    if not read:
        raise UsageError("nothing of what is given tells of event types", hint="; ".join(documents.notes) or None)
    entries = tuple(entry for entry in merged(facts) if not _only_helps(entry, documents))
    return Catalog(entries, gaps_of(entries), tuple(read), tuple(documents.notes))


@contextmanager
def _passed_over(path: str, named: bool, notes: list[str]) -> Iterator[None]:
    """A file that nobody named is passed over, with a note, where it cannot be read."""
    try:
        yield
    except (SourceError, UsageError) as error:
        if named:
            raise
        notes.append(f"{path} was passed over: {error.message}")


def _told(documents: Documents, path: str) -> tuple[Kind, str, list[Fact]] | None:
    """What a document tells; None, and a note, where it is of no kind that does."""
    part = documents.read(path)
    if part.text("workflow"):
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


def _only_helps(entry: Entry, documents: Documents) -> bool:
    """Whether all that is known of an event type is that a schema is so called which another document refers to, and which
    does not say itself that it is one's."""
    return all(
        fact.kind == "schema"
        and os.path.normpath(fact.document) in documents.targets
        and not event_named(documents.read(fact.document))
        for fact in entry.facts
    )


class _Logs:
    """The event types of logs, with what is known of them by their events."""

    def __init__(
        self,
        named: Container[str],
        notes: list[str],
        type: str | None,
        time: str | None,
        memory: str | None,
        threads: int | None,
        progress: Progress | None,
    ) -> None:
        self._named = named
        self._notes = notes
        self._stated = (type, time)
        self._limits = (memory, threads)
        self._progress = progress

    def seen(self, logs: list[str]) -> tuple[list[Fact], list[Read]]:
        """Logs that cannot be read together are halved until it is known which of them cannot be read at all."""
        if len(logs) > 1:
            try:
                return self._read(logs)
            except (SourceError, UsageError):
                half = len(logs) // 2
                first, second = self.seen(logs[:half]), self.seen(logs[half:])
                return [*first[0], *second[0]], [*first[1], *second[1]]
        for log in logs:
            with _passed_over(log, log in self._named, self._notes):
                return self._read(logs)
        return [], []

    def _read(self, logs: list[str]) -> tuple[list[Fact], list[Read]]:
        memory, threads = self._limits
        records = Records(logs, None, (*self._stated, None))
        mining: Mining = DuckDBMining(memory=memory, threads=threads)
        try:
            inputs = records.inputs(mining)
            found, read = [], []
            notes: list[str] = []
            for number, (source, given) in enumerate(inputs.items()):
                if self._progress is not None:
                    self._progress(f"reading {source}", number / len(inputs))
                stated = event_fields(mining.sample(source, given, None), *self._stated, None)
                facts = _facts(mining, source, given, stated)
                found += facts
                events = sum(fact.seen.events for fact in facts if fact.seen is not None)
                read.append(Read(given.given, "events", f"{events:,} events", len(facts)))
                unreadable = mining.unreadable(source, given)
                notes += [f"{unreadable:,} of the records of {given.given} could not be read"] if unreadable else []
            self._notes += notes
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
    keys = suggested(seen, links, sum(each.events for each in census), len(census))
    for candidate in promising(keys).candidates:
        for kind, n in carried.get(candidate.path, {}).items():
            if n >= _CARRIED * records.get(kind, n):
                found.setdefault(kind, (candidate.path,))
    return found
