"""Questions about the relation `findings`: one row a finding, as `sagacity.plan.summary.findings` has it, and `n`, its place
among them, from 1: worst severity first, then by since, case and expectation."""

from __future__ import annotations

from collections.abc import Sequence

from sagacity.plan.facts import Facts
from sagacity.plan.fill import Tree, fill
from sagacity.plan.summary import findings
from sagacity.workflow.trace import FOREVER

__all__ = [
    "bounds", "counted_by_kind", "events_of", "first_of_each", "how_many", "listed", "numbered", "redelivered", "told",
    "worst",
]  # fmt: skip

_FINDING = "id, case_id, x, kind, since, type, time, activation"


def numbered(facts: Facts) -> Tree:
    """The relation itself."""
    return fill(
        """SELECT ROW_NUMBER() OVER (ORDER BY rank, since, case_id, x, type, activation, id) AS n, f.*
           FROM :found AS f""",
        found=findings(facts),
    )


def how_many() -> Tree:
    """One row: how many findings there are."""
    return fill("SELECT COUNT(*) AS n FROM findings")


def counted_by_kind() -> Tree:
    """`x`, `kind`, `n`."""
    return fill("SELECT x, kind, COUNT(*) AS n FROM findings GROUP BY x, kind ORDER BY x, kind")


def listed(after: int, up_to: int) -> Tree:
    """Findings in order, of these places: the fields of `sagacity.ledger.port.FindingRow`."""
    return fill(f"SELECT {_FINDING} FROM findings WHERE n > :after AND n <= :up_to ORDER BY n", after=after, up_to=up_to)


def first_of_each(each: int) -> Tree:
    """The first findings of each expectation, in order: the same fields."""
    return fill(
        f"""SELECT {_FINDING}
            FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY x ORDER BY n) AS nth FROM findings) AS placed
            WHERE nth <= :each ORDER BY n""",
        each=each,
    )


def worst(most: int) -> Tree:
    """The cases with the worst and most findings, worst first."""
    return fill(
        """SELECT case_id FROM (SELECT case_id, MIN(rank) AS worst, COUNT(*) AS n, MIN(since) AS since
                                FROM findings GROUP BY case_id) AS cases
           ORDER BY worst, n DESC, since, case_id LIMIT :most""",
        most=most,
    )


def bounds() -> Tree:
    """One row: the first and the last `since` that ever comes."""
    return fill("SELECT MIN(since) AS first, MAX(since) AS last FROM findings WHERE since < :never", never=FOREVER)


def told() -> Tree:
    """Every finding in order, as it is written to files."""
    return fill(
        """SELECT id, case_id AS "case", expectation, kind, severity, owner, since, type, time, activation
           FROM findings ORDER BY n"""
    )


def redelivered() -> Tree:
    """Further copies of events: `type`, `n`."""
    return fill("SELECT type, CAST(SUM(copies - 1) AS BIGINT) AS n FROM repeats GROUP BY type ORDER BY type")


def events_of(cases: Sequence[str], columns: Sequence[str], *, examined: bool) -> Tree:
    """The events of some cases in their order: the case, and these columns. Told that all of them were examined, nothing
    but what was taken out for that is searched."""
    relation = "(SELECT x.case_id, t.* FROM taken AS t JOIN examined AS x ON x.c = t.c)" if examined else "events"
    quoted = ", ".join('e."' + name.replace('"', '""') + '"' for name in ("case_id", *columns))
    marks = ", ".join(f":c{number}" for number in range(len(cases)))
    return fill(
        f"SELECT {quoted} FROM {relation} AS e WHERE e.case_id IN ({marks}) ORDER BY e.time, e.seq",
        **{f"c{number}": case for number, case in enumerate(cases)},
    )
