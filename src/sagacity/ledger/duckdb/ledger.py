"""The embedded ledger: events in DuckDB, judged by the plan."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sagacity.errors import LedgerError, UsageError
from sagacity.ledger.duckdb.connection import connect, discard, watched
from sagacity.ledger.duckdb.failures import judging
from sagacity.ledger.duckdb.fields import literal
from sagacity.ledger.duckdb.intake import take_in
from sagacity.ledger.duckdb.rows import EventReader
from sagacity.ledger.duckdb.verdicts import run
from sagacity.ledger.port import ExpectationCounts, FindingRow, Intake, Progress, Redelivered
from sagacity.plan.columns import UNEXPECTED
from sagacity.plan.facts import Facts
from sagacity.plan.measures import delays, event_counts, findings_by_period, period_of
from sagacity.plan.plan import compile_plan
from sagacity.plan.summary import case_statuses, cases, findings, tallies
from sagacity.sources.inputs import Input
from sagacity.workflow.model import Workflow
from sagacity.workflow.trace import FOREVER, Event
from sagacity.workflow.verdict import FindingKind

__all__ = ["DuckDBLedger"]

_FINDING = "id, case_id, x, kind, since, type, time, activation"
_ORDER = "rank, since, case_id, x, type, activation, id"
_CHUNK = 10_000


class DuckDBLedger:
    """One workflow's events and verdicts, in memory, with a private folder for what does not fit.

    `memory` (such as `1GB`), `threads` and `folder` are those of `sagacity.ledger.duckdb.connection.connect`.
    """

    def __init__(self, workflow: Workflow, *, memory: str | None = None, threads: int | None = None) -> None:
        self.workflow = workflow
        self.connection = connect(memory=memory, threads=threads)
        self.facts = Facts(workflow, FOREVER)

    def close(self) -> None:
        """Let go of memory and disk. What was read from the ledger before stays valid."""
        discard(self.connection)

    def intake(
        self,
        inputs: Mapping[str, Input],
        *,
        as_of: int | None,
        now: int,
        max_rejected: int | None,
        progress: Progress | None = None,
    ) -> Intake:
        """Take the sources' raw records in as events. See `sagacity.ledger.duckdb.intake.take_in`."""
        return take_in(
            self.connection,
            self.workflow,
            inputs,
            as_of=as_of,
            now=now,
            max_rejected=max_rejected,
            progress=progress,
        )

    def judge(self, as_of: int, progress: Progress | None = None) -> None:
        """Judge every case as of an instant (microseconds UTC), and keep verdicts and findings."""
        self.facts = Facts(self.workflow, as_of)
        self.plan = compile_plan(self.workflow, as_of)
        with judging(), watched(self.connection, progress, "judging"):
            run(self.connection, self.plan)
            found = findings(self.facts).sql("duckdb")
            numbered = f"SELECT ROW_NUMBER() OVER (ORDER BY {_ORDER}) AS n, f.* FROM ({found}) AS f"
            self.connection.execute(f"CREATE OR REPLACE TEMP TABLE findings AS {numbered}")

    # What the verdicts say -------------------------------------------------------------------------------------------

    def case_counts(self) -> dict[str, int]:
        """Cases by verdict: complete, open, violated."""
        return {str(status): int(n) for status, n in self._rows(case_statuses().sql("duckdb"))}

    def expectation_counts(self) -> list[ExpectationCounts]:
        """The counts of each audited expectation, in order."""
        if not self.facts.audited:
            return []
        kinds: dict[int, dict[FindingKind, int]] = {}
        for x, kind, n in self._rows("SELECT x, kind, COUNT(*) FROM findings GROUP BY ALL ORDER BY ALL"):
            kinds.setdefault(x, {})[kind] = n
        rows = self._rows(tallies(self.plan).sql("duckdb"))
        return [ExpectationCounts(*[*counts, kinds.get(x, {})]) for x, *counts in rows]

    def event_counts(self) -> dict[str, int]:
        """Judged events by type, each event once; unexpected ones are left out."""
        names = list(self.workflow.events)
        counted = {kind: int(n) for kind, n in self._rows(event_counts().sql("duckdb"))}
        return {name: counted.get(number, 0) for number, name in enumerate(names)}

    def redelivered(self) -> list[Redelivered]:
        """Further copies of events, by type; `type` is None for those of unnamed types."""
        names = list(self.workflow.events)
        rows = self._rows("SELECT type, SUM(copies - 1)::BIGINT FROM repeats GROUP BY type ORDER BY type")
        return [Redelivered(None if kind == UNEXPECTED else names[kind], n) for kind, n in rows]

    def findings_over_time(self) -> tuple[int, list[tuple[int, FindingKind, int]]]:
        """The width of a period (microseconds), and findings by period start and kind."""
        bounds = self._rows(f"SELECT MIN(since), MAX(since) FROM findings WHERE since < {FOREVER}")
        first, last = bounds[0]
        if first is None:
            return 0, []
        width = period_of(first, last)
        return width, sorted(self._rows(findings_by_period(width).sql("duckdb")))

    def delays(self) -> dict[int, dict[int, int]]:
        """Counts by bin of `sagacity.plan.measures.delay_edges`, for each timed expectation."""
        counts: dict[int, dict[int, int]] = {}
        for query in delays(self.facts):
            for x, number, n in self._rows(query.sql("duckdb")):
                counts.setdefault(x, {})[number] = n
        return counts

    # Findings and cases ----------------------------------------------------------------------------------------------

    def finding_count(self) -> int:
        return int(self._rows("SELECT COUNT(*) FROM findings")[0][0])

    def findings(self, limit: int | None = None) -> Iterator[FindingRow]:
        """Findings, worst severity first, then by since, case and expectation."""
        last = self.finding_count() if limit is None else min(limit, self.finding_count())
        for start in range(0, last, _CHUNK):
            stop = min(start + _CHUNK, last)
            query = f"SELECT {_FINDING} FROM findings WHERE n > {start} AND n <= {stop} ORDER BY n"
            yield from (FindingRow(*row) for row in self._rows(query))

    def examples(self, each: int) -> list[FindingRow]:
        """The first findings of each expectation."""
        rows = self._rows(
            f"SELECT {_FINDING} FROM findings QUALIFY ROW_NUMBER() OVER (PARTITION BY x ORDER BY n) <= {each} ORDER BY n"
        )
        return [FindingRow(*row) for row in rows]

    def worst_cases(self, n: int) -> list[str]:
        """The cases with the worst and most findings, worst first."""
        rows = self._rows(
            f"SELECT case_id FROM findings GROUP BY case_id ORDER BY MIN(rank), COUNT(*) DESC, MIN(since), case_id LIMIT {n}"
        )
        return [case for (case,) in rows]

    def events(self, cases: Sequence[str], *, examined: bool = False) -> dict[str, list[Event]]:
        """Every event of some cases, copies included. Told that all of them were `examined`, it need not search the log."""
        reader = EventReader(self.workflow)
        marks = ", ".join("?" for _ in cases)
        relation = "(SELECT x.case_id, t.* FROM taken AS t JOIN examined AS x ON x.c = t.c)" if examined else "events"
        rows = self._rows(
            f"SELECT case_id, {reader.columns('e')} FROM {relation} AS e WHERE case_id IN ({marks}) ORDER BY time, seq",
            list(cases),
        )
        found: dict[str, list[Event]] = {case: [] for case in cases}
        for case, *values in rows:
            found[case].append(reader.event(values))
        return found

    def similar_cases(self, case: str, n: int) -> list[str]:
        """Case ids that look like one that is not there, nearest first."""
        rows = self._rows(
            "SELECT case_id FROM (SELECT DISTINCT case_id FROM events) ORDER BY levenshtein(case_id, ?), case_id LIMIT ?",
            [case, n],
        )
        return [near for (near,) in rows]

    # Files -----------------------------------------------------------------------------------------------------------

    def write_findings(self, path: Path) -> None:
        """Write every finding as Parquet, CSV or JSON lines, by the file's name. Times are timestamps in UTC."""
        query = f"""SELECT id, case_id AS "case", expectation, kind, severity, owner, {_stamp("since")}, type,
                           {_stamp("time")}, activation FROM findings ORDER BY n"""
        self._copy(query, path)

    def write_cases(self, path: Path) -> None:
        """Write every case with its verdict, as `write_findings` does."""
        self._copy(f'SELECT case_id AS "case", status, ended, findings FROM ({cases().sql("duckdb")}) ORDER BY 1', path)

    def _copy(self, query: str, path: Path) -> None:
        form = _FORMATS.get("".join(path.suffixes[-1:]).lower())
        if form is None:
            known = ", ".join(_FORMATS)
            raise UsageError(f"cannot tell the format of {path} from its name", hint=f"end it with one of {known}")
        partial = path if path.exists() and not path.is_file() else path.with_name(f".{path.name}.{os.getpid()}")
        if not os.access(path.parent, os.W_OK):
            reason = "permission denied" if path.parent.is_dir() else f"there is no folder {path.parent}"
            raise UsageError(
                f"cannot write {path}: {reason}", hint="name a file in a folder that exists and may be written to"
            )
        try:
            with judging():
                self.connection.execute(f"COPY ({query}) TO {literal(str(partial))} ({form})")
            partial.replace(path)  # so that nobody ever reads half a file
        except LedgerError as error:
            raise LedgerError(f"cannot write {path}: {error.message}", hint=error.hint) from error
        finally:
            if partial != path:
                partial.unlink(missing_ok=True)

    def _rows(self, query: str, parameters: Sequence[object] = ()) -> list[Any]:
        with judging():
            return self.connection.execute(query, list(parameters)).fetchall()


_FORMATS = {
    ".parquet": "FORMAT parquet, COMPRESSION zstd",
    ".csv": "FORMAT csv, HEADER",
    ".jsonl": "FORMAT json",
    ".ndjson": "FORMAT json",
}


def _stamp(column: str) -> str:
    """A timestamp in UTC for people's tools; NULL where the instant is the end of the log."""
    return f"CASE WHEN {column} < {FOREVER} THEN make_timestamptz({column}) END AS {column}"
