"""The product service over gRPC: what there is, and whether it is enough."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import grpc
import msgspec
from psycopg import Error

from shop.chassis.cache import Cache
from shop.chassis.database import Pool
from shop.chassis.failures import Failure
from shop.chassis.ids import from_public, to_public
from shop.chassis.logs import logger
from shop.contracts.proto import product_pb2, product_pb2_grpc
from shop.product import store
from shop.product.catalogue import ProductBody
from shop.product.domain import Stock, judged, summed

__all__ = ["ProductServicer"]

_MOST = 1_000
_HIGHEST = 1_000_000_000
_log = logger("shop.product")


class ProductServicer(product_pb2_grpc.ProductServiceServicer):
    """product.ProductService."""

    def __init__(self, pool: Pool, cache: Cache) -> None:
        self._pool = pool
        self._cache = cache

    async def CheckProducts(  # noqa: N802
        self, request: product_pb2.CheckProductsRequest, context: Any
    ) -> product_pb2.CheckProductsResponse:
        """From the database, never from a cache. A product that is listed twice must be there for both."""
        await _bounded(context, len(request.items))
        if any(not 0 < item.quantity <= _HIGHEST for item in request.items):
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"a quantity is from 1 to {_HIGHEST}")
        wanted = summed((item.product_id, item.quantity) for item in request.items)
        try:
            async with self._pool.connection() as connection:
                stocks = await store.stocks(connection, list(wanted))
        except (Failure, Error) as error:
            _log.warning("products cannot be looked at", reason=str(error))
            return product_pb2.CheckProductsResponse(
                products=[_checked(item.product_id, "INTERNAL_ERROR", None) for item in request.items]
            )
        statuses = judged(wanted, stocks)
        return product_pb2.CheckProductsResponse(
            products=[
                _checked(item.product_id, statuses[item.product_id], stocks.get(item.product_id)) for item in request.items
            ]
        )

    async def GetProducts(  # noqa: N802
        self, request: product_pb2.GetProductsRequest, context: Any
    ) -> product_pb2.GetProductsResponse:
        """Those that there are, as everybody sees them: through the cache."""
        await _bounded(context, len(request.ids))
        try:
            found = await asyncio.gather(*(self._cache.read(to_public(id)) for id in set(request.ids)))
        except Failure as failure:
            await context.abort(grpc.StatusCode.UNAVAILABLE, str(failure))
        values: Sequence[bytes] = [kept.value for kept in found if kept.value is not None]
        return product_pb2.GetProductsResponse(
            products=[_shown(msgspec.json.decode(value, type=ProductBody)) for value in values]
        )


async def _bounded(context: Any, many: int) -> None:
    if many > _MOST:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"at most {_MOST} at a time")


def _checked(id: int, status: str, stock: Stock | None) -> product_pb2.CheckedProduct:
    price = None if stock is None else product_pb2.Money(amount=stock.price, currency=stock.currency)
    return product_pb2.CheckedProduct(product_id=id, status=status, price=price)


def _shown(product: ProductBody) -> product_pb2.Product:
    return product_pb2.Product(
        id=from_public(product.id),
        name=product.name,
        description=product.description,
        brand=product.brand_name,
        category_id=0 if product.category_id is None else from_public(product.category_id),
        price=product_pb2.Money(amount=product.price, currency=product.currency),
        available=product.inventory,
    )
