"""Any service's API against its own description: whatever is asked, fitting or not, is answered as it says, never with
5xx."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

__all__ = ["check_api", "operations"]

CHECKS = [not_a_server_error, response_schema_conformance, content_type_conformance, status_code_conformance]
_PATIENCE = 60.0


def operations(url: str, service: str, *, but: Collection[str] = ()) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """A service's description, and its operations as (path, method), but for some paths, such as those that never end."""
    document: dict[str, Any] = httpx.get(f"{url}/{service}/openapi.json", timeout=_PATIENCE).json()
    return document, [(path, method) for path, item in document["paths"].items() for method in item if path not in but]


def check_api(
    url: str, document: dict[str, Any], path: str, method: str, *, headers: Mapping[str, str] | None = None, many: int = 12
) -> None:
    """Ask an operation for many things that fit its description, and many that do not. Raises AssertionError with the
    request."""
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=url)
    operation = schema[path][method.upper()]
    modes = [GenerationMode.POSITIVE]
    if method != "get" or "{" not in path:  # any text may be asked for as an id
        modes.append(GenerationMode.NEGATIVE)
    for mode in modes:

        @settings(
            max_examples=many,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def answered(case: Any) -> None:
            case.call_and_validate(checks=CHECKS, headers=dict(headers or {}), timeout=_PATIENCE)

        answered()
