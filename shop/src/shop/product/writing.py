"""What people may write: the forms of texts, numbers and headers that products and categories share."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, TypeAlias

from litestar.openapi.datastructures import ResponseSpec
from litestar.params import HeaderParameter, Parameter, PathParameter
from msgspec import Meta

from shop.chassis.failures import ErrorBody, Failure
from shop.chassis.ids import PublicId, from_public

__all__ = [
    "After", "Description", "IdInPath", "IfMatch", "IfNoneMatch", "Inventory", "Limit", "Name", "Price",
    "id_in_query", "may_answer",
]  # fmt: skip

_PLAIN = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"

Name: TypeAlias = Annotated[str, Meta(pattern=_PLAIN, max_length=200, description="a name", examples=["Green tea"])]
Description: TypeAlias = Annotated[
    str, Meta(pattern=r"^[^\x00]*$", max_length=10_000, description="a text", examples=["First flush"])
]
Price: TypeAlias = Annotated[int, Meta(ge=0, le=10_000_000_000, description="of one unit, in minor units", examples=[450])]
Inventory: TypeAlias = Annotated[int, Meta(ge=0, le=1_000_000_000, description="how many are left", examples=[1000])]

IdInPath: TypeAlias = Annotated[str, PathParameter(description="a 64-bit id, in digits")]
IfMatch: TypeAlias = Annotated[
    str | None,
    HeaderParameter(name="If-Match", description="change it only if it is still of this version, by its ETag; else 412"),
]
IfNoneMatch: TypeAlias = Annotated[
    str | None, HeaderParameter(name="If-None-Match", description="answer 304 if it is still of this version, by its ETag")
]
After: TypeAlias = Annotated[PublicId | None, Parameter(description="what `next` of the page before says")]
Limit: TypeAlias = Annotated[int, Parameter(ge=1, le=200, description="how many, at most")]


def may_answer(*statuses: int) -> dict[int, ResponseSpec]:
    """For a route's description: what it may answer beside success, and beside what every route may."""
    return {
        status: ResponseSpec(ErrorBody if status >= 400 else None, False, HTTPStatus(status).phrase) for status in statuses
    }


def id_in_query(name: str, text: str | None) -> int | None:
    """The id that a query names, None where it names none. Raises Failure 400 for what can be none."""
    if text is None:
        return None
    id = from_public(text)
    if id is None:
        raise Failure(400, "the request is not as it should be", {name: "is no id"})
    return id
