"""Taking records in for a test: a workflow of few words, files written on the spot, and what became of it all."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from sagacity.ledger.duckdb.connection import connect, discard
from sagacity.ledger.duckdb.intake import take_in
from sagacity.ledger.port import Account, Intake, Progress
from sagacity.sources.inputs import Compression, Files, Format, Input
from sagacity.workflow.model import Capture, EventType, Source, Workflow

__all__ = [
    "DAY",
    "NOW",
    "Outcome",
    "account_adds_up",
    "files",
    "instant",
    "messages",
    "order",
    "take",
    "workflow_of",
    "write",
]

DAY = 86_400_000_000
NOW = 1_790_000_000_000_000
"""2026-09-21: later than what tests hold to be the past."""


class Outcome(msgspec.Struct, frozen=True):
    """What came of taking sources in: the accounts, and the rows of `events` in the order of time and id."""

    intake: Intake
    events: list[dict[str, Any]]

    @property
    def account(self) -> Account:
        (account,) = self.intake.accounts
        return account

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self.events]

    @property
    def reasons(self) -> list[str]:
        return [each.reason for each in self.intake.rejected]

    @property
    def lines(self) -> list[int | None]:
        return [each.line for each in self.intake.rejected]


def take(
    workflow: Workflow,
    inputs: Mapping[str, Input] | Input,
    *,
    as_of: int | None = None,
    now: int = NOW,
    max_rejected: int | None = None,
    progress: Progress | None = None,
    memory: str | None = None,
) -> Outcome:
    """Take inputs in, leniently unless a test says otherwise, and read `events`. One input goes to the one source."""
    if not isinstance(inputs, Mapping):
        inputs = {next(iter(workflow.sources)): inputs}
    connection = connect(threads=2, memory=memory)
    try:
        intake = take_in(connection, workflow, inputs, as_of=as_of, now=now, max_rejected=max_rejected, progress=progress)
        cursor = connection.execute("SELECT * FROM events ORDER BY ALL")
        names = [column[0] for column in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    finally:
        discard(connection)
    for account in intake.accounts:
        account_adds_up(account)
    assert sum(account.events for account in intake.accounts) == len(rows)
    rows.sort(key=lambda row: (row["time"], row["id"] or ""))
    return Outcome(intake, rows)


def account_adds_up(account: Account) -> None:
    parts = account.matched + account.redelivered + account.unmatched + account.orphan + account.rejected + account.beyond
    assert account.records == parts, account


def write(folder: Path, name: str, content: bytes | str | Iterable[object]) -> Path:
    """A file of the content, or of the lines; gzipped where the name says so."""
    if not isinstance(content, bytes | str):
        content = b"".join((line if isinstance(line, bytes) else str(line).encode()) + b"\n" for line in content)
    data = content.encode() if isinstance(content, str) else content
    path = folder / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def files(*paths: Path, format: Format = "jsonl") -> Files:
    """The files as an input; compressed where their names say so."""
    endings: dict[str, Compression] = {".gz": "gzip", ".zst": "zstd"}
    compression = tuple(endings.get(path.suffix, "none") for path in paths)
    return Files(tuple(map(str, paths)), format, compression, given=str(paths[0]) if paths else "nothing")


def order(**fields: Any) -> str:
    """One message about order 1 as a line of JSON; None leaves a field out. A value of bytes stands as it is."""
    raw = {name: value for name, value in fields.items() if isinstance(value, bytes)}
    message: dict[str, Any] = {
        "type": "Placed",
        "time": "2026-01-01T00:00:00Z",
        "id": "e1",
        "order_id": "1",
        "amount": "4.50",
    }
    message |= {name: f"<{name}>" if name in raw else value for name, value in fields.items()}
    line = msgspec.json.encode({name: value for name, value in message.items() if value is not None}).decode()
    for name, value in raw.items():
        line = line.replace(f'"<{name}>"', value.decode())
    return line


def workflow_of(source: Source, capture: Mapping[str, Capture] | None = None, **settings: Any) -> Workflow:
    """A workflow of the event types Placed and Paid, found in one source, with one key unless `keys` says otherwise."""
    events = settings.pop("events", None) or {
        name: EventType(source="orders", capture=capture or {}) for name in ("Placed", "Paid")
    }
    keys = settings.pop("keys", ("order",))
    return Workflow(name="orders", keys=keys, sources={"orders": source}, events=events, **settings)


def messages(capture: Mapping[str, Capture] | None = None, **changes: Any) -> Workflow:
    """A workflow over messages such as `order` writes, with the amount as a decimal unless other captures are given.

    `changes` are changes to the source, and the workflow's `unexpected` and `events`.
    """
    source = Source(type="type", time="time", id="id", keys={"order": "order_id"})
    settings = {name: changes.pop(name) for name in ("unexpected", "events") if name in changes}
    captured = {"amount": Capture("amount", "decimal")} if capture is None else capture
    return workflow_of(msgspec.structs.replace(source, **changes), captured, **settings)


def parquet(path: Path, query: str) -> Path:
    """A Parquet file of a query's rows."""
    duckdb.connect().execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path


def arrow(query: str) -> Any:
    """A query's rows as an Arrow table."""
    relation = duckdb.connect().sql(query)
    assert relation is not None
    return relation.to_arrow_table()


def instant(text: str) -> int:
    """Microseconds of an ISO time with offset."""
    from datetime import datetime, timedelta, timezone

    return (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(microseconds=1)  # noqa: UP017
