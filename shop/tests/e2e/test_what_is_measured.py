"""What dashboards and alerts ask for is what services say of themselves: names, labels and values."""

from __future__ import annotations

import contextlib

from prometheus_questions import Exported, alerts, exported, queries, unanswered
from whole_shop import Shop
from wired_services import SERVICES

ELSEWHERE = "up|traefik_.*|sagacity_dead_letters"
"""Prometheus' own, the edge's, and what is only said where there are some."""


def measured(shop: Shop) -> Exported:
    found = []
    for service in SERVICES:
        with shop.client(service, customer=None) as client:
            found.append(client.get("/metrics").text)
    return exported(found)


def test_every_question_of_the_dashboard_and_the_alerts_is_answered_by_some_service(shop: Shop) -> None:
    shop.ended(shop.buy((11, 1)))
    with shop.client("product", customer=None) as client:
        client.get("/api/v1/products/12")
    shop.reprice(12, 1200)
    asked = [*queries("shop"), *alerts()]
    with contextlib.suppress(AssertionError):
        shop.eventually(lambda: not unanswered(asked, measured(shop), elsewhere=ELSEWHERE))
    assert unanswered(asked, measured(shop), elsewhere=ELSEWHERE) == []
