"""Learn a workflow from history: look at the records, take them in, count, choose, and judge what was chosen."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from sagacity.discover.compose import Composer
from sagacity.discover.outline import outline
from sagacity.discover.proposal import Candidate, CounterExample, Evidence, Line, Proposal, Proposed, joined
from sagacity.discover.relations import LEAST, Relations
from sagacity.discover.spans import timeout
from sagacity.discover.thresholds import rows_of
from sagacity.discover.writing import expected, percent, written
from sagacity.errors import UsageError
from sagacity.ledger.duckdb.mining import DuckDBMining
from sagacity.ledger.mining import LogShape, Mining, TypeCount
from sagacity.ledger.port import Account, Progress
from sagacity.reconcile.correlating import Correlated
from sagacity.reconcile.instants import AsOf, as_of_instant, now
from sagacity.reconcile.keyless import keyless
from sagacity.reconcile.records import Records
from sagacity.sources.inputs import Input
from sagacity.workflow.instants import instant, span
from sagacity.workflow.language.reader import loads
from sagacity.workflow.language.writer import dump
from sagacity.workflow.model import Assert, Expectation, Rule, Workflow
from sagacity.workflow.words.naming import names

__all__ = ["VARIANTS", "Discovery", "discover", "frequency", "used"]

_COUNTER_EXAMPLES = 3
VARIANTS = 12


class Discovery:
    """A log that is learnt from. `files` are paths, folders, globs, or tables in memory; `case` names the correlation key,
    or several that link: the first names a case, and what carries only another belongs to it by an event with both.

    `type`, `time` and `id` name the fields of records that say so; what is not stated is found out. Only events up to
    `until` are learnt from. `folder` is where the workflow file is to lie, from which its sources are named. Other
    parameters are those of `History`. Raises UsageError, SourceError, RejectedError, LedgerError. Use it as a context
    manager.
    """

    notes: tuple[str, ...] = ()

    def __init__(
        self,
        files: Any,
        case: str | Sequence[str] | None,
        *,
        type: str | None = None,
        time: str | None = None,
        id: str | None = None,
        name: str | None = None,
        until: AsOf = None,
        folder: Path | None = None,
        max_rejected: int | None = 0,
        memory: str | None = None,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        cases = [case] if isinstance(case, str) else [*(case or ())]
        self._records = Records(files, folder, (type, time, id), cases)
        self._start(memory, threads, progress)
        try:
            found = Correlated(self._records, self.mining, cases, (type, time, id))
            self.notes = tuple(found.notes)
            called = name or re.sub(r"_?(id|number|no)$", "", found.keys[0]) or found.keys[0]
            learnt = outline(called, found.keys, found.looks)
            self._take_in(learnt, self._records.inputs(self.mining), until, max_rejected)
        except BaseException:
            self.close()
            raise

    def _start(self, memory: str | None, threads: int | None, progress: Progress | None) -> None:
        self.mining: Mining = DuckDBMining(memory=memory, threads=threads)
        self._progress = progress

    def _take_in(self, outline: Workflow, inputs: Mapping[str, Input], until: AsOf, max_rejected: int | None) -> None:
        self.outline = outline
        bound = as_of_instant(until)
        self.intake = self.mining.take_in(
            outline, inputs, now=now(), until=bound, max_rejected=max_rejected, progress=self._progress
        )
        self.shape = self._settled()
        self.keyless = keyless(outline.events, self.intake, self.mining.kept())
        if self.keyless is not None:
            self.notes += (self.keyless.note,)
        if self.shape.cases < LEAST:
            self.notes += (f"nothing is learnt from fewer than {LEAST} cases",)

    def __enter__(self) -> Discovery:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of memory and temporary files."""
        self.mining.close()
        self._records.close()

    def _settled(self) -> LogShape:
        """The log, with those cases counted that began so long before its end that hardly any goes on; two thirds at
        least.
        """
        spans = self.mining.spans()
        if not spans.cases:
            raise _nothing_left(self.intake.accounts)
        horizon = min(spans.lasting[0.99], (spans.last - spans.first) // 3)
        return self.mining.settle(spans.last - horizon)

    def propose(self, threshold: float = 0.95) -> Proposal:
        """The workflow whose rules hold in at least so large a share of the cases that they concern."""
        types, pairs = self.mining.type_counts(), self.mining.pair_counts()
        relations = Relations(self.shape, types, pairs, threshold)
        composer = Composer(self.mining, self.outline, relations)
        candidates = composer.candidates()
        skeleton = self._framed(relations)
        judged = self._judged(skeleton, candidates, self._read(skeleton, candidates))
        kept = [each for each in judged if self._holds(each.evidence, threshold, relations.support)]
        aside = [x for x, each in enumerate(judged) if each not in kept]
        dropped = [judged[x] for x in aside]
        if any(each.expectation is None for each in dropped):
            skeleton = replace(skeleton, begins=())
        violated = self.mining.violated(aside)
        count, variants = self.mining.variants(VARIANTS)
        workflow, lines = self._file(skeleton, kept, relations, threshold)
        return Proposal(
            lines=lines,
            log=self._given(),
            workflow=workflow,
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
            violated=violated,
            notes=self.notes,
            unplaced=self._records.unplaced,
        )

    def _holds(self, evidence: Evidence, threshold: float, least: int) -> bool:
        return evidence.support >= least and evidence.held >= threshold * evidence.support

    def _framed(self, relations: Relations) -> Workflow:
        called = list(self.outline.events)
        if self.shape.cases < LEAST:
            return self.outline
        return replace(
            self.outline,
            begins=tuple(called[a] for a in relations.begins),
            ends=tuple(called[a] for a in relations.ends),
            timeout=timeout(self.shape.lasting),
        )

    def _read(self, skeleton: Workflow, candidates: Sequence[Candidate]) -> tuple[Expectation, ...]:
        """What candidates say, in step with them."""
        said = dump(replace(skeleton, expectations=(), accepted={})) + joined(expected(candidates, [None] * len(candidates)))
        return loads(said, "the proposal").expectations

    def _judged(
        self, skeleton: Workflow, candidates: Sequence[Candidate], expectations: Sequence[Expectation]
    ) -> list[Proposed]:
        """Each candidate with what the plan says of it on this history."""
        ledger = self.mining.ledger
        ledger.workflow = replace(skeleton, expectations=tuple(expectations))
        ledger.judge(self.intake.as_of, self._progress)
        counts = ledger.expectation_counts()
        counter: dict[int, list[CounterExample]] = {}
        for row in ledger.examples(3 * _COUNTER_EXAMPLES):
            against = counter.setdefault(row.x, [])
            if all(row.case != each.case for each in against):
                against.append(CounterExample(row.case, row.kind))
        found: list[Proposed] = []
        said: list[tuple[Candidate, Expectation | None]] = list(zip(candidates, expectations, strict=True))
        if skeleton.begins:
            said.append((Candidate(section="begins", event=skeleton.begins[0]), None))
        for x, (candidate, expectation) in enumerate(said):
            each = counts[x]
            evidence = Evidence(
                each.satisfied + each.violated, each.satisfied, each.findings, tuple(counter.get(x, ())[:_COUNTER_EXAMPLES])
            )
            found.append(Proposed(candidate, expectation, names(ledger.workflow)[x], evidence))
        return found

    def _file(
        self, skeleton: Workflow, rules: Sequence[Proposed], relations: Relations, threshold: float
    ) -> tuple[Workflow, tuple[Line, ...]]:
        said = tuple(each.expectation for each in rules if each.expectation is not None)
        workflow = replace(skeleton, events=used(skeleton, said), expectations=said)
        called = list(skeleton.events)
        order = [called[a] for a in sorted(relations.types, key=relations.place)]
        order += [name for name in called if name not in order]
        lines = written(
            workflow,
            [each.candidate for each in rules],
            [each.evidence for each in rules],
            head=self._head(threshold),
            order=order,
            beside=self._beside(relations, rules),
        )
        loads(joined(lines), "the proposal")  # it must be a workflow file without mistakes
        return workflow, lines

    def _given(self) -> str:
        return ", ".join(account.given for account in self.intake.accounts)

    def _head(self, threshold: float) -> list[str]:
        shape = self.shape
        until = f"{instant(shape.first)[:10]} to {instant(shape.last)[:10]}"
        return [
            f"Learnt from {self._given()}: {shape.events:,} events of {shape.cases:,} cases, {until}.",
            f"Each rule holds in at least {threshold * 100:g} % of the cases that it concerns; beside it stands how often,",
            "and cases in which it does not. How often event types come, and what ends a case, is counted over the",
            f"{shape.counted:,} cases that began early enough in the log to be over.",
            *(f"Note: {note}." for note in self.notes),
            "Read it, change it, then: sagacity check on this file.",
        ]

    def _beside(self, relations: Relations, rules: Sequence[Proposed]) -> dict[str, str]:
        found: dict[str, str] = {}
        called = list(self.outline.events)
        found.update(dict.fromkeys(self.keyless.types if self.keyless is not None else (), "in no case"))
        for a, each in relations.types.items():
            found[called[a]] = frequency(each, relations.cases)
        begins = next((each.evidence for each in rules if each.expectation is None), None)
        if begins is not None:
            found["begins"] = f"{percent(begins.held, begins.support)} of {begins.support:,} cases"
        ends = sum(relations.types[a].last for a in relations.ends)
        found["ends"] = f"{percent(ends, relations.cases)} of {relations.cases:,} cases"
        lasting = self.shape.lasting
        lasts = f"{span(lasting[0.5], 2)}, 99 % up to {span(lasting[0.99], 2)}"
        found["timeout"] = f"half of {self.shape.cases:,} cases last {lasts}"
        return found


def _nothing_left(accounts: Sequence[Account]) -> UsageError:
    """Why the log holds no case."""
    if beyond := sum(account.beyond for account in accounts):
        first = min((account.first for account in accounts if account.first is not None), default=None)
        hint = f"the first event is of {instant(first)}" if first is not None else "leave --until away to see all of them"
        return UsageError(f"no event is left to learn from: {beyond:,} records are of events after --until", hint=hint)
    return UsageError("the log holds no case", hint="is --case a field that its records have?")


def discover(files: Any, case: str | Sequence[str] | None = None, *, threshold: float = 0.95, **settings: Any) -> Proposal:
    """The workflow that a history suggests. Parameters and errors are those of `Discovery` and its `propose`."""
    with Discovery(files, case, **settings) as discovery:
        return discovery.propose(threshold)


def frequency(each: TypeCount, cases: int) -> str:
    return f"in {percent(each.cases, cases)} of {cases:,} cases"


def used(workflow: Workflow, expectations: Sequence[Expectation]) -> Mapping[str, Any]:
    """The event types, with what rules use of their attributes and no more."""
    found = {}
    for name, event in workflow.events.items():
        said = [_words(each) for each in expectations if not isinstance(each, Rule) or name in each.events]
        words = set().union(*said) if said else set()
        found[name] = replace(
            event,
            capture={each: capture for each, capture in event.capture.items() if (name, each) in words or each in words},
        )
    return found


def _words(expectation: Expectation) -> set[Any]:
    """What a rule names: of a condition its words, of an assert the pairs of event type and attribute."""
    if isinstance(expectation, Rule):
        return set(re.findall(r"\w+", f"{expectation.when or ''} {expectation.where or ''}"))
    if isinstance(expectation, Assert):
        pairs = re.findall(r'("(?:[^"]|"")+"|\w+)\.("(?:[^"]|"")+"|\w+)', expectation.predicate)
        return {(_unquoted(event), _unquoted(attribute)) for event, attribute in pairs}
    return set()


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
