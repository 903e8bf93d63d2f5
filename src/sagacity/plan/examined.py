"""The traces of the examined cases: identities resolved, positions numbered, spans known.

Relations, each over the one before:

- `examined`, one row a case: `c` a number for the case, `case_id`
- `taken`, one row an event, redeliveries included: `c` and the event's columns
- `repeats`, one row for each identity that came more than once: `c`, `type`, `other`, `id`, `copies`, `conflict` (the time
  of the earliest copy that differs from the kept one, NULL where none does)
- `kept`, one row an event, each identity once: `c` and the event's columns
- `rescreened`, one row a case: what the second screen says of it
- `doubtful`, those rows of `rescreened` that it did not clear
- `trace`, one row a named event of a doubtful case: `c`, `r` a number for the event within its case, `g` the number of its
  position, from 1, and its columns
- `strays`, one row an unexpected event: `c`, `r` (negative), and its columns
- `spans`, one row a case: `c`, `start`, `finish`, `ended`, `last_g` (0 where there is no named event), `first_time` and
  `last_time` of named events
- `positions`, one row a position of a trace: `c`, `g`, `n` events there, `time`
"""

from __future__ import annotations

from sqlglot import exp

from sagacity.plan.columns import attribute_columns
from sagacity.plan.facts import Facts
from sagacity.plan.fill import Tree, any_of, column, fill
from sagacity.workflow.trace import FOREVER

__all__ = ["content_order", "relations"]

_DOUBTFUL = "c IN (SELECT c FROM doubtful)"


def relations(facts: Facts, second: exp.Query, *, waiting: bool = False) -> list[tuple[str, Tree]]:
    """Name and query of each relation, in the order in which they are made; `second` is the second screen.

    Where the screens are `waiting`, `examined` has what the first of them says besides, and those that it does not clear
    although they are `trusted` are doubtful without a second.
    """
    examined = "SELECT ROW_NUMBER() OVER () AS c, case_id FROM screened WHERE NOT clean"
    doubtful = "SELECT * FROM rescreened WHERE NOT clean"
    if waiting:
        told = ", ".join(second.named_selects)
        examined = "SELECT ROW_NUMBER() OVER () AS c, * FROM screened WHERE NOT clean"
        doubtful = f"SELECT {told} FROM rescreened WHERE NOT clean UNION ALL SELECT {told} FROM examined WHERE trusted"
    return [
        ("examined", fill(examined)),
        ("taken", _taken(facts)),
        ("repeats", _repeats(facts)),
        ("kept", _kept(facts)),
        ("rescreened", second),
        ("doubtful", fill(doubtful)),
        ("trace", _trace(facts)),
        ("strays", _strays(facts)),
        ("spans", _spans(facts)),
        ("positions", fill("SELECT c, g, COUNT(*) AS n, MIN(time) AS time FROM trace GROUP BY c, g")),
    ]


def content_order(facts: Facts) -> list[Tree]:
    """What orders copies of equal position: attributes by name, absent values first."""
    columns = sorted(attribute_columns(facts.workflow), key=lambda it: (it.attribute, it.name))
    return [exp.Ordered(this=column(it.name), nulls_first=True) for it in columns]


def _columns(facts: Facts, table: str | None = None) -> list[Tree]:
    fixed = ("type", "other", "time", "seq", "id")
    return [column(name, table) for name in (*fixed, *(it.name for it in attribute_columns(facts.workflow)))]


def _taken(facts: Facts) -> Tree:
    query = exp.select(column("c", "x"), *_columns(facts, "e"))
    return query.from_(exp.alias_(exp.to_table("events"), "e")).join("examined AS x", on="e.case_id = x.case_id")


def _repeats(facts: Facts) -> Tree:
    """Copies are compared with the kept one: the least by time, position and content."""
    if not facts.identified:
        return fill(
            "SELECT c, type, other, id, CAST(0 AS BIGINT) AS copies, CAST(NULL AS BIGINT) AS conflict FROM taken WHERE FALSE"
        )
    twice = fill("SELECT c, type, other, id FROM taken WHERE id IS NOT NULL GROUP BY c, type, other, id HAVING COUNT(*) > 1")
    compared = ("time", *_contents(facts))
    beside = exp.select(
        *(column(name, "t") for name in ("c", "type", "other", "id", *compared)),
        *(exp.alias_(_first(facts, name, "t"), f"kept{place}") for place, name in enumerate(compared)),
    ).from_("taken AS t")
    same = "t.c = d.c AND t.type = d.type AND t.other IS NOT DISTINCT FROM d.other AND t.id = d.id"
    beside = beside.join(exp.alias_(exp.Subquery(this=twice), "d", table=True), on=same)
    differs = any_of(
        *(
            fill(":mine IS DISTINCT FROM :kept", mine=column(name), kept=column(f"kept{place}"))
            for place, name in enumerate(compared)
        )
    )
    return fill(
        """SELECT c, type, other, id, COUNT(*) AS copies, MIN(CASE WHEN :differs THEN time END) AS conflict
           FROM :beside AS beside GROUP BY c, type, other, id""",
        differs=differs,
        beside=beside,
    )


