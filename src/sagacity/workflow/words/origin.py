"""Where an expectation came from, in a plain sentence."""

from __future__ import annotations

from sagacity.workflow.model import Acceptance, Workflow
from sagacity.workflow.words.meaning import stands

__all__ = ["origin_of"]


def origin_of(workflow: Workflow, name: str) -> str | None:
    """What an expectation of this name was accepted on, and by whom; None where history did not suggest it, or where it
    means something else since."""
    found = stands(workflow, name)
    return None if found is None else _said(found)


def _said(found: Acceptance) -> str:
    who = f" by {found.by}" if found.by else ""
    day = f" on {found.date}" if found.date else ""
    until = f" up to {found.until}" if found.until else ""
    log = f", learnt from {found.log}{until}" if found.log else ""
    return f"Accepted{who}{day}: it held in {found.held:,} of {found.of:,} cases{log}."
