"""The commands that ask a running server, against one on a free port."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.samples import ORDER, record
from sagacity.cli.case import explanation_of
from sagacity.cli.main import run
from sagacity.cli.remote import Remote
from sagacity.cli.send import bodies
from sagacity.ledger.live import FindingFilter
from sagacity.report.case import values
from sagacity.web.server import server as made
from sagacity.web.settings import Settings
from sagacity.workflow.language.reader import loads
from serving import NOW, Serving, on_a_port, serving, tokens_of

Printed = pytest.CaptureFixture[str]


@pytest.fixture
def world() -> Iterator[Serving]:
    with serving() as made:
        yield made


@pytest.fixture
def server(world: Serving, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with on_a_port(world.app) as address:
        monkeypatch.setenv("SAGACITY_SERVER", address)
        monkeypatch.delenv("SAGACITY_TOKEN", raising=False)
        monkeypatch.setenv("COLUMNS", "120")
        yield address


def _first(world: Serving) -> str:
    return world.ledger.findings(FindingFilter(states=("open",))).items[0].id


@pytest.mark.usefixtures("server")
def test_a_case_is_shown_as_explain_shows_it_with_its_findings(capsys: Printed) -> None:
    assert run(["case", "123"]) == 1
    shown = capsys.readouterr().out
    assert "case 123 of order is violated, as of " in shown
    assert "ItemShipped was due" in shown
    assert "✗ ItemShipped within 2d of PaymentReceived" in shown
    assert "\nFindings\n" in shown
    assert run(["case", "123", "--format", "json", "--workflow", "order"]) == 1
    assert json.loads(capsys.readouterr().out)["case"]["case"] == "123"


def test_an_amount_is_shown_without_the_zeros_that_its_column_adds(server: str) -> None:
    with Remote(server, None) as remote:
        told = remote.get("/api/v1/timeline", case="123")
    placed = next(each for each in told["events"] if each["type"] == "OrderPlaced")
    placed["attributes"]["amount"] = "4.5000"
    explanation = explanation_of(told, loads(ORDER))
    assert explanation is not None
    event = next(each for each in explanation.events if each.type == "OrderPlaced")
    assert dict(values(event))["amount"].split()[0] == "4.50"


@pytest.mark.usefixtures("server")
def test_a_case_that_is_not_there_is_said_so(capsys: Printed) -> None:
    assert run(["case", "nope"]) == 2
    assert "there is no case nope" in capsys.readouterr().err
    assert run(["case", "123", "--format", "xml"]) == 2


@pytest.mark.usefixtures("server")
def test_events_that_are_not_judged_yet_are_shown_apart(world: Serving, capsys: Printed) -> None:
    body = record("OrderPlaced", "ahead", NOW + 10**9, {"order_id": "AHEAD", "amount": "1"})
    world.push.offer("orders", [body]).result(timeout=60)
    world.settle()
    assert run(["case", "AHEAD"]) == 0
    shown = capsys.readouterr().out
    assert "is not judged yet" in shown or "Not judged yet" in shown
    assert "OrderPlaced  ahead" in shown


@pytest.mark.usefixtures("server")
def test_findings_are_listed_filtered_and_acted_on(world: Serving, capsys: Printed) -> None:
    assert run(["findings", "--open", "--owner", "payments", "--format", "json"]) == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert listed
    assert {(each["state"], each["owner"]) for each in listed} == {("open", "payments")}
    id_ = _first(world)
    for arguments, state in (
        (["ack", id_, "--reason", "looking"], "acknowledged"),
        (["waive", id_, "--reason", "strike", "--for", "7d"], "waived until 2026-11-29T18:40:54.000000Z"),
        (["reopen", id_], "open"),
        (["waive", id_, "--reason", "strike", "--until", "2026-12-01T00:00Z"], "waived until 2026-12-01T00:00:00.000000Z"),
    ):
        assert run(["findings", *arguments]) == 0
        assert f"{id_} is {state}" in capsys.readouterr().out
    assert run(["findings", "--state", "waived"]) == 0
    assert id_ in capsys.readouterr().out
    assert run(["findings", "--owner", "nobody"]) == 0
    assert capsys.readouterr().out == "no findings\n"


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    "arguments",
    [
        ["findings", "waive", "ID"],
        ["findings", "waive", "ID", "--reason", "x", "--for", "7d", "--until", "2030-01-01"],
        ["findings", "waive", "ID", "--reason", "x", "--for", "soon"],
        ["findings", "reopen", "ID"],
        ["findings", "ack", "nope"],
        ["findings", "--severity", "dreadful"],
        ["findings", "--format", "xml"],
        ["replay", "--from", "x", "--to", "y"],
        ["token", "new", "--role", "boss"],
        ["token", "new", "--role", "viewer", "--name", "a:b"],
    ],
)
def test_what_makes_no_sense_exits_with_2(world: Serving, arguments: list[str], capsys: Printed) -> None:
    assert run([_first(world) if each == "ID" else each for each in arguments]) == 2
    assert capsys.readouterr().err


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["case", "999"], "hint: `sagacity findings` lists those with findings; http://127.0.0.1:"),
        (["findings", "waive", "deadbeef", "--reason", "x"], "hint: `sagacity findings` lists them"),
        (["findings", "--state", "ope"], "hint: one of open, acknowledged, waived, resolved"),
        (["findings", "--severity", "crit"], "hint: one of info, warning, error, critical"),
        (["findings", "--kind", "delayed"], "hint: one of missing, late, "),
    ],
)
def test_hints_speak_of_commands_and_of_what_there_is(arguments: list[str], hint: str, capsys: Printed) -> None:
    assert run(arguments) == 2
    said = capsys.readouterr().err
    assert hint in said
    assert "/api/v1" not in said


def test_following_goes_on_through_changes(world: Serving, server: str) -> None:
    with Remote(server, None) as remote:
        told = remote.changes()
        assert next(told) == "hello"
        with Remote(server, None) as other:
            other.post(f"/api/v1/findings/{_first(world)}/acknowledge", {})
        assert next(each for each in told if each != "heartbeat") == "change"


def test_following_comes_again_after_the_server_was_away(world: Serving) -> None:
    with on_a_port(world.app) as address:
        port = int(address.rpartition(":")[2])
        remote = Remote(address, None)
        told = remote.changes()
        assert next(told) == "hello"
    found: list[str] = []
    reader = threading.Thread(target=lambda: found.extend(itertools.islice(told, 3)), daemon=True)
    reader.start()
    with socket.create_server(("127.0.0.1", port)) as listening:
        again = made(world.app, port=port)
        thread = threading.Thread(target=again.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        reader.join(timeout=20)
        again.should_exit = True
        thread.join(timeout=20)
    assert found == ["reload", "away", "reload"], "one as the server ended, one as the connection came again"


def test_following_findings_says_that_the_server_is_away_and_goes_on(world: Serving) -> None:
    with on_a_port(world.app) as address:
        following = subprocess.Popen(
            [sys.executable, "-m", "sagacity.cli.main", "findings", "--open", "--follow", "--server", address],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert following.stderr is not None
        until = time.monotonic() + 30
        while not len(world.app.state.served.changes) and time.monotonic() < until and following.poll() is None:
            time.sleep(0.02)
    try:
        assert following.stderr.readline() == "the server is away; trying again\n"
        with socket.create_server(("127.0.0.1", int(address.rpartition(":")[2]))) as listening:
            again = made(world.app)
            thread = threading.Thread(target=again.run, kwargs={"sockets": [listening]}, daemon=True)
            thread.start()
            assert following.stderr.readline() == "the server is back\n"
            again.should_exit = True
            thread.join(timeout=20)
        assert following.poll() is None
    finally:
        following.kill()
        following.wait()
        following.stderr.close()


@pytest.mark.usefixtures("server")
def test_records_are_sent_from_files_lines_and_standard_input(
    world: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    events = [record("OrderPlaced", f"s-{n}", NOW, {"order_id": f"S{n}", "amount": "1"}) for n in range(4)]
    (tmp_path / "one.json").write_text(json.dumps(json.loads(events[0]), indent=2), encoding="utf-8")
    (tmp_path / "lines.jsonl.gz").write_bytes(gzip.compress(b"\n".join(events[1:3])))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"[" + events[3] + b"]")))
    files = [str(tmp_path / "one.json"), str(tmp_path / "lines.jsonl.gz"), "-"]
    assert run(["send", *files, "--source", "orders"]) == 0
    assert capsys.readouterr().out == "4 records sent\n"
    world.settle()
    assert all(world.ledger.case("order", f"S{n}") is not None for n in range(4))


@pytest.mark.usefixtures("server")
def test_records_that_cannot_be_read_are_said_so(tmp_path: Path, capsys: Printed) -> None:
    (tmp_path / "x.jsonl").write_bytes(b'{"a": 1}\n\nnot json\n')
    (tmp_path / "y.json").write_bytes(b"not json")
    assert run(["send", str(tmp_path / "x.jsonl"), str(tmp_path / "y.json"), "--source", "orders"]) == 1
    printed = capsys.readouterr()
    assert printed.out == "3 records sent\n"
    assert "2 of them no JSON object" in printed.err
    assert run(["send", str(tmp_path / "x.jsonl")]) == 2
    assert "orders, payments" in capsys.readouterr().err
    assert run(["send", str(tmp_path / "nothing"), "--source", "orders"]) == 3


@pytest.mark.parametrize(
    ("name", "held", "told"),
    [
        ("bad.json.gz", b'{"a": 1}', "cannot unpack"),
        (
            "cut.json.gz",
            gzip.compress(b'{"a": "' + random.Random(1).randbytes(20_000).hex().encode() + b'"}')[:-2_000],
            "cut",
        ),
        ("deep.json", b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
    ],
)
@pytest.mark.usefixtures("server")
def test_a_file_that_cannot_be_sent_is_said_so_with_what_to_do(
    name: str, held: bytes, told: str, tmp_path: Path, capsys: Printed
) -> None:
    (tmp_path / name).write_bytes(held)
    assert run(["send", str(tmp_path / name), "--source", "orders"]) == 3
    said = capsys.readouterr().err
    assert told in said
    assert name in said
    assert "look" in said or "send the whole file" in said


def test_lines_are_sent_in_parts_and_a_document_whole() -> None:
    lines = b'{"a": 1}\n' * 2_500
    parts = list(bodies(io.BytesIO(b"\n" + lines)))
    assert [body.count(b"\n") for body, _ in parts] == [1_000, 1_000, 500]
    assert {kind for _, kind in parts} == {"application/x-ndjson"}
    pretty = b'{\n  "a": 1\n}\n'
    assert list(bodies(io.BytesIO(pretty))) == [(pretty, "application/json")]
    assert list(bodies(io.BytesIO(b"\n \n"))) == []


@pytest.mark.usefixtures("server")
def test_a_replay_says_what_came_of_it(capsys: Printed) -> None:
    assert run(["replay", "--from", "2026-11-01", "--to", "2026-12-01"]) == 0
    assert "0 findings opened, 0 reopened, 0 resolved" in capsys.readouterr().out


def test_dead_letters_are_listed_with_the_reason_and_delivered_after_all(server: str, capsys: Printed) -> None:
    def printed(*arguments: str) -> str:
        assert run(["alerts", *arguments, "--server", server]) == 0
        return capsys.readouterr().out

    told = printed("dead-letters")
    assert "410 Gone" in told
    assert "3 dead letters; `sagacity alerts redrive`" in told
    assert printed("redrive") == "3 notices will be delivered again\n"
    assert printed("dead-letters") == "0 dead letters\n"


def test_a_server_that_is_away_is_said_so_with_what_to_do(capsys: Printed) -> None:
    for arguments in (["findings"], ["case", "1"], ["replay", "--from", "2026-01-01", "--to", "2026-01-02"]):
        assert run([*arguments, "--server", "http://127.0.0.1:9"]) == 3
        said = capsys.readouterr().err
        assert "no server answers at http://127.0.0.1:9" in said
        assert "sagacity serve" in said
    assert run(["findings", "--server", "nonsense"]) == 2


def test_a_token_is_made_that_the_server_then_knows(capsys: Printed) -> None:
    assert run(["token", "new", "--role", "viewer", "--role", "ingest", "--name", "orders"]) == 0
    lines = dict(line.split(": ", 1) for line in capsys.readouterr().out.splitlines() if ": " in line)
    from sagacity.web.tokens import parse_tokens

    known = parse_tokens(lines["line"].strip(), "here")
    found = known.find(lines["token"].strip())
    assert found is not None
    assert (found.name, sorted(found.roles)) == ("orders", ["ingest", "viewer"])


def test_a_token_opens_what_its_role_allows(monkeypatch: pytest.MonkeyPatch, capsys: Printed) -> None:
    tokens, (_, viewer, _) = tokens_of()
    with serving(Settings(tokens=tokens)) as world, on_a_port(world.app) as address:
        monkeypatch.setenv("SAGACITY_SERVER", address)
        monkeypatch.delenv("SAGACITY_TOKEN", raising=False)
        assert run(["findings"]) == 2
        assert "SAGACITY_TOKEN" in capsys.readouterr().err
        assert run(["findings", "--token", viewer]) == 0
        monkeypatch.setenv("SAGACITY_TOKEN", viewer)
        assert run(["findings"]) == 0
        assert run(["findings", "ack", _first(world)]) == 2
        assert "needs the role operator" in capsys.readouterr().err


@pytest.mark.parametrize("name", [["send"], ["case"], ["findings"], ["findings", "waive"], ["replay"], ["token", "new"]])
def test_the_help_of_each_command_shows_examples(name: list[str], capsys: Any) -> None:
    assert run([*name, "--help"]) == 0
    assert f"sagacity {' '.join(name)}" in capsys.readouterr().out.partition("Examples:")[2]
