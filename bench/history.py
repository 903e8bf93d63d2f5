"""The whole history at once, from Parquet: `sagacity check` against a bare GROUP BY over the same files."""

from __future__ import annotations

import duckdb

from bench.events import AS_OF, parquet
from bench.measure import interleaved, millions, python, sagacity
from bench.setting import WORKFLOWS, Setting
from bench.table import table

__all__ = ["history"]

_BARE = "bare GROUP BY"


def history(setting: Setting) -> str:
    """Fifteen rules, twenty with those over sequences, and fifteen in 1 GB, each as a whole command."""
    data = parquet(setting.folder, setting.events)
    glob = f"{data}/*.parquet"
    events, cases = _sizes(glob)

    def check(workflow: str, *options: str) -> list[str]:
        path, findings = WORKFLOWS / f"{workflow}.workflow.yaml", setting.folder / "findings.parquet"
        return sagacity("check", path, "--source", f"orders={glob}", "--as-of", AS_OF, "--findings", findings, *options)

    count = f"SELECT count(*), max(n) FROM (SELECT order_id, count(*) AS n FROM '{glob}' GROUP BY order_id)"
    measured = interleaved(
        {
            _BARE: python(f'import duckdb; duckdb.sql("{count}").fetchall()'),
            "15 rules": check("order15"),
            "15 rules, --memory 1GB": check("order15", "--memory", "1GB"),
            "15 rules and 5 over sequences": check("order20"),
        },
        setting.rounds,
        setting.say,
    )
    bare = measured[_BARE].seconds
    rows = [
        (
            name,
            f"{run.seconds:.2f}",
            millions(events, run),
            f"{run.seconds / bare:.2f}",
            f"{run.processor:.2f}",
            f"{run.memory:,.0f}",
        )
        for name, run in measured.items()
    ]
    title = f"History: {events:,} events, {cases:,} cases, Parquet in, findings out"
    return table(title, ("command", "seconds", "events/s", "× bare", "CPU s", "peak MiB"), rows)


def _sizes(glob: str) -> tuple[int, int]:
    with duckdb.connect() as connection:
        row = connection.execute(f"SELECT count(*), count(DISTINCT order_id) FROM '{glob}'").fetchone()
    assert row is not None
    return int(row[0]), int(row[1])
