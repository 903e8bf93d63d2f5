"""Sagas over the API and on the server's pages, from a real PostgreSQL: who may do what, what is audited, what is away."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from postgres_stories import connected
from saga_samples import PURCHASE, Story, filled
from sagacity.ledger.live import CaseFilter
from sagacity.saga.postgres import store
from sagacity.saga.postgres.operations import Operations
from sagacity.testing.servers.postgres import PostgreSQL
from sagacity.web.limits import Rate
from sagacity.web.settings import Settings
from serving import NOW, Serving, client_of, serving, tokens_of

BROWSER = {"Accept": "text/html"}
FAST = Rate(per_second=1e6, burst=10**6)
ROUTES = ("/api/v1/sagas", "/api/v1/sagas/purchase-1", "/api/v1/saga?saga=booking/9", "/api/v1/saga-definitions",
          "/api/v1/saga-orders", "/api/v1/saga-dead-letters")  # fmt: skip


@pytest.fixture(scope="module")
def seen(postgres: PostgreSQL) -> Iterator[str]:
    """A database that tests only look at."""
    with postgres.database() as dsn:
        filled(dsn, NOW, extra=4)
        yield dsn


@pytest.fixture
def world(database: str) -> Iterator[Serving]:
    """A server over a database of its own."""
    filled(database, NOW)
    with serving(sagas=Operations(database, clock=lambda: NOW)) as made:
        yield made


def test_sagas_are_listed_and_shown(seen: str) -> None:
    with serving(sagas=Operations(seen, clock=lambda: NOW)) as world, client_of(world.app) as client:
        parked = client.get("/api/v1/sagas", params={"state": "parked"}).json()
        assert [line["id"] for line in parked["items"]] == ["booking/9", "purchase-3", "purchase-2"]
        assert parked["items"][2] | {"started": "", "changed": "", "since": ""} == {
            "id": "purchase-2", "definition": "purchase", "version": 1, "status": "parked", "started": "", "changed": "",
            "since": "", "ended": None, "due": None, "cause": "charge-card: no answer in time", "parked": ["charge-card"],
            "resources": [],
        }  # fmt: skip
        found, cursor = [], None
        while True:
            page = client.get("/api/v1/sagas", params={"limit": 5} | ({"cursor": cursor} if cursor else {})).json()
            found += [line["id"] for line in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
        assert len(found) == len(set(found)) == 12
        for address in ("/api/v1/sagas/purchase-2", "/api/v1/saga?saga=purchase-2"):
            shown = client.get(address).json()
            assert [step["status"] for step in shown["steps"]][3] == "parked"
            assert [each["order"] for each in shown["allowed"]] == ["retry", "skip", "abandon", "resume"]
        (waiting,) = client.get("/api/v1/sagas", params={"resource": "4711", "state": "waiting"}).json()["items"]
        assert waiting["id"] == "purchase-7"
        assert client.get(f"/api/v1/saga?saga={quote('booking/9', safe='')}").json()["problem"] is not None
        assert client.get("/api/v1/sagas/nobody").status_code == 404
        for wrong in ({"cursor": "?"}, {"state": "stuck"}, {"since": "soon"}):
            assert client.get("/api/v1/sagas", params=wrong).status_code == 400


def test_an_order_is_audited_in_both_places_and_a_refused_one_is_answered_with_what_may_be_done(
    world: Serving,
) -> None:
    with client_of(world.app) as client:
        given = client.post("/api/v1/sagas/purchase-2/orders", json={"order": "retry", "reason": "the bank is back"})
        assert given.status_code == 200
        assert given.json() | {"number": 0, "since": ""} == {
            "number": 0, "saga": "purchase-2", "order": "retry", "step": None, "by": "local", "reason": "the bank is back",
            "since": "", "done": None, "outcome": None,
        }  # fmt: skip
        refused = client.post("/api/v1/saga/orders?saga=purchase-2", json={"order": "compensate", "reason": "called off"})
        assert refused.status_code == 409
        assert "point of no return" in refused.json()["detail"]
        assert "retry the step that is parked" in refused.json()["hint"]
        assert client.post("/api/v1/sagas/nobody/orders", json={"order": "retry", "reason": "?"}).status_code == 404
        assert client.post("/api/v1/sagas/purchase-2/orders", json={"order": "retry"}).status_code == 400
        newest, before, *_ = client.get("/api/v1/saga-orders").json()["items"]
        assert (newest["order"], newest["outcome"][:15]) == ("compensate", "saga purchase-2")
        assert (before["order"], before["outcome"]) == ("retry", None)
        told = [entry["what"] for entry in client.get("/api/v1/audit").json()["items"]]
        assert told[1] == "order retry of saga purchase-2: the bank is back"
        assert told[0].startswith("order compensate of saga purchase-2: refused:")


def test_viewers_look_and_operators_order(database: str) -> None:
    filled(database, NOW)
    tokens, (viewer, operator) = tokens_of(["viewer"], ["operator"])
    order = {"order": "abandon", "reason": "by hand"}
    with serving(Settings(tokens=tokens), sagas=Operations(database)) as guarded:
        with client_of(guarded.app) as anybody:
            assert {anybody.get(route).status_code for route in ROUTES} == {401}
        with client_of(guarded.app, viewer) as client:
            assert {client.get(route).status_code for route in ROUTES} == {200}
            assert client.post("/api/v1/sagas/purchase-2/orders", json=order).status_code == 403
            assert client.post("/api/v1/saga-dead-letters/redrive", json={"numbers": ["1"]}).status_code == 403
        with client_of(guarded.app, operator) as client:
            assert client.post("/api/v1/sagas/purchase-2/orders", json=order).json()["by"] == "operator"


def test_dead_letters_are_listed_and_given_again(world: Serving) -> None:
    with client_of(world.app) as client:
        first, second = client.get("/api/v1/saga-dead-letters").json()["items"]
        assert (first["saga"], first["type"], second["type"]) == ("purchase-5", "SendReceipt", None)
        redriven = client.post("/api/v1/saga-dead-letters/redrive", json={"numbers": [str(first["number"]), "99"]})
        assert redriven.json() == {"redriven": 1}
        (left,) = client.get("/api/v1/saga-dead-letters").json()["items"]
        assert left["number"] == second["number"]
        refused = client.post("/api/v1/saga-dead-letters/redrive", json={"numbers": [str(left["number"])]})
        assert refused.status_code == 400


def test_a_server_without_sagas_has_neither_entry_nor_page_nor_driver() -> None:
    with serving() as world, client_of(world.app) as client:
        assert {client.get(route).status_code for route in ROUTES} == {404}
        assert "sagacity serve --sagas" in client.get("/api/v1/sagas").json()["hint"]
        assert client.get("/sagas", headers=BROWSER).status_code == 404
        assert 'href="/sagas"' not in client.get("/", headers=BROWSER).text
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "import sagacity.web.app, sagacity.cli.server.wiring\n"
        "print([name for name in sys.modules if name.startswith(('psycopg.', 'sagacity.saga.postgres'))])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_while_the_database_is_away_its_pages_say_so_and_the_rest_goes_on() -> None:
    away = Operations("postgresql://ada:secret@127.0.0.1:1/sagas", within=1.0)
    with serving(sagas=away) as world, client_of(world.app) as client:
        for route in ROUTES:
            answer = client.get(route)
            assert answer.status_code == 503
            assert "sagas on 127.0.0.1:1" in answer.json()["detail"]
        assert client.post("/api/v1/sagas/a/orders", json={"order": "retry", "reason": "?"}).status_code == 503
        for page in ("/sagas", "/saga?saga=a"):
            answer = client.get(page, headers=BROWSER)
            assert answer.status_code == 200
            told = answer.text.replace("&#x27;", "'")
            assert "Sagas cannot be shown now. " in told
            assert told.count("sagas' database") == 1
            assert "secret" not in answer.text
        case = world.ledger.cases(CaseFilter(), limit=1).items[0]
        for page in ("/", "/findings", f"/case?workflow={case.workflow}&case={case.case}"):
            assert client.get(page, headers=BROWSER).status_code == 200


def test_a_page_that_there_is_not_is_told_in_the_words_of_people(world: Serving) -> None:
    with client_of(world.app) as client:
        missing = client.get("/nowhere", headers=BROWSER)
        assert missing.status_code == 404
        assert "<h1>There is no such page</h1>" in missing.text
        lacking = client.get("/saga", headers=BROWSER)
        assert lacking.status_code == 400
        assert "lacks something" in lacking.text
        for page in (missing, lacking, client.get("/findings/none", headers=BROWSER)):
            assert "/api/" not in page.text
            assert "parameter" not in page.text
        assert "openapi.json" in client.get("/api/v1/nowhere").json()["hint"]


def test_ids_of_a_saga_are_links_only_where_they_lead_to_a_case(world: Serving, database: str) -> None:
    traced = Story(PURCHASE, "traced-1", NOW)
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    saga = msgspec.structs.replace(
        traced.decision.saga, correlation_id="basket-9", traceparent=f"00-{trace}-00f067aa0ba902b7-01"
    )

    async def begun() -> None:
        async with connected(database) as connection:
            await store.write(connection, [saga], [], traced.events)

    asyncio.run(begun())
    with client_of(world.app) as client:
        text = client.get("/saga?saga=traced-1", headers=BROWSER).text
        assert "basket-9" in text
        assert trace in text
        assert 'href="/cases?text=' not in text


def test_a_page_says_that_an_order_waits_for_an_orchestrator_that_does_not_run(world: Serving, database: str) -> None:
    async def ordered() -> None:
        async with connected(database) as connection:
            await connection.execute(
                "insert into sagacity.saga_orders (saga, command, ordered_by, since) values "
                "('purchase-2', 'retry', 'ada', '2001-01-01')"
            )

    with client_of(world.app) as client:
        assert "no orchestrator runs" not in client.get("/saga?saga=purchase-2", headers=BROWSER).text
        asyncio.run(ordered())
        assert "no orchestrator runs" in client.get("/saga?saga=purchase-2", headers=BROWSER).text


def test_what_cannot_be_taken_back_is_asked_about_once_more(world: Serving) -> None:
    with client_of(world.app) as client:
        given = {"saga": "purchase-2", "what": "abandon", "reason": "put right by hand", "back": "/"}
        asked = client.post("/saga/order", data=given, headers=BROWSER, follow_redirects=False)
        assert asked.status_code in (200, 201)
        assert "Abandon: are you sure?" in asked.text
        assert "put right by hand" in asked.text
        assert client.get("/api/v1/saga-orders").json()["items"][0]["order"] != "abandon"
        done = client.post("/saga/order", data={**given, "sure": "yes"}, headers=BROWSER, follow_redirects=False)
        assert done.status_code == 303
        assert client.get("/api/v1/saga-orders").json()["items"][0]["order"] == "abandon"


def test_a_saga_links_to_its_case_and_the_case_to_its_saga(world: Serving, database: str) -> None:
    case = world.ledger.cases(CaseFilter(workflow="order"), limit=1).items[0].case

    async def begun() -> None:
        story = Story(PURCHASE, case, NOW)
        async with connected(database) as connection:
            await store.write(connection, [story.decision.saga], [], story.events)

    asyncio.run(begun())
    with client_of(world.app) as client:
        assert f'href="/case?workflow=order&amp;case={case}"' in client.get(f"/saga?saga={case}", headers=BROWSER).text
        assert f'href="/saga?saga={case}"' in client.get(f"/case?workflow=order&case={case}", headers=BROWSER).text
        other = world.ledger.cases(CaseFilter(workflow="order"), limit=2).items[1].case
        assert 'href="/saga?' not in client.get(f"/case?workflow=order&case={other}", headers=BROWSER).text


def test_what_comes_from_outside_is_only_text_on_the_pages(world: Serving, database: str) -> None:
    hostile = "<script>alert(1)</script>\u202e'\"&"

    async def begun() -> None:
        story = Story(PURCHASE, hostile, NOW - 60_000_000, account=hostile)
        story.done("reserve-stock", "hold-courier", "write-order").failed("charge-card", hostile)
        async with connected(database) as connection:
            await store.write(connection, [story.decision.saga], [], story.events)

    asyncio.run(begun())
    with client_of(world.app) as client:
        for address in ("/sagas", f"/saga?saga={quote(hostile, safe='')}"):
            page = client.get(address, headers=BROWSER)
            assert page.status_code == 200
            assert "<script>alert" not in page.text
            assert "\u202e" not in page.text


def _document() -> dict[str, Any]:
    with serving(run=False, reaches=()) as world, client_of(world.app) as client:
        document: dict[str, Any] = json.loads(client.get("/api/v1/openapi.json").text)
        return document


DOCUMENT = _document()
OPERATIONS = [
    (path, method) for path, item in DOCUMENT["paths"].items() for method in item if path.startswith("/api/v1/saga")
]
CHECKS = [not_a_server_error, response_schema_conformance, status_code_conformance, content_type_conformance]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fitting", "not fitting"])
def test_whatever_is_asked_of_sagas_is_answered_as_described(database: str, mode: GenerationMode) -> None:
    filled(database, NOW)
    fast = Settings(ingest_rate=FAST, api_rate=FAST)
    with serving(fast, sagas=Operations(database)) as world:
        schema = schemathesis.openapi.from_dict(DOCUMENT)
        schema.app = world.app
        schema.config.update(base_url="http://localhost")
        for path, method in OPERATIONS:
            operation = schema[path][method.upper()]

            @settings(max_examples=10, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
                      suppress_health_check=list(HealthCheck))  # fmt: skip
            @given(case=operation.as_strategy(generation_mode=mode))
            def answered(case: Any) -> None:
                case.call_and_validate(checks=CHECKS)

            answered()
