"""Verdicts that wait for a source: what a source which is behind might still mend is pending, not violated."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from sagacity.workflow.awaited import Awaited, Mendable, awaited
from sagacity.workflow.model import Audited, Rule, Workflow
from sagacity.workflow.templates import TEMPLATES, Legs
from sagacity.workflow.verdict import CaseVerdict, Verdict, Violation

__all__ = ["withhold"]


def withhold(
    workflow: Workflow, verdict: CaseVerdict, behind: Mapping[str, int]
) -> tuple[CaseVerdict, dict[str, tuple[str, ...]]]:
    """The verdict with what waits for a source made pending, and for each such expectation, by name, the sources.

    `behind` has, for each source that is behind or down, the instant (microseconds UTC) up to which it has been heard.
    """
    mendable = awaited(workflow)
    waiting: dict[str, tuple[str, ...]] = {}
    verdicts = []
    for x, (expectation, each) in enumerate(zip(workflow.audited(), verdict.verdicts, strict=True)):
        held = {
            violation: sources
            for violation in each.violations
            if (sources := _sources(mendable, x, expectation, violation, behind))
        }
        if held:
            waiting[each.expectation] = tuple(sorted({source for sources in held.values() for source in sources}))
        verdicts.append(_pending(each, held))
    return replace(verdict, verdicts=tuple(verdicts)), waiting


def _sources(
    mendable: Awaited, x: int, expectation: Audited, violation: Violation, behind: Mapping[str, int]
) -> tuple[str, ...]:
    """The sources that are behind and might mend a violation; none where it stands."""
    found = _mendable(mendable, x, expectation, violation)
    if found is None or violation.kind not in found.kinds:
        return ()
    sources = tuple(source for source in found.sources if source in behind)
    reached = min((behind[source] for source in sources), default=violation.since)
    return sources if violation.since > reached else ()


def _mendable(mendable: Awaited, x: int, expectation: Audited, violation: Violation) -> Mendable | None:
    if isinstance(expectation, Rule) and isinstance(shape := TEMPLATES[expectation.template].shape, Legs):
        for leg in shape.legs:
            if expectation.events[leg.activation] == violation.type and (x, leg.activation) in mendable:
                return mendable[x, leg.activation]
        return None
    return mendable.get((x, 0))


def _pending(verdict: Verdict, held: Mapping[Violation, tuple[str, ...]]) -> Verdict:
    if not held:
        return verdict
    dues = [violation.since for violation in held]
    return replace(
        verdict,
        pending=verdict.pending + len(held),
        violations=tuple(violation for violation in verdict.violations if violation not in held),
        due=min([*dues, verdict.due] if verdict.due is not None else dues),
    )
