"""`matches` over the examined cases: the events of two types grouped by what they share."""

from __future__ import annotations

from sqlglot import exp

from sagacity.plan.facts import Facts
from sagacity.plan.fill import Tree, all_of, fill
from sagacity.plan.outcomes import case_outcomes, event_outcomes
from sagacity.workflow.model import Matches

__all__ = ["matches_outcomes"]

_ONE_SIDED = {"one_to_one": (0, 1), "one_to_many": (0,), "many_to_one": (1,)}
"""The sides (0 from, 1 to) that may have only one event."""


def matches_outcomes(facts: Facts, x: int, matches: Matches) -> list[Tree]:
    """The outcomes of the groups, and of the events that have no value to be grouped by."""
    sides = exp.union(_side(facts, matches, 0), _side(facts, matches, 1), distinct=False)
    alone = fill(
        "SELECT c, r, 2 AS state, 'mismatch' AS kind, time AS at FROM :sides AS sides WHERE label IS NULL", sides=sides
    )
    return [case_outcomes(x, _groups(facts, matches, sides), label=True), event_outcomes(x, alone)]


def _side(facts: Facts, matches: Matches, side: int) -> Tree:
    event_type = (matches.from_, matches.to)[side]
    key, _ = facts.attribute(event_type, matches.by[side])
    amount, currency = fill("CAST(NULL AS DECIMAL(18, 4))"), None
    if matches.amount is not None:
        amount, currency = facts.attribute(event_type, matches.amount[side])
    return fill(
        """SELECT c, r, time, CAST(:side AS INTEGER) AS side, :label AS label, :amount AS amount,
                  CASE WHEN :amount IS NULL THEN NULL ELSE :currency END AS currency,
                  :denominated AND :amount IS NOT NULL AS denominated,
                  ROW_NUMBER() OVER (PARTITION BY c, :key ORDER BY time) AS nth
           FROM trace WHERE type = :number""",
        side=side,
        label=_label(facts, event_type, matches.by[side], key),
        key=key,
        amount=amount,
        currency=currency if currency is not None else fill("CAST(NULL AS VARCHAR)"),
        denominated=currency is not None,
        number=facts.number[event_type],
    )


def _label(facts: Facts, event_type: str, attribute: str, key: Tree) -> Tree:
    """The value as text: equal values have equal texts, whatever their number of digits."""
    capture = facts.workflow.events[event_type].capture.get(attribute)
    text = fill("CAST(:key AS VARCHAR)", key=key)
    if capture is None or capture.type != "decimal" or capture.scale == 0:
        return text
    return fill("RTRIM(RTRIM(:text, '0'), '.')", text=text)


def _groups(facts: Facts, matches: Matches, sides: Tree) -> Tree:
    due = fill("first_time + :within", within=min(matches.within, 2**62)) if matches.within is not None else fill("finish")
    late = fill("last_time > :due", due=due) if matches.within is not None else fill("FALSE")
    one_to_one = matches.cardinality == "one_to_one"
    seconds = [f"MIN(CASE WHEN side = {side} AND nth = 2 THEN time END)" for side in _ONE_SIDED[matches.cardinality]]
    surplus = seconds[0] if len(seconds) == 1 else f"LEAST({', '.join(seconds)})"
    if len(seconds) == 2:
        surplus = f"COALESCE({surplus}, {seconds[0]}, {seconds[1]})"
    agrees = fill("TRUE")
    if matches.amount is not None:
        agrees = all_of(
            fill("ABS(from_sum - to_sum) <= :tolerance", tolerance=exp.Literal.number(matches.tolerance)),
            fill("denominated = 0 OR (denominated = priced AND low = high)"),
        )
    return fill(
        f"""SELECT c, label, first_time AS label_time,
                   CASE WHEN surplus IS NOT NULL THEN 2 WHEN missing THEN :when_due WHEN late THEN 2
                        WHEN agrees THEN 0 WHEN :one_to_one THEN 2 ELSE :when_due END AS state,
                   CASE WHEN surplus IS NOT NULL THEN 'duplicate' WHEN missing THEN 'missing' WHEN late THEN 'late'
                        ELSE 'mismatch' END AS kind,
                   CASE WHEN surplus IS NOT NULL THEN surplus WHEN missing THEN due WHEN late THEN due
                        WHEN :one_to_one THEN last_time ELSE due END AS at
            FROM (SELECT c, label, first_time, last_time, surplus, missing, :due AS due, :late AS late, :agrees AS agrees
                  FROM (SELECT m.c, m.label, MIN(s.finish) AS finish, MIN(m.time) AS first_time, MAX(m.time) AS last_time,
                               {surplus} AS surplus, MIN(side) = MAX(side) AS missing,
                               COALESCE(SUM(CASE WHEN side = 0 THEN amount END), 0) AS from_sum,
                               COALESCE(SUM(CASE WHEN side = 1 THEN amount END), 0) AS to_sum,
                               COUNT(CASE WHEN denominated THEN 1 END) AS denominated,
                               COUNT(CASE WHEN denominated THEN currency END) AS priced,
                               MIN(CASE WHEN denominated THEN currency END) AS low,
                               MAX(CASE WHEN denominated THEN currency END) AS high
                        FROM :sides AS m JOIN spans AS s ON s.c = m.c
                        WHERE m.label IS NOT NULL
                        GROUP BY m.c, m.label) AS g) AS dated""",
        sides=sides,
        due=due,
        late=late,
        agrees=agrees,
        one_to_one=one_to_one,
        when_due=fill("CASE WHEN :due_by THEN 2 ELSE 1 END", due_by=facts.due_by(fill("due"))),
    )
