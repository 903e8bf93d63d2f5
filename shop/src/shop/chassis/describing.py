"""A service's description of its API: OpenAPI, with errors as they are answered here, not as the framework would."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from litestar import Request
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin

from shop.chassis.failures import ErrorBody

__all__ = ["Description", "may_answer"]

_ERROR = {
    "type": "object",
    "title": "Error",
    "required": ["error"],
    "properties": {
        "error": {"type": "string", "description": "what is the matter, in words"},
        "fields": {
            "type": "object",
            "description": "what is wrong with each field, by its path, such as items.0.quantity",
            "additionalProperties": {"type": "string"},
        },
    },
}
_ALWAYS = (400, 503)
_WITH_TOKEN = (401, 403)


class Description(JsonRenderPlugin):
    """Every answer that is an error has one shape, and those that any route may give are named with each."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return super().render(request, described(openapi_schema))


def may_answer(*statuses: int) -> dict[int, ResponseSpec]:
    """For a route's description: what it may answer beside success, and beside what every route may."""
    return {
        status: ResponseSpec(ErrorBody if status >= 400 else None, False, HTTPStatus(status).phrase) for status in statuses
    }


def described(schema: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI document with its errors put right; the one that is given stays as it is."""
    components = {**schema.get("components", {})}
    components["schemas"] = {**components.get("schemas", {}), "Error": _ERROR}
    paths = {
        path: {method: _operation(each) if isinstance(each, dict) else each for method, each in operations.items()}
        for path, operations in schema.get("paths", {}).items()
    }
    return {**schema, "paths": paths, "components": components}


def _operation(operation: dict[str, Any]) -> dict[str, Any]:
    responses = dict(operation.get("responses", {}))
    for status in (*_ALWAYS, *(_WITH_TOKEN if operation.get("security") else ())):
        responses.setdefault(str(status), {})
    for status in responses:
        if status.isdecimal() and int(status) >= 400:
            responses[status] = {
                "description": HTTPStatus(int(status)).phrase,
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            }
    return {**operation, "responses": responses}
