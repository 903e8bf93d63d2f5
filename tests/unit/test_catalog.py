"""What documents say of event types, which of it is about the same one, and what is amiss."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import yaml

from sagacity.catalog.asyncapi import asyncapi_facts
from sagacity.catalog.entry import Entry
from sagacity.catalog.fact import Attribute, Fact, Seen
from sagacity.catalog.gaps import GAPS, gaps_of
from sagacity.catalog.merging import merged
from sagacity.catalog.part import Part, referred
from sagacity.catalog.schemas import attributes_of, schema_facts
from sagacity.catalog.workflows import workflow_facts
from sagacity.workflow.formats import complete
from sagacity.workflow.language.reader import loads

WORKFLOW = """
workflow: order
keys: order_id
owner: sales
sources: {log: {format: jsonl, key: data.order_id}}
events:
  OrderPlaced: {capture: {amount: data.amount as decimal}, owner: orders}
  PaymentReceived: {capture: {total: data.total as decimal}}
  Paid: {type: order.paid}
begins: OrderPlaced
expect: {PaymentReceived: "once, within 1h of OrderPlaced"}
rules: [{assert: sum(PaymentReceived.total) = OrderPlaced.amount}]
"""


def _part(text: str, **others: str) -> Part:
    documents: dict[str, Any] = {f"{name}.yaml": yaml.safe_load(each) for name, each in {"a": text, **others}.items()}
    return Part(documents, "a.yaml", documents["a.yaml"])


def _facts(text: str, **others: str) -> dict[str, Fact]:
    return {fact.names[0]: fact for fact in asyncapi_facts(_part(text, **others), "a.yaml")}


VERSION_2 = """
asyncapi: 2.6.0
info: {title: shop, contact: {email: shop@example.com}}
channels:
  orders:
    subscribe: {message: {oneOf: [{$ref: '#/components/messages/Placed'}, {messageId: Cancelled}]}}
  payments:
    publish: {message: {name: PaymentReceived, correlationId: {location: $message.payload#/order/id}}}
components:
  messages:
    Placed: {name: OrderPlaced, x-owner: orders, traits: [{headers: {properties: {ce_type: {const: com.shop.placed}}}}]}
    Refunded: {title: somebody got money back}
"""


def test_in_version_2_the_application_sends_what_others_can_subscribe_to() -> None:
    found = _facts(VERSION_2)
    assert set(found) == {"com.shop.placed", "Cancelled", "PaymentReceived", "Refunded"}
    placed, paid = found["com.shop.placed"], found["PaymentReceived"]
    assert (placed.names, placed.sent_by, placed.received_by) == (
        ("com.shop.placed", "OrderPlaced", "Placed"), ("shop",), (),
    )  # fmt: skip
    assert (paid.sent_by, paid.received_by, paid.channels, paid.keys) == ((), ("shop",), ("payments",), ("order.id",))
    assert found["Refunded"].sent_by == found["Refunded"].received_by == ()


def test_who_sends_answers_for_it_unless_the_message_says_otherwise() -> None:
    found = _facts(VERSION_2)
    assert found["com.shop.placed"].owners == ("orders",)
    assert found["Cancelled"].owners == ("shop@example.com",)
    assert found["PaymentReceived"].owners == ()


VERSION_3 = """
asyncapi: 3.0.0
info: {title: shop}
channels:
  o: {address: orders.v1, messages: {Placed: {$ref: 'b.yaml#/messages/Placed'}, Other: {payload: {type: object}}}}
  r: {messages: {Answer: {name: Answer}}}
operations:
  tell: {action: send, channel: {$ref: '#/channels/o'}, messages: [{$ref: '#/channels/o/messages/Placed'}],
         reply: {channel: {$ref: '#/channels/r'}}}
"""
MESSAGES = """
messages:
  Placed: {name: OrderPlaced, payload: {schemaFormat: application/schema+json, schema: {$ref: '#/schemas/Placed'}}}
schemas:
  Placed: {required: [id], properties: {id: {type: string, format: uuid}, lines: {items: {$ref: '#/schemas/Line'}}}}
  Line: {properties: {sku: {type: [string, 'null']}}}
"""


def test_in_version_3_operations_say_who_sends_and_who_gets_the_reply() -> None:
    found = _facts(VERSION_3, b=MESSAGES)
    placed, other, answer = found["OrderPlaced"], found["Other"], found["Answer"]
    assert (placed.sent_by, placed.channels) == (("shop",), ("orders.v1",))
    assert (other.sent_by, other.channels) == ((), ("orders.v1",))
    assert (answer.sent_by, answer.received_by, answer.channels) == ((), ("shop",), ("r",))


def test_fields_are_read_through_references_into_other_documents() -> None:
    assert _facts(VERSION_3, b=MESSAGES)["OrderPlaced"].attributes == (
        Attribute("id", "string (uuid)", True),
        Attribute("lines", "any", False),
        Attribute("lines[].sku", "string or null", False),
    )


def test_circles_and_references_to_nothing_end() -> None:
    text = "asyncapi: 3.0.0\nchannels: {a: {messages: {M: {$ref: '#/channels/a/messages/M'}, N: {$ref: 'no.yaml#/N'}}}}"
    assert _facts(text) == {}
    tree = "properties: {child: {$ref: '#'}, name: {type: string}}"
    assert [each.path for each in attributes_of(_part(tree))][:3] == ["child", "child.child", "child.child.child"]


def test_a_document_that_is_written_otherwise_than_it_should_be_says_nothing() -> None:
    for text in ("asyncapi: 3.0.0\nchannels: [1]\noperations: yes", "asyncapi: 2.0.0\nchannels: {a: {publish: 3}}"):
        assert _facts(text) == {}


def test_other_files_that_a_document_refers_to_are_found() -> None:
    tree = yaml.safe_load("a: [{$ref: '../x.yaml#/a'}, {$ref: '#/b'}, {$ref: 'https://example.com/y.json'}]")
    assert sorted(target for target, _ in referred(tree, "docs/a.yaml")) == ["https://example.com/y.json", "x.yaml"]


def test_fields_of_a_cloud_event_are_those_of_its_data() -> None:
    event = "properties: {specversion: {}, type: {const: Placed}, data: {properties: {amount: {type: number}}}}"
    (fact,) = schema_facts(_part(event), "schemas/order.v1.schema.json")
    assert fact.names == ("Placed", "order")
    assert [each.path for each in fact.attributes] == ["amount"]


def test_avro_fields_are_read() -> None:
    avro = "fields: [{name: id, type: string}, {name: at, type: {type: long, logicalType: timestamp-micros}}]"
    assert attributes_of(_part(avro)) == (
        Attribute("id", "string", True),
        Attribute("at", "long (timestamp-micros)", True),
    )


def test_a_workflow_tells_what_expects_an_event_what_keys_it_and_who_owns_it() -> None:
    facts = {fact.names[0]: fact for fact in workflow_facts(complete(loads(WORKFLOW)), "order.workflow.yaml")}
    placed, paid = facts["OrderPlaced"], facts["PaymentReceived"]
    assert set(facts) == {"OrderPlaced", "PaymentReceived", "order.paid"}
    assert (placed.owners, placed.keys, placed.reads) == (
        ("orders",), ("data.order_id",), ("data.order_id", "data.amount"),
    )  # fmt: skip
    assert len(paid.rules) == 3
    assert "begins with OrderPlaced" in placed.rules
    assert paid.owners == ("sales",)
    assert facts["order.paid"].rules == ()


def _named(*names: str, kind: Any = "asyncapi", **more: Any) -> Fact:
    return Fact(document=f"{kind}", kind=kind, names=names, **more)


def _seen(name: str) -> Fact:
    return _named(name, kind="events", seen=Seen(3, 1, 9))


def test_names_meet_that_are_spelt_alike_or_end_alike() -> None:
    facts = [_seen("com.shop.OrderPlaced.v1"), _named("order_placed"), _named("ORDER-PLACED", kind="schema")]
    (entry,) = merged(facts)
    assert (entry.name, entry.also) == ("com.shop.OrderPlaced.v1", ("order_placed", "ORDER-PLACED"))


def test_types_that_were_seen_are_never_taken_for_one() -> None:
    found = merged([_seen("OrderPlaced"), _seen("order_placed"), _named("order-placed"), _named("OrderPlaced")])
    assert [entry.name for entry in found] == ["order-placed", "order_placed", "OrderPlaced"]
    assert len(found[2].facts) == 2


def test_dotted_names_that_end_alike_are_different_event_types() -> None:
    facts = [
        _seen("order.created"),
        _named("payment.created", sent_by=("payments",)),
        Fact(document="invoices", kind="asyncapi", names=("invoice.created",), sent_by=("invoices",)),
        _named("refund.created", kind="workflow", rules=("once",)),
    ]
    assert [entry.name for entry in merged(facts)] == [
        "invoice.created", "order.created", "payment.created", "refund.created",
    ]  # fmt: skip
    assert _gaps(*facts)["never seen"] == ["invoice.created", "payment.created", "refund.created"]


def test_a_bare_name_that_two_dotted_ones_end_in_joins_neither() -> None:
    facts = [_named("Created", kind="workflow"), _seen("order.created"), _named("payment.created")]
    assert [entry.name for entry in merged(facts)] == ["Created", "order.created", "payment.created"]
    assert [entry.name for entry in merged(facts[:2])] == ["order.created"]


def test_a_name_meets_the_same_with_a_version_where_there_is_one() -> None:
    plain, first, second = _named("shop.order.placed"), _seen("shop.order.placed.v1"), _seen("shop.order.placed.v2")
    assert [entry.name for entry in merged([plain, first])] == ["shop.order.placed.v1"]
    assert len(merged([plain, first, second])) == 3


def test_second_names_that_are_alike_make_no_two_types_one() -> None:
    a = Fact(document="a", kind="asyncapi", names=("com.a.Created.v1", "Created"), sent_by=("a",))
    b = Fact(document="b", kind="asyncapi", names=("com.b.Issued.v1", "Created"), sent_by=("b",))
    assert [entry.sent_by for entry in merged([a, b])] == [("a",), ("b",)]
    assert len(merged([a, b, Fact(document="c", kind="workflow", names=("Created",))])) == 3
    assert [entry.name for entry in merged([a, Fact(document="c", kind="workflow", names=("Created",))])] == ["Created"]


def test_a_document_of_a_seen_type_joins_it_whatever_others_are_called_as_well() -> None:
    seen = [_seen("OrderPlaced"), _seen("com.x.OrderPlaced")]
    first = Fact(document="x", kind="asyncapi", names=("com.x.OrderPlaced", "OrderPlaced"))
    others = [Fact(document=name, kind="asyncapi", names=("OrderPlaced",)) for name in "yz"]
    found = {entry.name: len(entry.facts) for entry in merged([*seen, first, *others])}
    assert found == {"com.x.OrderPlaced": 2, "OrderPlaced": 3}


def test_the_order_of_documents_decides_nothing() -> None:
    facts = [
        _seen("order.created"),
        Fact(document="a", kind="asyncapi", names=("Created",)),
        Fact(document="b", kind="asyncapi", names=("payment.created", "Paid")),
        Fact(document="c", kind="asyncapi", names=("paid",)),
    ]
    told = {tuple(sorted(len(e.facts) for e in merged(order))) for order in itertools.permutations(facts)}
    assert told == {(1, 1, 2)}


def _gaps(*facts: Fact) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for gap in gaps_of(merged(facts)):
        found.setdefault(gap.kind, []).append(gap.name)
    return found


def test_what_is_amiss_is_told_by_kind() -> None:
    sent = _named("Sent", sent_by=("shop",))
    expected = _named("Expected", kind="workflow", rules=("once",))
    assert _gaps(sent, expected, _seen("Stray"), _seen("Sent")) == {
        "expected by nobody": ["Sent"],
        "owned by nobody": ["Expected"],
        "made by nobody": ["Expected"],
        "never seen": ["Expected"],
        "not declared": ["Stray"],
        "in no workflow": ["Sent", "Stray"],
    }


def test_what_was_not_given_is_not_missed() -> None:
    assert _gaps(_named("Sent", sent_by=("shop",))) == {}
    assert _gaps(_seen("Sent")) == {}
    assert _gaps(_named("Expected", kind="workflow", rules=("once",), owners=("orders",))) == {}


def test_a_field_or_key_that_the_document_does_not_have_is_told() -> None:
    paid = _named("Paid", keys=("orderId",), attributes=(Attribute("orderId", "", True), Attribute("total.net", "", True)))
    reads = {"kind": "workflow", "keys": ("data.order_id",), "reads": ("data.order_id", "data.total.net")}
    (keyed, field) = gaps_of(merged([paid, _named("Paid", **reads)]))
    assert (keyed.kind, field.kind) == ("keyed otherwise", "field not declared")
    assert "data.order_id" in field.sentence
    assert "data.total" not in field.sentence
    alike = {"kind": "workflow", "keys": ("data.orderId",), "reads": ("data.orderId",)}
    assert gaps_of(merged([paid, _named("Paid", **alike)])) == ()


def test_what_documents_cannot_tell_of_a_field_is_not_taken_for_a_gap() -> None:
    def told(*reads: str, attributes: tuple[Attribute, ...]) -> bool:
        return bool(gaps_of(merged([_named("Paid", attributes=attributes), _named("Paid", kind="workflow", reads=reads)])))

    total = Attribute("total.net", "number", True)
    assert told("value.payload.other", attributes=(total,))
    assert not told("value.payload.total.net", attributes=(total,))
    assert not told("subject", "source", attributes=(total,))
    assert told("data.subject", attributes=(total,))
    assert not told("data.total.net.cents", attributes=(Attribute("total", "object", True),))
    assert told("data.total.cents", attributes=(total, Attribute("total", "object", True)))
    assert told("data.total.cents", attributes=(Attribute("total", "number", True),))
    assert not told("data.lines[0].sku", attributes=(Attribute("lines[].sku", "string", True),))


def test_fields_are_known_however_many_and_however_deep() -> None:
    many = ", ".join(f"f{n}: {{type: string}}" for n in range(150))
    deep = "properties: {a: {properties: {b: {properties: {c: {properties: {d: {properties: {e: {}}}}}}}}}}"
    (wide,) = schema_facts(_part(f"properties: {{{many}}}"), "Paid.json")
    (high,) = schema_facts(_part(deep), "Paid.json")
    for fact, path in ((wide, "data.f140"), (high, "data.a.b.c.d.e")):
        assert gaps_of(merged([fact, _named("Paid", kind="workflow", reads=(path,))])) == ()
        assert gaps_of(merged([fact, _named("Paid", kind="workflow", reads=("data.x",))])) != ()


def test_what_is_seen_and_named_and_in_no_rule_is_expected_by_nobody() -> None:
    named = _named("Sent", kind="workflow")
    assert _gaps(named, _seen("Sent")) == {"expected by nobody": ["Sent"]}
    (gap,) = gaps_of(merged([named, _named("Sent", kind="events", seen=Seen(3, 1, 9), sent_by=("/shop",))]))
    assert gap.sentence == "/shop sends it, no workflow expects it, and nobody receives it"


def test_logs_add_up() -> None:
    other = Fact(document="b", kind="events", names=("Paid",), seen=Seen(4, None, None))
    (entry,) = merged([_seen("Paid"), other])
    assert isinstance(entry, Entry)
    assert entry.seen == Seen(7, 1, 9)


def test_the_page_about_catalogues_tells_each_kind_of_gap(project: Path) -> None:
    page = (project / "docs" / "catalog.md").read_text(encoding="utf-8")
    table = page.partition("<!-- gaps -->")[2].partition("<!-- /gaps -->")[0]
    assert dict(re.findall(r"^\| ([a-z ]+) \| (.+?) \|$", table, re.MULTILINE)[1:]) == GAPS
