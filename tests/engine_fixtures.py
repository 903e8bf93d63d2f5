"""The engines of a history, each made ready once for a worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engines import ENGINES, Ground


@pytest.fixture(scope="session", params=list(ENGINES))
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    """An engine, ready for tests; each test that asks for it runs over all of them."""
    with ENGINES[request.param](request) as made:
        yield made
