"""`sagacity check` and `sagacity explain` over files: what they print and write, and what they exit with."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from xml.etree import ElementTree

import duckdb
import pytest

import sagacity
from sagacity.cli.main import run
from sagacity.ledger.duckdb.connection import connect, discard
from sagacity.ledger.port import TABLES

WORKFLOW = """\
workflow: order
keys: order
sources:
  messages: {path: events.jsonl, key: data.order}
events:
  OrderPlaced:
  PaymentReceived:
  ItemShipped:
timeout: 14d
expect:
  OrderPlaced: once
  PaymentReceived: once, within 15m of OrderPlaced
rules:
  - succession: [PaymentReceived, ItemShipped]
    within: 3d
    name: shipped
    owner: warehouse
"""


def message(kind: str, order: str, time: str, id: str) -> str:
    return json.dumps({"id": id, "type": kind, "time": time, "data": {"order": order}}) + "\n"


SOUND = (
    message("OrderPlaced", "122", "2026-11-01T09:00:00Z", "1")
    + message("PaymentReceived", "122", "2026-11-01T09:02:00Z", "2")
    + message("ItemShipped", "122", "2026-11-02T09:02:00Z", "3")
)
UNSHIPPED = message("OrderPlaced", "123", "2026-11-01T09:00:00Z", "4") + message(
    "PaymentReceived", "123", "2026-11-01T09:02:00Z", "5"
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    (tmp_path / "order.yaml").write_text(WORKFLOW)
    (tmp_path / "events.jsonl").write_text(SOUND + UNSHIPPED)
    return tmp_path


def check(*options: str) -> int:
    return run(["check", "order.yaml", "--as-of", "end", *options])


@pytest.mark.usefixtures("here")
def test_an_order_that_was_not_shipped_is_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    assert check() == 1
    said = capsys.readouterr()
    assert said.err == ""
    assert "1 of 2 cases is violated (50.0 %), with 1 finding." in said.out
    assert "Records: 5 = 5 matched" in said.out
    assert "sagacity explain order.yaml --case 123 --as-of end" in said.out


def test_a_clean_log_exits_with_0(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "events.jsonl").write_text(SOUND)
    assert check() == 0
    said = capsys.readouterr().out
    assert "The one case is complete." in said
    assert "Worth a look" not in said


def test_records_of_which_none_leads_to_a_case_exit_with_2_and_say_what_they_hold(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "order.yaml").write_text(WORKFLOW.replace("data.order", "data.ordr"))
    assert check() == 2
    said = capsys.readouterr()
    assert "There is no case to judge." in said.out
    assert "no record leads to a case: none of source messages has data.ordr; 5 records" in said.err
    assert "hint: the first record of messages has data.order\n" in said.err


def test_records_of_no_type_that_is_named_exit_with_2(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "events.jsonl").write_text(SOUND.replace('"type": "', '"type": "shop.'))
    assert check() == 2
    assert "hint: it names OrderPlaced, PaymentReceived, ItemShipped" in capsys.readouterr().err


@pytest.mark.parametrize("options", [(), ("--as-of", "2020-01-01T00:00Z")])
def test_no_record_up_to_as_of_is_no_mistake(here: Path, options: tuple[str, ...]) -> None:
    (here / "events.jsonl").write_text(SOUND if options else "")
    assert check(*options) == 0


def test_an_event_type_that_never_came_is_pointed_out_and_no_other(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "events.jsonl").write_text(UNSHIPPED)
    check()
    said = " ".join(capsys.readouterr().out.split())
    assert "no event at all of ItemShipped: is a source incomplete" in said


def test_every_output_tells_the_same_finding(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = {"--findings": "f.csv", "--cases": "c.csv", "--junit": "j.xml", "--html": "r.html"}
    assert check("--format", "json", *(part for pair in outputs.items() for part in pair)) == 1
    document = json.loads(capsys.readouterr().out)
    (finding,) = document["findings"]["listed"]
    (row,) = csv.DictReader((here / "f.csv").open())
    assert {name: row[name] for name in ("id", "case", "expectation", "kind", "owner", "activation")} == {
        name: finding[name] for name in ("id", "case", "expectation", "kind", "owner", "activation")
    }
    assert (row["case"], row["kind"], row["owner"]) == ("123", "missing", "warehouse")
    statuses = {row["case"]: row["status"] for row in csv.DictReader((here / "c.csv").open())}
    assert statuses == {"122": "complete", "123": "violated"}
    assert ElementTree.parse(here / "j.xml").getroot().attrib["failures"] == "1"
    assert "ItemShipped" in (here / "r.html").read_text()


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("suffix", TABLES)
def test_findings_can_be_written_in_every_form_that_is_told(suffix: str) -> None:
    assert check("-q", "--findings", f"f{suffix}", "--cases", f"c{suffix}") == 1
    connection = connect()
    try:
        reader = {".parquet": "read_parquet", ".csv": "read_csv"}.get(suffix, "read_json_auto")
        found = connection.execute(f"SELECT count(*) FROM {reader}('f{suffix}')").fetchone()
        cases = connection.execute(f"SELECT count(*) FROM {reader}('c{suffix}')").fetchone()
    except duckdb.Error as error:
        pytest.fail(str(error))
    finally:
        discard(connection)
    assert (found, cases) == ((1,), (2,))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--findings", "nowhere/f.csv"], "there is no folder nowhere"),
        (["--cases", "c.xlsx"], "cannot tell the format of c.xlsx from its name"),
        (["--html", "nowhere/r.html"], "there is no folder nowhere"),
        (["--junit", "."], "it is a folder"),
    ],
)
def test_an_output_that_cannot_be_written_is_refused_before_anything_is_read(
    here: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    (here / "events.jsonl").unlink()
    assert check(*options) == 2
    assert said in capsys.readouterr().err


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--as-of", "yesterday"], 2, "'yesterday' is not an instant"),
        (["--source", "mesages=events.jsonl"], 2, "did you mean 'messages'?"),
        (["--format", "xml"], 2, "'xml' is not a format"),
        (["--memory", "lots"], 2, "'lots' is not an amount of memory"),
        (["--source", "messages=absent.jsonl"], 3, "no such file: absent.jsonl"),
    ],
)
def test_what_cannot_be_done_says_why(capsys: pytest.CaptureFixture[str], options: list[str], code: int, said: str) -> None:
    assert check(*options) == code
    assert said in capsys.readouterr().err


def test_unreadable_records_stop_the_check_unless_that_many_are_allowed(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "events.jsonl").write_text(SOUND + '{"id": "9", "type": "OrderPl\n')
    assert check() == 3
    assert "events.jsonl:4: " in capsys.readouterr().err
    assert check("--max-rejected", "1", "-q") == 0
    assert check("--lenient", "-q") == 0


def test_a_redelivered_event_is_counted_and_is_no_finding(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "events.jsonl").write_text(SOUND + SOUND)
    assert check() == 0
    assert "Records: 6 = 3 matched + 3 redelivered" in capsys.readouterr().out


@pytest.mark.usefixtures("here")
def test_one_case_is_explained_with_each_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "order.yaml", "--case", "123", "--as-of", "end"]) == 1
    said = capsys.readouterr().out
    assert "case 123 of order is violated, as of the end of the log" in said
    assert "✗ shipped" in said
    assert "✓ OrderPlaced once" in said
    assert run(["explain", "order.yaml", "--case", "122", "--as-of", "end", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "complete"


@pytest.mark.usefixtures("here")
def test_a_case_that_is_not_there_is_answered_with_its_neighbours(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "order.yaml", "--case", "12"]) == 2
    assert "there is 122, 123" in capsys.readouterr().err


def test_a_workflow_that_expects_nothing_still_accounts_for_its_records() -> None:
    log = [{"type": "Placed", "time": "2026-01-01T00:00:00Z", "order": "1"}]
    workflow = sagacity.loads(
        "workflow: bare\nkeys: order\nsources: {log: {type: type, time: time, key: order}}\nevents: {Placed: }\n"
    )
    result = sagacity.check(workflow, {"log": log})
    assert (result.cases.total, result.cases.open, len(result.findings), result.tallies) == (1, 1, 0, ())
    assert result.accounts[0].matched == 1
