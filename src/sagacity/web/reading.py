"""The workflows that the ledger judges by, read once a revision."""

from __future__ import annotations

import threading

from sagacity.ledger.live import LiveLedger, StoredWorkflow
from sagacity.workflow.language.reader import loads
from sagacity.workflow.model import Workflow

__all__ = ["Readings"]


class Readings:
    """Keeps the latest reading of each workflow. May be asked from any thread."""

    def __init__(self, ledger: LiveLedger) -> None:
        self._ledger = ledger
        self._lock = threading.Lock()
        self._read: dict[str, tuple[StoredWorkflow, Workflow]] = {}

    def all(self) -> list[tuple[StoredWorkflow, Workflow]]:
        """Every workflow that is judged by, in the ledger's order."""
        return [self._of(stored) for stored in self._ledger.workflows()]

    def named(self, name: str) -> tuple[StoredWorkflow, Workflow] | None:
        """The workflow of that name; None where there is none."""
        found = next((stored for stored in self._ledger.workflows() if stored.name == name), None)
        return None if found is None else self._of(found)

    def _of(self, stored: StoredWorkflow) -> tuple[StoredWorkflow, Workflow]:
        with self._lock:
            kept = self._read.get(stored.name)
        if kept is not None and kept[0].revision == stored.revision and kept[0].text == stored.text:
            return stored, kept[1]
        workflow = loads(stored.text, f"{stored.name} (revision {stored.revision})")
        with self._lock:
            self._read[stored.name] = (stored, workflow)
        return stored, workflow
