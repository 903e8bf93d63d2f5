"""Learn what a workflow that is there does not say yet: by its own event types, keys and sources, and put into its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from sagacity.catalog.workflows import types_of
from sagacity.discover.compose import Composer
from sagacity.discover.fields import Stated, event_fields
from sagacity.discover.inserting import Inserting
from sagacity.discover.known import known
from sagacity.discover.outline import Look, captures_of
from sagacity.discover.proposal import Line, Proposal, Proposed, joined
from sagacity.discover.relations import Relations
from sagacity.discover.thresholds import rows_of
from sagacity.discover.writing import capture_text, commented, event_text, evidence_text, full_form, scalar
from sagacity.errors import UsageError
from sagacity.ledger.port import Progress
from sagacity.reconcile.discovery import VARIANTS, Discovery, frequency, used
from sagacity.reconcile.instants import AsOf
from sagacity.sources.gather import gather
from sagacity.sources.inputs import Files, Input
from sagacity.sources.spool import Spool
from sagacity.workflow.conditions.record import Path as RecordPath
from sagacity.workflow.conditions.record import parse_record, paths
from sagacity.workflow.language.reader import loads, source_text
from sagacity.workflow.language.writer import full_form as stated_form
from sagacity.workflow.model import Assert, EventType, Source, Workflow

__all__ = ["Extension"]

_MOST_TYPES = 500


class Extension(Discovery):
    """A log that is learnt from for the workflow in `file`. `sources` are those of `History`: what is not given is read from
    where the file says. Other parameters and errors are those of `Discovery`; WorkflowError where the file has mistakes.
    """

    def __init__(
        self,
        file: Path,
        sources: Mapping[str, Any],
        *,
        until: AsOf = None,
        max_rejected: int | None = 0,
        memory: str | None = None,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.file = file
        self.written = source_text(file)
        self.stated = loads(self.written, str(file))
        self._spool = Spool()
        self._start(memory, threads, progress)
        try:
            self._unplaced = {
                name: tuple(str(each) for each in (given if isinstance(given, list) else [given]) if isinstance(each, str))
                for name, given in sources.items()
                if name in self.stated.sources and self.stated.sources[name].path is None
            }
            completed, inputs = gather(self.stated, sources, base=file.parent, spool=self._spool)
            events = dict(completed.events)
            for source, given in inputs.items():
                self._look_into(completed, source, given, events)
            self._take_in(
                replace(completed, events=events, begins=(), unexpected="allow", expectations=(), accepted={}),
                inputs,
                until,
                max_rejected,
            )
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self.mining.close()
        self._spool.close()

    def _look_into(self, workflow: Workflow, source: str, given: Input, events: dict[str, EventType]) -> None:
        """Event types of a source that the workflow does not name, and attributes that it does not capture."""
        stated = workflow.sources[source]
        here = {name: event for name, event in workflow.events.items() if event.source == source}
        expressions = [
            text for keys in (stated.keys, *(event.keys or {} for event in here.values())) for text in keys.values()
        ]
        keyed = {str(path) for text in expressions for path in paths(parse_record(text))}
        look = self._look(source, given, stated)
        for name, event in here.items():
            read = {each.value for each in event.capture.values()} | keyed
            seen = captures_of(look, event.type or name) if look is not None else {}
            more = {each: found for each, found in seen.items() if found.value not in read}
            held = {each: found for each, found in event.capture.items() if found.value not in keyed}  # equal in any case
            events[name] = replace(event, capture={**more, **held})
        if look is None or len(look.types) > _MOST_TYPES:
            return
        named = {event.type or name for name, event in here.items()}
        for kind in look.types:
            if kind not in named:
                called = kind if kind not in events else f"{kind} of {source}"
                captured = {each: found for each, found in captures_of(look, kind).items() if found.value not in keyed}
                events[called] = EventType(source=source, type=None if called == kind else kind, capture=captured)

    def _look(self, source: str, given: Input, stated: Source) -> Look | None:
        """A source as its records show it; None where no field of theirs says the type."""
        if stated.type is None or not isinstance(parse_record(stated.type), RecordPath):
            return None
        sample = self.mining.sample(source, given, stated.type)
        fields = Stated(stated.type, stated.time or "", stated.id)
        if stated.time is None:
            fields = event_fields(sample, stated.type, None, stated.id)
        types = self.mining.types(source, given, stated.type)
        return Look(sample, fields, stated.keys, types, given.format if isinstance(given, Files) else "table")

    def propose(self, threshold: float = 0.95) -> Proposal:
        """The rules that hold in at least so large a share of the cases that they concern, and that the workflow does not
        have yet, in whatever words."""
        types, pairs = self.mining.type_counts(), self.mining.pair_counts()
        relations = Relations(self.shape, types, pairs, threshold)
        composer = Composer(self.mining, self.outline, relations)
        skeleton = self._framed(relations)
        candidates = composer.candidates()
        said = list(zip(candidates, self._read(skeleton, candidates), strict=True))
        fresh = [(candidate, each) for candidate, each in said if not known(each, self.stated.expectations)]
        judged = self._judged(skeleton, [candidate for candidate, _ in fresh], [each for _, each in fresh])
        begun = bool(self.stated.begins)
        kept = [
            each
            for each in judged
            if self._holds(each.evidence, threshold, relations.support) and not (begun and each.expectation is None)
        ]
        dropped = [each for each in judged if each not in kept and each.expectation is not None]
        kept, notes = self._placed(kept, skeleton, relations)
        aside = [place for place, each in enumerate(judged) if each not in kept]
        lines, accepted_at = self._file(kept, skeleton, relations)
        workflow = loads(joined(lines), str(self.file))
        count, variants = self.mining.variants(VARIANTS)
        return Proposal(
            lines=lines,
            log=self._given(),
            workflow=replace(workflow, events=self.outline.events, sources=self.outline.sources),
            threshold=threshold,
            shape=self.shape,
            rules=tuple(kept),
            dropped=tuple(dropped),
            types=tuple(types),
            beside=tuple(composer.beside),
            waits=tuple(composer.waits),
            variants=tuple(variants),
            variant_count=count,
            thresholds=rows_of(self.shape, types, pairs),
            violated=self.mining.violated(aside),
            notes=(*self.notes, *notes),
            known=len(said) - len(fresh),
            into=self.file.name,
            accepted_at=accepted_at,
            unplaced=self._unplaced,
        )

    def _framed(self, relations: Relations) -> Workflow:
        """How cases begin and end stays as the file has it; where nothing in it ends a case, as history suggests."""
        learnt, stated = super()._framed(relations), self.stated
        ends, timeout = (stated.ends, stated.timeout) if stated.ends or stated.timeout else (learnt.ends, learnt.timeout)
        return replace(learnt, begins=stated.begins or learnt.begins, ends=ends, timeout=timeout)

    def _placed(
        self, rules: Sequence[Proposed], skeleton: Workflow, relations: Relations
    ) -> tuple[list[Proposed], tuple[str, ...]]:
        """The rules for which there is a place in the file, and of the others why not."""
        try:
            self._file(rules, skeleton, relations)
        except UsageError:
            return self._one_by_one(rules, skeleton, relations)
        return list(rules), ()

    def _one_by_one(
        self, rules: Sequence[Proposed], skeleton: Workflow, relations: Relations
    ) -> tuple[list[Proposed], tuple[str, ...]]:
        found: list[Proposed] = []
        notes: dict[str, None] = {}
        for each in rules:
            try:
                self._file([each], skeleton, relations)
                found.append(each)
            except UsageError as error:
                notes[f"{error.message}: {error.hint}"] = None
        return found, tuple(notes)

    def _file(  # type: ignore[override]
        self, rules: Sequence[Proposed], skeleton: Workflow, relations: Relations
    ) -> tuple[tuple[Line, ...], int | None]:
        """The file with the rules put in. A clause beside others may change what these say; then it stands in full form."""
        lines, accepted_at = self._merged(rules, skeleton, relations, clauses=True)
        expectations = loads(joined(lines), str(self.file)).expectations
        if all(each in expectations for each in self.stated.expectations):
            return lines, accepted_at
        return self._merged(rules, skeleton, relations, clauses=False)

    def _merged(
        self, rules: Sequence[Proposed], skeleton: Workflow, relations: Relations, *, clauses: bool
    ) -> tuple[tuple[Line, ...], int | None]:
        inserting = Inserting(self.written, str(self.file))
        self._name_events(inserting, rules, skeleton, relations)
        for place, rule in enumerate(rules):
            candidate, of = rule.candidate, (place,)
            comment = evidence_text(candidate, rule.evidence)
            if rule.expectation is None:
                begins = ", ".join(scalar(name, flow=True) for name in skeleton.begins)
                inserting.key(commented(f"begins: [{begins}]", comment), of)
                continue
            clause = clauses and candidate.section == "expect" and not isinstance(rule.expectation, Assert)
            if clause and inserting.clause(
                candidate.event, f"{scalar(candidate.event)}:", commented(scalar(candidate.text), comment, 58), of
            ):
                continue
            form: Mapping[str, object] = stated_form(rule.expectation)
            inserting.rule(full_form(form, comment), of)
        return inserting.lines()

    def _name_events(
        self, inserting: Inserting, rules: Sequence[Proposed], skeleton: Workflow, relations: Relations
    ) -> None:
        """Event types and attributes that the rules need, and that the file does not have."""
        several = len(skeleton.sources) > 1
        counted = {name: relations.types[a] for a, name in enumerate(self.outline.events) if a in relations.types}
        needs = [_needed(skeleton, each) for each in rules]
        for name, event in self.outline.events.items():
            of = tuple(place for place, need in enumerate(needs) if name in need)
            if not of:
                continue
            wanted = {each: capture for place in of for each, capture in needs[place][name].items()}
            if name not in self.stated.events:
                said = frequency(counted[name], relations.cases)
                reading = tuple(place for place in of if needs[place][name])
                for captured, places in (({}, tuple(place for place in of if place not in reading)), (wanted, reading)):
                    text = event_text(name, replace(event, capture=captured), several)
                    if places:
                        inserting.event(commented(text, said, 62), places, () if captured else reading)
                continue
            held = self.stated.events[name].capture
            more = {each: capture_text(capture) for each, capture in wanted.items() if each not in held}
            if more:
                of = tuple(place for place in of if needs[place][name].keys() & more.keys())
                inserting.captures(name, more, of)


def _needed(workflow: Workflow, rule: Proposed) -> Mapping[str, Mapping[str, Any]]:
    """The event types that a rule names, each with what it reads of it."""
    if rule.expectation is None:
        return {name: {} for name in workflow.begins}
    read = used(workflow, (rule.expectation,))
    return {name: read[name].capture for name in types_of(workflow, rule.expectation)}
