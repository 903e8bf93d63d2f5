"""Real event logs, read and counted. The logs lie beside the repository, and are not part of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sagacity.sources.inputs import Files
from sagacity.sources.resolve import resolve
from sagacity.sources.spool import Spool
from sagacity.sources.xes import as_jsonl
from sagacity.workflow.model import EventType, Source, Workflow

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
LOGS = [("running-example.xes", 6, 42), ("roadtraffic100.xes.gz", 100, None), ("receipt.xes.gz", 1_434, 8_577)]

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not here")


@pytest.fixture
def spool() -> Iterator[Spool]:
    with Spool() as spool:
        yield spool


def read(name: str, spool: Spool) -> list[dict[str, Any]]:
    workflow = Workflow(name="w", sources={"log": Source()}, events={"A": EventType(source="log")})
    found = resolve(workflow, {"log": DATA / name}, base=None)["log"]
    assert isinstance(found, Files)
    assert found.format == "xes"
    lines = Path(as_jsonl(found, spool).paths[0]).read_bytes().splitlines()
    return [msgspec.json.decode(line) for line in lines]


@pytest.mark.parametrize(("name", "cases", "events"), LOGS)
def test_every_case_and_every_event_is_read(spool: Spool, name: str, cases: int, events: int | None) -> None:
    rows = read(name, spool)
    assert len({row["case:concept:name"] for row in rows}) == cases
    assert [row["_row"] for row in rows] == list(range(len(rows)))
    assert all(row["concept:name"] and row["time:timestamp"] for row in rows)
    if events is not None:
        assert len(rows) == events


@pytest.mark.parametrize("name", [name for name, _, _ in LOGS])
def test_another_reader_finds_the_same_texts_but_for_the_defaults_that_it_fills_in(spool: Spool, name: str) -> None:
    rustxes = pytest.importorskip("rustxes")
    frame, _ = rustxes.import_xes(str(DATA / name))
    texts = [column for column, kind in frame.schema.items() if str(kind) == "String"]
    others = frame.select(texts).to_dicts()
    rows = read(name, spool)
    assert [{text: other[text] for text in texts if text in row} for row, other in zip(rows, others, strict=True)] == [
        {text: row[text] for text in texts if text in row} for row in rows
    ]
    filled_in = {other[text] for row, other in zip(rows, others, strict=True) for text in texts if text not in row}
    assert filled_in <= {None, "UNKNOWN"}


def test_a_permit_carries_its_planned_end(spool: Spool) -> None:
    first = read("receipt.xes.gz", spool)[0]
    assert first["case:enddate_planned"] == "2011-12-06T13:41:31.788+01:00"
    assert first["case:deadline"] == "2011-12-06T13:41:31.788+01:00"
