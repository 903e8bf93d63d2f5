"""Bad input through the command line: a clear message with file and line, counts that add up, never a traceback."""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import duckdb
import pytest

from sagacity.cli.main import run

WORKFLOW = """\
workflow: order
keys: [order]
sources:
  messages: {format: jsonl, path: events.jsonl, key: data.order}
events:
  OrderPlaced: {capture: {amount: data.amount as decimal}}
  PaymentReceived: {capture: {amount: data.amount as decimal}}
  ItemShipped:
timeout: 14d
expect:
  OrderPlaced: once
  PaymentReceived: once, within 15m of OrderPlaced, amount = OrderPlaced.amount
  ItemShipped: after PaymentReceived, within 3d of PaymentReceived
"""
TABLE = """\
workflow: table
keys: [order]
sources:
  messages: {format: FORMAT, type: type, time: time, id: id, key: ord}
events: {OrderPlaced: , PaymentReceived: }
timeout: 14d
expect: {OrderPlaced: once, PaymentReceived: within 15m of OrderPlaced}
"""
AS_OF = ("--as-of", "2026-11-10T00:00Z")


def message(number: int, kind: str = "OrderPlaced", order: object = "122", **more: object) -> str:
    body = {"id": f"e{number}", "type": kind, "time": "2026-11-01T09:00:00Z", "data": {"order": order, "amount": "4.50"}}
    return json.dumps({**body, **more}) + "\n"


