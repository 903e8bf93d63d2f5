"""Every service of the shop as it is wired for its process, with settings for tests: cheap passwords, patient calls, and
nothing that is found by looking for it now and then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from msgspec import Struct

import shop.account.settings
import shop.account.wiring
import shop.compliance.settings
import shop.compliance.wiring
import shop.orchestrator.settings
import shop.orchestrator.wiring
import shop.order.settings
import shop.order.wiring
import shop.payment.settings
import shop.payment.wiring
import shop.product.settings
import shop.product.wiring
import shop.purchase.settings
import shop.purchase.wiring
import shop.storefront.settings
import shop.storefront.wiring
import shop.warehouse.settings
import shop.warehouse.wiring
from accounts import ADMIN, KEY
from shop.account.keys import parse_keys
from shop.account.settings import Admin, Login, Passwords
from shop.account.settings import Tokens as TokenSettings
from shop.account.tokens import Tokens
from shop.chassis import parts
from shop.chassis.cache.settings import Caching, Redis
from shop.chassis.faults import FaultSettings
from shop.chassis.pairs import Pairs
from shop.chassis.service import Service
from shop.chassis.settings import Secret
from shop.payment.settings import Rules
from shop.purchase.streams import StreamSettings

__all__ = ["FAULT_TOKEN", "LIMIT", "LOOKED_FOR", "SERVICES", "Places", "expired_token", "part", "wired"]

P = TypeVar("P")

FAULT_TOKEN = "let-me-break-things"
LIMIT = 100_000
"""The most that the payment provider takes, in minor units."""
SERVICES = ("account", "product", "purchase", "orchestrator", "order", "payment", "warehouse", "compliance")

_PATIENT = timedelta(seconds=30)
_NEVER = timedelta(hours=1)
LOOKED_FOR = _NEVER.total_seconds()
"""Seconds after which whoever was not told of something would look for it: longer than any test waits."""
_TOKENS = TokenSettings(keys=Secret(f"tests={KEY}"), access_for=_NEVER)


class Places(Struct):
    """Where everything is. `account` and `product` are gRPC's, once these run."""

    databases: Mapping[str, str]
    kafka: str = "127.0.0.1:1"
    redis: tuple[str, ...] = ("127.0.0.1:1",)
    account: str = ""
    product: str = ""


def expired_token(customer: int) -> str:
    """An access token that held once."""
    tokens = Tokens(parse_keys(_TOKENS.keys.reveal()), _TOKENS, clock=lambda: datetime(2020, 1, 1, tzinfo=UTC))
    return tokens.access(customer, ("customer",), "1")


def wired(name: str, at: Places) -> Service:
    """A service, not started."""
    return _WIRED[name](at)


def part(service: Service, kind: type[P]) -> P:
    """The part of a service that is of a kind."""
    return next(each for _, each in service._parts if isinstance(each, kind))


def _database(name: str, at: Places) -> dict[str, Any]:
    return {"database": parts.Database(url=Secret(at.databases[name]), pool=5, wait=_PATIENT), "migrate_on_start": True}


def _common(name: str, at: Places) -> dict[str, Any]:
    quick = Pairs({"session.timeout.ms": "6000", "fetch.wait.max.ms": "50"})
    kafka = parts.Kafka(servers=at.kafka, consumer_settings=quick, look_every=_NEVER)
    return {**_database(name, at), "kafka": kafka}


def _guarded(name: str, at: Places) -> dict[str, Any]:
    return {**_common(name, at), "auth": parts.Access(target=at.account, kept=timedelta(0), timeout=_PATIENT)}


def _cached(name: str, at: Places) -> dict[str, Any]:
    redis = Redis(nodes=at.redis, timeout=timedelta(seconds=5))
    return {**_guarded(name, at), "redis": redis, "cache": Caching(sweep=_NEVER)}


def _account(at: Places) -> Service:
    return shop.account.wiring.wire(
        shop.account.settings.Settings(
            **_database("account", at),
            tokens=_TOKENS,
            passwords=Passwords(memory=64, passes=1),
            login=Login(address_attempts=100_000),
            admin=Admin(email=ADMIN[0], password=Secret(ADMIN[1])),
        )
    )


def _purchase(at: Places) -> Service:
    return shop.purchase.wiring.wire(
        shop.purchase.settings.Settings(
            **_guarded("purchase", at),
            product=shop.purchase.settings.ProductSettings(target=at.product, timeout=_PATIENT),
            streams=StreamSettings(heart_beat=_NEVER.total_seconds()),
        )
    )


def _payment(at: Places) -> Service:
    return shop.payment.wiring.wire(shop.payment.settings.Settings(**_cached("payment", at), provider=Rules(limit=LIMIT)))


def _faults() -> FaultSettings:
    return FaultSettings(token=Secret(FAULT_TOKEN), late_by=timedelta(minutes=10))


_WIRED: Mapping[str, Callable[[Places], Service]] = {
    "account": _account,
    "product": lambda at: shop.product.wiring.wire(shop.product.settings.Settings(**_cached("product", at))),
    "purchase": _purchase,
    "orchestrator": lambda at: shop.orchestrator.wiring.wire(
        shop.orchestrator.settings.Settings(**_common("orchestrator", at))
    ),
    "order": lambda at: shop.order.wiring.wire(shop.order.settings.Settings(**_cached("order", at))),
    "payment": _payment,
    "warehouse": lambda at: shop.warehouse.wiring.wire(
        shop.warehouse.settings.Settings(**_common("warehouse", at), faults=_faults())
    ),
    "compliance": lambda at: shop.compliance.wiring.wire(
        shop.compliance.settings.Settings(**_common("compliance", at), faults=_faults())
    ),
    "storefront": lambda _: shop.storefront.wiring.wire(shop.storefront.settings.Settings()),
}
