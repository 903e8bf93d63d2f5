"""Purchases from the customer's request to the warehouse, over real sockets, a real broker and real databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sagacity.testing.servers.kafka import Broker
from sagacity.testing.servers.postgres import PostgreSQL
from whole_shop import Shop, opened


@pytest.fixture(scope="module")
def shop(broker: Broker, postgres: PostgreSQL) -> Iterator[Shop]:
    with opened(broker, postgres) as running:
        running.wares.put({11: (450, 1000), 12: (1200, 1000), 13: (60_000, 10), 14: (100, 1)})
        yield running


def test_a_purchase_completes_and_everybody_has_their_part_of_it(shop: Shop) -> None:
    purchase = shop.ended(shop.buy((11, 4), (12, 5)))
    assert purchase["status"] == "SUCCESS"
    assert [step["result"] for step in purchase["steps"]] == ["SUCCESS"] * 3
