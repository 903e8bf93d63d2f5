"""One case as the live ledger holds it: its events, those not judged yet included, and each expectation with its reason.

The verdict is the reference judge's over the events up to the case's as-of. Where the ledger waits for a source that is
behind it holds findings back, and so does this: such an expectation is pending, with the reason *source behind*. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from sagacity.judge import Judge
from sagacity.ledger.live import CaseRow, LiveFinding, StoredEvent
from sagacity.reconcile.result import Explanation
from sagacity.report.case import Expected, Ghost, case_view
from sagacity.workflow.instants import instant
from sagacity.workflow.model import Audited, Workflow
from sagacity.workflow.verdict import CaseVerdict, FindingKind, Status, Verdict
from sagacity.workflow.words.naming import names

__all__ = ["Placed", "Standing", "Timeline", "timeline"]


class Placed(msgspec.Struct, frozen=True):
    """An event on the timeline. `gap` is the time since the one before in microseconds; `judged`: as-of has reached it;
    `copy`: an earlier one has the same identity; `involved`: the violated expectations that it has to do with."""

    stored: StoredEvent
    gap: int | None
    judged: bool
    copy: bool
    involved: tuple[tuple[str, FindingKind], ...] = ()


class Standing(msgspec.Struct, frozen=True):
    """How an expectation stands. `behind` names the sources that it waits for although its due time has passed."""

    expectation: Audited
    verdict: Verdict
    expected: Expected
    behind: tuple[str, ...] = ()


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """A case. `standings` are in the order violated, pending, satisfied, vacuous; none, and no `explanation`, before the
    first verdict. `explanation` is what `sagacity explain` shows."""

    workflow: Workflow
    row: CaseRow
    events: tuple[Placed, ...]
    ghosts: tuple[Ghost, ...] = ()
    standings: tuple[Standing, ...] = ()
    findings: tuple[LiveFinding, ...] = ()
    explanation: Explanation | None = None


def timeline(
    workflow: Workflow,
    row: CaseRow,
    stored: Sequence[StoredEvent],
    findings: Sequence[LiveFinding],
    behind: Mapping[str, int] | None = None,
) -> Timeline:
    """`stored` holds the case's events, `findings` its findings; `behind` how far each source that is behind was heard."""
    ordered = sorted(stored, key=lambda each: each.event.position)
    as_of = row.as_of
    judged = [each.event for each in ordered if as_of is not None and each.event.time <= as_of]
    if as_of is None or not judged:
        return Timeline(workflow=workflow, row=row, events=_placed(ordered, 0, ()), findings=tuple(findings))
    verdict, waiting = _held_back(Judge(workflow).judge(judged, as_of), row, findings)
    explanation = Explanation(row.case, tuple(judged), verdict)
    view = case_view(workflow, explanation, as_of)
    verdicts = {each.expectation: each for each in verdict.verdicts}
    audited = dict(zip(names(workflow), workflow.audited(), strict=True))
    standings = []
    for expected in view.expected:
        held = row.behind if expected.name in waiting else ()
        if held:
            expected = msgspec.structs.replace(expected, reason=_source_behind(held, behind or {}))
        standings.append(Standing(audited[expected.name], verdicts[expected.name], expected, held))
    return Timeline(
        workflow=workflow,
        row=row,
        events=_placed(ordered, len(judged), tuple(entry.involved for entry in view.happened)),
        ghosts=view.ghosts,
        standings=tuple(standings),
        findings=tuple(findings),
        explanation=explanation,
    )


def _held_back(verdict: CaseVerdict, row: CaseRow, findings: Sequence[LiveFinding]) -> tuple[CaseVerdict, set[str]]:
    """The verdict without the violations that the ledger does not hold against the case yet, and whose they are."""
    if not row.behind:
        return verdict, set()
    found = {(each.expectation, each.kind, each.activation) for each in findings if each.state != "resolved"}
    verdicts, waiting = [], set()
    for each in verdict.verdicts:
        kept = tuple(v for v in each.violations if (each.expectation, v.kind, v.activation) in found)
        held = [v for v in each.violations if v not in kept]
        if held:
            due = min([v.since for v in held] + ([each.due] if each.due is not None else []))
            pending = each.pending + len(held)
            each = msgspec.structs.replace(each, violations=kept, pending=pending, due=due)
            if each.status == Status.PENDING:
                waiting.add(each.expectation)
        verdicts.append(each)
    return msgspec.structs.replace(verdict, verdicts=tuple(verdicts)), waiting


def _source_behind(sources: Sequence[str], heard: Mapping[str, int]) -> str:
    told = [f"{name} (heard up to {instant(heard[name])})" if heard.get(name) else name for name in sources]
    return f"source behind: what would settle this may still come from {' or '.join(told)}"


def _placed(
    ordered: Sequence[StoredEvent], judged: int, involved: Sequence[tuple[tuple[str, FindingKind], ...]]
) -> tuple[Placed, ...]:
    placed: list[Placed] = []
    seen: set[tuple[str, str]] = set()
    for place, stored in enumerate(ordered):
        event = stored.event
        identity = (event.type, event.id) if event.id is not None else None
        placed.append(
            Placed(
                stored=stored,
                gap=event.time - ordered[place - 1].event.time if place else None,
                judged=place < judged,
                copy=identity in seen,
                involved=involved[place] if place < judged else (),
            )
        )
        if identity is not None:
            seen.add(identity)
    return tuple(placed)
