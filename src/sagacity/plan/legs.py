"""Legs over the examined cases: for each activation its nearest target, and what follows from it.

Three ways to the same columns (`c`, `r`, `time`, `near`: the time of the nearest candidate on the right side and within
reach, whatever the window; `closed`: from when no later event can help; `elsewhere`: there is a candidate at all;
`turned_down`: there is another event of the target's type):

- window functions over the events of the two types, where nothing but order decides;
- equi-joins on the neighbouring position, for chains;
- a join of activations and targets within the case, where `where` correlates them or both are of one type.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlglot import exp

from sagacity.plan.facts import Facts
from sagacity.plan.fill import Tree, fill
from sagacity.plan.outcomes import event_outcomes
from sagacity.workflow.conditions.condition import Aggregate, Attribute
from sagacity.workflow.model import Rule
from sagacity.workflow.templates import Leg
from sagacity.workflow.trace import FOREVER

__all__ = ["leg_outcomes"]


class _Side(NamedTuple):
    """What differs between looking ahead and looking back. Frames are over positions `g`."""

    nearest: str
    up_to_here: str
    beyond: str
    step: str


_SIDES = {
    "after": _Side("MIN", "CURRENT ROW AND UNBOUNDED FOLLOWING", "1 FOLLOWING AND UNBOUNDED FOLLOWING", "+ 1"),
    "before": _Side("MAX", "UNBOUNDED PRECEDING AND CURRENT ROW", "UNBOUNDED PRECEDING AND 1 PRECEDING", "- 1"),
    "either": _Side("MIN", "UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING", "", ""),
}

_HERE_AND_ON = {"after": "t.g >= e.g", "before": "t.g <= e.g", "either": "TRUE"}
_BEYOND = {"after": "t.g > e.g", "before": "t.g < e.g", "either": "TRUE"}
_REACH = {"after": "(e.stop IS NULL OR t.g <= e.stop)", "before": "(e.stop IS NULL OR t.g >= e.stop)"}


def leg_outcomes(facts: Facts, x: int, rule: Rule, leg: Leg) -> Tree:
    """The outcomes of one leg of the rule that is the x-th expectation."""
    if leg.reach == "chain" and leg.negated:
        near = _never_beside(facts, rule, leg)
    elif rule.where is not None or rule.events[0] == rule.events[1]:
        near = _joined(facts, rule, leg)
    elif leg.reach == "chain":
        near = _beside(facts, rule, leg)
    else:
        near = _windowed(facts, rule, leg)
    return event_outcomes(x, _judged(facts, rule, leg, near), leg=leg.activation)


def _types(facts: Facts, rule: Rule, leg: Leg) -> tuple[int, int]:
    return facts.number[rule.events[leg.activation]], facts.number[rule.events[leg.target]]


def _active(facts: Facts, rule: Rule, leg: Leg) -> Tree:
    """Whether an event of `trace` activates the leg."""
    active = fill("type = :own", own=_types(facts, rule, leg)[0])
    condition = facts.active(rule, rule.events[leg.activation])
    return active if condition is None else fill(":active AND :condition", active=active, condition=condition)


def _judged(facts: Facts, rule: Rule, leg: Leg, near: Tree) -> Tree:
    """State, kind and instant of each activation from its nearest target."""
    window = ":t >= time - :within" if leg.side == "before" else ":t <= time + :within"
    found = fill("near IS NOT NULL")
    if rule.within is not None:
        found = fill(f"COALESCE({window}, FALSE)", t=exp.column("near"), within=_bounded(rule.within))
    if leg.negated:
        since = {"before": "time", "after": "near", "either": "GREATEST(time, near)"}[leg.side]
        return fill(
            f"""SELECT c, r, CASE WHEN :found THEN 2 ELSE 0 END AS state, 'unexpected' AS kind, {since} AS at
                FROM :near AS near""",
            found=found,
            near=near,
        )
    kind = fill(
        "CASE WHEN near IS NOT NULL THEN 'late' WHEN elsewhere THEN 'out_of_order'"
        " WHEN turned_down THEN 'mismatch' ELSE 'missing' END"
    )
    if leg.side == "before":
        return fill(
            "SELECT c, r, CASE WHEN :found THEN 0 ELSE 2 END AS state, :kind AS kind, time AS at FROM :near AS near",
            found=found,
            kind=kind,
            near=near,
        )
    due, spans = _due(facts, rule)
    at = fill("LEAST(COALESCE(closed, due), due)") if leg.reach != "any" else fill("due")
    late = facts.due_by(fill("at"))
    query = fill(
        f"""SELECT c, r, CASE WHEN found THEN 0 WHEN :late THEN 2 ELSE 1 END AS state, kind, at
            FROM (SELECT c, r, found, kind, :at AS at
                  FROM (SELECT e.c, e.r, :found AS found, :kind AS kind, e.closed, :due AS due
                        FROM :near AS e {spans}) AS dated
                 ) AS judged""",
        late=late,
        at=at,
        found=_of(found, "e"),
        kind=_of(kind, "e"),
        due=due,
        near=near,
    )
    return query


def _of(tree: Tree, table: str) -> Tree:
    """The same expression over columns of a table that now has a name."""
    copy = tree.copy()
    for column in list(copy.find_all(exp.Column)):
        if not column.table:
            column.set("table", exp.to_identifier(table))
    return copy


def _due(facts: Facts, rule: Rule) -> tuple[Tree, str]:
    if rule.within is not None:
        return fill("e.time + :within", within=_bounded(rule.within)), ""
    if facts.endless:
        return fill("CAST(:never AS BIGINT)", never=FOREVER), ""
    return fill("GREATEST(s.finish, e.time)"), "JOIN spans AS s ON s.c = e.c"


def _bounded(within: int) -> int:
    """A window that can be added to any time without overflow; beyond it, windows are alike."""
    return min(within, 2**62)


def _windowed(facts: Facts, rule: Rule, leg: Leg) -> Tree:
    own, other = _types(facts, rule, leg)
    side = _SIDES[leg.side]
    frame = side.beyond if leg.negated and leg.side != "either" else side.up_to_here
    over = "OVER (PARTITION BY c ORDER BY g RANGE BETWEEN {})"
    near = f"{side.nearest}(CASE WHEN target THEN time END) {over.format(frame)}"
    closed = "CAST(NULL AS BIGINT)"
    if leg.reach == "alternate":
        beyond = over.format(side.beyond)
        stop = f"{side.nearest}(CASE WHEN active THEN g END) {beyond}"
        near_g = f"{side.nearest}(CASE WHEN target THEN g END) {over.format(frame)}"
        within_reach = f"{near_g} {'<=' if leg.side == 'after' else '>='} {stop}"
        near = f"CASE WHEN {stop} IS NULL OR {within_reach} THEN {near} END"
        closed = f"{side.nearest}(CASE WHEN active THEN time END) {beyond}"
    elsewhere = "MAX(CASE WHEN target THEN 1 ELSE 0 END) OVER (PARTITION BY c) = 1"
    return fill(
        f"""SELECT c, r, time, near, closed, elsewhere, elsewhere AS turned_down
            FROM (SELECT c, r, time, active, {near} AS near, {closed} AS closed, {elsewhere} AS elsewhere
                  FROM (SELECT c, r, g, time, :active AS active, type = :other AS target FROM trace
                        WHERE type = :own OR type = :other) AS pair) AS seen
            WHERE active""",
        active=_active(facts, rule, leg),
        own=own,
        other=other,
    )


def _beside(facts: Facts, rule: Rule, leg: Leg) -> Tree:
    """Chains without a correlation: the target is concurrent with the activation, or at the position beside it."""
    _, other = _types(facts, rule, leg)
    targets = "(SELECT c, g, MIN(time) AS time FROM trace WHERE type = :other GROUP BY c, g)"
    step = _SIDES[leg.side].step
    return fill(
        f"""SELECT e.c, e.r, e.time, CASE WHEN own.g IS NOT NULL THEN e.time ELSE beside.time END AS near,
                   p.time AS closed, whole.c IS NOT NULL AS elsewhere, whole.c IS NOT NULL AS turned_down
            FROM (SELECT c, r, g, time FROM trace WHERE :active) AS e
            LEFT JOIN {targets} AS own ON own.c = e.c AND own.g = e.g
            LEFT JOIN {targets} AS beside ON beside.c = e.c AND beside.g = e.g {step}
            LEFT JOIN positions AS p ON p.c = e.c AND p.g = e.g {step}
            LEFT JOIN (SELECT DISTINCT c FROM trace WHERE type = :other) AS whole ON whole.c = e.c""",
        active=_active(facts, rule, leg),
        other=other,
    )


def _joined(facts: Facts, rule: Rule, leg: Leg) -> Tree:
    _, other = _types(facts, rule, leg)
    side = _SIDES[leg.side]
    place = (_BEYOND if leg.negated else _HERE_AND_ON)[leg.side]
    stop, closed = "NULL", "CAST(NULL AS BIGINT)"
    if leg.reach == "alternate":
        over = f"OVER (PARTITION BY c ORDER BY g RANGE BETWEEN {side.beyond})"
        stop, closed = f"{side.nearest}(g) {over}", f"{side.nearest}(time) {over}"
        place = f"{place} AND {_REACH[leg.side]}"
    beside = ""
    if leg.reach == "chain":
        place = f"t.g IN (e.g, e.g {side.step})"
        closed = "p.time"
        beside = f"LEFT JOIN positions AS p ON p.c = e.c AND p.g = e.g {side.step}"
    if leg.reach != "chain":
        activations = f"(SELECT *, {stop} AS stop, {closed} AS closed FROM trace WHERE :active)"
        closed = "e.closed"
    else:
        activations = "(SELECT * FROM trace WHERE :active)"
    return fill(
        f"""SELECT c, r, time, closed, {side.nearest}(CASE WHEN hit AND placed THEN t_time END) AS near,
                   MAX(CASE WHEN hit THEN 1 ELSE 0 END) = 1 AS elsewhere, COUNT(t_time) > 0 AS turned_down
            FROM (SELECT e.c, e.r, e.time, {closed} AS closed, t.time AS t_time, {place} AS placed,
                         t.c IS NOT NULL AND :hit AS hit
                  FROM {activations} AS e {beside}
                  LEFT JOIN (SELECT * FROM trace WHERE type = :other) AS t ON t.c = e.c AND t.r <> e.r) AS pairs
            GROUP BY c, r, time, closed""",
        active=_active(facts, rule, leg),
        other=other,
        hit=_hit(facts, rule, leg),
    )


def _hit(facts: Facts, rule: Rule, leg: Leg) -> Tree:
    """Whether `where` holds of activation `e` and target `t`."""
    tables = ("e", "t") if leg.activation == 0 else ("t", "e")

    def leaf(node: Attribute | Aggregate) -> tuple[Tree, Tree | None]:
        assert isinstance(node, Attribute)
        place = 0 if node.place == "a" else 1
        return facts.attribute(rule.events[place], node.name, tables[place])

    return facts.correlated(rule, leaf) or exp.true()


def _never_beside(facts: Facts, rule: Rule, leg: Leg) -> Tree:
    """Negated chains: violated where all that may stand right beside the activation are candidates in the window."""
    _, other = _types(facts, rule, leg)
    step = _SIDES[leg.side].step
    window = fill("TRUE")
    if rule.within is not None:
        text = "t.time >= e.time - :within" if leg.side == "before" else "t.time <= e.time + :within"
        window = fill(text, within=_bounded(rule.within))
    return fill(
        f"""SELECT e.c, e.r, e.time, CASE WHEN h.n - 1 = e.own AND p.n = e.beside THEN p.time END AS near
            FROM (SELECT c, r, g, time, COUNT(CASE WHEN hit AND t_g = g THEN 1 END) AS own,
                         COUNT(CASE WHEN hit AND t_g = g {step} THEN 1 END) AS beside
                  FROM (SELECT e.c, e.r, e.g, e.time, t.g AS t_g, t.c IS NOT NULL AND :hit AND :in_window AS hit
                        FROM (SELECT * FROM trace WHERE :active) AS e
                        LEFT JOIN (SELECT * FROM trace WHERE type = :other) AS t
                               ON t.c = e.c AND t.r <> e.r AND t.g IN (e.g, e.g {step})) AS pairs
                  GROUP BY c, r, g, time) AS e
            JOIN positions AS h ON h.c = e.c AND h.g = e.g
            LEFT JOIN positions AS p ON p.c = e.c AND p.g = e.g {step}""",
        active=_active(facts, rule, leg),
        other=other,
        hit=_hit(facts, rule, leg),
        in_window=window,
    )
