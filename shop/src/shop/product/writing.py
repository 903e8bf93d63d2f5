"""What people may write: the forms of texts, numbers and headers that products and categories share."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from litestar.params import HeaderParameter, Parameter, PathParameter
from msgspec import Meta

from shop.chassis.ids import PublicId

__all__ = [
    "After", "Description", "IdInPath", "IfMatch", "IfNoneMatch", "Inventory", "Limit", "Name", "Price",
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
