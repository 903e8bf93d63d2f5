"""Purchases from the customer's request to the warehouse, over real sockets, a real broker and real databases."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

import msgspec
import pytest

from api_checks import check_api, operations
from auditing import audited_databases, audited_events
from sagacity.messaging import Envelope
from shop.contracts import topics
from whole_shop import PATIENCE, Shop
from wired_services import FAULT_TOKEN, LOOKED_FOR, SERVICES, expired_token

STEPS = ["UPDATE_PRODUCT_INVENTORY", "CREATE_ORDER", "CREATE_PAYMENT"]


def told(shop: Shop, purchase: str) -> list[str]:
    """The domain events of a purchase, by type."""
    return [each.type for each in shop.published(topics.SHOP_EVENTS, {purchase})]


def has(shop: Shop, purchase: str, event: str) -> bool:
    return event in told(shop, purchase)


def shipped(shop: Shop, purchase: str) -> bool:
    return {"ItemShipped", "ComplianceCheckDone"} <= set(told(shop, purchase))


def test_a_purchase_completes_and_everybody_has_their_part_of_it(shop: Shop) -> None:
    """Defect 9: the answer was an empty 200 without an id, and nothing told the result."""
    before = shop.left(11)
    id = shop.buy((11, 4), (12, 5))
    events = shop.followed(id)
    assert events[-1][1:] == ("result", {**events[-1][2], "purchase_id": id, "result": "SUCCESS", "reason": None})
    steps = [(data["step"], data["result"]) for _, type, data in events if type == "step"]
    assert {step for step, result in steps if result == "SUCCESS"} == set(STEPS)
    assert [step for step, result in steps if result == "EXECUTE"] == STEPS
    purchase = shop.ended(id)
    assert (purchase["status"], purchase["quoted"]) == ("SUCCESS", 4 * 450 + 5 * 1200)
    assert [step["result"] for step in purchase["steps"]] == ["SUCCESS"] * 3
    assert shop.left(11) == before - 4
    assert shop.rows("payment", "select amount, status from payments where purchase_id = %s", int(id)) == [
        (7800, "RECEIVED")
    ]
    shop.eventually(lambda: shipped(shop, id))
    assert sorted(told(shop, id)) == sorted(
        ["OrderPlaced", "InventoryReserved", "OrderCreated", "PaymentReceived", "ItemShipped", "ComplianceCheckDone"]
    )


def test_a_declined_payment_is_undone_wholly_and_in_reverse_order(shop: Shop) -> None:
    """Defects 1 and 3: a rollback crashed a service and looped; rollbacks were sent at once, and nobody awaited them."""
    before = shop.left(13), shop.left(11)
    purchase = shop.ended(id := shop.buy((13, 1), (11, 1)))
    assert purchase["status"] == "FAILED"
    assert "above the limit" in purchase["reason"]
    assert [step["result"] for step in purchase["steps"]] == ["ROLLBACK", "ROLLBACK", "FAILED"]
    assert (shop.left(13), shop.left(11)) == before
    assert shop.rows("order", "select status from orders where purchase_id = %s", int(id)) == [("CANCELLED",)]
    assert shop.rows("payment", "select * from payments where purchase_id = %s", int(id)) == []
    rolled = [data["step"] for _, type, data in shop.followed(id) if type == "step" and data["result"] == "ROLLBACK"]
    assert rolled == ["CREATE_ORDER", "UPDATE_PRODUCT_INVENTORY"]
    assert shop.published(topics.ROLLBACK_PAYMENT, {id}) == []
    assert {"OrderCancelled", "InventoryReleased"} <= set(told(shop, id))


def test_what_is_redelivered_changes_nothing(shop: Shop) -> None:
    """Defect 5: a command that came twice turned a good purchase into a failed one."""
    id = shop.buy((11, 2))
    shop.ended(id)
    left = shop.left(11)
    readers = {
        topics.PURCHASE: "orchestrator", topics.UPDATE_PRODUCT_INVENTORY: "product", topics.CREATE_ORDER: "order",
        topics.CREATE_PAYMENT: "payment", topics.REPLY: "orchestrator", topics.PURCHASE_RESULT: "purchase",
        topics.SHOP_EVENTS: "warehouse",
    }  # fmt: skip
    for topic, service in readers.items():
        shop.publish(topic, *shop.published(topic, {id}))
        shop.caught_up(service, topic)
    for topic in (topics.REPLY, topics.PURCHASE_RESULT):
        shop.caught_up(readers[topic], topic)
    assert shop.ended(id)["status"] == "SUCCESS"
    assert shop.left(11) == left
    assert shop.rows("order", "select count(*) from orders where purchase_id = %s", int(id)) == [(1,)]
    assert shop.rows("payment", "select status from payments where purchase_id = %s", int(id)) == [("RECEIVED",)]
    assert shop.rows("warehouse", "select count(*) from shipments where purchase_id = %s", int(id)) == [(1,)]
    numbers = [number for number, _, _ in shop.followed(id)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) == 7


def test_every_message_is_keyed_by_its_purchase_and_is_one_trace_of_it(shop: Shop) -> None:
    """Defect 6: messages had no key."""
    id = shop.buy((11, 1))
    shop.ended(id)
    for topic in (topics.PURCHASE, topics.CREATE_ORDER, topics.REPLY, topics.PURCHASE_RESULT, topics.SHOP_EVENTS):
        found = shop.published(topic, {id})
        assert found, topic
        assert {each.correlation_id for each in found} == {id}, topic


def test_an_order_shows_what_was_bought_at_the_price_of_then(shop: Shop) -> None:
    """Defect 13: orders showed quantity 0 and today's price; one that was missing crashed the service."""
    shop.ended(shop.buy((11, 1)))
    id = shop.buy((12, 3))
    shop.ended(id)
    [(order,)] = shop.rows("order", "select id from orders where purchase_id = %s", int(id))
    shop.reprice(12, 9900)
    with shop.client("order") as client:
        found = client.get(f"/api/v1/orders/{order}").json()
        assert found["items"] == [{"product_id": "12", "quantity": 3, "price": 1200}]
        assert (found["id"], found["amount"], found["currency"]) == (str(order), 3600, "USD")
        newest = client.get("/api/v1/orders", params={"limit": 1}).json()
        assert newest["orders"] == [found]
        following = client.get("/api/v1/orders", params={"limit": 1, "after": newest["next"]}).json()
        assert following["orders"][0]["id"] < found["id"]
        astray = client.get("/api/v1/orders", params={"after": "9" * 19})
        assert (astray.status_code, astray.json()["fields"]) == (400, {"after": "is no id"})
        for absent in ("17", "no-number", "9" * 30):
            answer = client.get(f"/api/v1/orders/{absent}")
            assert (answer.status_code, answer.json()) == (404, {"error": "there is no such order"})
    shop.reprice(12, 1200)


