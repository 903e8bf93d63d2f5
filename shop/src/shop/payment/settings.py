"""The payment service's settings: variables that begin with PAYMENT_."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from msgspec import Meta, Struct

from shop.chassis import parts
from shop.chassis.cache.settings import Caching, Redis

__all__ = ["Rules", "Settings"]


class Rules(Struct, frozen=True, kw_only=True):
    """What the provider within the process declines. It moves no money: for demonstrations and tests. And how long any
    provider may be in doubt."""

    limit: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(description="the most that a payment may be, in minor units; none by default"),
    ] = None
    declined: Annotated[
        float, Meta(ge=0, le=1, description="the share of all other payments that is declined, from 0 to 1")
    ] = 0.0
    doubt: Annotated[
        timedelta,
        Meta(
            description="how long a charge may be without its payment until it is given back; longer than a purchase goes on"
            " asking for it, which is about a minute, and than a transaction can last, which is five",
            extra={"least": timedelta(minutes=6)},
        ),
    ] = timedelta(minutes=10)


class Settings(Struct, frozen=True, kw_only=True):
    http: parts.Http = parts.Http()
    database: parts.Database
    kafka: parts.Kafka
    auth: parts.Access
    provider: Rules = Rules()
    redis: Redis = Redis(nodes=())
    cache: Caching = Caching()
    ids: parts.Ids = parts.Ids()
    keep_answers_for: parts.KeepAnswers = parts.KEEP_ANSWERS
    otlp: parts.Otlp = parts.Otlp()
    life: parts.Life = parts.Life()
    migrate_on_start: Annotated[bool, Meta(description="whether the database is brought up to date on start")] = False
