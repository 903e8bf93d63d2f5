"""The orchestrator's settings: variables that begin with ORCHESTRATOR_."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from shop.chassis import parts

__all__ = ["Settings"]


class Settings(Struct, frozen=True, kw_only=True):
    http: parts.Http = parts.Http()
    database: parts.Database
    kafka: parts.Kafka
    keep_for: parts.KeepFor = parts.KEEP_FOR
    otlp: parts.Otlp = parts.Otlp()
    life: parts.Life = parts.Life()
    migrate_on_start: Annotated[bool, Meta(description="whether the database is brought up to date on start")] = False
