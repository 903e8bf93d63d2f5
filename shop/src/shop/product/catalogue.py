"""Products as everybody reads them: through the cache, as the JSON that they are shown as."""

from __future__ import annotations

from datetime import datetime

import msgspec
from prometheus_client import CollectorRegistry

from shop.chassis.cache import Cache, Kept, PostgresChanges
from shop.chassis.cache.settings import Caching, Redis
from shop.chassis.database import Pool
from shop.chassis.ids import PublicId, from_public, to_public
from shop.contracts.commands import Currency, Money
from shop.product import store
from shop.product.domain import Product

__all__ = ["FORM", "ProductBody", "body", "cached"]

FORM = "product:1"
"""What cached products are kept under. Another number for another form, so that programs of two versions, which run at the
same time while one is replaced by the other, do not read each other's."""


class ProductBody(msgspec.Struct, frozen=True, kw_only=True):
    """A product. `price` is that of one unit, in minor units of the currency; `inventory` is what is left. `version` counts
    every change and is the ETag; times are UTC."""

    id: PublicId
    name: str
    description: str
    brand_name: str
    category_id: PublicId | None
    price: Money
    currency: Currency
    inventory: int
    version: int
    created_at: datetime
    changed_at: datetime


def body(product: Product) -> ProductBody:
    """A product, as it is shown."""
    details = product.details
    return ProductBody(
        id=to_public(product.id),
        name=details.name,
        description=details.description,
        brand_name=details.brand_name,
        category_id=None if details.category_id is None else to_public(details.category_id),
        price=details.price,
        currency=details.currency,
        inventory=product.inventory,
        version=product.version,
        created_at=product.created_at,
        changed_at=product.changed_at,
    )


def cached(pool: Pool, redis: Redis, caching: Caching, registry: CollectorRegistry) -> Cache:
    """The cache of products, by their public ids; a value is a ProductBody in JSON."""

    async def load(key: str) -> Kept | None:
        id = from_public(key)
        if id is None:
            return None
        async with pool.connection() as connection:
            product = await store.find(connection, id)
        return None if product is None else Kept(product.version, msgspec.json.encode(body(product)))

    times = caching.times(redis)
    sweep = caching.sweep.total_seconds()
    changes = PostgresChanges(pool.url, store.CHANNEL, store.CHANGED_SINCE, lasting=times.remembered, sweep=sweep)
    password = None if redis.password is None else redis.password.reveal()
    return Cache(
        FORM,
        redis.nodes,
        load,
        store.KnownProducts(pool),
        changes,
        registry,
        password=password,
        most=caching.most,
        times=times,
    )