def test_what_is_somebody_elses_is_refused_and_so_is_who_has_no_good_token(shop: Shop) -> None:
    """Defect 14: a short Authorization header crashed the service, and expired tokens were not known as such."""
    id = shop.buy((11, 1))
    shop.ended(id)
    [(order,)] = shop.rows("order", "select id from orders where purchase_id = %s", int(id))
    [(payment,)] = shop.rows("payment", "select id from payments where purchase_id = %s", int(id))
    paths = {
        "purchase": (f"/api/v1/purchases/{id}", f"/api/v1/purchases/{id}/events"),
        "order": (f"/api/v1/orders/{order}",),
        "payment": (f"/api/v1/payments/{payment}",),
    }
    for service, addresses in paths.items():
        for address in addresses:
            with shop.client(service, customer=4) as client:
                assert client.get(address).status_code == 403
            with shop.client(service, customer=None) as client:
                assert client.get(address).status_code == 401
                for header in ("Bearer", "x", "", "Bearer nonsense", "Basic abc"):
                    assert client.get(address, headers={"Authorization": header}).status_code == 401
                expired = client.get(address, headers={"Authorization": f"Bearer {expired_token(3)}"})
                assert (expired.status_code, "expired" in expired.json()["error"]) == (401, True)
    with shop.client("purchase", customer=None) as client:
        body = {"items": [{"product_id": "11", "quantity": 1}], "currency": "USD"}
        assert client.post("/api/v1/purchases", json=body).status_code == 401
    with shop.client("payment") as client:
        found = client.get(f"/api/v1/payments/{payment}").json()
        assert (found["amount"], found["status"], found["order_id"]) == (450, "RECEIVED", str(order))
        assert client.get("/api/v1/payments/17").status_code == 404
        assert client.get("/api/v1/payments", params={"purchase_id": id}).json() == {"payments": [found]}
        assert client.get("/api/v1/payments", params={"purchase_id": "17"}).json() == {"payments": []}
    with shop.client("payment", customer=4) as client:
        assert client.get("/api/v1/payments", params={"purchase_id": id}).json() == {"payments": []}
    with shop.client("order", customer=4) as client:
        assert client.get("/api/v1/orders").json() == {"orders": [], "next": None}


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        ({}, 400, {"items": "is missing", "currency": "is missing"}),
        ({"items": [], "currency": "USD"}, 400, {"items": "must have at least 1 entries"}),
        ({"currency": "USD"}, 400, {"items": "is missing"}),
        (
            {"items": [{"product_id": "11", "quantity": 0}], "currency": "USD"},
            400,
            {"items.0.quantity": "must be at least 1"},
        ),
        (
            {"items": [{"product_id": "11", "quantity": 1}, {"product_id": "99", "quantity": 1}], "currency": "USD"},
            422,
            {"items.1.product_id": "there is no such product"},
        ),
        (
            {"items": [{"product_id": "14", "quantity": 2}], "currency": "USD"},
            422,
            {"items.0.quantity": "there are not 2 of it left"},
        ),
        (
            {"items": [{"product_id": "14", "quantity": 1}, {"product_id": "14", "quantity": 1}], "currency": "USD"},
            422,
            {"items.0.quantity": "there are not 2 of it left"},
        ),
        (
            {"items": [{"product_id": "11", "quantity": 1}], "currency": "EUR"},
            422,
            {"currency": "product 11 is sold in USD"},
        ),
    ],
)
def test_what_cannot_be_bought_is_refused_with_the_reason(
    shop: Shop, body: dict[str, object], status: int, fields: dict[str, str]
) -> None:
    """Defects 11 and 14: "not enough" said "not found"; a body without its parts was answered by 500."""
    with shop.client("purchase") as client:
        answer = client.post("/api/v1/purchases", json=body)
    assert (answer.status_code, answer.json().get("fields")) == (status, fields)


