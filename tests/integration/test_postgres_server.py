"""The PostgreSQL that tests have: real, one database each, and what is committed survives a crash."""

from __future__ import annotations

import psycopg

from sagacity.testing.servers.postgres import PostgreSQL


def test_each_test_has_an_empty_database_of_its_own(postgres: PostgreSQL) -> None:
    with postgres.database() as first, postgres.database() as second:
        with psycopg.connect(first) as one:
            one.execute("create table here (id int)")
        with psycopg.connect(second) as other:
            assert other.execute("select to_regclass('here')").fetchone() == (None,)


def test_what_is_committed_survives_a_crash_of_the_server(postgres: PostgreSQL, database: str) -> None:
    with psycopg.connect(database) as connection:
        assert connection.execute("show fsync").fetchone() == ("on",)
        connection.execute("create table kept (id int)")
        connection.execute("insert into kept values (1)")
    postgres.kill()
    postgres.start()
    with psycopg.connect(database) as connection:
        assert connection.execute("select id from kept").fetchall() == [(1,)]
