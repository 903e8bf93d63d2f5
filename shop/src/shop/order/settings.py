"""The order service's settings: variables that begin with ORDER_."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from shop.chassis import parts
from shop.chassis.cache.settings import Caching, Redis

__all__ = ["Settings"]


class Settings(Struct, frozen=True, kw_only=True):
    http: parts.Http = parts.Http()
    database: parts.Database
    kafka: parts.Kafka
    auth: parts.Access
    redis: Redis = Redis(nodes=())
    cache: Caching = Caching()
    ids: parts.Ids = parts.Ids()
    keep_answers_for: parts.KeepAnswers = parts.KEEP_ANSWERS
    otlp: parts.Otlp = parts.Otlp()
    life: parts.Life = parts.Life()
    migrate_on_start: Annotated[bool, Meta(description="whether the database is brought up to date on start")] = False
