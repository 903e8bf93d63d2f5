"""Expectations that a case has one activation of: counts, positions, choices, asserts; and what a workflow implies."""

from __future__ import annotations

from sqlglot import exp

from sagacity.plan.facts import Facts
from sagacity.plan.fill import Tree, all_of, column, fill
from sagacity.plan.outcomes import case_outcomes
from sagacity.workflow.conditions.condition import Aggregate, Attribute, aggregates
from sagacity.workflow.model import Assert, Implied, Rule
from sagacity.workflow.templates import Choice, Count, Position

__all__ = ["assert_outcomes", "choice_outcomes", "count_outcomes", "implied_outcomes", "position_outcomes"]


def _counted(facts: Facts, rule: Rule, place: int) -> Tree:
    """Whether an event of `trace` is one that the rule counts in this place."""
    of_type = fill("type = :number", number=facts.number[rule.events[place]])
    condition = facts.active(rule, rule.events[place])
    return of_type if condition is None else all_of(of_type, condition)


def _state(facts: Facts, holds: Tree, at_once: Tree | None, due: Tree) -> Tree:
    """Fulfilled, violated at once, violated when due, or pending."""
    return fill(
        "CASE WHEN :holds THEN 0 WHEN :at_once THEN 2 WHEN :late THEN 2 ELSE 1 END",
        holds=holds,
        at_once=at_once if at_once is not None else exp.false(),
        late=facts.due_by(due),
    )


def count_outcomes(facts: Facts, x: int, rule: Rule, shape: Count) -> Tree:
    most = {"n": rule.n, "n-1": rule.n - 1, None: None}[shape.at_most]
    least = rule.n if shape.at_least else 0
    over = fill("FALSE") if most is None else fill("k > :most", most=most)
    judged = fill(
        """SELECT c, :state AS state, CASE WHEN :over THEN :excess ELSE 'missing' END AS kind,
                  CASE WHEN :over THEN beyond ELSE finish END AS at
           FROM (SELECT s.c, s.finish, COALESCE(t.k, 0) AS k, t.beyond
                 FROM spans AS s LEFT JOIN
                   (SELECT c, COUNT(*) AS k, MIN(CASE WHEN nth = :nth THEN time END) AS beyond
                    FROM (SELECT c, time, ROW_NUMBER() OVER (PARTITION BY c ORDER BY g) AS nth
                          FROM trace WHERE :counted) AS a
                    GROUP BY c) AS t ON t.c = s.c) AS counted""",
        state=_state(facts, fill("k >= :least AND NOT :over", least=least, over=over), over, column("finish")),
        over=over,
        excess="unexpected" if shape.at_most == "n-1" and rule.n == 1 else "duplicate",
        nth=(most or 0) + 1,
        counted=_counted(facts, rule, 0),
    )
    return case_outcomes(x, judged)


def position_outcomes(facts: Facts, x: int, rule: Rule, shape: Position) -> Tree:
    return case_outcomes(x, _positioned(facts, shape.which, _counted(facts, rule, 0)))


def _positioned(facts: Facts, which: str, counted: Tree) -> Tree:
    if which == "first":
        holds, at_once, at = "low = 1", "last_g > 0", "CASE WHEN last_g > 0 THEN first_time ELSE finish END"
    else:
        holds, at_once, at = "high = last_g", "FALSE", "finish"
    return fill(
        f"""SELECT c, :state AS state, CASE WHEN low IS NULL THEN 'missing' ELSE 'out_of_order' END AS kind, {at} AS at
            FROM (SELECT s.c, s.finish, s.first_time, s.last_g, t.low, t.high
                  FROM spans AS s LEFT JOIN
                    (SELECT c, MIN(g) AS low, MAX(g) AS high FROM trace WHERE :counted GROUP BY c) AS t
                  ON t.c = s.c) AS placed""",
        state=_state(facts, fill(f"COALESCE({holds}, FALSE)"), fill(at_once), column("finish")),
        counted=counted,
    )


def choice_outcomes(facts: Facts, x: int, rule: Rule, shape: Choice) -> Tree:
    both = fill("a IS NOT NULL AND b IS NOT NULL") if shape.exclusive else fill("FALSE")
    judged = fill(
        """SELECT c, :state AS state, CASE WHEN :both THEN 'unexpected' ELSE 'missing' END AS kind,
                  CASE WHEN :both THEN GREATEST(a, b) ELSE finish END AS at
           FROM (SELECT s.c, s.finish, t.a, t.b
                 FROM spans AS s LEFT JOIN
                   (SELECT c, MIN(CASE WHEN :is_a THEN time END) AS a, MIN(CASE WHEN :is_b THEN time END) AS b
                    FROM trace GROUP BY c) AS t ON t.c = s.c) AS chosen""",
        state=_state(facts, fill("(a IS NOT NULL OR b IS NOT NULL) AND NOT :both", both=both), both, column("finish")),
        both=both,
        is_a=_counted(facts, rule, 0),
        is_b=_counted(facts, rule, 1),
    )
    return case_outcomes(x, judged)


