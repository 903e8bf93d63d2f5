"""A purchase is one trace, through HTTP, gRPC and every topic: by what messages say, and by the spans of each service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from opentelemetry.sdk.trace import ReadableSpan

from sagacity.correlation import TraceParent
from sagacity.messaging import Envelope
from shop.contracts import topics
from whole_shop import Shop

COMPLETED: Mapping[str, set[str]] = {
    "purchase": {"POST /api/v1/purchases", "process PurchaseStepChanged", "process PurchaseEnded"},
    "account": {"auth.AuthService/Auth"},
    "product": {"product.ProductService/CheckProducts", "UpdateProductInventory"},
    "order": {"CreateOrder"},
    "payment": {"CreatePayment"},
    "orchestrator": {
        "start purchase", "purchase", "purchase UPDATE_PRODUCT_INVENTORY", "purchase CREATE_ORDER",
        "purchase CREATE_PAYMENT",
    },
    "warehouse": {"process PaymentReceived"},
    "compliance": {"process PaymentReceived"},
}  # fmt: skip
DECLINED: Mapping[str, set[str]] = {
    "product": {"UpdateProductInventory", "RollbackProductInventory"},
    "order": {"CreateOrder", "RollbackOrder"},
    "orchestrator": {
        "start purchase", "purchase UPDATE_PRODUCT_INVENTORY", "purchase CREATE_ORDER", "purchase CREATE_PAYMENT",
        "undo purchase CREATE_ORDER", "undo purchase UPDATE_PRODUCT_INVENTORY", "purchase",
    },
    "warehouse": set(),
}  # fmt: skip
FORWARD = (
    topics.PURCHASE, topics.UPDATE_PRODUCT_INVENTORY, topics.CREATE_ORDER, topics.CREATE_PAYMENT, topics.REPLY,
    topics.PURCHASE_RESULT, topics.SHOP_EVENTS, topics.SAGA_EVENTS,
)  # fmt: skip
BACK = (topics.ROLLBACK_ORDER, topics.ROLLBACK_PRODUCT_INVENTORY)


def correlated(shop: Shop, topic: str, purchase: str) -> list[Envelope]:
    """The messages of a topic that are about a purchase, by what they say themselves."""
    return [each for each in shop.published(topic) if each.correlation_id == purchase]


def trace_of(shop: Shop, purchase: str, through: Sequence[str]) -> str:
    """The one trace that all messages about a purchase are of. Each of these topics must have some."""
    traces: dict[str, set[str]] = {}
    for topic in through:
        found = correlated(shop, topic, purchase)
        parents = [TraceParent.parse(each.traceparent or "") for each in found]
        assert {each.key for each in found} == {purchase}, topic
        traces[topic] = {"none" if parent is None else parent.trace_id for parent in parents}
    [trace] = set.union(*traces.values())
    assert trace != "none", traces
    return trace


def spans(shop: Shop, trace: str) -> dict[str, list[ReadableSpan]]:
    """The spans of a trace, by service."""
    return {
        service: [each for each in exporter.get_finished_spans() if f"{each.context.trace_id:032x}" == trace]
        for service, exporter in shop.spans.items()
    }


def names(shop: Shop, trace: str) -> dict[str, set[str]]:
    return {service: {each.name for each in found} for service, found in spans(shop, trace).items()}


def test_a_purchase_is_one_trace_over_all_topics_and_services(shop: Shop) -> None:
    id = shop.buy((11, 1))
    shop.ended(id)
    shop.eventually(
        lambda: {"ItemShipped", "ComplianceCheckDone"} <= {e.type for e in shop.published(topics.SHOP_EVENTS, {id})}
    )
    trace = trace_of(shop, id, FORWARD)
    shop.eventually(lambda: all(wanted <= names(shop, trace)[service] for service, wanted in COMPLETED.items()))
    found = [each for of_service in spans(shop, trace).values() for each in of_service]
    own = {each.context.span_id for each in found}
    roots = [each.name for each in found if each.parent is None or each.parent.span_id not in own]
    assert roots == ["POST /api/v1/purchases"]


def test_a_purchase_that_turns_back_is_one_trace_too(shop: Shop) -> None:
    id = shop.buy((13, 1), (11, 1))
    assert shop.ended(id)["status"] == "FAILED"
    trace = trace_of(shop, id, (*FORWARD, *BACK))
    shop.eventually(lambda: all(wanted <= names(shop, trace)[service] for service, wanted in DECLINED.items()))
    assert names(shop, trace)["warehouse"] == set()
    [failed] = [each for each in spans(shop, trace)["orchestrator"] if each.name == "purchase CREATE_PAYMENT"]
    assert not failed.status.is_ok
    assert "above the limit" in (failed.status.description or "")
