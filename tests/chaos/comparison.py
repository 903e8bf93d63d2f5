"""What the live ledger says in the end, held against `sagacity check` on the same records, and against what was sent."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from sagacity.ledger.duckdb.live import DuckDBLiveLedger
from sagacity.ledger.live import Account, CaseFilter, FindingFilter
from sagacity.workflow.instants import iso

from .course import Sent

__all__ = ["Checked", "Held", "checked", "differences", "held", "lost_or_doubled"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CHECK_WITHIN = 600
_SHOWN = 12
_KINDS = ("unmatched", "orphan", "rejected", "redelivered")

Finding = tuple[str, str, int]


class Checked(msgspec.Struct, frozen=True):
    """What `check` says: findings as `(id, kind, since)`, the status of each case, and the accounts by source."""

    findings: frozenset[Finding]
    statuses: Mapping[str, str]
    accounts: Mapping[str, Mapping[str, int]]


class Held(msgspec.Struct, frozen=True):
    """What the ledger says, and as of when; `copies` counts the records by source and text (None: no text), `positions` by
    source, part and position."""

    as_of: int
    findings: frozenset[Finding]
    statuses: Mapping[str, str]
    pending: tuple[str, ...]
    accounts: Mapping[str, Account]
    copies: Counter[tuple[str, str | None]]
    positions: Counter[tuple[str, str, int]]


def held(folder: Path) -> Held:
    """Read a ledger that no server has open any more."""
    ledger = DuckDBLiveLedger(folder, threads=1, memory="512MB")
    try:
        as_of = ledger.as_of()
        assert as_of is not None, "nothing was ever judged"
        open_ones = FindingFilter(states=("open",))
        findings = {
            (it.id, it.kind, it.since) for it in _all(lambda cursor: ledger.findings(open_ones, cursor=cursor, limit=500))
        }
        rows = list(_all(lambda cursor: ledger.cases(CaseFilter(), cursor=cursor, limit=500)))
        accounts = {account.source: account for account in ledger.accounts()}
    finally:
        ledger.close()
    with duckdb.connect(str(folder / "ledger.duckdb"), read_only=True) as connection:
        records = connection.execute(
            "SELECT p.source, p.part, r.position, r.body FROM record AS r JOIN part AS p ON p.p = r.p"
        ).fetchall()
    return Held(
        as_of=as_of,
        findings=frozenset(findings),
        statuses={row.case: row.status.value for row in rows},
        pending=tuple(row.case for row in rows if row.due is not None or row.behind),
        accounts=accounts,
        copies=Counter((source, body) for source, _, _, body in records),
        positions=Counter((source, part, position) for source, part, position, _ in records),
    )


def checked(workflow: Path, records: Sequence[Sent], as_of: int, folder: Path) -> Checked:
    """Run `sagacity check` over the records, as files."""
    folder.mkdir(parents=True, exist_ok=True)
    options = []
    for source in sorted({sent.source for sent in records}):
        path = folder / f"{source}.jsonl"
        bodies = [sent.body for sent in records if sent.source == source]
        bodies.sort(key=lambda body: not body.startswith(b"{"))  # a file that begins with garbage is refused as a whole
        path.write_bytes(b"".join(body + b"\n" for body in bodies))
        options += ["--source", f"{source}={path}"]
    findings, cases = folder / "findings.jsonl", folder / "cases.jsonl"
    command = [
        sys.executable,
        "-m",
        "sagacity.cli.main",
        "check",
        str(workflow),
        *options,
        "--as-of",
        iso(as_of) or "",
        "--lenient",
    ]
    command += ["--findings", str(findings), "--cases", str(cases), "--format", "json", "--limit", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_CHECK_WITHIN)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"check ended with {done.returncode}:\n{done.stderr[-2_000:]}")
    return Checked(
        frozenset((it["id"], it["kind"], _instant(it["since"])) for it in _lines(findings)),
        {it["case"]: it["status"] for it in _lines(cases)},
        {it["source"]: it for it in json.loads(done.stdout)["sources"]},
    )


def differences(live: Held, history: Checked, *, exactly_once: bool) -> list[str]:
    """In what the ledger differs from `check`; empty where it is all the same.

    Where a record may come again because its answer was lost, `exactly_once` is false: what was so taken in is then
    accounted for in addition, and as redelivered where it can be read.
    """
    found = [f"the ledger alone has the finding {it}" for it in sorted(live.findings - history.findings)[:_SHOWN]]
    found += [f"check alone has the finding {it}" for it in sorted(history.findings - live.findings)[:_SHOWN]]
    cases = sorted(live.statuses.keys() | history.statuses.keys())
    found += [
        f"case {case} is {live.statuses.get(case)} in the ledger, {history.statuses.get(case)} by check"
        for case in cases
        if live.statuses.get(case) != history.statuses.get(case)
    ][:_SHOWN]
    found += [f"case {case} still waits for something" for case in live.pending[:_SHOWN]]
    for source, account in sorted(live.accounts.items()):
        told = msgspec.structs.asdict(account)
        parts = account.matched + account.redelivered + account.late + account.unmatched + account.orphan + account.rejected
        if account.records != parts:
            found.append(f"the account does not add up: {account}")
        meant = history.accounts[source]
        if account.matched + account.late != meant["matched"]:
            found.append(f"{source}: {account.matched} + {account.late} late matched, {meant['matched']} by check")
        for kind in _KINDS:
            if told[kind] != meant[kind] and (exactly_once or told[kind] < meant[kind]):
                found.append(f"{source}: {told[kind]} {kind}, {meant[kind]} by check")
    return found


def lost_or_doubled(live: Held, records: Iterable[Sent], attempts: Counter[tuple[str, bytes]] | None) -> list[str]:
    """Records that are in the ledger less often than they were sent, or more often than they were tried; without
    `attempts`, more often than they were sent."""
    sent = Counter((each.source, _text(each.body)) for each in records)
    tried: Counter[tuple[str, str | None]] = Counter()
    for (source, body), times in (attempts or {}).items():
        tried[source, _text(body)] += times
    most = sent if attempts is None else tried
    found = []
    for each in sent.keys() | live.copies.keys():
        if not sent[each] <= live.copies[each] <= most[each]:
            found.append(
                f"{each} was sent {sent[each]} times, tried {most[each]} times, and is there {live.copies[each]} times"
            )
    return found[:_SHOWN]


def _text(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def _all(page: Any) -> Iterable[Any]:
    cursor = None
    while True:
        found = page(cursor)
        yield from found.items
        cursor = found.cursor
        if cursor is None:
            return


def _lines(path: Path) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines() if line.strip()]


def _instant(text: str) -> int:
    """Microseconds of a time as tables hold it, such as `2026-11-22 19:38:37.850495+00`."""
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)
