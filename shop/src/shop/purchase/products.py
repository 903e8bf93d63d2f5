"""Looking products up, at the product service over gRPC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal, Protocol, TypeAlias

import grpc
import msgspec

from shop.chassis.failures import Failure
from shop.chassis.logs import logger
from shop.chassis.rpc import Channel
from shop.contracts.proto import product_pb2, product_pb2_grpc
from shop.purchase.domain import Line

__all__ = ["Found", "GrpcProducts", "Products", "Seen"]

Seen: TypeAlias = Literal["OK", "NOT_FOUND", "NOT_ENOUGH", "INTERNAL_ERROR"]
_log = logger("shop.purchase")


class Found(msgspec.Struct, frozen=True):
    """What the product service says of one product: `price` of one unit in minor units, None where it said none."""

    status: Seen
    price: int | None = None
    currency: str | None = None


class Products(Protocol):
    """Who knows whether there is enough, and at what price. What is charged is read later, when units are taken."""

    async def look_up(self, lines: Sequence[Line]) -> Mapping[int, Found]:
        """For each product what is known of it. Raises Failure 503 where that cannot be known."""
        ...


class GrpcProducts:
    """A part: the product service."""

    def __init__(self, target: str, timeout: timedelta) -> None:
        self._channel = Channel(target, "product", timeout=timeout)
        self._stub: Any = None

    async def __aenter__(self) -> GrpcProducts:
        await self._channel.__aenter__()
        self._stub = product_pb2_grpc.ProductServiceStub(self._channel.opened)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._channel.__aexit__()

    async def look_up(self, lines: Sequence[Line]) -> Mapping[int, Found]:
        items = [product_pb2.CheckedItem(product_id=line.product_id, quantity=line.quantity) for line in lines]
        try:
            answer = await self._stub.CheckProducts(product_pb2.CheckProductsRequest(items=items))
        except grpc.aio.AioRpcError as error:
            _log.warning("products cannot be looked at", code=error.code().name, details=error.details())
            raise Failure(503, "products cannot be looked at now; try again", headers={"Retry-After": "1"}) from error
        return {each.product_id: _found(each) for each in answer.products}


def _found(said: Any) -> Found:
    name = product_pb2.ProductStatus.Name(said.status) if said.status in product_pb2.ProductStatus.values() else ""
    status: Seen = name if name in ("OK", "NOT_FOUND", "NOT_ENOUGH") else "INTERNAL_ERROR"  # type: ignore[assignment]
    if not said.HasField("price"):
        return Found(status)
    return Found(status, said.price.amount, said.price.currency)
