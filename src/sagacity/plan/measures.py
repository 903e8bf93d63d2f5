"""What reports are drawn from, beside verdicts: delays against their deadlines, findings over time, events by type."""

from __future__ import annotations

from sqlglot import exp

from sagacity.plan.facts import Facts
from sagacity.plan.fill import Tree, column, fill, union_all
from sagacity.workflow.model import Rule
from sagacity.workflow.templates import TEMPLATES, Leg, Legs

__all__ = ["PERIODS", "delay_edges", "delays", "event_counts", "findings_by_period", "period_of", "timed"]

_HOUR = 3_600_000_000
_DAY = 24 * _HOUR
PERIODS = (60_000_000, 600_000_000, _HOUR, 6 * _HOUR, _DAY, 7 * _DAY, 30 * _DAY, 91 * _DAY, 365 * _DAY, 3653 * _DAY)
"""Widths of a period in microseconds: a minute to ten years."""

_MOST_PERIODS = 60
_TOGETHER = 16
"""Expectations whose delays are measured in one pass over the events."""


def period_of(first: int, last: int) -> int:
    """The narrowest width (microseconds) with which the span has at most sixty periods."""
    return next((width for width in PERIODS if (last - first) // width < _MOST_PERIODS), PERIODS[-1])


def event_counts() -> Tree:
    """Judged events by type number: `type`, `n`. Copies of one event count once."""
    return fill(
        """SELECT type, CAST(SUM(n) AS BIGINT) AS n FROM (
             SELECT type, COUNT(*) AS n FROM events GROUP BY type
             UNION ALL SELECT type, -SUM(copies - 1) AS n FROM repeats GROUP BY type) AS counted
           GROUP BY type ORDER BY type"""
    )


def findings_by_period(width: int) -> Tree:
    """Findings by the period in which they began: `start`, `kind`, `n`."""
    return fill(
        """SELECT since - ((since % :width) + :width) % :width AS start, kind, COUNT(*) AS n
           FROM findings WHERE since < 9223372036854775807 GROUP BY 1, 2""",
        width=width,
    )


def timed(facts: Facts) -> list[tuple[int, Rule, Leg]]:
    """The expectations whose delays can be measured: those with a window after the activation."""
    found = []
    for x, expectation in enumerate(facts.audited):
        if not isinstance(expectation, Rule) or not expectation.within:
            continue
        shape = TEMPLATES[expectation.template].shape
        if isinstance(shape, Legs) and shape.legs[0].side == "after" and not shape.legs[0].negated:
            found.append((x, expectation, shape.legs[0]))
    return found


def delay_edges(within: int) -> tuple[int, ...]:
    """Upper bounds of the bins: in steps of √2 from a thousandth of the deadline to four times it."""
    return tuple(sorted({max(1, round(within * 2 ** (step / 2))) for step in range(-20, 5)}))


def delays(facts: Facts) -> list[Tree]:
    """How long targets took, over cases with one activation and no target before it: queries for `x`, `bin`, `n`.

    `bin` is the number of the first edge that is not exceeded.
    """
    rules = timed(facts)
    return [_delays(facts, rules[start : start + _TOGETHER]) for start in range(0, len(rules), _TOGETHER)]


def _delays(facts: Facts, rules: list[tuple[int, Rule, Leg]]) -> Tree:
    per_case: list[Tree] = []
    bins: list[Tree] = []
    for x, rule, leg in rules:
        own, other = (facts.number[rule.events[place]] for place in (leg.activation, leg.target))
        condition = facts.active(rule, rule.events[leg.activation])
        active = fill("type = :own", own=own) if condition is None else fill("type = :own AND :c", own=own, c=condition)
        per_case += [
            exp.alias_(fill("COUNT(*) FILTER (WHERE :active)", active=active), f"n{x}"),
            exp.alias_(fill("MIN(time) FILTER (WHERE :active)", active=active), f"e{x}"),
            exp.alias_(fill("MIN(time) FILTER (WHERE type = :other)", other=other), f"t{x}"),
        ]
        whens = [(f"d <= {edge}", bin_) for bin_, edge in enumerate(delay_edges(rule.within or 1))]
        case = "CASE " + " ".join(f"WHEN {test} THEN {bin_}" for test, bin_ in whens) + f" ELSE {len(whens)} END"
        bins.append(
            fill(
                f"""SELECT CAST(:x AS INTEGER) AS x, {case} AS bin, COUNT(*) AS n
                    FROM (SELECT :t - :e AS d FROM timed WHERE :n = 1 AND :t >= :e) AS delays GROUP BY 2""",
                x=x,
                t=column(f"t{x}"),
                e=column(f"e{x}"),
                n=column(f"n{x}"),
            )
        )
    cases = exp.select(*per_case).from_("events").group_by("case_id")
    return exp.select("*").with_("timed", as_=cases).from_(exp.alias_(exp.Subquery(this=union_all(bins)), "b", table=True))
