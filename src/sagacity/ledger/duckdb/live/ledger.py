"""The live ledger: one folder, one writing thread, any number of readers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from sagacity.errors import LedgerError, UsageError
from sagacity.ledger.duckdb.live import acting, judging, reading, revisions, telling
from sagacity.ledger.duckdb.live.appending import append
from sagacity.ledger.duckdb.live.archive import Archive
from sagacity.ledger.duckdb.live.connection import Store
from sagacity.ledger.duckdb.live.counting import accounts, counts, part_states
from sagacity.ledger.duckdb.live.reasons import refusals
from sagacity.ledger.duckdb.live.releasing import upkeep
from sagacity.ledger.duckdb.live.returning import Returning
from sagacity.ledger.duckdb.live.revision import Revision
from sagacity.ledger.duckdb.live.settling import settle
from sagacity.ledger.duckdb.live.standing import by_period
from sagacity.ledger.duckdb.rows import first_row
from sagacity.ledger.live import (
    Account,
    Action,
    Appended,
    CaseFilter,
    CaseRow,
    Counts,
    FindingFilter,
    HistoryEntry,
    Incident,
    Judged,
    LiveFinding,
    Notice,
    Outlook,
    Page,
    PartState,
    PeriodCounts,
    Refusal,
    Released,
    Settled,
    StoredEvent,
    StoredWorkflow,
)  # fmt: skip
from sagacity.sources.stream import Batch, Part
from sagacity.workflow.model import Workflow

__all__ = ["DuckDBLiveLedger"]

_HORIZONS = msgspec.json.Decoder(dict[str, int])


class DuckDBLiveLedger:
    """See `sagacity.ledger.live.LiveLedger`. `memory` (such as `1GB`) bounds what the database holds in memory.

    A case goes to the archive `archive_after` (microseconds) after its end and its last event, and is forgotten once the day
    of its last event lies `retain` back; None: never. What comes for it in between brings it back.
    """

    def __init__(
        self,
        folder: Path,
        *,
        memory: str | None = None,
        threads: int | None = None,
        archive_after: int | None = None,
        retain: int | None = None,
    ) -> None:
        self._archive = Archive(folder, after=archive_after, retain=retain)
        self._swept = False
        self._store = Store(folder, memory=memory, threads=threads)
        try:
            with self._store.transaction() as connection:
                self._revisions = revisions.load_all(connection)
                row = first_row(connection, "SELECT as_of, horizons FROM ledger")
        except BaseException:
            self._store.close()
            raise
        self._as_of: int | None = row[0] if row else None
        self._horizons: Mapping[str, int] = _HORIZONS.decode(row[1]) if row and row[1] else {}

    def close(self) -> None:
        self._store.close()

    # Writers --------------------------------------------------------------------------------------------------------

    def adopt(self, workflow: Workflow, text: str, *, by: str, now: int, given: bool = False) -> StoredWorkflow:
        with self._store.transaction() as connection:
            if given and (kept := revisions.kept(connection, workflow.name, text)) is not None:
                return kept
            stored, known = revisions.adopt(connection, self._revisions, workflow, text, by=by, now=now)
            loaded = revisions.load_all(connection, known)
        self._revisions = loaded
        return stored

    def owing(self) -> bool:
        return any(not revision.current for revision in self._revisions.values())

    def rejudge(self, now: int, most: int = 100_000) -> float:
        with self._store.transaction() as connection:
            share = revisions.reread(connection, self._revisions, self._archive, now, most)
            loaded = revisions.load_all(connection, self._revisions)
        self._revisions = loaded
        return share

    def append(self, batches: Sequence[Batch], now: int, as_of: int | None = None) -> Appended:
        owing = frozenset(revision.workflow.name for revision in self._revisions.values() if not revision.current)
        recall = Returning(self._archive, now, owing)
        with self._store.transaction() as connection:
            return append(connection, list(self._revisions.values()), batches, self._reached(as_of), now, recall)

    def judge(self, outlook: Outlook, now: int, most: int = 200_000) -> Judged:
        with self._store.transaction() as connection:
            done = Judged(0, 0, 0, 0, None)
            for revision in self._current():
                chosen = judging.choose(connection, revision, outlook, most)
                done = _both(done, self._judge_chosen(connection, revision, outlook, now, chosen))
            horizons = msgspec.json.encode(outlook.horizons).decode()
            connection.execute("UPDATE ledger SET as_of = ?, horizons = ?", [outlook.as_of, horizons])
        self._as_of, self._horizons = outlook.as_of, outlook.horizons
        return done

    def replay(
        self, start: int, end: int, outlook: Outlook, now: int, *, after: str | None = None, most: int = 100_000
    ) -> Judged:
        w, c = map(int, after.split(".")) if after else (0, 0)
        revisions = [revision for revision in self._current() if revision.w >= w]
        if not revisions:
            return Judged(0, 0, 0, 0, None)
        first, *rest = sorted(revisions, key=lambda revision: revision.w)
        with self._store.transaction() as connection:
            chosen = judging.choose_between(connection, first, start, end, c if first.w == w else 0, most)
            done = self._judge_chosen(connection, first, outlook, now, chosen)
            archived = 0 if after else judging.archived_between(connection, revisions, start, end)
        following = f"{first.w}.{chosen.last}" if chosen.more else f"{rest[0].w}.0" if rest else None
        return msgspec.structs.replace(done, more=following is not None, after=following, archived=archived)

    def act(self, finding: str, action: Action, now: int) -> LiveFinding:
        with self._store.transaction() as connection:
            acting.act(connection, finding, action, now)
            found = reading.finding_of(connection, finding)
        assert found is not None
        return found

    def audit(self, by: str, what: str, now: int) -> None:
        with self._store.transaction() as connection:
            acting.note(connection, by, what, now)

    def upkeep(self, now: int, as_of: int | None = None) -> Released:
        reached = self._reached(as_of)
        swept, self._swept = self._swept, False
        with self._store.transaction() as connection:
            acting.expire(connection, now)
            if reached != self._as_of:
                connection.execute("UPDATE ledger SET as_of = ?", [reached])
            if not swept:
                self._archive.sweep(connection)
            released, paths = upkeep(connection, self._archive, list(self._revisions.values()), reached, now)
        self._swept, self._as_of = True, reached
        self._archive.remove(paths)
        return released

    def settle(self, settled: Sequence[Settled]) -> None:
        with self._store.transaction() as connection:
            telling.settle(connection, settled)

    # Readers --------------------------------------------------------------------------------------------------------

    def positions(self) -> dict[Part, int]:
        return {(part.source, part.part): part.position for part in self.parts() if part.position is not None}

    def parts(self) -> list[PartState]:
        with self._store.reading() as connection:
            return part_states(connection)

    def horizons(self) -> Mapping[str, int]:
        return self._horizons

    def as_of(self) -> int | None:
        return self._as_of

    def refusals(self, *, cursor: str | None = None, limit: int = 50) -> Page[Refusal]:
        with self._store.reading() as connection:
            return refusals(connection, cursor=cursor, limit=limit)

    def workflows(self) -> list[StoredWorkflow]:
        with self._store.reading() as connection:
            return revisions.stored(connection)

    def accounts(self) -> list[Account]:
        with self._store.reading() as connection:
            return accounts(connection, self._current())

    def counts(self, workflow: str) -> Counts:
        with self._store.reading() as connection:
            return counts(connection, self._named(workflow))

    def by_period(self, workflow: str, origin: int, width: int, since: int) -> PeriodCounts:
        reached, retain = self._as_of, self._archive.retain
        if retain is not None and reached is not None:
            since = max(since, reached - retain)
        with self._store.reading() as connection:
            return by_period(connection, self._named(workflow), origin, width, since, reached)

    def case(self, workflow: str, case: str) -> CaseRow | None:
        with self._store.reading() as connection:
            return reading.case_row(connection, self._named(workflow), case)

    def cases(self, which: CaseFilter, *, cursor: str | None = None, limit: int = 50) -> Page[CaseRow]:
        with self._store.reading() as connection:
            return reading.case_page(connection, self._current(), which, cursor=cursor, limit=limit)

    def events(self, workflow: str, case: str) -> list[StoredEvent]:
        try:
            with self._store.reading() as connection:
                return reading.events_of(connection, self._archive, self._named(workflow), case)
        except LedgerError:  # perhaps it has come back in the meantime, and its file is gone
            with self._store.reading() as connection:
                return reading.events_of(connection, self._archive, self._named(workflow), case)

    def finding(self, finding: str) -> LiveFinding | None:
        with self._store.reading() as connection:
            return reading.finding_of(connection, finding)

    def findings(self, which: FindingFilter, *, cursor: str | None = None, limit: int = 50) -> Page[LiveFinding]:
        with self._store.reading() as connection:
            return reading.finding_page(connection, which, cursor=cursor, limit=limit)

    def history(self, finding: str) -> list[HistoryEntry]:
        with self._store.reading() as connection:
            return reading.history_of(connection, finding)

    def incidents(self, *, cursor: str | None = None, limit: int = 50) -> Page[Incident]:
        with self._store.reading() as connection:
            return reading.incident_page(connection, cursor=cursor, limit=limit)

    def notices(self, now: int, limit: int = 100) -> list[Notice]:
        with self._store.reading() as connection:
            return telling.pending(connection, now, limit)

    def dead_letters(self, *, cursor: str | None = None, limit: int = 50) -> Page[tuple[Notice, str]]:
        with self._store.reading() as connection:
            return telling.dead_letters(connection, cursor=cursor, limit=limit)

    def audits(self, *, cursor: str | None = None, limit: int = 50) -> Page[tuple[int, str, str]]:
        with self._store.reading() as connection:
            return reading.audit_page(connection, cursor=cursor, limit=limit)

    # ----------------------------------------------------------------------------------------------------------------

    def _reached(self, as_of: int | None) -> int | None:
        """The later of what was judged and what is told to have been reached."""
        return max((each for each in (as_of, self._as_of) if each is not None), default=None)

    def _current(self) -> list[Revision]:
        return [revision for revision in self._revisions.values() if revision.current]

    def _named(self, workflow: str) -> Revision:
        for revision in self._current():
            if revision.workflow.name == workflow:
                return revision
        known = ", ".join(revision.workflow.name for revision in self._current()) or "none"
        raise UsageError(f"there is no workflow {workflow}", hint=f"there is {known}")

    def _judge_chosen(
        self, connection: Any, revision: Revision, outlook: Outlook, now: int, chosen: judging.Chosen
    ) -> Judged:
        if not chosen.cases:
            return Judged(0, 0, 0, 0, judging.next_due(connection, revision), chosen.more)
        judging.judge_chosen(connection, revision, outlook)
        settled = settle(connection, revision, now)
        due = judging.next_due(connection, revision)
        return Judged(chosen.cases, settled.opened, settled.reopened, settled.resolved, due, chosen.more)


def _both(a: Judged, b: Judged) -> Judged:
    due = min((each for each in (a.next_due, b.next_due) if each is not None), default=None)
    more = a.more or b.more
    return Judged(a.cases + b.cases, a.opened + b.opened, a.reopened + b.reopened, a.resolved + b.resolved, due, more)
