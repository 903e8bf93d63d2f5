"""Workflows for reports to be drawn from: the order workflow, a small one, and large ones made by a seeded generator."""

from __future__ import annotations

import random

from sagacity.workflow.model import Assert, Capture, EventType, Expectation, Matches, Rule, Source, Workflow

__all__ = ["DAY", "HOUR", "MINUTE", "SECOND", "START", "large_workflow", "order_workflow", "small_workflow"]

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
START = 1_793_491_200 * SECOND  # 2026-11-01 00:00:00Z


def order_workflow() -> Workflow:
    """Orders from placement to delivery, over four sources, with expectations of every sort."""
    amount = Capture("amount", type="decimal", currency="currency", digits=12, scale=2)
    return Workflow(
        name="order",
        version="3",
        description="From placement to delivery.",
        owner="order-desk",
        keys=("order_id", "payment_id"),
        sources={
            "orders": Source(format="jsonl", type="type", time="time", id="id"),
            "payments": Source(format="parquet", type="kind", time="at", id="id"),
            "warehouse": Source(format="csv", type="event", time="ts", timezone="Europe/Berlin"),
            "compliance": Source(format="jsonl", type="type", time="time", id="id"),
        },
        events={
            "OrderPlaced": EventType("orders", capture={"amount": amount}),
            "PaymentReceived": EventType("payments", capture={"amount": amount}, owner="payments"),
            "ComplianceCheckDone": EventType("compliance", owner="risk"),
            "ItemReserved": EventType("warehouse", owner="logistics"),
            "ItemShipped": EventType("warehouse", owner="logistics"),
            "ItemDelivered": EventType("warehouse", owner="logistics"),
            "InvoiceIssued": EventType("payments", capture={"amount": amount}, owner="payments"),
            "OrderCancelled": EventType("orders"),
        },
        begins=("OrderPlaced",),
        ends=("ItemDelivered", "OrderCancelled"),
        timeout=30 * DAY,
        unexpected="forbid",
        expectations=(
            Rule(template="exactly", events=("OrderPlaced",), name="one order placed"),
            Rule(
                template="response",
                events=("OrderPlaced", "PaymentReceived"),
                within=15 * MINUTE,
                name="paid within 15m",
                severity="critical",
            ),
            Rule(
                template="responded_existence",
                events=("PaymentReceived", "OrderPlaced"),
                where="PaymentReceived.amount = OrderPlaced.amount",
                name="paid what was ordered",
                severity="critical",
            ),
            Rule(template="absence", events=("PaymentReceived",), n=2, name="never paid twice", severity="critical"),
            Rule(template="precedence", events=("PaymentReceived", "ItemShipped"), name="shipped only when paid"),
            Rule(template="response", events=("PaymentReceived", "ItemShipped"), within=3 * DAY, name="shipped within 3d"),
            Rule(
                template="response",
                events=("PaymentReceived", "ComplianceCheckDone"),
                within=24 * HOUR,
                name="checked within 24h",
                owner="risk",
            ),
            Rule(template="alternate_response", events=("ItemReserved", "ItemShipped"), severity="warning"),
            Rule(template="chain_response", events=("ItemShipped", "ItemDelivered"), severity="info"),
            Rule(
                template="not_co_existence", events=("OrderCancelled", "ItemShipped"), name="nothing shipped when cancelled"
            ),
            Matches(
                from_="PaymentReceived",
                to="InvoiceIssued",
                by=("payment_id", "payment_id"),
                amount=("amount", "amount"),
                tolerance="0.01",
                within=7 * DAY,
                name="each payment has its invoice",
            ),
            Assert(predicate="sum(PaymentReceived.amount) <= OrderPlaced.amount", name="not overpaid", severity="warning"),
        ),
    )


def large_workflow(size: int = 40, seed: int = 3) -> Workflow:
    """A fulfilment process of many event types, with branches, long edges and a way back."""
    rng = random.Random(seed)
    nouns = ("Order", "Payment", "Parcel", "Invoice", "Return", "Customs", "Label", "Stock", "Route", "Refund")
    verbs = ("Placed", "Checked", "Reserved", "Approved", "Packed", "Handed_Over", "Booked", "Closed", "Sent", "Archived")
    types = [f"{nouns[place % 10]}{verbs[(place // 10 + place) % 10]}" for place in range(size)]
    types = [f"{name}{place}" if types.count(name) > 1 else name for place, name in enumerate(types)]
    expectations: list[Expectation] = []
    for place in range(1, size):
        origin = rng.randint(max(0, place - 6), place - 1)
        template = rng.choice(("response", "precedence", "succession", "response", "alternate_response"))
        expectations.append(
            Rule(template=template, events=(types[origin], types[place]), within=rng.choice((None, HOUR, 3 * DAY)))
        )
        if rng.random() < 0.25:
            far = rng.randint(0, place - 1)
            expectations.append(
                Rule(template=rng.choice(("not_co_existence", "precedence")), events=(types[far], types[place]))
            )
    expectations.append(Rule(template="response", events=(types[size // 2], types[size // 4])))
    expectations.append(Rule(template="exactly", events=(types[0],)))
    return Workflow(
        name=f"fulfilment {size}",
        events={name: EventType(f"source{place % 5}") for place, name in enumerate(types)},
        begins=(types[0],),
        ends=(types[-1],),
        expectations=tuple(expectations),
    )


def small_workflow() -> Workflow:
    """Four event types, as in the everyday example."""
    return Workflow(
        name="order",
        events={
            name: EventType("orders") for name in ("OrderPlaced", "PaymentReceived", "ItemShipped", "ComplianceCheckDone")
        },
        expectations=(
            Rule(template="exactly", events=("OrderPlaced",)),
            Rule(template="exactly", events=("PaymentReceived",)),
            Rule(template="response", events=("OrderPlaced", "PaymentReceived"), within=15 * MINUTE),
            Rule(template="existence", events=("ItemShipped",)),
            Rule(template="precedence", events=("PaymentReceived", "ItemShipped")),
            Rule(template="response", events=("PaymentReceived", "ItemShipped"), within=3 * DAY),
            Rule(template="response", events=("PaymentReceived", "ComplianceCheckDone"), within=DAY),
        ),
    )
