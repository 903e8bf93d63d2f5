"""Stand-ins for the two services that the purchase's own need: one that knows tokens, one that has products for sale."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import grpc
import psycopg

from sagacity.messaging.postgres import outbox
from sagacity.saga import BusinessFailure, Command, Participant, Transaction
from sagacity.saga.postgres import install_participant
from shop.chassis.messages import Consumer, Outbox
from shop.chassis.metrics import Metrics
from shop.chassis.parts import Kafka, Rpc
from shop.chassis.rpc import RpcServer
from shop.chassis.told import told
from shop.contracts import topics
from shop.contracts.commands import (
    Item,
    PricedItem,
    ProductInventoryUpdated,
    RollbackProductInventory,
    UpdateProductInventory,
)
from shop.contracts.events import InventoryReleased, InventoryReserved
from shop.contracts.proto import auth_pb2, auth_pb2_grpc, product_pb2, product_pb2_grpc

__all__ = ["Tokens", "Wares", "token"]

_TABLES = """
create table products (id bigint primary key, price bigint not null, quantity bigint not null check (quantity >= 0));
create table reservations (
    purchase_id bigint primary key, amount bigint not null, currency text not null,
    reserved_at timestamptz not null default clock_timestamp(), released_at timestamptz
);
create table reservation_lines (
    purchase_id bigint not null references reservations, product_id bigint not null, quantity bigint not null,
    primary key (purchase_id, product_id)
);
"""
_CURRENCY = "USD"


def token(customer: int) -> str:
    """An access token of a customer."""
    return f"customer-{customer}"


class _Auth(auth_pb2_grpc.AuthServiceServicer):
    async def Auth(self, request: Any, context: Any) -> Any:  # noqa: N802 - as the contract calls it
        kind, _, customer = request.access_token.partition("-")
        if kind not in ("customer", "expired") or not customer.isdecimal():
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "no token of this shop")
        return auth_pb2.AuthResponse(customer_id=int(customer), roles=["customer"], expired=kind == "expired")


class Tokens(RpcServer):
    """A part: the account service, as far as tokens go."""

    def __init__(self) -> None:
        offers: Mapping[str, Any] = {"auth.AuthService": (auth_pb2_grpc.add_AuthServiceServicer_to_server, _Auth())}
        super().__init__(Rpc(), offers, Metrics("account"))


class Wares(product_pb2_grpc.ProductServiceServicer):
    """A part: the product service, as far as purchases go, in a database of its own. Prices are in USD."""

    def __init__(self, url: str, kafka: Kafka) -> None:
        self.url = url
        self.rpc = RpcServer(
            Rpc(),
            {"product.ProductService": (product_pb2_grpc.add_ProductServiceServicer_to_server, self)},
            Metrics("product"),
        )
        self._outbox = Outbox(url, kafka)
        reads = (topics.UPDATE_PRODUCT_INVENTORY, topics.ROLLBACK_PRODUCT_INVENTORY)
        self._commands = Consumer(self._participant(), kafka, reads, "product")

    async def __aenter__(self) -> Wares:
        await install_participant(self.url)
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(_TABLES.encode())
        for part in (self.rpc, self._outbox, self._commands):
            await part.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        for part in (self._commands, self._outbox, self.rpc):
            await part.__aexit__()

    def put(self, products: Mapping[int, tuple[int, int]]) -> None:
        """Products, each with the price of one unit and how many there are."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            for id, (price, quantity) in products.items():
                connection.execute(
                    "insert into products values (%s, %s, %s) on conflict (id) do update set price = excluded.price, "
                    "quantity = excluded.quantity",
                    (id, price, quantity),
                )

    def left(self, id: int) -> int:
        with psycopg.connect(self.url, autocommit=True) as connection:
            row = connection.execute("select quantity from products where id = %s", (id,)).fetchone()
        assert row is not None
        return int(row[0])

    async def CheckProducts(self, request: Any, _: Any) -> Any:  # noqa: N802 - as the contract calls it
        known = await self._known([each.product_id for each in request.items])
        answer = product_pb2.CheckProductsResponse()
        for each in request.items:
            said = answer.products.add(product_id=each.product_id, status=product_pb2.NOT_FOUND)
            if each.product_id in known:
                price, quantity = known[each.product_id]
                said.price.amount, said.price.currency = price, _CURRENCY
                said.status = product_pb2.OK if quantity >= each.quantity else product_pb2.NOT_ENOUGH
        return answer

    async def _known(self, ids: Sequence[int]) -> dict[int, tuple[int, int]]:
        async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as connection:
            asked = await connection.execute("select id, price, quantity from products where id = any(%s)", (list(ids),))
            return {id: (price, quantity) for id, price, quantity in await asked.fetchall()}

    def _participant(self) -> Participant:
        wares = Participant("product", self.url, source="/shop/product", dead_letters=topics.DEAD_LETTER)

        @wares.handles("UpdateProductInventory", UpdateProductInventory)
        async def reserve(command: Command, transaction: Transaction) -> ProductInventoryUpdated:
            asked: UpdateProductInventory = command.data
            items = []
            for item in sorted(asked.items, key=lambda each: int(each.product_id)):
                taken = await transaction.execute(
                    "update products set quantity = quantity - %s where id = %s and quantity >= %s returning price",
                    (item.quantity, int(item.product_id), item.quantity),
                )
                row = await taken.fetchone()
                if row is None:
                    raise BusinessFailure(f"there is not enough of product {item.product_id}")
                items.append(PricedItem(item.product_id, item.quantity, row[0]))
            amount = sum(item.price * item.quantity for item in items)
            await transaction.execute(
                "insert into reservations (purchase_id, amount, currency) values (%s, %s, %s)",
                (int(asked.purchase_id), amount, _CURRENCY),
            )
            for line in items:
                await transaction.execute(
                    "insert into reservation_lines values (%s, %s, %s)",
                    (int(asked.purchase_id), int(line.product_id), line.quantity),
                )
            event = InventoryReserved(asked.purchase_id, tuple(items), amount, _CURRENCY)
            await self._tell(transaction, command, event, "reserved")
            return ProductInventoryUpdated(asked.purchase_id, tuple(items), amount, _CURRENCY)

        @wares.compensates("RollbackProductInventory", RollbackProductInventory)
        async def release(command: Command, transaction: Transaction) -> None:
            asked: RollbackProductInventory = command.data
            given = await transaction.execute(
                "with released as (update reservations set released_at = clock_timestamp() "
                "where purchase_id = %s and released_at is null returning purchase_id) "
                "update products set quantity = products.quantity + line.quantity "
                "from reservation_lines line join released using (purchase_id) where products.id = line.product_id "
                "returning line.product_id, line.quantity",
                (int(asked.purchase_id),),
            )
            rows = await given.fetchall()
            items = tuple(Item(str(product), quantity) for product, quantity in rows)
            await self._tell(transaction, command, InventoryReleased(asked.purchase_id, items), "released")

        return wares

    async def _tell(self, transaction: Transaction, command: Command, event: Any, what: str) -> None:
        now = time.time_ns() // 1000
        message = told(event, service="product", id=f"{command.id}/{what}", time=now, cause=command.envelope)
        await outbox.send(await transaction.connection(), [message])