def test_a_product_that_is_listed_twice_is_bought_as_often_as_both_say(shop: Shop) -> None:
    """Defect 11: a product that was listed twice broke the purchase."""
    id = shop.buy((11, 1), (12, 1), (11, 2))
    purchase = shop.ended(id)
    assert purchase["status"] == "SUCCESS"
    assert purchase["items"] == [{"product_id": "11", "quantity": 3}, {"product_id": "12", "quantity": 1}]


def test_an_idempotency_key_stands_for_one_purchase(shop: Shop) -> None:
    first = shop.buy((11, 1), key="k-1")
    assert shop.buy((11, 1), key="k-1") == first
    assert shop.buy((11, 1), key="k-1", customer=4) != first
    with shop.client("purchase") as client:
        body = {"items": [{"product_id": "11", "quantity": 2}], "currency": "USD"}
        answer = client.post("/api/v1/purchases", json=body, headers={"Idempotency-Key": "k-1"})
        assert answer.status_code == 422
        assert "Idempotency-Key" in answer.json()["fields"]
    assert shop.ended(first)["status"] == "SUCCESS"


def test_of_many_at_once_with_one_key_one_purchase_is_made(shop: Shop) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(shop.buy((11, 1), key="race"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    [(many,)] = shop.rows("purchase", "select count(*) from purchase_keys where key = 'race'")
    assert many == 1
    shop.ended(found[0])


def test_any_replica_tells_any_purchase_and_goes_on_where_a_browser_left_off(shop: Shop) -> None:
    id = shop.buy((11, 1))
    there = shop.followed(id, replica=1)
    assert shop.followed(id, replica=0) == there
    assert shop.followed(id, last=4) == there[4:]
    with shop.client("purchase") as client:
        seen = client.get(f"/api/v1/purchases/{id}/events", headers={"Last-Event-ID": str(len(there))})
        assert (seen.status_code, seen.content) == (204, b"")
        wrong = client.get(f"/api/v1/purchases/{id}/events", headers={"Last-Event-ID": "last"})
        assert wrong.status_code == 400


def test_what_cannot_be_read_is_kept_and_told_of_and_holds_nobody_up(shop: Shop) -> None:
    """Defect 6: unreadable messages vanished."""
    before = len(shop.published(topics.DEAD_LETTER))
    shop.publish(
        topics.PURCHASE_RESULT,
        Envelope(id="odd", type="PurchaseEnded", source="/test", time=1, key="1", data=b'{"purchase_id": "1"}'),
    )
    unknown = {"purchase_id": "1", "result": "SUCCESS", "time": 1, "reason": None}
    shop.publish(
        topics.PURCHASE_RESULT,
        Envelope(id="unknown", type="PurchaseEnded", source="/test", time=1, key="1", data=msgspec.json.encode(unknown)),
    )
    shop.caught_up("purchase", topics.PURCHASE_RESULT)
    reasons = [reason for (reason,) in shop.rows("purchase", "select reason from sagacity.dead_letters order by id")]
    assert ["is not as its handler expects" in reasons[0], "there is no purchase 1" in reasons[1]] == [True, True]
    shop.eventually(lambda: len(shop.published(topics.DEAD_LETTER)) == before + 2)
    assert shop.ended(shop.buy((11, 1)))["status"] == "SUCCESS"


def test_nothing_in_an_idle_purchase_waits_to_be_looked_for(shop: Shop) -> None:
    """Defect 15: about 13 seconds for an idle purchase, since each publish waited out a timer. Here relays look into their
    outboxes, and streams for what is new, once in an hour, unless they are told: so each is told at once."""
    assert LOOKED_FOR >= 10 * PATIENCE
    id = shop.buy((11, 1))
    assert shop.followed(id)[-1][1] == "result"
    shop.eventually(lambda: shipped(shop, id))


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_tells_its_health_its_readiness_and_what_it_has_measured(shop: Shop, service: str) -> None:
    with shop.client(service, customer=None) as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        assert client.get("/readyz").json()["ready"] is True
        assert "shop_" in client.get("/metrics").text


_ONE = "/api/v1/purchases/{purchase_id}"
OPERATIONS = {
    "order": [("/api/v1/orders", "get"), ("/api/v1/orders/{order_id}", "get")],
    "payment": [("/api/v1/payments", "get"), ("/api/v1/payments/{payment_id}", "get")],
    "purchase": [("/api/v1/purchases", "post"), (_ONE, "get"), (f"{_ONE}/events", "get")],
}


@pytest.mark.parametrize("service", ["order", "payment", "purchase", "orchestrator", "warehouse", "compliance"])
def test_a_services_description_has_every_call_and_each_of_them_needs_a_token(shop: Shop, service: str) -> None:
    document, described = operations(shop.url(service), service)
    assert sorted(described) == sorted(OPERATIONS.get(service, []))
    for path, method in described:
        operation = document["paths"][path][method]
        assert {"summary", "security"} <= set(operation)
        assert ("404" in operation["responses"]) == ("{" in path)


@pytest.mark.parametrize(
    ("service", "path", "method"), [(service, *each) for service, found in OPERATIONS.items() for each in found]
)
def test_whatever_is_asked_is_answered_as_described(shop: Shop, service: str, path: str, method: str) -> None:
    document, _ = operations(shop.url(service), service)
    check_api(shop.url(service), document, path, method, headers={"Authorization": f"Bearer {shop.token(3)}"}, many=8)


def test_what_is_told_of_a_purchase_comes_as_described(shop: Shop) -> None:
    id = shop.buy((11, 1))
    document, _ = operations(shop.url("purchase"), "purchase")
    described = document["paths"][f"{_ONE}/events"]["get"]["responses"]
    assert set(described["200"]["content"]) == {"text/event-stream"}
    assert {"204", "404"} <= set(described)
    with shop.client("purchase") as client, client.stream("GET", f"/api/v1/purchases/{id}/events") as answer:
        assert answer.headers["content-type"].partition(";")[0] == "text/event-stream"


def switch(shop: Shop, service: str, **rates: float) -> None:
    with shop.client(service, customer=None) as client:
        answer = client.put("/faults", json=rates, headers={"Authorization": f"Bearer {FAULT_TOKEN}"})
    assert answer.status_code == 200, answer.text


FAULTS = {
    ("warehouse", "drop"): "shipped in time",
    ("warehouse", "delay"): "shipped in time",
    ("warehouse", "duplicate"): "ItemShipped at most once",
    ("warehouse", "wrong_amount"): "ItemShipped.amount = PaymentReceived.amount",
    ("compliance", "drop"): "checked in time",
    ("compliance", "wrong_amount"): "ComplianceCheckDone.amount = PaymentReceived.amount",
}


def test_the_audit_finds_each_fault_that_is_planted_and_nothing_where_nothing_is_wrong(shop: Shop, tmp_path: Path) -> None:
    good, declined = shop.buy((11, 1), (12, 2)), shop.buy((13, 2))
    shop.eventually(lambda: shipped(shop, good))
    planted: dict[str, str] = {}
    for (service, fault), expectation in FAULTS.items():
        switch(shop, service, **{fault: 1.0})
        try:
            id = shop.buy((11, 1))
            shop.ended(id)
            shop.eventually(partial(has, shop, id, "PaymentReceived"))
            shop.caught_up(service, topics.SHOP_EVENTS)
        finally:
            switch(shop, service)
        planted[id] = expectation
    shop.ended(declined)
    twice = list(planted)[list(FAULTS).index(("warehouse", "duplicate"))]
    shop.eventually(lambda: told(shop, twice).count("ItemShipped") == 2)
    for id, (service, _) in zip(planted, FAULTS, strict=True):
        other = "ItemShipped" if service == "compliance" else "ComplianceCheckDone"
        shop.eventually(partial(has, shop, id, other))
    result = audited_events(shop, {good, declined, *planted}, tmp_path)
    assert {(each.case, each.expectation) for each in result.findings} == set(planted.items())
    assert (result.cases.total, sum(account.orphan for account in result.accounts)) == (2 + len(FAULTS), 0)


def test_faults_are_switched_with_the_token_from_this_machine_alone(shop: Shop) -> None:
    with shop.client("warehouse", customer=None) as client:
        assert client.get("/faults").status_code == 401
        assert client.put("/faults", json={"drop": 1.0}, headers={"Authorization": "Bearer wrong"}).status_code == 401
        good = {"Authorization": f"Bearer {FAULT_TOKEN}"}
        assert client.put("/faults", json={"drop": 1.0}, headers={**good, "X-Forwarded-For": "10.0.0.1"}).status_code == 403
        assert client.put("/faults", json={"drop": 2.0}, headers=good).json()["fields"] == {"drop": "must be at most 1.0"}
        assert client.get("/faults", headers=good).json()["drop"] == 0.0


def test_the_databases_agree_and_where_they_do_not_it_is_found(shop: Shop) -> None:
    id = shop.buy((11, 1))
    shop.ended(id)
    shop.eventually(lambda: shipped(shop, id))
    named = {each.expectation for each in audited_databases(shop).findings if each.case == id}
    assert named == set()
    shop.rows("payment", "update payments set amount = amount + 1 where purchase_id = %s returning 1", int(id))
    try:
        named = {each.expectation for each in audited_databases(shop).findings if each.case == id}
    finally:
        shop.rows("payment", "update payments set amount = amount - 1 where purchase_id = %s returning 1", int(id))
    assert "what was paid is what was ordered" in named
