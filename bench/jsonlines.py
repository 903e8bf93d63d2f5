"""JSON lines: `sagacity check` against the database's own plain read of the same file."""

from __future__ import annotations

from bench.events import AS_OF, jsonl
from bench.measure import interleaved, millions, python, sagacity
from bench.setting import WORKFLOWS, Setting
from bench.table import table

__all__ = ["jsonlines"]

_PLAIN = "DuckDB: read_json, every column"


def jsonlines(setting: Setting) -> str:
    """A tenth of the history's events, one file, not compressed."""
    events = max(setting.events // 10, 1)
    file = jsonl(setting.folder, events)
    workflow = WORKFLOWS / "order15.workflow.yaml"
    every = "count(id), count(type), count(order_id), max(time), sum(amount), count(currency)"
    measured = interleaved(
        {
            _PLAIN: python(f"import duckdb; duckdb.sql(\"SELECT {every} FROM read_json('{file}')\").fetchall()"),
            "sagacity check, 15 rules": sagacity("check", workflow, "--source", f"orders={file}", "--as-of", AS_OF),
        },
        setting.rounds,
        setting.say,
    )
    with file.open("rb") as lines:
        count = sum(1 for _ in lines)
    plain = measured[_PLAIN].seconds
    rows = [
        (
            name,
            f"{run.seconds:.2f}",
            millions(count, run),
            f"{plain / run.seconds:.2f}",
            f"{run.processor:.2f}",
            f"{run.memory:,.0f}",
        )
        for name, run in measured.items()
    ]
    return table(
        f"JSON lines: {count:,} events", ("command", "seconds", "events/s", "speed against plain", "CPU s", "peak MiB"), rows
    )
