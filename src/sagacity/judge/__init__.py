"""The reference judge: the verdict on one case, straight from docs/semantics.md.

Written to be read, one case at a time, in plain Python. Every engine is held to it: for any workflow, events and as-of
the engine's verdicts equal the judge's. Time is at most quadratic in the number of the case's events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeAlias

from sagacity.judge.asserts import judge_assert
from sagacity.judge.implied import judge_implied
from sagacity.judge.matches import judge_matches
from sagacity.judge.outcome import Outcome, verdict
from sagacity.judge.rules import judge_rule, with_conditions
from sagacity.judge.trace import Trace, prepare
from sagacity.workflow.conditions.parser import parse_assert
from sagacity.workflow.model import Assert, Audited, Implied, Matches, Rule, Workflow
from sagacity.workflow.trace import Event
from sagacity.workflow.verdict import CaseVerdict
from sagacity.workflow.words.naming import names

__all__ = ["Judge", "judge"]

Ready: TypeAlias = Callable[[Trace], Sequence[Outcome]]
"""An expectation, ready for any case: it yields one outcome for each activation."""


class Judge:
    """A workflow, ready to judge any number of cases. Its conditions are parsed once.

    Raises ConditionError where a condition cannot be read.
    """

    def __init__(self, workflow: Workflow) -> None:
        self.workflow = workflow
        self._expectations = [
            (name, _ready(workflow, expectation))
            for name, expectation in zip(names(workflow), workflow.audited(), strict=True)
        ]

    def judge(self, events: Iterable[Event], as_of: int) -> CaseVerdict:
        """The verdict on the case that these events make up, at an instant in microseconds since 1970-01-01T00:00Z.

        `FOREVER` as the instant says that the log is complete. The order of the events does not matter; later ones than
        as-of take no part. Raises ValueError where there is none up to as-of: such a case does not exist.
        """
        trace = prepare(self.workflow, events, as_of)
        return CaseVerdict(
            verdicts=tuple(verdict(name, judges(trace)) for name, judges in self._expectations),
            ended=trace.ended,
            start=trace.start,
            end=trace.end,
            redelivered=trace.redelivered,
        )


def judge(workflow: Workflow, events: Iterable[Event], as_of: int) -> CaseVerdict:
    """The verdict on one case; see `Judge.judge`. For many cases of one workflow a `Judge` is quicker."""
    return Judge(workflow).judge(events, as_of)


def _ready(workflow: Workflow, expectation: Audited) -> Ready:
    match expectation:
        case Rule():
            return partial(judge_rule, with_conditions(workflow, expectation))
        case Matches():
            return partial(judge_matches, workflow, expectation)
        case Assert():
            predicate = parse_assert(expectation.predicate, workflow)
            return partial(judge_assert, predicate, expectation.immediate)
        case Implied():
            return partial(judge_implied, workflow, expectation)
