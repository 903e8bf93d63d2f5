"""How routes are described in the OpenAPI document: errors, parameters, and bodies that are no JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import (
    Components,
    Example,
    License,
    OpenAPIMediaType,
    Operation,
    RequestBody,
    Schema,
    SecurityScheme,
)
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import QueryParameter
from litestar.router import Router

from sagacity.web.problem import MEDIA_TYPE, Problem

__all__ = ["Cursor", "Limit", "body", "errors", "openapi"]

Cursor: TypeAlias = Annotated[
    str | None, QueryParameter(description="`next` of the page before; the first page without it", max_length=2_000)
]
Limit: TypeAlias = Annotated[int, QueryParameter(description="how many at most", ge=1, le=500)]

_SAID: Mapping[int, str] = {
    400: "A parameter or body that makes no sense; `hint` says how to mend it.",
    401: "No token that the server knows.",
    403: "The token's roles do not allow it, or the request comes from another site.",
    404: "There is no such thing.",
    408: "The body did not come in time.",
    409: "The present state does not allow it.",
    412: "It has been changed in the meantime.",
    413: "The body is too large.",
    415: "A content encoding that is not understood.",
    421: "The Host header names no host of this server.",
    422: "The body cannot be read; `problems` lists a workflow's mistakes, as file, line and column.",
    429: "Too many requests; Retry-After says when to come again.",
    503: "The ledger or the queue is full, or the server is not ready; try again after Retry-After.",
    504: "The server did not come to it in time.",
}
_ALWAYS = (400, 401, 403, 408, 421, 429, 503)


def errors(*statuses: int) -> dict[int, ResponseSpec]:
    """The problems that a route may answer with: these, and those of every route."""
    return {
        status: ResponseSpec(Problem, generate_examples=False, description=_SAID[status], media_type=MEDIA_TYPE)
        for status in sorted({*statuses, *_ALWAYS})
    }


def body(description: str, contents: Mapping[str, str]) -> type[Operation]:
    """An operation with a body of one of several content types, each with an example."""
    media = {
        content_type: OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING), examples={"example": Example(value=example)})
        for content_type, example in contents.items()
    }

    @dataclass
    class WithBody(Operation):
        def __post_init__(self) -> None:
            self.request_body = RequestBody(content=dict(media), description=description, required=True)

    return WithBody


def openapi(version: str) -> OpenAPIConfig:
    """The OpenAPI document at `/api/v1/openapi.json`."""
    return OpenAPIConfig(
        title="Sagacity",
        version=version,
        description="Workflows, cases, findings and sources of a running `sagacity serve`. Instants are ISO 8601 in UTC, "
        "durations are seconds, ids are text. Errors are RFC 9457 problem details.",
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        components=Components(security_schemes={"token": SecurityScheme(type="http", scheme="bearer")}),
        security=[{"token": []}],
        use_handler_docstrings=True,
        openapi_router=Router("/api/v1/openapi.json", route_handlers=[], include_in_schema=False, opt={"need": None}),
        render_plugins=[JsonRenderPlugin(path="/")],
    )
