"""Tables of a real PostgreSQL as sources: typed, in one snapshot, read-only, bounded, and without passwords in messages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

import sagacity
from sagacity.errors import SagacityError, SourceError, UsageError
from sagacity.sources.inputs import Files
from sagacity.sources.postgres import Databases
from sagacity.sources.resolve import resolve
from sagacity.sources.spool import Spool
from sagacity.urls import without_password
from sagacity.workflow.model import EventType, Source, Workflow

ROWS = """
create table orders (id bigint primary key, note text, total numeric(12, 2), rate float8, details jsonb, placed timestamptz,
    local timestamp, data bytea);
insert into orders values
    (9223372036854775807, e'a "quoted"\\n\\\\tab,\ttoo', 12345678.90, 0.1, '{"items": [{"sku": "é"}]}',
     '2026-11-01 12:00:00.123456+02', '2026-11-01 12:00', '\\x00ff'),
    (2, null, null, null, null, null, null, null);
create schema money;
create table money."Paid In" (order_id bigint, total numeric(12, 2), at timestamptz);
insert into money."Paid In" values (9223372036854775807, 12345678.90, '2026-11-01 10:01+00');
"""


@pytest.fixture
def filled(database: str) -> Iterator[str]:
    """The URL of a database with tables in it."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(ROWS.encode())
        info = connection.info
        yield f"postgresql://postgres@{info.host}:{info.port}/{info.dbname}"


@pytest.fixture
def databases() -> Iterator[Databases]:
    with Spool() as spool:
        opened = Databases(spool)
        yield opened
        opened.close()


def rows(databases: Databases, url: str) -> list[dict[str, object]]:
    path, _ = databases.read(url)
    return [json.loads(line, parse_float=str) for line in path.read_text().splitlines()]


def test_rows_come_with_the_types_that_the_table_has(filled: str, databases: Databases) -> None:
    first, second = rows(databases, f"{filled}#orders")
    assert first == {
        "id": 9223372036854775807,
        "note": 'a "quoted"\n\\tab,\ttoo',
        "total": "12345678.90",
        "rate": "0.1",
        "details": {"items": [{"sku": "é"}]},
        "placed": "2026-11-01T10:00:00.123456+00:00",
        "local": "2026-11-01T12:00:00",
        "data": "\\x00ff",
    }
    assert second == {**dict.fromkeys(first), "id": 2}


def test_a_schema_and_odd_names_are_named_in_the_fragment(filled: str, databases: Databases) -> None:
    assert len(rows(databases, f"{filled}#money.Paid%20In")) == 1


def test_all_tables_of_a_database_are_of_one_snapshot(filled: str, databases: Databases) -> None:
    assert len(rows(databases, f"{filled}#orders")) == 2
    with psycopg.connect(filled, autocommit=True) as other:
        other.execute('insert into money."Paid In" values (2, 1, now())')
    assert len(rows(databases, f"{filled}#money.Paid%20In")) == 1


def test_nothing_can_be_written(filled: str, databases: Databases) -> None:
    with psycopg.connect(filled, autocommit=True) as other:
        other.execute("create sequence counted")
        other.execute("create view writing as select nextval('counted')")
    with pytest.raises(SourceError, match="read-only"):
        databases.read(f"{filled}#writing")


def test_a_query_is_bounded_in_time(filled: str, databases: Databases) -> None:
    with psycopg.connect(filled, autocommit=True) as other:
        other.execute("create view slow as select pg_sleep(60)::text as it")
    with pytest.raises(SourceError, match="statement timeout"):
        databases.read(f"{filled}?options={quote('-c statement_timeout=50ms')}#slow")


def test_what_is_wrong_is_said_with_how_to_mend_it(filled: str, databases: Databases) -> None:
    def refused(url: str) -> SagacityError:
        with pytest.raises((SourceError, UsageError)) as caught:
            databases.read(url)
        return caught.value

    assert "#orders" in str(refused(filled).hint)
    assert refused(f"{filled}#order").hint == "did you mean #orders?"
    assert "money.Paid In" in str(refused(f"{filled}#nothing").hint)
    away = refused("postgresql://postgres:hush@127.0.0.1:1/shop#orders")
    assert "check host" in str(away.hint)
    assert "hush" not in str(away)
    # What failed leaves nothing behind that would fail others.
    assert len(rows(databases, f"{filled}#orders")) == 2


def test_a_password_is_shown_nowhere() -> None:
    assert without_password("postgresql://me:hush@db/shop?password=hush#t") == "postgresql://me@db/shop?password=***#t"
    assert without_password("postgresql://me@db/shop#t") == "postgresql://me@db/shop#t"


def test_a_table_is_a_source_like_a_file(filled: str, tmp_path: Path) -> None:
    file = tmp_path / "databases.yaml"
    file.write_text(f"""\
workflow: databases
keys: order
sources:
  orders: {{path: "{filled}#orders"}}
  payments: {{}}
events:
  Ordered: {{source: orders, where: placed IS NOT NULL, time: placed, id: id, key: id,
    capture: {{total: {{value: total, type: decimal}}}}}}
  Paid: {{source: payments, time: at, id: order_id, key: order_id,
    capture: {{total: {{value: total, type: decimal}}}}}}
expect:
  Ordered: once
  Paid: once, after Ordered, total = Ordered.total
""")
    result = sagacity.check(file, {"payments": f"{filled}#money.Paid%20In"})
    assert (result.cases.total, result.cases.violated) == (1, 0)


def test_a_stated_format_that_is_none_of_a_table_is_refused(filled: str) -> None:
    of = Workflow(name="w", sources={"o": Source(format="csv")}, events={"E": EventType(source="o")})
    with pytest.raises(UsageError, match="is a table"):
        resolve(of, {"o": f"{filled}#orders"}, base=None)


def test_what_is_given_is_told_without_its_password(filled: str) -> None:
    of = Workflow(name="w", sources={"o": Source()}, events={"E": EventType(source="o")})
    found = resolve(of, {"o": f"{filled.replace('postgres@', 'postgres:hush@')}#orders"}, base=None)["o"]
    assert isinstance(found, Files)
    assert "hush" not in f"{found.given} {found.names}"