SOUND = (
    message(1)
    + message(2, "PaymentReceived", time="2026-11-01T09:02:00Z")
    + message(3, "ItemShipped", time="2026-11-02T09:00:00Z")
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    (tmp_path / "order.yaml").write_text(WORKFLOW)
    for form in ("csv", "parquet"):
        (tmp_path / f"{form}.yaml").write_text(TABLE.replace("FORMAT", form))
    (tmp_path / "events.jsonl").write_text(SOUND)
    return tmp_path


class Said:
    """What one command printed, and what it exited with."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err
        assert "Traceback" not in out + err
        assert "mistake in Sagacity" not in err

    def records(self) -> dict[str, int]:
        """What became of the records, which must add up."""
        line = re.search(r"^Records: ([\d,]+) = (.*)$", self.out, re.MULTILINE)
        assert line
        parts = {name: int(count.replace(",", "")) for count, name in re.findall(r"([\d,]+) (\w+)", line[2])}
        assert sum(parts.values()) == int(line[1].replace(",", ""))
        return parts


Command: TypeAlias = Callable[..., Said]


@pytest.fixture
def sagacity(here: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    del here

    def command(*arguments: str) -> Said:
        capsys.readouterr()
        code = run(arguments)
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return command


UNREADABLE: dict[str, tuple[bytes, list[str]]] = {
    "truncated JSON": (b'{"id": "e9", "type": "ItemShi', ["events.jsonl:4: the JSON is cut short"]),
    "no JSON at all": (b"order 122 was shipped\n", ["events.jsonl:4: not JSON"]),
    "no object": (b"[1]\n5\nnull\n", [f"events.jsonl:{line}: " for line in (4, 5, 6)]),
    "a wrong type": (
        message(9, data={"order": "122", "amount": "lots"}).encode(),
        ["events.jsonl:4: amount is 'lots', not a number"],
    ),
    "a NUL byte": (b'{"id": "e9", "type": "Item\x00Shipped"}\n', ["events.jsonl:4: not JSON: a NUL byte"]),
    "bytes that are no text": (b'{"id": "e9", "type": "\xe9"}\n', ["events.jsonl:4: not UTF-8 text"]),
    "absurd times": (
        "".join(message(n, time=when) for n, when in ((8, "0001-01-01T00:00:00Z"), (9, "99999-01-01T00:00:00Z"))).encode(),
        [f"events.jsonl:{line}: time is '" for line in (4, 5)],
    ),
    "no time": (message(9, time=None).encode(), ["events.jsonl:4: it has no time"]),
    "a time without a zone": (
        message(9, time="2026-11-03T00:00:00").encode(),
        ["events.jsonl:4: time is '2026-11-03T00:00:00', without an offset; state the source's timezone"],
    ),
    "a line too long": (b'{"id": "' + b"x" * (17 * 2**20) + b'"}\n', ["events.jsonl:4: a line of 17."]),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_an_unreadable_record_stops_the_check_with_its_line_or_is_counted(what: str, here: Path, sagacity: Command) -> None:
    content, reasons = UNREADABLE[what]
    (here / "events.jsonl").write_bytes(SOUND.encode() + content)
    stopped = sagacity("check", "order.yaml", *AS_OF)
    assert (stopped.code, stopped.out) == (3, "")
    assert all(reason in stopped.err for reason in reasons), stopped.err
    assert len(stopped.err) < 1000, "a message is to be read, however long the line that it is about"
    assert f"--max-rejected {len(reasons)}" in stopped.err
    lenient = sagacity("check", "order.yaml", *AS_OF, "--lenient")
    assert (lenient.code, lenient.err) == (0, "")
    assert lenient.records() == {"matched": 3, "rejected": len(reasons)}
    allowed = sagacity("check", "order.yaml", *AS_OF, "--max-rejected", str(len(reasons)))
    assert allowed.records() == lenient.records()


def test_of_many_unreadable_records_ten_are_listed_and_all_are_counted(here: Path, sagacity: Command) -> None:
    (here / "events.jsonl").write_text(SOUND + "{broken\n" * 25)
    stopped = sagacity("check", "order.yaml", *AS_OF, "--max-rejected", "24")
    assert stopped.code == 3
    assert "25 records cannot be read, the first 10 are:" in stopped.err
    assert len(re.findall(r"events\.jsonl:\d+: ", stopped.err)) == 10


def test_records_without_a_key_or_a_type_are_counted_and_stop_nothing(here: Path, sagacity: Command) -> None:
    odd = [message(7, data={}), message(8, type=None), "{}\n", message(9, type="OrderPraised")]
    (here / "events.jsonl").write_text(SOUND + "".join(odd))
    said = sagacity("check", "order.yaml", *AS_OF)
    assert said.code == 0
    assert said.records() == {"matched": 3, "orphan": 1, "unmatched": 3}
    assert "1 record carries no case key" in said.out
    assert "event types that the workflow does not name: OrderPraised (1)" in said.out


def test_an_id_that_comes_again_is_a_redelivery_and_with_other_content_a_finding(here: Path, sagacity: Command) -> None:
    (here / "events.jsonl").write_text(SOUND + SOUND)
    again = sagacity("check", "order.yaml", *AS_OF)
    assert (again.code, again.records()) == (0, {"matched": 3, "redelivered": 3})
    (here / "events.jsonl").write_text(SOUND + SOUND.replace("4.50", "5.50"))
    changed = sagacity("check", "order.yaml", *AS_OF)
    assert (changed.code, changed.records()) == (1, {"matched": 3, "redelivered": 3})
    assert "came more than once with different content" in " ".join(changed.out.split())


def test_an_empty_file_is_no_error_and_is_pointed_out(here: Path, sagacity: Command) -> None:
    (here / "events.jsonl").write_bytes(b"")
    said = sagacity("check", "order.yaml", *AS_OF)
    assert (said.code, said.records()) == (0, {"matched": 0})
    assert "the sources hold no record at all" in said.out


def test_records_that_are_all_later_than_as_of_are_pointed_out(sagacity: Command) -> None:
    said = sagacity("check", "order.yaml", "--as-of", "2020-01-01T00:00Z")
    assert said.records() == {"matched": 0, "beyond": 3}
    assert "every record is later than the as-of instant" in said.out


def parquet(path: Path, key: str = "ord") -> Path:
    row = f"'e1' AS id, 'OrderPlaced' AS type, TIMESTAMPTZ '2026-11-01T09:00:00Z' AS time, '1' AS {key}"
    duckdb.connect().execute(f"COPY (SELECT {row}) TO '{path}'")
    return path


def test_a_missing_column_is_named_with_the_one_that_is_meant(here: Path, sagacity: Command) -> None:
    parquet(here / "a.parquet", key="orde")
    (here / "a.csv").write_text("id,type,time,orde\ne1,OrderPlaced,2026-11-01T09:00:00Z,1\n")
    for form in ("parquet", "csv"):
        said = sagacity("check", f"{form}.yaml", "--source", f"a.{form}")
        assert said.code == 3
        assert f"a.{form}: there is no column 'ord'\n  hint: did you mean orde?" in said.err


@pytest.mark.parametrize("kept", [4, 200, -4])
def test_a_parquet_file_cut_short_is_named(kept: int, here: Path, sagacity: Command) -> None:
    path = parquet(here / "a.parquet")
    path.write_bytes(path.read_bytes()[:kept])
    said = sagacity("check", "parquet.yaml", "--source", "a.parquet")
    assert said.code == 3
    assert "a.parquet: is not a Parquet file, or one that was cut short" in said.err


def test_a_gzip_file_cut_short_is_named_even_where_much_is_put_up_with(here: Path, sagacity: Command) -> None:
    (here / "a.jsonl.gz").write_bytes(gzip.compress(SOUND.encode() * 500)[:-40])
    said = sagacity("check", "order.yaml", "--source", "a.jsonl.gz", "--lenient")
    assert said.code == 3
    assert "a.jsonl.gz: the compressed data is damaged or cut short" in said.err


def test_a_csv_with_a_row_too_short_and_a_quote_left_open_names_both_lines(here: Path, sagacity: Command) -> None:
    (here / "a.csv").write_text('id,type,time,ord\ne1,OrderPlaced\ne2,"OrderPlaced,2026-11-01T09:00:00Z,1\n')
    said = sagacity("check", "csv.yaml", "--source", "a.csv")
    assert said.code == 3
    assert "a.csv:2: fewer values than the header has columns" in said.err
    assert "a.csv:3: " in said.err


WRONG_PLACES = {
    "a source that is not given": (["csv.yaml"], 2, "nothing is given for it\n  hint: --source messages=PATH"),
    "a source that is not named": (["order.yaml", "--source", "mesages=events.jsonl"], 2, "did you mean 'messages'?"),
    "no such file": (["order.yaml", "--source", "event.jsonl"], 3, "did you mean events.jsonl?"),
    "an empty folder": (["order.yaml", "--source", "void"], 3, "the folder void holds no file"),
    "a glob that matches nothing": (["order.yaml", "--source", "void/*.jsonl"], 3, "no file matches void/*.jsonl"),
    "another format": (["parquet.yaml", "--source", "events.jsonl"], 2, "events.jsonl holds JSON"),
    "no such workflow": (["none.yaml"], 2, "none.yaml: error: there is no such file"),
    "a folder as the workflow": (["void"], 2, "void: error: this is a folder"),
    "bytes as the workflow": (["bytes.yaml"], 2, "bytes.yaml:1:1: error: "),
    "an as-of that is none": (["order.yaml", "--as-of", "yesterday"], 2, "write it like 2026-11-01T00:00Z"),
    "a folder to write to": (["order.yaml", "--html", "void"], 2, "cannot write void: it is a folder"),
    "no folder to write in": (["order.yaml", "--junit", "no/j.xml"], 2, "there is no folder no"),
}


@pytest.mark.parametrize("what", WRONG_PLACES)
def test_what_is_not_there_or_not_meant_is_said_with_a_way_on(what: str, here: Path, sagacity: Command) -> None:
    (here / "void").mkdir()
    (here / "bytes.yaml").write_bytes(b"\xff\xfe\x00" * 50)
    arguments, code, text = WRONG_PLACES[what]
    said = sagacity("check", *arguments)
    assert (said.code, said.out) == (code, "")
    assert text in said.err


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="everything may be read here")
def test_a_file_that_may_not_be_read_is_named(here: Path, sagacity: Command) -> None:
    (here / "events.jsonl").chmod(0)
    said = sagacity("check", "order.yaml")
    assert said.code == 3
    assert "cannot read events.jsonl: Permission denied" in said.err


def test_of_hundreds_of_mistakes_the_first_are_shown(here: Path, sagacity: Command) -> None:
    (here / "order.yaml").write_text(WORKFLOW + "".join(f"  Type{n}: once\n" for n in range(300)))
    said = sagacity("check", "order.yaml")
    assert said.code == 2
    assert said.err.count("order.yaml:") == 20
    assert "and 280 more; sagacity validate lists them all" in said.err
    assert sagacity("validate", "order.yaml").out.count("order.yaml:") == 300


@pytest.mark.parametrize("command", [("demo", "--out", "events.jsonl"), ("init", "events.jsonl/a.yaml")])
def test_a_file_where_a_folder_should_be_is_said(command: tuple[str, ...], sagacity: Command) -> None:
    said = sagacity(*command)
    assert said.code in (2, 3)
    assert "cannot write" in said.err
    assert "events.jsonl" in said.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize(("option", "name"), [("--findings", "f.csv"), ("--html", "h.html"), ("--junit", "j.xml")])
def test_a_full_disk_behind_an_output_is_said(option: str, name: str, here: Path, sagacity: Command) -> None:
    (here / name).symlink_to("/dev/full")
    said = sagacity("check", "order.yaml", *AS_OF, option, name)
    assert said.code in (2, 3)
    assert said.err.startswith("error: ")
