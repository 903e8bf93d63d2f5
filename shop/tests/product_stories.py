"""What stories about products need: a database with its tables, replicas of the service without a broker, and callers."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import psycopg

from running import running
from sagacity.messaging import Envelope
from shop.chassis import parts
from shop.chassis.access import Answer, Caller
from shop.chassis.cache import Cache
from shop.chassis.cache.settings import Caching, Redis
from shop.chassis.database import Pool
from shop.chassis.http import HttpServer, create_app
from shop.chassis.ids import Ids
from shop.chassis.migrating import migrate_now
from shop.chassis.rpc import Channel, RpcServer
from shop.chassis.service import Service
from shop.chassis.settings import Secret
from shop.contracts.proto import product_pb2_grpc
from shop.product import category_http, http
from shop.product.catalogue import cached
from shop.product.grpc import ProductServicer
from shop.product.wiring import REVISIONS

__all__ = ["ADMIN", "CUSTOMER", "Replica", "TokensByName", "command", "replicas", "stocked", "tabled"]

ADMIN = {"Authorization": "Bearer admin"}
CUSTOMER = {"Authorization": "Bearer customer"}
_PATIENT = timedelta(seconds=5)
_BY_WORD_ALONE = Caching(local=timedelta(hours=1), sweep=timedelta(hours=1))
"""Nothing that was read ends, and nothing is asked for, while a test waits: only the database's word of a change is left."""
_worker = itertools.count()


class TokensByName:
    """An authority to which a token is the name of a role; `expired` is one that was good."""

    async def ask(self, token: str) -> Answer | None:
        if token not in ("admin", "customer", "expired"):
            return None
        roles = frozenset({"customer", "admin"} if token == "admin" else {"customer"})
        return Answer(Caller(17, roles), token == "expired")


class Replica(msgspec.Struct):
    """One process of the product service."""

    client: httpx.AsyncClient
    channel: Any
    stub: Any
    cache: Cache
    service: Service


def tabled(dsn: str) -> str:
    """A database, brought up to date."""
    migrate_now(dsn, REVISIONS)
    return dsn


@contextmanager
def stocked(dsn: str, **inventory: int) -> Iterator[dict[str, int]]:
    """Products by name, so many of each at 100 USD cents; their ids."""
    ids = Ids()
    with psycopg.connect(tabled(dsn), autocommit=True) as connection:
        made = {name: ids.new() for name in inventory}
        for name, id in made.items():
            connection.execute(
                "insert into products (id, name, brand_name, description, price, currency, inventory) "
                "values (%s, %s, 'brand', '', 100, 'USD', %s)",
                (id, name, inventory[name]),
            )
        yield made


def command(
    purchase: int, items: Sequence[tuple[int, int]] = (), direction: str = "do", attempt: int = 1, currency: str = "USD"
) -> Envelope:
    """A command of the saga `purchase`: take these out of stock, as pairs of product and quantity, or put them back."""
    listed = [{"product_id": str(product), "quantity": quantity} for product, quantity in items]
    taking = {"purchase_id": str(purchase), "currency": currency, "items": listed}
    return Envelope(
        id=f"{purchase}/UPDATE_PRODUCT_INVENTORY/{direction}/{attempt}",
        type="UpdateProductInventory" if direction == "do" else "RollbackProductInventory",
        source="/sagas/purchase",
        time=1,
        key=str(purchase),
        data=msgspec.json.encode(taking if direction == "do" else {"purchase_id": str(purchase)}),
        correlation_id=str(purchase),
        reply_to="reply",
        extensions=(
            ("sagaattempt", str(attempt)),
            ("sagadirection", direction),
            ("sagaid", str(purchase)),
            ("sagastep", "UPDATE_PRODUCT_INVENTORY"),
        ),
    )


@asynccontextmanager
async def replicas(dsn: str, nodes: str, many: int = 1) -> AsyncIterator[list[Replica]]:
    """So many replicas of the service over one database, without its participant."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(_replica(dsn, nodes)) for _ in range(many)]


@asynccontextmanager
async def _replica(dsn: str, nodes: str) -> AsyncIterator[Replica]:
    service = Service("product")
    pool = service.add("database", Pool(parts.Database(url=Secret(dsn), wait=timedelta(seconds=30))))
    redis = Redis(nodes=tuple(nodes.split(",")), timeout=_PATIENT)
    cache = service.add("cache", cached(pool, redis, _BY_WORD_ALONE, service.metrics.registry), needed=False)
    offers = {
        "product.ProductService": (product_pb2_grpc.add_ProductServiceServicer_to_server, ProductServicer(pool, cache))
    }
    rpc = service.add("rpc", RpcServer(parts.Rpc(), offers, service.metrics))
    app = create_app(
        service,
        [*http.ROUTES, *category_http.ROUTES],
        settings=parts.Http(),
        authority=TokensByName(),
        dependencies={"pool": pool, "cache": cache, "ids": Ids(next(_worker))},
    )
    server = service.add("http", HttpServer(app, parts.Http()))
    async with running(service):
        channel = Channel(f"127.0.0.1:{rpc.port}", "product", timeout=timedelta(seconds=30))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}/api/v1", timeout=30) as client, channel:
            yield Replica(client, channel.opened, product_pb2_grpc.ProductServiceStub(channel.opened), cache, service)
