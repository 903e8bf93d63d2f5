"""The API against its own description: whatever is asked, fitting or not, is answered as it says, and never with 5xx."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from fakes.live_ledger import MemoryLedger
from fakes.samples import fill
from sagacity.ledger.duckdb.live import DuckDBLiveLedger
from sagacity.ledger.live import LiveLedger
from sagacity.web.limits import Rate
from sagacity.web.settings import Settings
from serving import NOW, Serving, client_of, serving

FAST = Rate(per_second=1e6, burst=10**6)
CHECKS = [not_a_server_error, response_schema_conformance, status_code_conformance, content_type_conformance]
ENDLESS = ("/api/v1/changes",)


def _document() -> dict[str, Any]:
    with serving(ledger=MemoryLedger(), reaches=(), run=False) as world, client_of(world.app) as client:
        document: dict[str, Any] = client.get("/api/v1/openapi.json").json()
        return document


DOCUMENT = _document()
OPERATIONS = [(path, method) for path, item in DOCUMENT["paths"].items() for method in item if path not in ENDLESS]


@pytest.fixture(scope="module", params=["in memory", "in a file"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with ExitStack() as stack:
        ledger: LiveLedger | None = None
        if request.param == "in a file":
            kept = DuckDBLiveLedger(tmp_path_factory.mktemp("ledger"), memory="256MB", threads=1)
            stack.callback(kept.close)
            fill(kept, NOW, orders=20)
            ledger = kept
        yield stack.enter_context(serving(Settings(ingest_rate=FAST, api_rate=FAST), ledger=ledger))


def test_every_operation_says_what_it_is_for_and_how_it_fails() -> None:
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            said = f"{method} {path}"
            assert operation["summary"], said
            assert operation["description"], said
            assert operation["tags"], said
            if path not in ("/healthz", "/readyz", "/metrics"):
                problem = operation["responses"]["401"]["content"]
                assert list(problem) == ["application/problem+json"], said
            if method in ("post", "put") and not path.endswith(("acknowledge", "reopen")):
                (content, *_) = operation["requestBody"]["content"].values()
                assert content.get("examples") or content["schema"], said


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fitting", "not fitting"])
@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=[f"{method} {path}" for path, method in OPERATIONS])
def test_whatever_is_asked_is_answered_as_described(world: Serving, path: str, method: str, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    schema.app = world.app
    schema.config.update(base_url="http://localhost")
    operation = schema[path][method.upper()]

    @settings(
        max_examples=12,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def answered(case: Any) -> None:
        case.call_and_validate(checks=CHECKS)

    answered()
