"""The law of cursors: following `next` visits each item once, in the same order as one large page, whatever the size."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar import Litestar
from litestar.testing import TestClient

from sagacity.web.limits import Rate
from sagacity.web.settings import Settings
from serving import client_of, serving

LISTS = ("findings", "incidents", "audit", "notices/dead-letters", "workflows/order/cases")
FAST = Rate(per_second=1e6, burst=10**6)


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient[Litestar]]:
    with serving(Settings(api_rate=FAST), run=False) as world, client_of(world.app) as made:
        yield made


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(path=st.sampled_from(LISTS), limit=st.integers(1, 200))
def test_pages_of_any_size_hold_every_item_once(client: TestClient[Litestar], path: str, limit: int) -> None:
    whole = client.get(f"/api/v1/{path}", params={"limit": 500}).json()
    assert whole["next"] is None
    found, cursor = [], None
    for _ in range(len(whole["items"]) + 2):
        parameters = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        page = client.get(f"/api/v1/{path}", params=parameters).json()
        assert len(page["items"]) <= limit
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    assert cursor is None
    assert found == whole["items"]


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(path=st.sampled_from(LISTS), cursor=st.text(max_size=60))
def test_a_cursor_that_is_none_is_refused_or_leads_somewhere(client: TestClient[Litestar], path: str, cursor: str) -> None:
    assert client.get(f"/api/v1/{path}", params={"cursor": cursor.encode("utf-8", "replace")}).status_code in (200, 400)
