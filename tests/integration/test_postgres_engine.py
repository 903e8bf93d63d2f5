"""PostgreSQL as an engine, as its users meet it: what it needs of them, what it leaves behind, and what is said when it
cannot be used."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

import sagacity
from sagacity.cli.main import run
from sagacity.errors import LedgerError, UsageError
from sagacity.testing.servers.postgres import PostgreSQL

WORKFLOW = """\
workflow: order
keys: order
sources:
  log: {path: events.jsonl, type: type, time: time, id: id, key: order}
events:
  Placed:
  Paid:
expect:
  Placed: once
  Paid: once, within 1d of Placed
"""

EVENTS = [
    {"type": "Placed", "time": "2026-01-01T00:00:00Z", "id": "1", "order": "a"},
    {"type": "Paid", "time": "2026-01-01T01:00:00Z", "id": "2", "order": "a"},
    {"type": "Placed", "time": "2026-01-01T00:00:00Z", "id": "3", "order": "b"},
]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "order.yaml").write_text(WORKFLOW)
    (tmp_path / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in EVENTS))
    return tmp_path


@pytest.fixture
def url(database: str) -> Iterator[str]:
    with psycopg.connect(database, autocommit=True) as connection:
        info = connection.info
        yield f"postgresql://postgres@{info.host}:{info.port}/{info.dbname}"


@pytest.mark.usefixtures("here")
def test_check_on_it_prints_and_writes_what_check_alone_does(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = []
    for number, options in enumerate(([], ["--engine", url])):
        files = ["--findings", str(tmp_path / f"{number}.csv"), "--cases", str(tmp_path / f"{number}.jsonl")]
        assert run(["check", "order.yaml", "--as-of", "end", "--format", "json", *files, *options]) == 1
        document = json.loads(capsys.readouterr().out)
        document.pop("elapsed_seconds")
        told.append((document, *((tmp_path / f"{number}{kind}").read_text() for kind in (".csv", ".jsonl"))))
    assert told[0] == told[1]


@pytest.mark.usefixtures("here")
def test_tables_of_the_same_names_are_neither_read_nor_touched_and_nothing_lasting_is_made(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("create table events as select 'mine' as note")
        lasting = b"select relname from pg_class where relpersistence <> 't' order by 1"
        before = owner.execute(lasting).fetchall()
        result = sagacity.check("order.yaml", engine=url, as_of="end")
        assert result.cases.total == 2
        assert {finding.case for finding in result.findings} == {"b"}
        assert owner.execute("select * from events").fetchall() == [("mine",)]
        assert owner.execute(lasting).fetchall() == before


@pytest.mark.usefixtures("here")
def test_whoever_may_not_have_temporary_tables_is_told_what_to_ask_for(url: str, postgres: PostgreSQL) -> None:
    with psycopg.connect(url, autocommit=True) as owner:
        name = owner.info.dbname
        owner.execute(f"revoke temporary on database {name} from public".encode())
        owner.execute("create role guest login")
    try:
        with pytest.raises(LedgerError) as refused:
            sagacity.check("order.yaml", engine=f"postgresql://guest@127.0.0.1:{postgres.port}/{name}")
        assert "permission denied" in refused.value.message
        assert "GRANT TEMPORARY" in str(refused.value.hint)
    finally:
        with psycopg.connect(url, autocommit=True) as owner:
            owner.execute("drop role guest")


@pytest.mark.usefixtures("here")
def test_what_takes_too_long_is_ended_by_the_time_that_the_url_states(url: str) -> None:
    slow = f"{url}?options={quote('-c statement_timeout=1ms')}"
    with pytest.raises(LedgerError, match="statement timeout") as refused:
        sagacity.check("order.yaml", {"log": _many(5_000)}, engine=slow)
    assert "statement_timeout" in str(refused.value.hint)


def _many(events: int) -> list[dict[str, str]]:
    return [{**EVENTS[0], "id": str(number), "order": str(number)} for number in range(events)]


@pytest.mark.usefixtures("here")
def test_a_text_that_it_cannot_keep_is_refused_and_not_changed(url: str) -> None:
    rows = [{**EVENTS[0], "order": "a\0b"}]
    with pytest.raises(LedgerError) as refused:
        sagacity.check("order.yaml", {"log": rows}, engine=url)
    assert "without --engine" in str(refused.value.hint)


@pytest.mark.usefixtures("here")
def test_a_password_is_told_nowhere(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "order.yaml", "--engine", "postgresql://me:hush@127.0.0.1:1/shop"]) == 3
    told = capsys.readouterr()
    assert "hush" not in told.out + told.err
    assert "check host" in told.err


def test_an_engine_that_there_is_not_is_refused_with_those_that_there_are(here: Path) -> None:
    with pytest.raises(UsageError, match="no engine 'postgressql://me@db/shop'") as refused:
        sagacity.check(here / "order.yaml", engine="postgressql://me:hush@db/shop")
    assert "postgresql://" in str(refused.value.hint)
    with pytest.raises(UsageError, match="no engine 'oracle'"):
        sagacity.check(here / "order.yaml", engine="oracle")