def implied_outcomes(facts: Facts, x: int, implied: Implied) -> Tree:
    match implied.rule:
        case "begins":
            begins = [exp.Literal.number(facts.number[name]) for name in facts.workflow.begins]
            return case_outcomes(x, _positioned(facts, "first", exp.In(this=column("type"), expressions=begins)))
        case "unexpected":
            return fill(
                """SELECT c, CAST(:x AS INTEGER) AS x, 2 AS state, CAST(1 AS BIGINT) AS n, r, 'unexpected' AS kind,
                          time AS at, CAST(NULL AS VARCHAR) AS label, CAST(NULL AS BIGINT) AS label_time,
                          0 AS leg FROM strays""",
                x=x,
            )
        case "identity":
            judged = fill(
                """SELECT d.c, CASE WHEN d.conflict IS NULL THEN 0 ELSE 2 END AS state, 'conflict' AS kind,
                          d.conflict AS at, t.r
                   FROM repeats AS d JOIN trace AS t ON t.c = d.c AND t.type = d.type AND t.id = d.id"""
            )
            return fill(
                """SELECT c, CAST(:x AS INTEGER) AS x, state, CAST(1 AS BIGINT) AS n, r,
                          CASE WHEN state = 2 THEN kind END AS kind, at,
                          CAST(NULL AS VARCHAR) AS label, CAST(NULL AS BIGINT) AS label_time,
                          0 AS leg FROM :judged AS judged""",
                x=x,
                judged=judged,
            )


def assert_outcomes(facts: Facts, x: int, expectation: Assert) -> Tree:
    predicate = facts.predicate(expectation)
    taken = aggregates(predicate)
    names = {node: f"v{i}" for i, node in enumerate(taken)}

    def leaf(node: Attribute | Aggregate) -> tuple[Tree, Tree | None]:
        assert isinstance(node, Aggregate)
        value: Tree = column("value", names[node])
        if node.function == "count" or (node.function == "sum"):
            value = fill("COALESCE(:value, 0)", value=value) if not node.currency else _sum(names[node])
        return value, column("currency", names[node]) if node.currency else None

    needed = [
        fill(":present IS NOT NULL", present=column("c", names[node]))
        for node in taken
        if node.function not in ("count", "sum")
    ]
    types = sorted({facts.number[node.event] for node in taken})
    holds = facts.decide(predicate, leaf)
    latest = fill("FALSE") if not types else exp.In(this=column("type"), expressions=[exp.Literal.number(n) for n in types])
    at = fill("COALESCE(w.latest, s.start)") if expectation.immediate else fill("s.finish")
    due = fill("TRUE") if expectation.immediate else facts.due_by(column("finish", "s"))
    query = exp.select(
        "s.c",
        exp.alias_(fill("CASE WHEN :holds THEN 0 WHEN :due THEN 2 ELSE 1 END", holds=holds, due=due), "state"),
        "'mismatch' AS kind",
        exp.alias_(at, "at"),
    ).from_("spans AS s")
    for node, name in names.items():
        table = exp.alias_(exp.Subquery(this=_value(facts, node)), name, table=True)
        query = query.join(table, on=f"{name}.c = s.c", join_type="left", copy=False)
    if expectation.immediate:
        latest_of = fill("SELECT c, MAX(time) AS latest FROM trace WHERE :named GROUP BY c", named=latest)
        query = query.join(
            exp.alias_(exp.Subquery(this=latest_of), "w", table=True), on="w.c = s.c", join_type="left", copy=False
        )
    return case_outcomes(x, query.where(all_of(*needed), copy=False))


def _sum(table: str) -> Tree:
    """A sum of amounts is 0 where there are none, and absent where their currencies differ."""
    return fill(
        "CASE WHEN :present IS NULL THEN 0 ELSE :value END", present=column("c", table), value=column("value", table)
    )


_EDGES = {"first": ("ASC", "ASC NULLS LAST"), "last": ("DESC", "DESC NULLS LAST")}


def _value(facts: Facts, node: Aggregate) -> Tree:
    """A query with the columns `c`, `value` and `currency`, for the cases that have an event of the type."""
    number = facts.number[node.event]
    if node.attribute is None:
        return fill(
            "SELECT c, COUNT(*) AS value, CAST(NULL AS VARCHAR) AS currency FROM trace WHERE type = :number GROUP BY c",
            number=number,
        )
    value, currency = facts.attribute(node.event, node.attribute)
    if currency is None:
        currency = fill("CAST(NULL AS VARCHAR)")
    if node.function in _EDGES:
        way, ties = _EDGES[node.function]
        return fill(
            f"""SELECT c, value, currency
                FROM (SELECT c, :value AS value, :currency AS currency,
                             ROW_NUMBER() OVER (PARTITION BY c ORDER BY g {way}, :value {ties}, :currency {ties}) AS nth
                      FROM trace WHERE type = :number) AS a
                WHERE nth = 1""",
            value=value,
            currency=currency,
            number=number,
        )
    function = {"count": "COUNT", "sum": "SUM", "min": "MIN", "max": "MAX"}[node.function]
    taken = fill(f"{function}(value)")
    if node.function != "count" and node.currency:
        taken = fill("CASE WHEN :shared THEN :taken END", shared=_shared(), taken=taken)
    if node.function == "sum":
        # a case whose events all lack the attribute sums to 0, but a sum over differing currencies is absent
        taken = fill("CASE WHEN COUNT(value) = 0 THEN 0 ELSE :taken END", taken=taken)
    query = fill(
        """SELECT c, :taken AS value, CASE WHEN :shared THEN MIN(currency) END AS currency
           FROM (SELECT c, CASE WHEN keep THEN value END AS value, CASE WHEN keep THEN currency END AS currency, keep
                 FROM (SELECT c, :value AS value, :currency AS currency, :value IS NOT NULL AS keep
                       FROM trace WHERE type = :number) AS a) AS b
           GROUP BY c""",
        taken=taken,
        shared=_shared(),
        value=value,
        currency=currency,
        number=number,
    )
    return query


def _shared() -> Tree:
    """Whether the events with the attribute share one currency, or have none at all."""
    return fill(
        "COUNT(currency) = 0 OR (COUNT(currency) = COUNT(CASE WHEN keep THEN 1 END) AND MIN(currency) = MAX(currency))"
    )
