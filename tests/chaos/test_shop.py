"""Less than a minute of the campaign of the whole shop. More of it: `python -m tests.chaos.shop --seconds 300`."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagacity.testing.servers.kafka import broker_at_hand
from sagacity.testing.servers.postgres import postgres_at_hand
from sagacity.testing.servers.redis import redis_at_hand
from sagacity.testing.servers.traefik import traefik_at_hand

from .shop.campaign import campaign
from .shop.figures import shown

pytestmark = pytest.mark.chaos
_NEEDED = {"broker": broker_at_hand, "PostgreSQL": postgres_at_hand, "Redis": redis_at_hand, "Traefik": traefik_at_hand}


def test_the_whole_shop_under_faults_of_all_kinds_keeps_its_word_and_the_reconciler_tells_the_truth(tmp_path: Path) -> None:
    if missing := [name for name, at_hand in _NEEDED.items() if at_hand() is None]:
        pytest.skip(f"not at hand: {', '.join(missing)}")
    outcome = campaign(tmp_path, 45.0, 7, pause=2.25)
    print(shown(outcome))
    assert list(outcome.wrong) == []
    assert outcome.ends["SUCCESS"] > 0
    assert {"slow", "stall", "cut", "deafen", "again"} <= {kind for kind, _ in outcome.done}  # others wait for who is not up
