"""Which case an event belongs to, where several keys name one case.

The first key is the primary: an event that carries it belongs to that case, whatever else it carries. An event that
carries only other keys follows links to the case, however many, and whether they came before or after it.

Keys and links form a graph. Its nodes are the values of the other keys. An event without the primary links all the
values that it carries; an event with the primary hangs each of its other values on its case. A case is an end, never a
way through: two orders that share one payment keep their own events and their own shipments, and only what carries the
payment alone cannot be told apart. So, for an event without the primary:

- exactly one case hangs on its component: that is its case;
- none: an orphan;
- more than one: ambiguous. It has no case either, and is marked.

The links are a set, so that neither the order of arrival nor redelivery changes the outcome. All work is relational: one
pass over the events for each other key, and two more. Components are found by random contraction (Bögeholz, Brand, Todor:
*In-database connected component analysis*, 2020): each node is merged into the neighbour of least hash, which leaves
at most three quarters of the nodes on average, so that a chain of a million links takes some dozens of rounds, and
the usual short chains three or four.
"""

from __future__ import annotations

import duckdb

from sagacity.errors import LedgerError
from sagacity.ledger.duckdb.fields import identifier

__all__ = ["KEY", "correlate"]

KEY = "key$"
"""What the name of a column that holds a key begins with; the key's name follows."""

_MOST_ROUNDS = 400


def correlate(connection: duckdb.DuckDBPyConnection, relation: str, keys: tuple[str, ...]) -> str:
    """SQL of the events of a relation with their cases.

    `relation` names a table or view (best a table: it is read several times) with a VARCHAR column `key$<name>` for each
    of `keys`, the primary first; NULL where the event does not carry the key. The SQL yields its other columns, then
    `case_id` VARCHAR (NULL: no case) and `ambiguous` BOOLEAN (true: several cases are in question, so it has none).

    Work that the SQL rests on is kept in temporary tables of the connection named after the relation; it is valid until
    the relation changes or this is called for it again. Raises LedgerError, and the driver's own errors.
    """
    columns = [identifier(KEY + key) for key in keys]
    primary, others = columns[0], columns[1:]
    source = identifier(relation)
    kept = f"r.* EXCLUDE ({', '.join(columns)})"
    plain = f"SELECT {kept}, r.{primary} AS case_id, FALSE AS ambiguous FROM {source} AS r"
    if not others or not _any_without(connection, source, primary, others):
        return plain
    resolved = _Links(connection, relation, source, primary, others).resolve()
    return f"""
        SELECT {kept}, coalesce(r.{primary}, c.case_id) AS case_id, coalesce(c.ambiguous, FALSE) AS ambiguous
        FROM {source} AS r LEFT JOIN {resolved} AS c
        ON c.key = {_first_key(others)} AND c.value = CASE WHEN r.{primary} IS NULL THEN {_first_value(others)} END"""


def _any_without(connection: duckdb.DuckDBPyConnection, source: str, primary: str, others: list[str]) -> bool:
    carried = " OR ".join(f"{other} IS NOT NULL" for other in others)
    found = connection.execute(f"SELECT 1 FROM {source} WHERE {primary} IS NULL AND ({carried}) LIMIT 1").fetchone()
    return found is not None


def _first_key(others: list[str]) -> str:
    """The number of the first of the other keys that an event carries. Any would do: all are in one component."""
    cases = " ".join(f"WHEN r.{other} IS NOT NULL THEN {number}" for number, other in enumerate(others))
    return f"CASE {cases} END"


def _first_value(others: list[str]) -> str:
    return f"coalesce({', '.join(f'r.{other}' for other in others)})"


