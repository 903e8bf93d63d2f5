"""Findings as they are read: from the ledger, in words."""

from __future__ import annotations

from collections.abc import Iterator

from sagacity.ledger.port import FindingRow, Ledger
from sagacity.reconcile.result import Finding
from sagacity.workflow.model import Workflow
from sagacity.workflow.verdict import Violation
from sagacity.workflow.words.naming import names, owner_of
from sagacity.workflow.words.wording import teller

__all__ = ["StoredFindings", "Worder"]


class Worder:
    """Makes findings of a ledger's rows: adds the expectation's name, severity and owner, and what is wrong in words."""

    def __init__(self, workflow: Workflow) -> None:
        self._audited = workflow.audited()
        self._names = names(workflow)
        self._owners = [owner_of(workflow, expectation) for expectation in self._audited]
        self._tellers = [teller(workflow, expectation) for expectation in self._audited]

    def finding(self, row: FindingRow) -> Finding:
        violation = Violation(row.kind, row.since, row.type, row.time, row.activation)
        return Finding(
            id=row.id,
            case=row.case,
            expectation=self._names[row.x],
            kind=row.kind,
            severity=self._audited[row.x].severity,
            owner=self._owners[row.x],
            since=row.since,
            type=row.type,
            time=row.time,
            activation=row.activation,
            message=self._tellers[row.x](violation),
        )


class StoredFindings:
    """Every finding of a check, read from its ledger when asked for: may be many more than fit in memory.

    Ordered by severity (worst first), then since, then case and expectation. Readable as long as the ledger is open.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._worder = Worder(ledger.workflow)
        self._count = ledger.finding_count()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Finding]:
        return map(self._worder.finding, self._ledger.findings())

    def head(self, n: int) -> list[Finding]:
        """The first n."""
        return [self._worder.finding(row) for row in self._ledger.findings(n)]

    def __repr__(self) -> str:
        shown = "\n".join(f"  {finding.case}: {finding.kind}: {finding.message}" for finding in self.head(10))
        more = f"\n  ... and {self._count - 10:,} more" if self._count > 10 else ""
        return f"{self._count:,} findings" + (f"\n{shown}{more}" if self._count else "")
