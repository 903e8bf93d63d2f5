"""The same history on every engine that is at hand: `sagacity check` from Parquet, against DuckDB in the same run."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb

from bench.events import AS_OF, parquet
from bench.measure import Measured, interleaved, millions, sagacity
from bench.setting import WORKFLOWS, Setting
from bench.table import table
from sagacity.testing.servers.postgres import PostgreSQL, prepare_postgres

__all__ = ["engines"]

_DUCKDB = "DuckDB"
_RULES = {"15 rules": "order15", "15 rules and 5 over sequences": "order20"}


def engines(setting: Setting) -> str:
    """At most a million events: PostgreSQL's time is what limits it. Findings must be as many on each."""
    events = min(setting.events, 1_000_000)
    data = parquet(setting.folder, events)
    with _urls() as urls:
        tables = [_measured(setting, data, rules, events, urls) for rules in _RULES]
    return "\n".join(tables)


def _measured(setting: Setting, data: Path, rules: str, events: int, urls: Mapping[str, str]) -> str:
    written = {name: setting.folder / f"findings.{name.split()[0].lower()}.parquet" for name in urls}

    def check(name: str) -> list[str]:
        options = ["--engine", urls[name], "--findings", str(written[name]), "--as-of", AS_OF, "--quiet"]
        return sagacity(
            "check", WORKFLOWS / f"{_RULES[rules]}.workflow.yaml", "--source", f"orders={data}/*.parquet", *options
        )

    measured = interleaved({name: check(name) for name in urls}, setting.rounds, setting.say)
    found = {name: _findings(path) for name, path in written.items()}
    if len(set(found.values())) != 1:
        raise RuntimeError(f"the engines do not find the same: {found}")
    rows = [_row(name, run, events, measured[_DUCKDB]) for name, run in measured.items()]
    title = f"Engines: {events:,} events, {rules}, Parquet in, findings out"
    return table(
        title, ("engine", "seconds", "events/s", "× DuckDB", "CPU s of the command", "peak MiB of the command"), rows
    )


def _row(name: str, run: Measured, events: int, duck: Measured) -> tuple[str, ...]:
    ratio = f"{run.seconds / duck.seconds:.2f}"
    return (name, f"{run.seconds:.2f}", millions(events, run), ratio, f"{run.processor:.2f}", f"{run.memory:,.0f}")


def _findings(path: Path) -> tuple[int, int]:
    """How many findings a file has, and what their ids add up to."""
    with duckdb.connect() as connection:
        row = connection.execute(f"SELECT count(*), sum(hash(id) % 1000000007)::BIGINT FROM '{path}'").fetchone()
    assert row is not None
    return int(row[0]), int(row[1] or 0)


@contextmanager
def _urls() -> Iterator[Mapping[str, str]]:
    """The engines that are at hand, by name, with a PostgreSQL of its own."""
    server = PostgreSQL(prepare_postgres())
    server.start()
    try:
        with server.database():
            urls = {_DUCKDB: "duckdb:", "PostgreSQL": f"postgresql://postgres@127.0.0.1:{server.port}/test_1"}
            if importlib.util.find_spec("chdb") is not None:
                urls["ClickHouse (chDB)"] = "chdb:"
            yield urls
    finally:
        server.remove()
