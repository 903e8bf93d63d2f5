"""The settings of a cache, as parts of a service's settings."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from msgspec import Meta, Struct

from shop.chassis.cache.cache import Times
from shop.chassis.settings import Secret

__all__ = ["Caching", "Redis"]


class Redis(Struct, frozen=True, kw_only=True):
    """The Redis cluster."""

    nodes: Annotated[
        tuple[str, ...],
        Meta(description="some of the cluster's nodes, as host:port,host:port; the others are found by them"),
    ]
    password: Annotated[Secret | None, Meta(description="the cluster's password, where it has one")] = None
    timeout: Annotated[timedelta, Meta(description="how long one call may take; then it is done without")] = timedelta(
        milliseconds=250
    )


class Caching(Struct, frozen=True, kw_only=True):
    """How long what was read is kept. What has changed is dropped at once, whatever these say."""

    local: Annotated[timedelta, Meta(description="how long a value is kept within the process")] = timedelta(seconds=10)
    shared: Annotated[timedelta, Meta(description="how long a value is kept in Redis, less up to a fifth")] = timedelta(
        minutes=5
    )
    absent: Annotated[timedelta, Meta(description="how long it is kept in Redis that there is none")] = timedelta(seconds=30)
    filter: Annotated[timedelta, Meta(description="how long a filter is used until it is built anew")] = timedelta(hours=1)
    sweep: Annotated[
        timedelta,
        Meta(description="how often what has changed of late is asked for, should a node of Redis be lost"),
    ] = timedelta(seconds=5)
    most: Annotated[int, Meta(ge=1, description="how many values are kept within the process")] = 10_000

    def times(self, redis: Redis) -> Times:
        """The same in seconds."""
        return Times(
            local=self.local.total_seconds(),
            shared=self.shared.total_seconds(),
            absent_shared=self.absent.total_seconds(),
            filter=self.filter.total_seconds(),
            ask=redis.timeout.total_seconds(),
        )
