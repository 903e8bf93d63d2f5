"""An event log in XES, for the tools that read nothing else."""

from __future__ import annotations

import gzip
from pathlib import Path

import duckdb

from bench.events import parquet

__all__ = ["xes"]

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1.0" xmlns="http://www.xes-standard.org/">
<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
<extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
<classifier name="Activity" keys="concept:name"/>
"""


def xes(folder: Path, events: int) -> Path:
    """The events of `parquet`, none twice, as a compressed XES log; made once and kept."""
    target = folder / f"orders-{events}.xes.gz"
    if target.exists():
        return target
    source = parquet(folder, events, copies=False)
    partial = target.with_suffix(".partial")
    with duckdb.connect() as connection, gzip.open(partial, "wt", encoding="utf-8", compresslevel=3) as out:
        cursor = connection.execute(
            "SELECT order_id, type, strftime(time, '%Y-%m-%dT%H:%M:%S.%f+00:00') "
            f"FROM '{source}/*.parquet' ORDER BY order_id, time, id"
        )
        out.write(_HEAD)
        case = None
        while rows := cursor.fetchmany(10_000):
            for order, type_, time in rows:
                if order != case:
                    out.write("</trace>\n" if case is not None else "")
                    out.write(f'<trace><string key="concept:name" value="{order}"/>\n')
                    case = order
                name, at = f'key="concept:name" value="{type_}"', f'key="time:timestamp" value="{time}"'
                out.write(f"<event><string {name}/><date {at}/></event>\n")
        out.write("</trace>\n</log>\n")
    partial.rename(target)
    return target
