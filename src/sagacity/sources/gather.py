"""From what a user gives to what a ledger takes in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from sagacity.sources.inputs import Files, Input
from sagacity.sources.resolve import resolve
from sagacity.sources.spool import Spool
from sagacity.sources.xes import as_jsonl
from sagacity.workflow.formats import SourceFormat, complete
from sagacity.workflow.model import Workflow

__all__ = ["gather"]


def gather(
    workflow: Workflow,
    given: Mapping[str, object],
    *,
    base: Path | None,
    spool: Spool | None = None,
    stdin: BinaryIO | None = None,
    progress: Callable[[int], None] | None = None,
) -> tuple[Workflow, dict[str, Input]]:
    """The workflow, completed by the formats that its inputs proved to have, and its inputs in forms that a ledger reads.

    As `resolve`, and then XES becomes JSON lines in the spool; `progress` is called with the bytes of it that are read.
    Close the spool, or let go of the inputs, when the ledger has taken them in. Raises UsageError and SourceError.
    """
    spool = spool or Spool()
    inputs = resolve(workflow, given, base=base, spool=spool, stdin=stdin)
    formats: dict[str, SourceFormat] = {
        name: found.format if isinstance(found, Files) else "table" for name, found in inputs.items()
    }
    for name, found in inputs.items():
        if isinstance(found, Files) and found.format == "xes":
            inputs[name] = as_jsonl(found, spool, progress)
    return complete(workflow, formats), inputs
