"""Cases explained, their verdicts made by hand: two violated, one open."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from report_workflows import DAY, HOUR, MINUTE, START
from sagacity.reconcile.result import Explanation
from sagacity.workflow.model import Workflow
from sagacity.workflow.trace import Event, Value
from sagacity.workflow.verdict import CaseVerdict, Verdict, Violation
from sagacity.workflow.words.naming import names

__all__ = ["worst_cases"]


def _money(text: str) -> Mapping[str, Value]:
    return {"amount": Decimal(text), "amount.currency": "EUR"}


def _verdicts(
    workflow: Workflow, found: Mapping[str, tuple[Violation, ...]], pending: Mapping[str, int]
) -> tuple[Verdict, ...]:
    verdicts = []
    for name in names(workflow):
        violations, due = found.get(name, ()), pending.get(name)
        activations = max(len(violations), 0 if name.startswith(("nothing", "chain")) else 1)
        waiting = 1 if due is not None else 0
        verdicts.append(Verdict(name, activations, activations - len(violations) - waiting, waiting, violations, due))
    return tuple(verdicts)


def worst_cases(workflow: Workflow) -> tuple[Explanation, ...]:
    """Two violated cases and an open one, their verdicts made by hand."""
    at = START + 10 * HOUR
    first = (
        Event("OrderPlaced", at, 1, "ord-123", _money("4.50")),
        Event("FraudScoreComputed", at + 5 * MINUTE, 2, "fra-9"),
        Event("PaymentReceived", at + 27 * MINUTE, 1, "pay-123", _money("4.50")),
        Event("PaymentReceived", at + 28 * MINUTE, 2, "pay-124", _money("4.50")),
        Event("ItemReserved", at + 2 * HOUR),
        Event("ComplianceCheckDone", at + 20 * HOUR, 7, "com-1"),
        Event("OrderCancelled", at + 5 * DAY, 3, "can-1"),
    )
    missing = (
        Violation("missing", at + 27 * MINUTE + 3 * DAY, "PaymentReceived", at + 27 * MINUTE, "pay-123"),
        Violation("missing", at + 28 * MINUTE + 3 * DAY, "PaymentReceived", at + 28 * MINUTE, "pay-124"),
    )
    found: dict[str, tuple[Violation, ...]] = {
        "paid within 15m": (Violation("late", at + 15 * MINUTE, "OrderPlaced", at, "ord-123"),),
        "never paid twice": (Violation("duplicate", at + 28 * MINUTE),),
        "shipped within 3d": missing,
        "not overpaid": (Violation("mismatch", at + 5 * DAY),),
        "no unexpected event": (Violation("unexpected", at + 5 * MINUTE, "FraudScoreComputed", at + 5 * MINUTE, "fra-9"),),
    }
    later = START + 9 * DAY
    second = (
        Event("OrderPlaced", later, 5, "ord-788", _money("1250.00")),
        Event("ItemShipped", later + 4 * MINUTE),
        Event("PaymentReceived", later + 12 * MINUTE, 8, "pay-788", _money("1205.00")),
    )
    found_second: dict[str, tuple[Violation, ...]] = {
        "shipped only when paid": (
            Violation("out_of_order", later + 4 * MINUTE, "ItemShipped", later + 4 * MINUTE, f"{later}/0"),
        ),
        "paid what was ordered": (
            Violation("mismatch", later + 30 * DAY, "PaymentReceived", later + 12 * MINUTE, "pay-788"),
        ),
        "checked within 24h": (
            Violation("missing", later + 12 * MINUTE + DAY, "PaymentReceived", later + 12 * MINUTE, "pay-788"),
        ),
    }
    recent = START + 14 * DAY + 21 * HOUR
    third = (
        Event("OrderPlaced", recent, 5, "ord-999", _money("20.00")),
        Event("PaymentReceived", recent + 8 * MINUTE, 8, "pay-999", _money("20.00")),
    )
    return (
        Explanation("123", first, CaseVerdict(_verdicts(workflow, found, {}), True, at, at + 5 * DAY, 1)),
        Explanation("788", second, CaseVerdict(_verdicts(workflow, found_second, {}), False, later, later + 30 * DAY)),
        Explanation(
            "999",
            third,
            CaseVerdict(
                _verdicts(
                    workflow, {}, {"shipped within 3d": recent + 8 * MINUTE + 3 * DAY, "checked within 24h": recent + DAY}
                ),
                False,
                recent,
                recent + 30 * DAY,
            ),
        ),
    )
