"""Correlation by several keys, held against union-find in plain Python."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagacity.ledger.duckdb.correlate import correlate

KEYS = ("order", "payment", "shipment", "parcel")
Row = tuple[str | None, ...]
Outcome = tuple[str | None, bool]


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def expected(rows: Sequence[Row]) -> list[Outcome]:
    """What each event's case is: union-find over the other keys of events without the primary, cases hung on the roots."""
    parent: dict[tuple[int, str], tuple[int, str]] = {}

    def root(node: tuple[int, str]) -> tuple[int, str]:
        parent.setdefault(node, node)
        while parent[node] != node:
            node = parent[node]
        return node

    def carried(row: Row) -> list[tuple[int, str]]:
        return [(number, value) for number, value in enumerate(row) if number > 0 and value is not None]

    for row in rows:
        if row[0] is None:
            for node in carried(row):
                parent[root(node)] = root(carried(row)[0])
    cases: dict[tuple[int, str], set[str]] = {}
    for row in rows:
        if row[0] is not None:
            for node in carried(row):
                cases.setdefault(root(node), set()).add(row[0])

    def outcome(row: Row) -> Outcome:
        if row[0] is not None:
            return row[0], False
        reachable = cases.get(root(carried(row)[0]), set()) if carried(row) else set()
        return (min(reachable), False) if len(reachable) == 1 else (None, len(reachable) > 1)

    return [outcome(row) for row in rows]


def found(connection: duckdb.DuckDBPyConnection, rows: Sequence[Row], keys: tuple[str, ...]) -> list[Outcome]:
    columns = ", ".join(f'"key${key}" VARCHAR' for key in keys)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE raw (place BIGINT, {columns})")
    if rows:
        places = ", ".join("?" for _ in range(len(keys) + 1))
        connection.executemany(f"INSERT INTO raw VALUES ({places})", [(place, *row) for place, row in enumerate(rows)])
    outcome = connection.sql(f"SELECT * FROM ({correlate(connection, 'raw', keys)}) ORDER BY place")
    assert outcome.columns == ["place", "case_id", "ambiguous"]
    return [(case, ambiguous) for _, case, ambiguous in outcome.fetchall()]


def rows_of(width: int) -> st.SearchStrategy[list[Row]]:
    value = st.one_of(st.none(), st.sampled_from("abcdef"))
    return st.lists(st.tuples(*[value] * width), max_size=25)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), width=st.integers(1, 4))
def test_the_case_of_an_event_is_what_union_find_says(
    connection: duckdb.DuckDBPyConnection, data: st.DataObject, width: int
) -> None:
    rows = data.draw(rows_of(width))
    assert found(connection, rows, KEYS[:width]) == expected(rows)


@settings(max_examples=30, deadline=None)
@given(rows=rows_of(3), data=st.data())
def test_the_order_of_arrival_and_redelivery_change_no_case(
    connection: duckdb.DuckDBPyConnection, rows: list[Row], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations([*range(len(rows)), *range(len(rows))]))
    again = found(connection, [rows[place] for place in shuffled], KEYS[:3])
    once = found(connection, rows, KEYS[:3])
    assert again == [once[place] for place in shuffled]


def test_one_key_is_the_case(connection: duckdb.DuckDBPyConnection) -> None:
    assert found(connection, [("1",), (None,)], ("order",)) == [("1", False), (None, False)]


def test_a_payment_that_arrives_before_its_link_still_lands_in_the_order(connection: duckdb.DuckDBPyConnection) -> None:
    rows: list[Row] = [(None, "p1"), ("1", "p1"), (None, "p2")]
    assert found(connection, rows, KEYS[:2]) == [("1", False), ("1", False), (None, False)]


def test_two_orders_that_share_a_payment_keep_their_own_events(connection: duckdb.DuckDBPyConnection) -> None:
    rows: list[Row] = [("1", "p", None), ("2", "p", None), (None, "p", None), ("2", None, "s"), (None, None, "s")]
    assert found(connection, rows, KEYS[:3]) == [("1", False), ("2", False), (None, True), ("2", False), ("2", False)]


def test_equal_values_of_different_keys_are_not_the_same_thing(connection: duckdb.DuckDBPyConnection) -> None:
    rows: list[Row] = [("1", "x", None), (None, None, "x")]
    assert found(connection, rows, KEYS[:3]) == [("1", False), (None, False)]


def test_a_case_is_found_at_the_end_of_a_chain_of_twenty_thousand_links(connection: duckdb.DuckDBPyConnection) -> None:
    links: list[Row] = []
    for number in range(10_000):
        links.append((None, f"p{number}", f"s{number}"))
        links.append((None, f"p{number + 1}", f"s{number}"))
    random.Random(7).shuffle(links)
    columns = ", ".join(f'"key${key}" VARCHAR' for key in KEYS[:3])
    connection.execute(f"CREATE OR REPLACE TEMP TABLE chain ({columns})")
    connection.execute("INSERT INTO chain VALUES ('1', 'p0', NULL), ('2', 'p-', NULL)")
    connection.execute(
        "INSERT INTO chain SELECT NULL, unnest(?::VARCHAR[]), unnest(?::VARCHAR[])",
        [[link[1] for link in links], [link[2] for link in links]],
    )
    query = correlate(connection, "chain", KEYS[:3])
    counts = connection.sql(f"SELECT case_id, count(*) FROM ({query}) GROUP BY ALL ORDER BY 1").fetchall()
    assert counts == [("1", 20_001), ("2", 1)]


def test_names_of_relations_and_keys_may_hold_anything(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute('CREATE OR REPLACE TEMP TABLE "a ""b""" (x INT, "key$order id" VARCHAR, "key$""p""" VARCHAR)')
    connection.execute("""INSERT INTO "a ""b\""" VALUES (1, '1', 'p'), (2, NULL, 'p')""")
    query = correlate(connection, 'a "b"', ("order id", '"p"'))
    assert connection.sql(query).order("x").fetchall() == [(1, "1", False), (2, "1", False)]
