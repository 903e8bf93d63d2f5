"""The storefront's settings: variables that begin with STOREFRONT_."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from shop.chassis import parts
from shop.storefront.links import wrong_with

__all__ = ["Settings"]


class Settings(Struct, frozen=True, kw_only=True):
    http: parts.Http = parts.Http()
    case_url: Annotated[
        str | None,
        Meta(
            description="where Sagacity shows a purchase's case, as http://host:8420/case?workflow=shop&case={purchase}; "
            "no link without"
        ),
    ] = None
    trace_url: Annotated[
        str | None,
        Meta(
            description="where a purchase's trace is shown, by its id as http://host:16686/trace/{trace}, or by {purchase}; "
            "no link without"
        ),
    ] = None
    otlp: parts.Otlp = parts.Otlp()
    life: parts.Life = parts.Life()

    def problems(self) -> Iterator[tuple[str, str]]:
        """What is wrong with the templates."""
        for name, template, known in (
            ("case_url", self.case_url, {"purchase"}),
            ("trace_url", self.trace_url, {"purchase", "trace"}),
        ):
            if template is not None and (why := wrong_with(template, known)):
                yield name, why
