"""Reconcile history: take every source in, judge every case as of one instant, and gather what reports are drawn from."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from sagacity.errors import UsageError
from sagacity.ledger.choice import ledger_on
from sagacity.ledger.port import Account, Intake, Ledger, Progress
from sagacity.plan.measures import delay_edges
from sagacity.reconcile.findings import StoredFindings, Worder
from sagacity.reconcile.instants import AsOf, as_of_instant, now
from sagacity.reconcile.result import Cases, Delays, Explanation, Finding, FindingsOverTime, Result, Tally
from sagacity.sources.gather import gather
from sagacity.sources.spool import Spool
from sagacity.workflow.language.reader import load
from sagacity.workflow.model import Audited, Implied, Rule, Workflow
from sagacity.workflow.trace import Event
from sagacity.workflow.verdict import FindingKind
from sagacity.workflow.words.naming import names, owner_of

__all__ = ["History", "check", "explain"]

_EXAMPLES = 3
_WORST = 6
_SIMILAR = 5


class History:
    """A workflow's sources, taken in and judged as of one instant.

    `workflow` is a `Workflow` or the path of its file; `sources` maps each source's name to files (a path, a glob, a
    folder, `-` for standard input, a list of these) or to a table in memory (Arrow, pandas, polars, a list of dicts).
    A source may be left out where the workflow has a path for it, relative to `base` or the workflow file's folder.
    `as_of`: see `AsOf`; without one, the time of the latest event that is not in the future. `max_rejected` is how many
    unreadable records are put up with; None, any number. `memory` (such as `1GB`) and `threads` limit the ledger.
    `engine` is the URL of what judges (`postgresql://user@host/database`); without one, DuckDB in this process.

    Raises WorkflowError, UsageError, SourceError, RejectedError and LedgerError. Use it as a context manager.
    """

    def __init__(
        self,
        workflow: Workflow | str | Path,
        sources: Mapping[str, Any] | None = None,
        *,
        as_of: AsOf = None,
        base: Path | None = None,
        max_rejected: int | None = 0,
        memory: str | None = None,
        threads: int | None = None,
        engine: str | None = None,
        progress: Progress | None = None,
    ) -> None:
        began = time.monotonic()
        if not isinstance(workflow, Workflow):
            base = Path(workflow).parent
            workflow = load(workflow)
        asked = as_of_instant(as_of)
        self._spool = Spool()
        try:
            self.workflow, inputs = gather(workflow, sources or {}, base=base, spool=self._spool)
            self.ledger: Ledger = ledger_on(engine, self.workflow, memory=memory, threads=threads)
            self.intake: Intake = self.ledger.intake(
                inputs, as_of=asked, now=now(), max_rejected=max_rejected, progress=progress
            )
            self.as_of = self.intake.as_of if asked is None else asked
        except BaseException:
            self.close()
            raise
        self._progress = progress
        self._judged = False
        self._began = began

    def __enter__(self) -> History:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of memory and temporary files."""
        if hasattr(self, "ledger"):
            self.ledger.close()
        self._spool.close()

    def check(self, *, details: bool = True) -> Result:
        """Judge every case. Without `details` what only pictures need is not measured: delays, worst cases, and, unless an
        expectation was met by no case, events by type."""
        self._judge()
        tallies = self._tallies(details)
        found = StoredFindings(self.ledger)
        by_status = self.ledger.case_counts()
        width, periods = self.ledger.findings_over_time()
        return Result(
            workflow=self.workflow,
            as_of=self.as_of,
            accounts=self._accounts(),
            rejected=tuple(self.intake.rejected),
            unmatched_types=self.intake.unmatched_types,
            cases=Cases(sum(by_status.values()), *(by_status.get(status, 0) for status in ("complete", "open", "violated"))),
            tallies=tallies,
            event_counts=self.ledger.event_counts() if details or _met_by_none(tallies) else {},
            over_time=_over_time(width, periods),
            worst=tuple(self._explanations(self.ledger.worst_cases(_WORST), examined=True)) if details else (),
            findings=found,
            elapsed=time.monotonic() - self._began,
        )

    def explain(self, case: str) -> Explanation:
        """One case's trace, and every verdict on it. Raises UsageError where there is no such case."""
        found = self._explanations([case])
        if not found:
            near = self.ledger.similar_cases(case, _SIMILAR)
            hint = f"there is {', '.join(near)}" if near else "the sources hold no case at all up to as-of"
            raise UsageError(f"there is no case {case}", hint=hint)
        return found[0]

    def write_findings(self, path: Path) -> None:
        """Write every finding as Parquet, CSV or JSON lines, by the file's name."""
        self._judge()
        self.ledger.write_findings(path)

    def write_cases(self, path: Path) -> None:
        """Write every case with its verdict as Parquet, CSV or JSON lines, by the file's name."""
        self._judge()
        self.ledger.write_cases(path)

    def _judge(self) -> None:
        if not self._judged:
            self.ledger.judge(self.as_of, self._progress)
            self._judged = True

    def _accounts(self) -> tuple[Account, ...]:
        """The intake's accounts with redeliveries, which only judging tells apart."""
        messages = [account.source for account in self.intake.accounts if self._one_event_a_record(account.source)]
        copies: dict[str, int] = {}
        for entry in self.ledger.redelivered():
            if entry.type is not None:
                source = self.workflow.events[entry.type].source
            elif len(messages) == 1:
                source = messages[0]
            else:
                continue
            copies[source] = copies.get(source, 0) + entry.events
        accounts = []
        for account in self.intake.accounts:
            events = copies.get(account.source, 0)
            records = events if account.source in messages else 0
            accounts.append(
                replace(account, matched=account.matched - records, redelivered=records, redelivered_events=events)
            )
        return tuple(accounts)

    def _one_event_a_record(self, source: str) -> bool:
        found = self.workflow.sources.get(source)
        return found is not None and found.type is not None

    def _tallies(self, details: bool) -> tuple[Tally, ...]:
        worder = Worder(self.workflow)
        examples: dict[int, list[Finding]] = {}
        for row in self.ledger.examples(_EXAMPLES):
            examples.setdefault(row.x, []).append(worder.finding(row))
        delays = self.ledger.delays() if details else {}
        tallies = []
        called = names(self.workflow)
        for x, (expectation, counts) in enumerate(
            zip(self.workflow.audited(), self.ledger.expectation_counts(), strict=True)
        ):
            tallies.append(
                Tally(
                    expectation=expectation,
                    name=called[x],
                    owner=owner_of(self.workflow, expectation),
                    severity=expectation.severity,
                    satisfied=counts.satisfied,
                    vacuous=counts.vacuous,
                    pending=counts.pending,
                    violated=counts.violated,
                    activations=counts.activations,
                    fulfilled=counts.fulfilled,
                    pending_activations=counts.pending_activations,
                    findings=counts.findings,
                    kinds=counts.kinds,
                    examples=tuple(examples.get(x, ())),
                    delays=_delays(expectation.within, delays[x])
                    if isinstance(expectation, Rule) and x in delays and expectation.within
                    else None,
                )
            )
        return tuple(tallies)

    def _explanations(self, cases: list[str], *, examined: bool = False) -> list[Explanation]:
        from sagacity.judge import Judge  # not needed, and so not loaded, where only counts are asked for

        judge = Judge(self.workflow)
        found = []
        for case, events in self.ledger.events(cases, examined=examined).items():
            if events:
                trace = tuple(sorted(events, key=_position))
                found.append(Explanation(case, trace, judge.judge(events, self.as_of)))
        return found


