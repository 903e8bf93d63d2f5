"""A ledger of history on any engine: the plan makes the verdicts there, and only what is asked for comes back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sagacity.ledger.duckdb.rows import EventReader
from sagacity.ledger.engine import Engine, Kind, Row
from sagacity.ledger.port import ExpectationCounts, FindingRow, Intake, Progress, Redelivered
from sagacity.plan import found
from sagacity.plan.columns import UNEXPECTED
from sagacity.plan.facts import Facts
from sagacity.plan.measures import delays, event_counts, findings_by_period, period_of
from sagacity.plan.plan import Plan, Step, compile_plan
from sagacity.plan.summary import case_statuses, tallies, told_cases
from sagacity.sources.inputs import Input
from sagacity.workflow.model import Workflow
from sagacity.workflow.trace import FOREVER, Event
from sagacity.workflow.verdict import FindingKind

__all__ = ["PlannedLedger", "run"]

_CHUNK = 10_000

_FINDINGS: Mapping[str, Kind] = {
    "id": "text", "case": "text", "expectation": "text", "kind": "text", "severity": "text", "owner": "text",
    "since": "instant", "type": "text", "time": "instant", "activation": "text",
}  # fmt: skip
_CASES: Mapping[str, Kind] = {"case": "text", "status": "text", "ended": "truth", "findings": "number"}


class PlannedLedger:
    """See `sagacity.ledger.port.Ledger`. The engine is the ledger's from now on, and closed with it."""

    def __init__(self, workflow: Workflow, engine: Engine) -> None:
        self.workflow = workflow
        self.engine = engine
        self.facts = Facts(workflow, FOREVER)

    def close(self) -> None:
        """Let go of memory and disk. What was read from the ledger before stays valid."""
        self.engine.close()

    def intake(
        self,
        inputs: Mapping[str, Input],
        *,
        as_of: int | None,
        now: int,
        max_rejected: int | None,
        progress: Progress | None = None,
    ) -> Intake:
        """Take the sources' raw records in as events, and account for each."""
        return self.engine.intake(self.workflow, inputs, as_of=as_of, now=now, max_rejected=max_rejected, progress=progress)

    def judge(self, as_of: int, progress: Progress | None = None) -> None:
        """Judge every case as of an instant (microseconds UTC), and keep verdicts and findings."""
        self.facts = Facts(self.workflow, as_of)
        self.plan = compile_plan(self.workflow, as_of)
        with self.engine.watched(progress, "judging"):
            run(self.engine, self.plan)
            self.engine.make("findings", found.numbered(self.facts))

    # What the verdicts say -------------------------------------------------------------------------------------------

    def case_counts(self) -> dict[str, int]:
        """Cases by verdict: complete, open, violated."""
        return {str(status): n for status, n in self.engine.rows(case_statuses())}

    def expectation_counts(self) -> list[ExpectationCounts]:
        """The counts of each audited expectation, in order."""
        if not self.facts.audited:
            return []
        kinds: dict[int, dict[FindingKind, int]] = {}
        for x, kind, n in self.engine.rows(found.counted_by_kind()):
            kinds.setdefault(x, {})[kind] = n
        rows = self.engine.rows(tallies(self.plan))
        return [ExpectationCounts(*[*counts, kinds.get(x, {})]) for x, *counts in rows]

    def event_counts(self) -> dict[str, int]:
        """Judged events by type, each event once; unexpected ones are left out."""
        counted: dict[int, int] = dict(self.engine.rows(event_counts()))
        return {name: counted.get(number, 0) for number, name in enumerate(self.workflow.events)}

    def redelivered(self) -> list[Redelivered]:
        """Further copies of events, by type; `type` is None for those of unnamed types."""
        names = list(self.workflow.events)
        rows = self.engine.rows(found.redelivered())
        return [Redelivered(None if kind == UNEXPECTED else names[kind], n) for kind, n in rows]

    def findings_over_time(self) -> tuple[int, list[tuple[int, FindingKind, int]]]:
        """The width of a period (microseconds), and findings by period start and kind."""
        ((first, last),) = self.engine.rows(found.bounds())
        if first is None:
            return 0, []
        width = period_of(first, last)
        return width, sorted((start, kind, n) for start, kind, n in self.engine.rows(findings_by_period(width)))

    def delays(self) -> dict[int, dict[int, int]]:
        """Counts by bin of `sagacity.plan.measures.delay_edges`, for each timed expectation."""
        counts: dict[int, dict[int, int]] = {}
        for query in delays(self.facts):
            for x, number, n in self.engine.rows(query):
                counts.setdefault(x, {})[number] = n
        return counts

    # Findings and cases ----------------------------------------------------------------------------------------------

    def finding_count(self) -> int:
        ((count,),) = self.engine.rows(found.how_many())
        return int(count)

    def findings(self, limit: int | None = None) -> Iterator[FindingRow]:
        """Findings, worst severity first, then by since, case and expectation."""
        last = self.finding_count() if limit is None else min(limit, self.finding_count())
        for start in range(0, last, _CHUNK):
            yield from map(_finding, self.engine.rows(found.listed(start, min(start + _CHUNK, last))))

    def examples(self, each: int) -> list[FindingRow]:
        """The first findings of each expectation."""
        return [_finding(row) for row in self.engine.rows(found.first_of_each(each))]

    def worst_cases(self, n: int) -> list[str]:
        """The cases with the worst and most findings, worst first."""
        return [case for (case,) in self.engine.rows(found.worst(n))]

    def events(self, cases: Sequence[str], *, examined: bool = False) -> dict[str, list[Event]]:
        """Every event of some cases, copies included. Told that all of them were `examined`, it need not search the log."""
        reader = EventReader(self.workflow)
        of_cases: dict[str, list[Event]] = {case: [] for case in cases}
        if cases:
            for case, *values in self.engine.rows(found.events_of(cases, reader.names, examined=examined)):
                of_cases[case].append(reader.event(values))
        return of_cases

    def similar_cases(self, case: str, n: int) -> list[str]:
        """Case ids that look like one that is not there, nearest first."""
        return self.engine.similar_cases(case, n)

    # Files -----------------------------------------------------------------------------------------------------------

    def write_findings(self, path: Path) -> None:
        """Write every finding as Parquet, CSV or JSON lines, by the file's name. Times are timestamps in UTC."""
        self.engine.write(found.told(), _FINDINGS, path)

    def write_cases(self, path: Path) -> None:
        """Write every case with its verdict, as `write_findings` does."""
        self.engine.write(told_cases(), _CASES, path)


def run(engine: Engine, plan: Plan) -> None:
    """Make the plan's relations in an engine that holds `events`."""
    for step in plan.steps:
        _make(engine, step)
    (numbers,) = engine.rows(plan.undecided())
    undecided = [x for x, cases in enumerate(numbers) if cases]
    types = [number for (number,) in engine.rows(plan.occurring())]
    for step in plan.examination(undecided, types):
        _make(engine, step)


def _make(engine: Engine, step: Step) -> None:
    (engine.make if step.create else engine.add)(step.relation, step.query)


def _finding(row: Row) -> FindingRow:
    return FindingRow(*row)