def _contents(facts: Facts) -> list[str]:
    return [it.name for it in attribute_columns(facts.workflow)]


def _rank(facts: Facts, table: str) -> Tree:
    return _among_copies(facts, exp.RowNumber(), table)


def _first(facts: Facts, name: str, table: str) -> Tree:
    """The value that the kept copy has."""
    return _among_copies(facts, exp.FirstValue(this=column(name, table)), table)


def _among_copies(facts: Facts, function: Tree, table: str) -> Tree:
    order: list[Tree] = [column("time", table), column("seq", table)]
    for ordered in content_order(facts):
        order.append(exp.Ordered(this=column(ordered.this.name, table), nulls_first=True))
    return exp.Window(
        this=function,
        partition_by=[column(name, table) for name in ("c", "type", "other", "id")],
        order=exp.Order(expressions=order),
    )


def _kept(facts: Facts) -> Tree:
    names = ["c", *(tree.name for tree in _columns(facts))]
    if not facts.identified:
        return exp.select(*(column(name) for name in names)).from_("taken")
    repeated = "d.c = t.c AND d.type = t.type AND d.other IS NOT DISTINCT FROM t.other AND d.id = t.id"
    plain = exp.select(*(column(name, "t") for name in names)).from_("taken AS t")
    plain = plain.join("repeats AS d", on=repeated, join_type="left").where("d.c IS NULL")
    ranked = exp.select(*(column(name, "t") for name in names), exp.alias_(_rank(facts, "t"), "rank")).from_("taken AS t")
    ranked = ranked.join("repeats AS d", on=repeated)
    first = exp.select(*(column(name) for name in names)).from_(ranked.subquery("ranked")).where("rank = 1")
    return exp.union(plain, first, distinct=False)


def _trace(facts: Facts) -> Tree:
    window = "OVER (PARTITION BY c ORDER BY time, seq)"
    return (
        exp.select(
            column("c"),
            exp.alias_(fill(f"ROW_NUMBER() {window}"), "r"),
            exp.alias_(fill(f"DENSE_RANK() {window}"), "g"),
            *_columns(facts),
        )
        .from_("kept")
        .where(f"type >= 0 AND {_DOUBTFUL}")
    )


def _strays(facts: Facts) -> Tree:
    number = fill("-ROW_NUMBER() OVER (PARTITION BY c ORDER BY time, seq)")
    return (
        exp.select(column("c"), exp.alias_(number, "r"), *_columns(facts)).from_("kept").where(f"type < 0 AND {_DOUBTFUL}")
    )


def _spans(facts: Facts) -> Tree:
    workflow = facts.workflow
    candidates: list[Tree] = []
    if workflow.ends:
        ends = [exp.Literal.number(facts.number[name]) for name in workflow.ends]
        among = exp.In(this=column("type"), expressions=ends)
        candidates.append(fill("COALESCE(MIN(CASE WHEN :among THEN time END), :never)", among=among, never=FOREVER))
    if workflow.timeout is not None:
        candidates.append(fill("MIN(time) + :timeout", timeout=workflow.timeout))
    finish = fill("CAST(:never AS BIGINT)", never=FOREVER) if not candidates else candidates[0]
    if len(candidates) == 2:
        finish = fill("LEAST(:a, :b)", a=candidates[0], b=candidates[1])
    spans = (
        exp.select(column("c"), exp.alias_(fill("MIN(time)"), "start"), exp.alias_(finish, "finish"))
        .from_("kept")
        .where(_DOUBTFUL)
        .group_by("c")
    )
    lasts = fill("SELECT c, MAX(g) AS last_g, MIN(time) AS first_time, MAX(time) AS last_time FROM trace GROUP BY c")
    return (
        exp.select(
            "s.c",
            "s.start",
            "s.finish",
            exp.alias_(facts.due_by(column("finish", "s")), "ended"),
            "COALESCE(l.last_g, 0) AS last_g",
            "l.first_time",
            "l.last_time",
        )
        .from_(spans.subquery("s"))
        .join(exp.alias_(exp.Subquery(this=lasts), "l", table=True), on="s.c = l.c", join_type="left")
    )
