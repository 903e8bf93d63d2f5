"""The embedded ledger, learnt from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sagacity.ledger.duckdb.connection import watched
from sagacity.ledger.duckdb.failures import judging
from sagacity.ledger.duckdb.ledger import DuckDBLedger
from sagacity.ledger.duckdb.mining import counting, log, periods, survey, timing
from sagacity.ledger.duckdb.mining.fields import paths_of
from sagacity.ledger.duckdb.mining.values import Held
from sagacity.ledger.mining import (
    Agreement,
    Begun,
    Beside,
    Census,
    Column,
    Delay,
    KeySeen,
    Link,
    LogShape,
    Often,
    Pace,
    PairCount,
    Place,
    Sample,
    Shared,
    Side,
    Split,
    Test,
    TypeCount,
    Variant,
)
from sagacity.ledger.port import Intake, Progress
from sagacity.sources.inputs import Input
from sagacity.workflow.model import Workflow

__all__ = ["DuckDBMining"]


class DuckDBMining:
    """See `sagacity.ledger.mining.Mining`. `memory` and `threads` are those of `DuckDBLedger`."""

    def __init__(self, *, memory: str | None = None, threads: int | None = None) -> None:
        self.ledger = DuckDBLedger(Workflow(name="log", events={}), memory=memory, threads=threads)
        self._connection = self.ledger.connection
        self._before = 0
        self._until: int | None = None
        self._shape: LogShape | None = None
        self._held: Held | None = None
        self._looked: dict[str, survey.Looked] = {}

    def close(self) -> None:
        self.ledger.close()

    # Raw records -----------------------------------------------------------------------------------------------------

    def sample(self, source: str, given: Input, type_path: str | None) -> Sample:
        if source not in self._looked:
            self._looked[source] = survey.Looked(self._connection, source, given)
        return self._looked[source].sample(type_path)

    def fields(self, given: Input) -> tuple[str, ...]:
        return tuple(str(path) for path in paths_of(self._connection, given))

    def unreadable(self, source: str, given: Input) -> int:
        return survey.unreadable(self._connection, source, given)

    def types(self, source: str, given: Input, type_path: str) -> dict[str, int]:
        return survey.types(self._connection, source, given, type_path)

    def census(self, source: str, given: Input, type_path: str, time_path: str, maker_path: str | None) -> list[Census]:
        return survey.census(self._connection, source, given, type_path, time_path, maker_path)

    def keys(self, source: str, given: Input, type_path: str, paths: Sequence[str]) -> tuple[list[KeySeen], list[Link]]:
        return survey.keys(self._connection, source, given, type_path, paths)

    # Events ----------------------------------------------------------------------------------------------------------

    def shared(self, fields: Sequence[tuple[str, Input, str]], one_in: int) -> list[Shared]:
        return survey.shared(self._connection, fields, one_in)

    def take_in(
        self,
        workflow: Workflow,
        inputs: Mapping[str, Input],
        *,
        now: int,
        until: int | None,
        max_rejected: int | None,
        progress: Progress | None = None,
    ) -> Intake:
        self.ledger.workflow = workflow
        found = self.ledger.intake(inputs, as_of=until, now=now, max_rejected=max_rejected, progress=progress)
        identified = any(workflow.id_of(name) is not None for name in workflow.events)
        with judging(), watched(self._connection, progress, "learning the order"):
            log.build(self._connection, until, identified=identified)
        self._until = until
        return found

    def kept(self) -> frozenset[int]:
        with judging():
            return frozenset(kind for (kind,) in self._connection.execute("SELECT DISTINCT type FROM steps").fetchall())

    def spans(self) -> LogShape:
        with judging():
            return log.shape(self._connection, settled=False)

    def reached(self, aside: int) -> int:
        with judging():
            return log.reached(self._connection, aside)

    def settle(self, before: int) -> LogShape:
        self._before, self._held = before, None
        with judging():
            log.settle(self._connection, before)
            self._shape = log.shape(self._connection, settled=True)
            return self._shape

    def type_counts(self) -> list[TypeCount]:
        with judging():
            return counting.type_counts(self._connection)

    def pair_counts(self) -> list[PairCount]:
        with judging():
            return counting.pair_counts(self._connection)

    def beside(self) -> list[Beside]:
        with judging():
            return counting.beside(self._connection)

    def alternating(self, pairs: Sequence[tuple[int, int]]) -> dict[tuple[int, int], tuple[int, int]]:
        with judging():
            return counting.alternating(self._connection, pairs)

    def violated(self, without: Sequence[int]) -> int:
        aside = ", ".join(map(str, without)) or "-1"
        with judging():
            row = self._connection.execute(
                f"SELECT count(DISTINCT case_id) FROM findings WHERE x NOT IN ({aside})"
            ).fetchone()
        return int(row[0]) if row else 0

    def variants(self, most: int) -> tuple[int, list[Variant]]:
        with judging():
            return counting.variants(self._connection, most)

    def delays(self, pairs: Sequence[tuple[int, int, Side]]) -> list[Delay]:
        with judging():
            return timing.delays(self._connection, self._before, pairs)

    # Periods ---------------------------------------------------------------------------------------------------------

    def begun(self, origin: int, width: int) -> list[Begun]:
        with judging():
            return periods.begun(self._connection, origin, width)

    def keep(self, first: int, last: int, until: int) -> list[Begun]:
        with judging():
            return periods.keep(self._connection, first, last, until)

    def held_by_period(self) -> dict[int, dict[int, tuple[int, int]]]:
        with judging():
            return periods.held_by_period(self._connection, self.ledger.plan)

    def types_by_period(self) -> dict[tuple[int, int], Often]:
        with judging():
            return periods.types_by_period(self._connection)

    def strays(self) -> dict[tuple[str, int], int]:
        with judging():
            return periods.strays(self._connection)

    def ways_by_period(self) -> list[tuple[tuple[int, ...], Mapping[int, int]]]:
        with judging():
            return periods.ways_by_period(self._connection)

    def pace(self, pairs: Sequence[tuple[int, int]]) -> list[Pace]:
        with judging():
            return periods.pace(self._connection, pairs)

    # Values ----------------------------------------------------------------------------------------------------------

    def values(self) -> list[Place]:
        with judging():
            return self._values().spread()

    def equal(self, pairs: Sequence[tuple[Column, Column]]) -> list[Agreement]:
        with judging():
            return self._values().equal(pairs)

    def sums(self, columns: Sequence[Column]) -> list[Agreement]:
        with judging():
            return self._values().sums(columns)

    def split(self, target: int, column: Column, given: Sequence[Test]) -> Split | None:
        with judging():
            return self._values().split(target, column, given)

    def _values(self) -> Held:
        if self._held is None:
            counted = self._shape.counted if self._shape else 0
            self._held = Held(self._connection, self.ledger.workflow, self._before, self._until, counted)
        return self._held
