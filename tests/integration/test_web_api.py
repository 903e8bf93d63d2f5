"""Every route of the API, over sample data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from fakes.samples import ORDER, record
from sagacity.ledger.live import FindingFilter, Outlook
from sagacity.sources.stream import Batch, Reach
from sagacity.web.times import instant_of
from serving import NOW, Serving, client_of, serving

HOUR = 3_600_000_000
CURRENT = (Reach(source="orders", part="x", state="current", lag=0),)


@pytest.fixture
def world() -> Iterator[Serving]:
    with serving() as made:
        yield made


@pytest.fixture
def client(world: Serving) -> Iterator[TestClient[Litestar]]:
    with client_of(world.app) as made:
        yield made


def _ok(client: TestClient[Litestar], path: str, **parameters: Any) -> Any:
    response = client.get(path, params=parameters)
    assert response.status_code == 200, response.text
    return response.json()


def _problem(response: Any, status: int) -> Any:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    return problem


def _finding(world: Serving, state: str = "open") -> str:
    return world.ledger.findings(FindingFilter(states=(state,))).items[0].id  # type: ignore[arg-type]


def test_the_status_says_how_the_server_does(client: TestClient[Litestar]) -> None:
    status = _ok(client, "/api/v1/status")
    assert status["state"] in ("running", "starting")
    assert status["now"] == "2026-11-22T18:40:54.000000Z"
    assert {reach["state"] for reach in status["reaches"]} == {"current", "behind", "down"}


def test_workflows_are_listed_and_told_with_their_text_and_map(client: TestClient[Litestar]) -> None:
    assert [each["name"] for each in _ok(client, "/api/v1/workflows")["items"]] == ["order", "refund"]
    order = _ok(client, "/api/v1/workflows/order")
    assert order["text"] == ORDER
    assert order["revision"] == 2
    assert {node["name"] for node in order["map"]["nodes"]} >= {"OrderPlaced", "ItemShipped"}
    ties = {(tie["source"], tie["target"]): tie for tie in order["map"]["ties"]}
    late = sum(line["findings"] for line in ties["PaymentReceived", "ItemShipped"]["lines"])
    assert (
        late == _ok(client, "/api/v1/workflows/order/counts")["by_expectation"]["ItemShipped within 2d of PaymentReceived"]
    )


def test_a_workflow_that_is_not_there_is_answered_with_those_that_are(client: TestClient[Litestar]) -> None:
    for path in ("", "/counts", "/cases"):
        assert _problem(client.get(f"/api/v1/workflows/nope{path}"), 404)["hint"] == "there is order, refund"


def test_counts_add_up_to_the_cases(client: TestClient[Litestar]) -> None:
    counts = _ok(client, "/api/v1/workflows/order/counts")
    assert sum(counts["cases"].values()) == 120
    assert counts["events"]["OrderPlaced"] > 100


def test_cases_are_filtered_and_searched(client: TestClient[Litestar]) -> None:
    violated = _ok(client, "/api/v1/workflows/order/cases", status="violated", limit=500)["items"]
    assert violated
    assert {case["status"] for case in violated} == {"violated"}
    assert [case["case"] for case in _ok(client, "/api/v1/workflows/order/cases", text="pay-123-1")["items"]] == ["123"]


def test_every_page_follows_the_one_before(client: TestClient[Litestar]) -> None:
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(50):
        page = _ok(client, "/api/v1/workflows/order/cases", limit=17, **({"cursor": cursor} if cursor else {}))
        seen += [case["case"] for case in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 120


def test_a_case_is_told_with_its_timeline_and_reasons(client: TestClient[Litestar]) -> None:
    assert _ok(client, "/api/v1/cases/123")["status"] == "violated"
    told = _ok(client, "/api/v1/cases/123/timeline", workflow="order")
    assert told == _ok(client, "/api/v1/timeline", case="123")
    assert told["case"] == _ok(client, "/api/v1/case", case="123")
    first = told["expectations"][0]
    assert (first["status"], first["name"]) == ("violated", "ItemShipped within 2d of PaymentReceived")
    assert "did not happen within 2d" in first["reason"]
    assert [each["type"] for each in told["missed"]] == ["ItemShipped"]
    assert [finding["expectation"] for finding in told["findings"]] == [first["name"]]
    payment = next(event for event in told["events"] if event["type"] == "PaymentReceived")
    assert payment["involved"] == [{"expectation": first["name"], "kind": "missing"}]
    assert payment["attributes"]["amount"] == "4.50"
    assert all(event["judged"] for event in told["events"])


def test_an_event_that_as_of_has_not_reached_is_marked_as_not_judged(world: Serving, client: TestClient[Litestar]) -> None:
    with_time = record("PaymentReceived", "ahead", NOW + HOUR, {"order_id": "123", "amount": "1.00"})
    assert client.post("/ingest/payments", content=with_time).status_code == 202
    world.settle()
    events = _ok(client, "/api/v1/cases/123/timeline")["events"]
    assert [event["id"] for event in events if not event["judged"]] == ["ahead"]


def test_what_a_source_that_is_behind_could_still_bring_is_pending_with_that_reason() -> None:
    with serving(run=False) as world, client_of(world.app) as client:
        paid, due = NOW - 50 * HOUR, NOW - 2 * HOUR
        bodies = {"orders": ("OrderPlaced", paid - 1), "payments": ("PaymentReceived", paid)}
        for source, (type_, at) in bodies.items():
            body = record(type_, f"{type_}-b", at, {"order_id": "B", "amount": "1.00", "currency": "EUR"})
            world.ledger.append([Batch(source=source, part="t", bodies=[body], positions=[0])], NOW)
        world.ledger.judge(Outlook(NOW, {"shipments": due - 1, "compliance": 0}), NOW)
        told = _ok(client, "/api/v1/cases/B/timeline")
        assert told["case"]["behind"] == ["compliance", "shipments"]
        shipped = next(each for each in told["expectations"] if each["name"].startswith("ItemShipped within"))
        assert shipped["status"] == "pending"
        assert shipped["violations"] == []
        assert shipped["reason"].startswith("source behind: ")
        assert told["findings"] == []
        assert told["missed"] == []


def test_a_case_that_is_not_there_is_not_found(client: TestClient[Litestar]) -> None:
    _problem(client.get("/api/v1/cases/nope"), 404)
    _problem(client.get("/api/v1/cases/nope/timeline"), 404)
    _problem(client.get("/api/v1/cases/123", params={"workflow": "nope"}), 404)
    _problem(client.get("/api/v1/cases/123", params={"workflow": "refund"}), 404)


def test_a_case_of_several_workflows_is_asked_for_by_workflow(world: Serving, client: TestClient[Litestar]) -> None:
    body = record("RefundRequested", "same", NOW - HOUR, {"refund_id": "123", "order_id": "1"})
    assert client.post("/ingest/refunds", content=body).status_code == 202
    world.settle()
    assert "refund" in _problem(client.get("/api/v1/cases/123"), 409)["detail"]
    assert _ok(client, "/api/v1/cases/123", workflow="refund")["workflow"] == "refund"


def test_a_case_id_that_no_address_can_hold_is_found_by_query(world: Serving, client: TestClient[Litestar]) -> None:
    for case in ("a/b", "..", "x?y#z", " "):
        body = record("OrderPlaced", f"id {case}", NOW - HOUR, {"order_id": case, "amount": "1"})
        assert client.post("/ingest/orders", content=body).status_code == 202
        world.settle()
        assert _ok(client, "/api/v1/timeline", case=case, workflow="order")["case"]["case"] == case


@pytest.mark.parametrize(
    ("name", "value"),
    [("workflow", "refund"), ("owner", "payments"), ("severity", "critical"), ("kind", "missing"), ("case", "123")],
)
def test_findings_are_filtered(client: TestClient[Litestar], name: str, value: str) -> None:
    found = _ok(client, "/api/v1/findings", limit=500, **{name: value})["items"]
    everything = _ok(client, "/api/v1/findings", limit=500)["items"]
    assert found
    assert found == [each for each in everything if each[name] == value]
    assert len(found) < len(everything)


def test_findings_are_filtered_by_several_states_and_by_incident(client: TestClient[Litestar]) -> None:
    several = _ok(client, "/api/v1/findings", state=["open", "waived"], limit=500)["items"]
    assert {each["state"] for each in several} == {"open", "waived"}
    incident = _ok(client, "/api/v1/incidents", limit=1)["items"][0]
    found = _ok(client, "/api/v1/findings", incident=incident["id"], expectation=incident["expectation"], limit=500)
    assert len(found["items"]) == incident["findings"]


def test_a_finding_is_told_with_its_history(world: Serving, client: TestClient[Litestar]) -> None:
    resolved = _finding(world, "resolved")
    told = _ok(client, f"/api/v1/findings/{resolved}")
    assert (told["history"][0]["what"], told["history"][-1]["what"]) == ("opened", "resolved")
    assert told["late_seconds"] is not None
    _problem(client.get("/api/v1/findings/nope"), 404)


def test_acting_on_a_finding_changes_it_and_is_audited(world: Serving, client: TestClient[Litestar]) -> None:
    id_ = _finding(world)
    for what, body, state in (
        ("acknowledge", {"reason": "looking"}, "acknowledged"),
        ("waive", {"reason": "strike", "until": "7d"}, "waived"),
        ("reopen", None, "open"),
        ("acknowledge", None, "acknowledged"),
        ("waive", {"reason": "test order"}, "waived"),
    ):
        response = (
            client.post(f"/api/v1/findings/{id_}/{what}", json=body)
            if body
            else client.post(f"/api/v1/findings/{id_}/{what}")
        )
        assert response.status_code == 200, response.text
        assert response.json()["state"] == state
        assert response.json()["by"] == "local"
    assert response.json()["until"] is None
    audited = [entry["what"] for entry in _ok(client, "/api/v1/audit", limit=5)["items"]]
    assert audited[0] == f"waive finding {id_}: test order"
    assert len([each for each in audited if id_ in each]) == 5
    assert _ok(client, f"/api/v1/findings/{id_}")["history"][-4]["until"] == "2026-11-29T18:40:54.000000Z"


def test_a_waiver_may_end_at_an_instant(world: Serving, client: TestClient[Litestar]) -> None:
    path = f"/api/v1/findings/{_finding(world)}/waive"
    response = client.post(path, json={"reason": "x", "until": "2026-12-01T00:00+01:00"})
    assert response.json()["until"] == "2026-11-30T23:00:00.000000Z"


@pytest.mark.parametrize(
    ("what", "body", "status"),
    [
        ("waive", {"until": "7d"}, 400),
        ("waive", {"reason": ""}, 400),
        ("waive", {"reason": "x", "until": "soon"}, 400),
        ("waive", {"reason": "x", "until": "2020-01-01T00:00Z"}, 400),
        ("waive", {"reason": "x", "until": "2026-12-01T00:00"}, 400),
        ("waive", {"reason": "x", "for": "7d"}, 400),
        ("acknowledge", {"reason": "x" * 1001}, 400),
        ("acknowledge", ["x"], 400),
        ("reopen", {"reason": "x"}, 409),
    ],
)
def test_an_action_that_makes_no_sense_is_refused(
    world: Serving, client: TestClient[Litestar], what: str, body: Any, status: int
) -> None:
    id_ = _finding(world)
    problem = _problem(client.post(f"/api/v1/findings/{id_}/{what}", json=body), status)
    assert world.ledger.finding(id_).state == "open"  # type: ignore[union-attr]
    assert problem["detail"]


def test_acting_on_a_finding_that_is_not_there_is_not_found(client: TestClient[Litestar]) -> None:
    _problem(client.post("/api/v1/findings/nope/acknowledge"), 404)


def test_sources_are_told_with_lag_and_silence(client: TestClient[Litestar]) -> None:
    parts = {(part["source"], part["part"]): part for part in _ok(client, "/api/v1/sources")["items"]}
    assert parts["payments", "payments.events/0"]["lag"] == 5_214
    assert "no broker answers" in parts["compliance", "compliance.checks/0"]["error"]
    assert parts["orders", "orders.events/0"]["silent_seconds"] > 0
    assert parts["orders", "push"]["rejected"] == 3


def test_accounts_add_up(client: TestClient[Litestar]) -> None:
    for account in _ok(client, "/api/v1/accounts")["items"]:
        kinds = ("matched", "redelivered", "late", "unmatched", "orphan", "rejected")
        assert account["records"] == sum(account[kind] for kind in kinds)


def test_dead_letters_say_why(client: TestClient[Litestar]) -> None:
    page = _ok(client, "/api/v1/notices/dead-letters", limit=2)
    assert len(page["items"]) == 2
    assert "410 Gone" in page["items"][0]["error"]
    assert len(_ok(client, "/api/v1/notices/dead-letters", limit=2, cursor=page["next"])["items"]) == 1


def test_dead_letters_are_delivered_after_all_and_that_is_audited() -> None:
    with serving() as world, client_of(world.app) as client:
        first, *others = [letter["number"] for letter in _ok(client, "/api/v1/notices/dead-letters")["items"]]
        redrive = "/api/v1/notices/dead-letters/redrive"
        assert client.post(redrive, json={"numbers": [first, "999999"]}).json() == {"redriven": 1}
        assert [letter["number"] for letter in _ok(client, "/api/v1/notices/dead-letters")["items"]] == others
        assert client.post(redrive, json={}).json() == {"redriven": len(others)}
        assert _ok(client, "/api/v1/notices/dead-letters")["items"] == []
        assert (
            _ok(client, "/api/v1/audit", limit=1)["items"][0]["what"]
            == f"redrive {len(others)} dead {'letter' if len(others) == 1 else 'letters'}"
        )


def test_a_replay_finds_nothing_new_and_is_audited(client: TestClient[Litestar]) -> None:
    period = {"from": "2026-11-01", "to": "2026-12-01T00:00Z"}
    replayed = client.post("/api/v1/replay", json=period).json()
    assert replayed["cases"] > 120
    assert (replayed["opened"], replayed["reopened"]) == (0, 0)
    period_told = "replay from 2026-11-01T00:00:00.000000Z to 2026-12-01T00:00:00.000000Z"
    done, begun = (entry["what"] for entry in _ok(client, "/api/v1/audit", limit=2)["items"])
    assert done == f"{period_told}: {replayed['cases']} {'case' if replayed['cases'] == 1 else 'cases'}, without 0 archived"
    assert begun == f"{period_told} begins"


def test_a_replay_for_which_there_is_little_memory_is_done_in_more_parts() -> None:
    with serving() as world, client_of(world.app) as client:
        period = {"from": "2026-11-01", "to": "2026-12-01"}
        whole = client.post("/api/v1/replay", json=period).json()
        world.memory.suffices = 7
        assert client.post("/api/v1/replay", json=period).json() == whole


@pytest.mark.parametrize(
    "body", [{"from": "2026-11-02", "to": "2026-11-01"}, {"from": "x", "to": "y"}, {"to": "2026-11-01"}, {}]
)
def test_a_replay_of_no_period_is_refused(client: TestClient[Litestar], body: dict[str, str]) -> None:
    _problem(client.post("/api/v1/replay", json=body), 400)


def test_a_replay_before_anything_was_judged_is_refused() -> None:
    from fakes.live_ledger import MemoryLedger

    with serving(ledger=MemoryLedger(), reaches=(), run=False) as world, client_of(world.app) as client:
        _problem(client.post("/api/v1/replay", json={"from": "2026-11-01", "to": "2026-11-02"}), 409)


def test_a_workflow_is_changed_while_it_runs(client: TestClient[Litestar]) -> None:
    changed = ORDER.replace("timeout: 7d", "timeout: 8d")
    response = client.put("/api/v1/workflows/order", content=changed)
    assert response.status_code == 200, response.text
    assert (response.json()["revision"], response.json()["by"]) == (3, "local")
    assert _ok(client, "/api/v1/workflows/order")["text"] == changed
    assert _ok(client, "/api/v1/audit", limit=1)["items"][0]["what"] == "adopt workflow order, revision 3"


def test_a_bad_workflow_is_refused_with_every_mistake_and_its_place_and_the_old_one_stays(
    client: TestClient[Litestar],
) -> None:
    bad = ORDER.replace("timeout: 7d", "timeout: 7").replace("within: 30m", "within: soon")
    problem = _problem(client.put("/api/v1/workflows/order", content=bad), 422)
    places = [(each["file"], each["line"]) for each in problem["problems"]]
    assert places == [
        ("order.yaml", 1 + bad[: bad.index("timeout: 7")].count("\n")),
        ("order.yaml", 1 + bad[: bad.index("within: soon")].count("\n")),
    ]
    assert all(each["column"] and each["message"] for each in problem["problems"])
    assert _ok(client, "/api/v1/workflows/order")["text"] == ORDER


def test_a_workflow_is_sent_to_its_own_address(client: TestClient[Litestar]) -> None:
    problem = _problem(client.put("/api/v1/workflows/other", content=ORDER), 422)
    assert "called order" in problem["problems"][0]["message"]
    _problem(client.put("/api/v1/workflows/order", content=b"\xff\xfe\x00"), 422)
    _problem(client.put("/api/v1/workflows/order", content=b"x: " + b"y" * 1_000_001), 413)


def test_a_workflow_that_somebody_else_has_changed_is_not_overwritten(client: TestClient[Litestar]) -> None:
    changed = ORDER.replace("timeout: 7d", "timeout: 8d")
    _problem(client.put("/api/v1/workflows/order", content=changed, headers={"If-Match": '"1"'}), 412)
    assert client.put("/api/v1/workflows/order", content=changed, headers={"If-Match": '"2"'}).status_code == 200
    _problem(client.put("/api/v1/workflows/order", content=changed, headers={"If-Match": "two"}), 400)


@pytest.mark.parametrize("path", ["/api/v1/findings", "/api/v1/incidents", "/api/v1/audit", "/api/v1/workflows/order/cases"])
def test_a_limit_or_cursor_that_makes_no_sense_is_refused(client: TestClient[Litestar], path: str) -> None:
    for parameters in ({"limit": 0}, {"limit": 501}, {"limit": "x"}, {"cursor": "not one"}, {"cursor": "x" * 2_001}):
        _problem(client.get(path, params=parameters), 400)


def test_an_address_with_nothing_at_it_is_not_found(client: TestClient[Litestar]) -> None:
    for path in ("/api/v1/nope", "/api/v2/status", "/api"):
        _problem(client.get(path), 404)
    _problem(client.delete("/api/v1/workflows/order"), 405)


def test_instants_have_six_places_and_say_utc(client: TestClient[Litestar]) -> None:
    row = _ok(client, "/api/v1/cases/123")
    for name in ("first", "last", "as_of"):
        assert len(row[name]) == 27
        assert instant_of(row[name]) <= NOW


def test_a_server_that_cannot_read_its_ledger_is_alive_but_not_ready() -> None:
    with serving(run=False) as world, client_of(world.app) as client:
        world.live.begin()
        assert client.get("/readyz").json() == {"ready": True}
        world.memory.failing = True
        assert "cannot be read" in _problem(client.get("/readyz"), 503)["detail"]
        assert client.get("/healthz").text == "ok\n"
        assert _problem(client.get("/api/v1/findings"), 503)["hint"] == "look at the disk"


def test_a_server_that_has_not_begun_is_not_ready_and_does_nothing_that_it_is_asked() -> None:
    from sagacity.web.settings import Settings

    with serving(Settings(answer_within=0.05), run=False) as world, client_of(world.app) as client:
        assert "starting" in _problem(client.get("/readyz"), 503)["detail"]
        problem = _problem(client.post(f"/api/v1/findings/{_finding(world)}/acknowledge"), 504)
        assert "nothing was changed" in problem["hint"]
        world.live.tick()
        assert world.ledger.finding(_finding(world)).state == "open"  # type: ignore[union-attr]


def test_metrics_tell_what_the_ledger_knows(world: Serving, client: TestClient[Litestar]) -> None:
    assert client.post("/ingest/orders", content=record("OrderPlaced", "m", NOW, {"order_id": "M"})).status_code == 202
    world.settle()
    text = client.get("/metrics").text
    for line in (
        'sagacity_records_total{outcome="rejected",source="orders",workflow="order"} 3.0',
        'sagacity_source_lag_records{part="payments.events/0",source="payments"} 5214.0',
        'sagacity_source_state{part="compliance.checks/0",source="compliance"} 2.0',
        "sagacity_notices_dead 3.0",
        "sagacity_notices_pending 2.0",
        "sagacity_records_taken_total 1.0",
    ):
        assert line in text
    assert 'sagacity_findings{state="open",workflow="order"}' in text
    assert 'sagacity_cases{status="violated",workflow="order"}' in text
    assert "sagacity_as_of_delay_seconds" in text
    assert "sagacity_round_seconds_count" in text
