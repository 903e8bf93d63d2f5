"""`sagacity serve` as a process of its own: whatever is thrown at it, it lives, and accounts for what it answered."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from test_live_garbage import garbage

from chaos.process import ServeProcess, free_port
from live_story import ORDER

_TYPES = ("application/json", "text/plain", "nonsense", "application/cloudevents+json")


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[ServeProcess]:
    (tmp_path / "order.workflow.yaml").write_text(ORDER)
    options = [
        "--workflow",
        str(tmp_path / "order.workflow.yaml"),
        "--ledger",
        str(tmp_path / "ledger"),
        "--memory",
        "256MB",
    ]
    process = ServeProcess(tmp_path, free_port(), options)
    process.start()
    try:
        process.until_ready()
        yield process
    finally:
        process.end()


def post(serve: ServeProcess, body: bytes, content_type: str = "application/x-ndjson") -> int:
    """The code of the answer; 0 where the connection was closed before there was one."""
    connection = http.client.HTTPConnection("127.0.0.1", serve.port, timeout=60)
    try:
        connection.request("POST", "/ingest", body, {"Content-Type": content_type})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def test_a_server_lives_through_garbage_and_accounts_for_all_of_it(serve: ServeProcess) -> None:
    random = Random(17)
    sent = 0
    for turn in range(10):
        lines = [line for line in (garbage(random).replace(b"\n", b" ") for _ in range(1_000)) if line.strip()]
        assert post(serve, b"\n".join(lines)) in (202, 422)
        sent += len(lines)
        single = garbage(random)
        assert post(
            serve, single, random.choice(["application/json", "text/plain", "nonsense", "application/cloudevents+json"])
        ) in (202, 422)
        sent += 1 if not single.lstrip().startswith(b"[") else 0
        assert serve.alive, turn
    code, found = serve.asked("/api/v1/accounts")
    (account,) = found["items"]
    assert code == 200
    assert account["records"] >= sent
    assert account["rejected"] > sent / 2
    assert serve.stop() == 0
    words = serve.last_words().splitlines()
    assert words[-1] == f"Stopped; all is in {serve.folder / 'ledger'}."
    rejected, *_ = [json.loads(line) for line in words if "records rejected" in line]
    assert rejected["source"] == "orders"
    assert rejected["records"] > 0
    assert rejected["first"]


def test_a_body_of_100_megabytes_is_refused_and_the_server_lives(serve: ServeProcess) -> None:
    assert post(serve, b'{"type":"Placed","fill":"' + b"x" * 100_000_000 + b'"}') in (413, 0)
    assert post(serve, b'{"type":"Placed","time":"2026-01-01T00:00:00Z","order":"1"}') == 202
    assert serve.asked("/readyz")[0] == 200


def test_a_second_server_on_the_same_ledger_is_refused_by_the_name_of_the_first(serve: ServeProcess) -> None:
    command = [sys.executable, "-m", "sagacity.cli.main", "serve", "--listen", f"127.0.0.1:{free_port()}", *serve._options]
    second = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert second.returncode == 3
    assert f"is held open by process {serve.pid}" in second.stderr
    assert "a folder of its own" in second.stderr
    assert serve.asked("/readyz")[0] == 200


def test_a_server_for_sagas_alone_needs_no_workflow_and_says_that_their_database_is_away(tmp_path: Path) -> None:
    options = ["--sagas", "postgresql://ada:secret@127.0.0.1:1/sagas", "--ledger", str(tmp_path / "ledger")]
    process = ServeProcess(tmp_path, free_port(), [*options, "--memory", "256MB"])
    process.start()
    try:
        process.until_ready()
        told = process.last_words()
        assert "Nothing is judged, since there is no workflow" in told
        assert "Sagas cannot be shown now: the sagas' database sagas on 127.0.0.1:1: " in told
        assert "secret" not in told
        assert process.asked("/sagas")[0] == 200
        code, problem = process.asked("/api/v1/sagas")
        assert (code, "sagas on 127.0.0.1:1" in problem["detail"]) == (503, True)
        assert process.stop() == 0
    finally:
        process.end()