def check(
    workflow: Workflow | str | Path,
    sources: Mapping[str, Any] | None = None,
    *,
    as_of: AsOf = None,
    max_rejected: int | None = 0,
    memory: str | None = None,
    threads: int | None = None,
    engine: str | None = None,
    progress: Progress | None = None,
) -> Result:
    """Judge every case of a history. Parameters and errors are those of `History`; findings stay in the result's ledger."""
    history = History(
        workflow,
        sources,
        as_of=as_of,
        max_rejected=max_rejected,
        memory=memory,
        threads=threads,
        engine=engine,
        progress=progress,
    )
    return history.check()


def explain(
    workflow: Workflow | str | Path,
    case: str,
    sources: Mapping[str, Any] | None = None,
    *,
    as_of: AsOf = None,
    max_rejected: int | None = 0,
) -> Explanation:
    """One case of a history: its trace and every verdict on it. Parameters and errors are those of `History`."""
    with History(workflow, sources, as_of=as_of, max_rejected=max_rejected) as history:
        return history.explain(case)


def _met_by_none(tallies: tuple[Tally, ...]) -> bool:
    """Whether an expectation was met by no case: it may be that a type of event it names never occurred."""
    return any(not tally.satisfied and _asks_for_events(tally.expectation) for tally in tallies)


def _asks_for_events(expectation: Audited) -> bool:
    return not isinstance(expectation, Implied) or expectation.rule == "begins"


def _position(event: Event) -> tuple[int, int, str, str]:
    return event.time, event.seq, event.type, event.id or ""


def _delays(within: int, counts: Mapping[int, int]) -> Delays:
    edges = delay_edges(within)
    return Delays(edges, tuple(counts.get(number, 0) for number in range(len(edges) + 1)), within)


def _over_time(width: int, periods: list[tuple[int, FindingKind, int]]) -> FindingsOverTime:
    if not periods:
        return FindingsOverTime((), width, {})
    first, last = periods[0][0], max(start for start, _, _ in periods)
    starts = tuple(range(first, last + 1, width))
    counts: dict[FindingKind, list[int]] = {}
    for start, kind, n in periods:
        counts.setdefault(kind, [0] * len(starts))[(start - first) // width] = n
    return FindingsOverTime(starts, width, {kind: tuple(of_kind) for kind, of_kind in counts.items()})
