"""`sagacity saga` on a real PostgreSQL: what it prints, what it exits with, which database it asks."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from postgres_stories import connected
from saga_samples import PURCHASE, Story, filled
from sagacity.cli.main import run
from sagacity.messaging import Delivery, Envelope
from sagacity.messaging.postgres import dead_letters
from sagacity.saga.postgres import store
from sagacity.testing.servers.postgres import PostgreSQL
from sagacity.workflow.language.reader import loads

NOW = time.time_ns() // 1000
MODULE = """
from sagacity.saga import Saga, Step
PARCEL = Saga("parcel", 4, (Step("pack", "Pack", "depot", "Unpack"), Step("send", "Send", "depot", kind="pivot")))
"""


@pytest.fixture(scope="module")
def seen(postgres: PostgreSQL) -> Iterator[str]:
    """A database that tests only look at."""
    with postgres.database() as dsn:
        filled(dsn, NOW, extra=3)
        yield dsn


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SAGACITY_SAGAS", "PGHOST", "PGDATABASE", "PGSERVICE", "PGHOSTADDR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "150")


def test_parked_sagas_are_listed_with_how_long_they_have_stood_and_why(
    seen: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["saga", "list", "--parked", "--database", seen]) == 0
    heads, *rows = capsys.readouterr().out.splitlines()
    assert heads.split() == ["saga", "definition", "status", "for", "started", "why"]
    assert [row.split()[0] for row in rows] == ["purchase-2", "purchase-3", "booking/9"]
    assert "7h 59m" in rows[0] or "8h" in rows[0]
    assert rows[1].endswith("reserve-stock: the stock's books are closed")


def test_a_list_goes_on_where_it_ended(seen: str, capsys: pytest.CaptureFixture[str]) -> None:
    found: list[str] = []
    cursor: list[str] = []
    for _ in range(20):
        assert run(["saga", "list", "--limit", "4", "--format", "json", "--database", seen, *cursor]) == 0
        said = capsys.readouterr()
        found += [json.loads(line)["id"] for line in said.out.splitlines()]
        told = [json.loads(line).get("next") for line in said.out.splitlines()]
        if not said.err:
            assert set(told) == {None}
            break
        cursor = ["--cursor", said.err.split()[-1]]
        assert told == [None, None, None, cursor[1]]
    assert len(found) == len(set(found)) == 11


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        (["--state", "waiting"], ["purchase-7"]),
        (["--state", "completed", "--state", "compensated"], ["purchase-4", "purchase-1"]),
        (["--definition", "booking"], ["booking/9"]),
        (["--resource", "4711"], ["purchase-7", "purchase-6"]),
        (["--parked", "--since", "2h"], ["booking/9"]),
        (["--parked", "--since", "2999-01-01"], []),
    ],
)
def test_sagas_are_found_by_what_is_asked_for(
    seen: str, capsys: pytest.CaptureFixture[str], arguments: list[str], ids: list[str]
) -> None:
    assert run(["saga", "list", *arguments, "--format", "json", "--database", seen]) == 0
    assert [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()] == ids


def test_one_saga_is_shown_with_what_may_be_ordered(seen: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["saga", "show", "purchase-2", "--database", seen]) == 0
    text = capsys.readouterr().out
    assert "saga purchase-2 of purchase 1 is parked" in text
    charged = [line for line in text.splitlines() if "charge-card" in line and "pivot" in line]
    assert charged[0].endswith("why: no answer in time")
    assert "\n" + " " * charged[0].index("why: ") + "command purchase-2/charge-card/do/1\n" in text
    assert "called off: saga purchase-2 may be past its point of no return" in text
    assert (
        "  sagacity saga retry purchase-2 --step charge-card --reason ...  sends purchase-2/charge-card/do/1; then run"
        in text
    )
    assert "  sagacity saga abandon purchase-2 --reason ...                   then abandoned\n" in text
    assert "saga compensate" not in text
    assert "\x1b" not in text
    assert run(["saga", "show", "purchase-2", "--format", "json", "--database", seen]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [step["status"] for step in document["steps"]] == ["done", "done", "done", "parked", "pending", "pending"]
    assert [step["after"] for step in document["steps"]][2] == ["reserve-stock", "hold-courier"]
    assert [order["order"] for order in document["allowed"]] == ["retry", "skip", "abandon", "resume"]


def test_ids_are_never_broken_however_narrow_the_screen_is(
    database: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    id = "0f6a1f0e-4a3b-4c55-9d0a-2b7f5a0b9c11-0f6a1f0e-4a3b-4c55-9d0a-2b7f5a0b9c11"

    async def begun() -> None:
        story = Story(PURCHASE, id, NOW).done("reserve-stock")
        async with connected(database) as connection:
            await store.write(connection, [story.decision.saga], [], story.events)

    filled(database, NOW)
    asyncio.run(begun())
    assert run(["saga", "show", id, "--database", database]) == 0
    assert f"command {id}/reserve-stock/do/1\n" in capsys.readouterr().out
    assert run(["saga", "list", "--limit", "1", "--database", database]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith(f"{id}  purchase 1  running  ")


def test_definitions_are_listed_with_how_many_sagas_are_on_each(seen: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["saga", "definitions", "--format", "json", "--database", seen]) == 0
    booking, purchase = map(json.loads, capsys.readouterr().out.splitlines())
    assert "has no compensation" in booking["problem"]
    assert purchase["sagas"] == {"compensated": 1, "completed": 1, "parked": 2, "running": 5, "waiting": 1}


def test_a_refused_order_says_why_and_what_may_be_done(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    filled(database, NOW)
    assert run(["saga", "compensate", "purchase-2", "--reason", "called off", "--by", "ada", "--database", database]) == 2
    said = capsys.readouterr().err
    assert "what may be ordered: retry charge-card, skip charge-card, abandon, resume" in said
    assert "may be past its point of no return" in said
    assert "hint: retry the step that is parked" in said


def test_an_order_that_nobody_carries_out_yet_is_kept_and_says_so(
    database: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(database, NOW)
    monkeypatch.setenv("LOGNAME", "grace")
    retry = ["saga", "retry", "purchase-2", "--reason", "the bank is back", "--database", database]
    assert run([*retry, "--wait", "0.1"]) == 3
    assert "no orchestrator has carried it out yet" in capsys.readouterr().err
    assert run([*retry, "--wait", "0"]) == 0
    said = capsys.readouterr()
    assert "is given: retry" in said.out
    assert "an order of this saga waited already: does an orchestrator run?" in said.err

    async def kept() -> list[tuple[str, str, None]]:
        async with connected(database) as connection:
            asked = "select ordered_by, reason, outcome from sagacity.saga_orders where saga = 'purchase-2' and done is null"
            return await (await connection.execute(asked)).fetchall()

    assert asyncio.run(kept()) == [("grace", "the bank is back", None)] * 2


def test_an_order_without_a_reason_is_not_given(seen: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["saga", "retry", "purchase-2", "--database", seen]) == 2
    assert run(["saga", "retry", "purchase-2", "--reason", " ", "--database", seen]) == 2
    assert "an order needs a reason" in capsys.readouterr().err


def test_dead_letters_are_listed_and_given_again(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    filled(database, NOW)
    assert run(["saga", "dead-letters", "list", "--database", database]) == 0
    assert "SendReceipt of purchase-5" in capsys.readouterr().out
    assert run(["saga", "dead-letters", "redrive", "--database", database]) == 2
    assert run(["saga", "dead-letters", "redrive", "1", "--all", "--database", database]) == 2
    assert run(["saga", "dead-letters", "redrive", "77", "--database", database]) == 2
    capsys.readouterr()
    assert run(["saga", "dead-letters", "redrive", "1", "77", "--by", "ada", "--database", database]) == 0
    said = capsys.readouterr()
    assert said.out == "1 dead letter given again\n"
    assert "1 left out" in said.err
    assert "by the orchestrator of its saga, which sends nothing where the step is parked" in said.err
    assert run(["saga", "dead-letters", "redrive", "--all", "--database", database]) == 0
    assert run(["saga", "dead-letters", "list", "--redriven", "--format", "json", "--database", database]) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines()[1:])
    assert (first["redriven_by"], second["redriven"]) == ("ada", None)


def test_those_that_cannot_be_given_again_hold_up_no_other(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    filled(database, NOW)

    async def handed_over() -> None:
        async with connected(database) as connection:
            stray = Envelope(id="s-1", type="Stray", source="/nowhere", time=1, key="k")
            await dead_letters.bury(connection, "shop", Delivery("", 0, 0, stray), "handed over within a process")

    asyncio.run(handed_over())
    assert run(["saga", "dead-letters", "redrive", "--all", "--by", "ada", "--database", database]) == 0
    said = capsys.readouterr()
    assert said.out == "1 dead letter given again\n"
    assert said.err.endswith("2 left out, which cannot be given again: 2, 3\n")


def test_the_workflow_of_a_saga_comes_from_what_is_stored_or_from_python(
    seen: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["saga", "workflow", "purchase", "--database", seen]) == 0
    assert loads(capsys.readouterr().out).name == "purchase-saga"
    (tmp_path / "a_parcel.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    assert run(["saga", "workflow", "--definition", "a_parcel:PARCEL", "--owner", "depot"]) == 0
    text = capsys.readouterr().out
    assert (yaml.safe_load(text)["workflow"], loads(text).owner) == ("parcel-saga", "depot")
    for place in ("a_parcel:NOTHING", "a_parcel", "no_such_module:X", "json:dumps"):
        assert run(["saga", "workflow", "--definition", place]) == 2
    assert "it has PARCEL" in capsys.readouterr().err
    assert run(["saga", "workflow", "booking", "--database", seen]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert run(["saga", "workflow", "nothing", "--database", seen]) == 2
    assert "kept are booking, purchase" in capsys.readouterr().err
    assert run(["saga", "workflow", "purchase", "--version", "7", "--database", seen]) == 2
    assert "hint: of purchase these are kept: 1\n" in capsys.readouterr().err


def test_the_database_is_found_by_the_environment(
    seen: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["saga", "list"]) == 2
    assert "it is not said where the sagas are" in capsys.readouterr().err
    monkeypatch.setenv("SAGACITY_SAGAS", seen)
    assert run(["saga", "list", "--parked"]) == 0
    monkeypatch.delenv("SAGACITY_SAGAS")
    parts = dict(part.split("=", 1) for part in seen.split())
    for name, value in (("HOST", "host"), ("PORT", "port"), ("USER", "user"), ("DATABASE", "dbname")):
        monkeypatch.setenv(f"PG{name}", parts[value])
    assert run(["saga", "list", "--parked"]) == 0
    capsys.readouterr()
    monkeypatch.setenv("PGDATABASE", "nowhere")
    assert run(["saga", "list", "--parked"]) == 3
    assert "the sagas' database that PostgreSQL's own variables name: " in capsys.readouterr().err


def test_a_database_that_is_away_is_said_without_its_password(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["saga", "list", "--database", "postgresql://ada:secret@127.0.0.1:1/sagas"]) == 3
    said = capsys.readouterr().err
    assert "the sagas' database sagas on 127.0.0.1:1" in said
    assert "secret" not in said
    assert "Connection refused; Is the server running" in said
    assert "hint: look whether it is up; check host, port, user, password" in said
    assert run(["saga", "list", "--database", "postgresql//ada:secret@127.0.0.1"]) == 2
    assert "secret" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["list", "--state", "stuck"], ["list", "--format", "xml"], ["list", "--since", "soon"], ["list", "--cursor", "x"],
     ["list", "--parked", "--state", "completed"], ["show", "nobody"], ["workflow"]],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_a_hint(
    seen: str, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run(["saga", *arguments, "--database", seen]) == 2
    assert "\n  hint: " in capsys.readouterr().err


@pytest.mark.parametrize("command", ["list", "show", "retry", "skip", "compensate", "abandon", "resume", "workflow",
                                     "definitions", "dead-letters list", "dead-letters redrive"])  # fmt: skip
def test_every_command_explains_itself_with_examples(capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert run(["saga", *command.split(), "--help"]) == 0
    text = capsys.readouterr().out
    assert f"  sagacity saga {command}" in text
    assert "no password" in " ".join(text.split())
