"""The product service's settings: variables that begin with PRODUCT_."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from shop.chassis import parts
from shop.chassis.cache.settings import Caching, Redis

__all__ = ["Settings"]


class Settings(Struct, frozen=True, kw_only=True):
    http: parts.Http = parts.Http()
    rpc: parts.Rpc = parts.Rpc()
    database: parts.Database
    kafka: parts.Kafka
    redis: Redis
    cache: Caching = Caching()
    auth: parts.Access
    ids: parts.Ids = parts.Ids()
    keep_answers_for: parts.KeepAnswers = parts.KEEP_ANSWERS
    otlp: parts.Otlp = parts.Otlp()
    life: parts.Life = parts.Life()
    migrate_on_start: Annotated[bool, Meta(description="whether the database is brought up to date on start")] = False

    def problems(self) -> Iterator[tuple[str, str]]:
        """What is wrong beyond single values: the field's path, and why."""
        for node in self.redis.nodes:
            host, _, port = node.rpartition(":")
            if not host or not port.isdecimal() or not 0 < int(port) < 65536:
                yield "redis.nodes", f"{node!r} is no host:port"
