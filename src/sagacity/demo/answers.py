"""The answers to a demonstration: which faults were planted, and whether what was found is exactly that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from sagacity.workflow.verdict import FindingKind

__all__ = ["Answer", "Comparison", "Expected", "Outcome", "compare", "read"]

Outcome: TypeAlias = FindingKind | Literal["resolved"]
"""What is seen of a finding in the end: its kind or, live, that it was mended by a message that came after all."""


class Expected(msgspec.Struct, frozen=True, order=True):
    """A finding that a planted fault must yield."""

    expectation: str
    kind: Outcome


class Answer(msgspec.Struct, frozen=True):
    """A fault planted in a case, what went wrong in a few words, and the findings it must yield, no more and no fewer."""

    case: str
    fault: str
    story: str
    findings: tuple[Expected, ...]


class Comparison(msgspec.Struct, frozen=True):
    """Planted against found. `by_kind` has, per kind, how many findings were planted and how many were found.

    `unplanted` and `unfound` list (case, expectation, kind) where the two differ; a check that is right has neither.
    """

    by_kind: dict[Outcome, tuple[int, int]]
    unplanted: tuple[tuple[str, str, Outcome], ...]
    unfound: tuple[tuple[str, str, Outcome], ...]

    @property
    def equal(self) -> bool:
        return not self.unplanted and not self.unfound


def read(path: Path) -> Iterator[Answer]:
    """The answers in a file as the generator writes it: one JSON object a line."""
    decoder = msgspec.json.Decoder(Answer)
    with path.open("rb") as lines:
        for line in lines:
            yield decoder.decode(line)


def compare(answers: Iterable[Answer], found: Iterable[tuple[str, str, Outcome]]) -> Comparison:
    """Holds findings, as (case, expectation, kind), against the answers, each counted as often as it occurs."""
    planted = Counter(
        (answer.case, expected.expectation, expected.kind) for answer in answers for expected in answer.findings
    )
    seen = Counter(found)
    kinds = sorted({kind for _, _, kind in (*planted, *seen)})
    return Comparison(
        {kind: (_of_kind(planted, kind), _of_kind(seen, kind)) for kind in kinds},
        tuple(sorted((seen - planted).elements())),
        tuple(sorted((planted - seen).elements())),
    )


def _of_kind(findings: Counter[tuple[str, str, Outcome]], kind: Outcome) -> int:
    return sum(count for finding, count in findings.items() if finding[2] == kind)
