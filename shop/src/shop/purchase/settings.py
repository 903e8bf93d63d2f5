"""The purchase service's settings: variables that begin with PURCHASE_."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from msgspec import Meta, Struct

from shop.chassis import parts
from shop.purchase.streams import StreamSettings

__all__ = ["ProductSettings", "Settings"]


class ProductSettings(Struct, frozen=True, kw_only=True):
    """Who is asked about products."""

    target: Annotated[str, Meta(description="the product service's gRPC, as host:port; through a proxy or not")]
    timeout: Annotated[timedelta, Meta(description="how long an answer is awaited, retries included")] = timedelta(seconds=2)


class Settings(Struct, frozen=True, kw_only=True):
    http: parts.Http = parts.Http()
    database: parts.Database
    kafka: parts.Kafka
    auth: parts.Access
    product: ProductSettings
    streams: StreamSettings = StreamSettings()
    ids: parts.Ids = parts.Ids()
    keep_for: parts.KeepFor = parts.KEEP_FOR
    otlp: parts.Otlp = parts.Otlp()
    life: parts.Life = parts.Life()
    migrate_on_start: Annotated[bool, Meta(description="whether the database is brought up to date on start")] = False