class _Links:
    """The graph of one relation's keys, in temporary tables."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, relation: str, source: str, primary: str, others: list[str]
    ) -> None:
        self.connection = connection
        self.relation = relation
        self.source = source
        self.primary = primary
        self.others = others

    def resolve(self) -> str:
        """Make the table of (key number, value, case_id, ambiguous), and return its name."""
        carried = " OR ".join(f"{other} IS NOT NULL" for other in self.others)
        loose = self._table(
            "loose",
            f"SELECT DISTINCT {', '.join(self.others)} FROM {self.source} WHERE {self.primary} IS NULL AND ({carried})",
        )
        values = " UNION ".join(
            f"SELECT {number} AS key, {other} AS value FROM {loose} WHERE {other} IS NOT NULL"
            for number, other in enumerate(self.others)
        )
        nodes = self._table("nodes", f"SELECT key, value, row_number() OVER () AS node FROM ({values})")
        hung = " UNION ALL ".join(
            f"""SELECT n.node, min(r.{self.primary}) AS least, max(r.{self.primary}) AS most
            FROM {self.source} AS r JOIN {nodes} AS n ON n.key = {number} AND n.value = r.{other}
            WHERE r.{self.primary} IS NOT NULL GROUP BY n.node"""
            for number, other in enumerate(self.others)
        )
        hangs = self._table("hangs", hung)
        components = self._components(loose, nodes)
        resolved = self._table(
            "resolved",
            f"""SELECT n.key, n.value,
                CASE WHEN h.least = h.most THEN h.least END AS case_id, coalesce(h.least <> h.most, FALSE) AS ambiguous
            FROM {nodes} AS n
            LEFT JOIN {components} AS c ON c.node = n.node
            JOIN (
                SELECT coalesce(c.component, h.node) AS component, min(h.least) AS least, max(h.most) AS most
                FROM {hangs} AS h LEFT JOIN {components} AS c ON c.node = h.node GROUP BY ALL
            ) AS h ON h.component = coalesce(c.component, n.node)""",
        )
        self._drop("loose", "nodes", "hangs", "component 0")
        return resolved

    def _components(self, loose: str, nodes: str) -> str:
        """Make the table of (node, component) of the nodes that have links; the component is one of its nodes."""
        first = self._edges(loose, nodes)
        rounds = 0
        edges = self._table("edges", first)
        while self._holds_rows(edges):
            if rounds == _MOST_ROUNDS:
                raise LedgerError("the links between keys did not come to rest", hint="report this as a defect")
            merged = self._table(
                f"merged {rounds}",
                f"""SELECT u AS node,
                    CASE WHEN hash(u, {rounds}) <= min(hash(v, {rounds})) THEN u
                    ELSE arg_min(v, hash(v, {rounds})) END AS parent
                FROM {edges} GROUP BY u""",
            )
            edges = self._table(
                "edges",
                f"""SELECT DISTINCT a.parent AS u, b.parent AS v
                FROM {edges} AS e JOIN {merged} AS a ON a.node = e.u JOIN {merged} AS b ON b.node = e.v
                WHERE a.parent <> b.parent""",
            )
            rounds += 1
        self._drop("edges")
        return self._unfolded(rounds)

    def _edges(self, loose: str, nodes: str) -> str:
        """Each link in both directions: from the first value that an event carries to each of its others."""
        spokes = " UNION ALL ".join(
            f"""SELECT f.node AS u, n.node AS v FROM {loose} AS r
            JOIN {nodes} AS f ON f.key = {_first_key(self.others)} AND f.value = {_first_value(self.others)}
            JOIN {nodes} AS n ON n.key = {number} AND n.value = r.{other} WHERE f.node <> n.node"""
            for number, other in enumerate(self.others)
            if number > 0
        )
        if not spokes:
            return "SELECT 0::BIGINT AS u, 0::BIGINT AS v WHERE FALSE"
        return f"WITH spokes AS ({spokes}) SELECT u, v FROM spokes UNION SELECT v, u FROM spokes"

    def _unfolded(self, rounds: int) -> str:
        """Follow the merges from the last round back to the first; each round holds fewer nodes than the one before."""
        components = self._table(f"component {rounds}", "SELECT 0::BIGINT AS node, 0::BIGINT AS component WHERE FALSE")
        for number in reversed(range(rounds)):
            merged = identifier(self._name(f"merged {number}"))
            components = self._table(
                f"component {number}",
                f"""SELECT m.node, coalesce(c.component, m.parent) AS component
                FROM {merged} AS m LEFT JOIN {components} AS c ON c.node = m.parent""",
            )
            self._drop(f"merged {number}", f"component {number + 1}")
        return components

    def _holds_rows(self, table: str) -> bool:
        return self.connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() is not None

    def _name(self, part: str) -> str:
        return f"{self.relation} links {part}"

    def _table(self, part: str, query: str) -> str:
        name = identifier(self._name(part))
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")
        return name

    def _drop(self, *parts: str) -> None:
        for part in parts:
            self.connection.execute(f"DROP TABLE IF EXISTS {identifier(self._name(part))}")
