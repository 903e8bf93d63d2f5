"""Event logs in XES as lines of JSON."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sagacity.errors import SourceError
from sagacity.sources.inputs import Files
from sagacity.sources.spool import Spool
from sagacity.sources.xes import as_jsonl, read_log


def rows(text: str) -> list[dict[str, Any]]:
    out = io.BytesIO()
    read_log(io.BytesIO(text.encode()), out, "log.xes")
    return [msgspec.json.decode(line) for line in out.getvalue().splitlines()]


def events(text: str) -> list[dict[str, Any]]:
    """The rows without their places."""
    return [{key: value for key, value in row.items() if not key.startswith("_")} for row in rows(text)]


def refused(text: str) -> SourceError:
    with pytest.raises(SourceError) as caught:
        rows(text)
    return caught.value


def test_an_event_has_its_own_attributes_its_traces_and_its_place() -> None:
    log = """<log>
      <trace><string key="concept:name" value="1"/><date key="due" value="2026-01-02T00:00:00.000+01:00"/>
        <event><string key="concept:name" value="A"/><date key="at" value="2026-01-01T00:00:00.123+01:00"/></event>
        <event><string key="concept:name" value="B &amp; &lt;C&gt;"/></event>
      </trace>
      <trace><string key="concept:name" value="2"/>
        <event><string key="concept:name" value="A"/></event>
      </trace>
    </log>"""
    assert rows(log) == [
        {
            "_row": 0,
            "_line": 3,
            "case:concept:name": "1",
            "case:due": "2026-01-02T00:00:00.000+01:00",
            "concept:name": "A",
            "at": "2026-01-01T00:00:00.123+01:00",
        },
        {
            "_row": 1,
            "_line": 4,
            "case:concept:name": "1",
            "case:due": "2026-01-02T00:00:00.000+01:00",
            "concept:name": "B & <C>",
        },
        {"_row": 2, "_line": 7, "case:concept:name": "2", "concept:name": "A"},
    ]


def test_amounts_stay_the_text_that_the_log_holds() -> None:
    attributes = '<float key="amount" value="4.50"/><int key="n" value="12345678901234567890"/>'
    log = f"<log><trace><event>{attributes}</event></trace></log>"
    assert events(log) == [{"amount": "4.50", "n": "12345678901234567890"}]


@pytest.mark.parametrize(
    "log",
    [
        '<log xmlns="http://www.xes-standard.org/"><trace><event><string key="a" value="1"/></event></trace></log>',
        '<x:log xmlns:x="urn:x"><x:trace><x:event><x:string key="a" value="1"/></x:event></x:trace></x:log>',
    ],
)
def test_a_namespace_changes_nothing(log: str) -> None:
    assert events(log) == [{"a": "1"}]


def test_attributes_of_attributes_lists_and_containers_keep_to_themselves() -> None:
    log = """<log><trace><string key="t" value="T"><string key="u" value="U"/></string>
      <event>
        <float key="cost" value="9.90"><string key="currency" value="EUR"><string key="by" value="x"/></string></float>
        <list key="items"><values>
          <string key="item" value="p"/><container key="item"><int key="n" value="2"/></container>
        </values></list>
        <container key="box">
          <string key="colour" value="red"/><list key="sizes"><values><int key="s" value="1"/></values></list>
        </container>
        <string key="last" value="L"/>
      </event></trace></log>"""
    assert events(log) == [
        {
            "case:t": "T",
            "case:t/u": "U",
            "cost": "9.90",
            "cost/currency": "EUR",
            "cost/currency/by": "x",
            "items": ["p", {"n": "2"}],
            "box": {"colour": "red", "sizes": ["1"]},
            "last": "L",
        }
    ]


def test_a_missing_value_is_absent_and_a_missing_key_is_no_attribute() -> None:
    log = '<log><trace><event><string key="a"/><string value="x"/><other key="b" value="1"/></event></trace></log>'
    assert events(log) == [{"a": None, "b": "1"}]


def test_global_defaults_and_attributes_of_the_log_are_not_filled_in() -> None:
    log = """<log><global scope="event"><string key="concept:name" value="UNKNOWN"/></global>
      <extension name="Time" prefix="time" uri="u"/><classifier name="c" keys="concept:name"/>
      <string key="creator" value="x"><string key="event" value="y"/></string>
      <trace><event><string key="a" value="1"/></event></trace></log>"""
    assert events(log) == [{"a": "1"}]


def test_an_event_outside_any_trace_has_no_case() -> None:
    log = (
        '<log><trace><string key="concept:name" value="1"/><event/></trace><event><string key="a" value="1"/></event></log>'
    )
    assert events(log) == [{"case:concept:name": "1"}, {"a": "1"}]


def test_a_traces_attribute_that_stands_after_its_events_is_still_theirs() -> None:
    log = '<log><trace><event/><event/><string key="concept:name" value="1"/></trace><trace><event/></trace></log>'
    assert events(log) == [{"case:concept:name": "1"}, {"case:concept:name": "1"}, {}]


def test_an_attribute_that_comes_after_too_many_events_is_refused() -> None:
    log = f'<log><trace>{"<event/>" * 50_000}<string key="concept:name" value="1"/></trace></log>'
    assert "stands after 50,000 of its events" in str(refused(log))


def test_a_long_trace_is_read_whole() -> None:
    assert len(rows(f"<log><trace>{'<event/>' * 100_001}</trace></log>")) == 100_001


@pytest.mark.parametrize("log", ["<log/>", "<log><trace/></log>"])
def test_a_log_without_events_has_no_rows(log: str) -> None:
    assert rows(log) == []


@pytest.mark.parametrize("cut", [1, 40, 80])
def test_a_log_cut_short_says_on_which_line(cut: int) -> None:
    log = '<log>\n<trace>\n<event>\n<string key="concept:name" value="A"/>\n</event>\n<event>\n</event>\n</trace>\n</log>'
    error = refused(log[:-cut])
    assert error.message.startswith("log.xes:")
    assert "ends in the middle" in error.message


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("<log>\n<trace></event></log>", "log.xes:2: not well-formed XML: mismatched tag"),
        ("<log>\n<trace><event a=1/></trace></log>", "log.xes:2: not well-formed XML"),
        ("<html><body/></html>", "log.xes:1: this is <html>, not an event log"),
        ("", "log.xes is empty"),
        ('{"type": "A"}', "log.xes:1: not well-formed XML"),
        ("<log>\x00</log>", "log.xes:1: not well-formed XML"),
    ],
)
def test_what_is_no_event_log_is_refused_with_file_and_line(log: str, said: str) -> None:
    assert said in str(refused(log))


def test_a_bomb_of_entities_is_refused_before_it_goes_off() -> None:
    bomb = """<?xml version="1.0"?><!DOCTYPE log [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>
    <log><trace><event><string key="a" value="&b;"/></event></trace></log>"""
    assert "document type declaration" in str(refused(bomb))


def test_rows_count_on_from_file_to_file_and_the_names_stay_those_of_the_logs(tmp_path: Path) -> None:
    log = b'<log><trace><event><string key="a" value="1"/></event><event/></trace></log>'
    plain, packed = tmp_path / "a.xes", tmp_path / "b.xes.gz"
    plain.write_bytes(log)
    packed.write_bytes(gzip.compress(log))
    with Spool() as spool:
        read: list[int] = []
        found = as_jsonl(Files((str(plain), str(packed)), "xes", ("none", "gzip"), given="*.xes"), spool, read.append)
        lines = [msgspec.json.decode(line) for path in found.paths for line in Path(path).read_bytes().splitlines()]
    assert [line["_row"] for line in lines] == [0, 1, 2, 3]
    assert (found.format, found.given, found.name(1)) == ("jsonl", "*.xes", str(packed))
    assert read == [len(log), 2 * len(log)]


def test_a_packed_log_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xes.gz"
    path.write_bytes(gzip.compress(b"<log>" + b"<trace><event/></trace>" * 1000 + b"</log>")[:-20])
    with Spool() as spool, pytest.raises(SourceError, match="damaged or cut short"):
        as_jsonl(Files((str(path),), "xes", ("gzip",)), spool)
