"""Which sources could still mend a violation: those of the events whose absence it rests on.

Absence of evidence from a source that is behind is not evidence of absence (see `docs/semantics.md`, *Live*). A violation
by presence, such as a duplicate, stands whatever may still come.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from sagacity.workflow.conditions.condition import aggregates
from sagacity.workflow.conditions.parser import parse_assert
from sagacity.workflow.model import Assert, Audited, Implied, Matches, Rule, Workflow
from sagacity.workflow.templates import TEMPLATES, Legs
from sagacity.workflow.verdict import FindingKind

__all__ = ["Awaited", "Mendable", "awaited"]


class Mendable(msgspec.Struct, frozen=True):
    """The violations of these kinds rest on the absence of events that these sources could bring."""

    kinds: frozenset[FindingKind]
    sources: tuple[str, ...]


Awaited: TypeAlias = Mapping[tuple[int, int], Mendable]
"""By the place of an expectation in `Workflow.audited`, and its leg (0 where it has none)."""

_ABSENCE: frozenset[FindingKind] = frozenset(("missing", "late", "out_of_order", "mismatch"))
_MISSING: frozenset[FindingKind] = frozenset(("missing",))
_PLACED: frozenset[FindingKind] = frozenset(("missing", "out_of_order"))
_SUMS: frozenset[FindingKind] = frozenset(("missing", "mismatch"))
_MISMATCH: frozenset[FindingKind] = frozenset(("mismatch",))


def awaited(workflow: Workflow) -> Awaited:
    """What each expectation waits for."""
    found: dict[tuple[int, int], Mendable] = {}
    for x, expectation in enumerate(workflow.audited()):
        for leg, kinds, events in _waits(workflow, expectation):
            sources = tuple(sorted({workflow.events[name].source for name in events}))
            found[x, leg] = Mendable(kinds, sources)
    return found


def _waits(workflow: Workflow, expectation: Audited) -> list[tuple[int, frozenset[FindingKind], tuple[str, ...]]]:
    match expectation:
        case Rule():
            shape = TEMPLATES[expectation.template].shape
            if isinstance(shape, Legs):
                legs = [leg for leg in shape.legs if not leg.negated]
                return [(leg.activation, _ABSENCE, (expectation.events[leg.target],)) for leg in legs]
            return [(0, _PLACED, expectation.events)]
        case Matches():
            kinds = _MISSING if expectation.cardinality == "one_to_one" else _SUMS
            return [(0, kinds, (expectation.from_, expectation.to))]
        case Assert(immediate=False):
            named = aggregates(parse_assert(expectation.predicate, workflow))
            return [(0, _MISMATCH, tuple(node.event for node in named))] if named else []
        case Implied(rule="begins"):
            return [(0, _PLACED, workflow.begins)]
    return []
