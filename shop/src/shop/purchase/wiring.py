"""The purchase service's process, put together. Any replica can serve any purchase: what is told of it is in the
database."""

from __future__ import annotations

from pathlib import Path

from shop.chassis.access import Account, Remembering
from shop.chassis.database import Pool
from shop.chassis.forgetting import Forgetting, heard
from shop.chassis.http import HttpServer, create_app
from shop.chassis.ids import Ids
from shop.chassis.messages import Consumer, Outbox
from shop.chassis.service import Service
from shop.chassis.tables import UpToDate
from shop.chassis.telemetry import Telemetry
from shop.contracts import topics
from shop.purchase.hearing import listener
from shop.purchase.http import ROUTES
from shop.purchase.placing import Placing
from shop.purchase.products import GrpcProducts
from shop.purchase.settings import Settings
from shop.purchase.store import forget_events, forget_keys
from shop.purchase.streams import Streams

__all__ = ["REVISIONS", "wire"]

REVISIONS = Path(__file__).parent / "migrations"


def wire(settings: Settings) -> Service:
    service = Service("purchase", life=settings.life)
    service.add("telemetry", Telemetry("purchase", settings.otlp))
    service.add("schema", UpToDate(settings.database, REVISIONS, on_start=settings.migrate_on_start))
    pool = service.add("database", Pool(settings.database))
    account = service.add("account", Account(settings.auth))
    products = service.add("products", GrpcProducts(settings.product.target, settings.product.timeout))
    service.add("outbox", Outbox(pool.url, settings.kafka, service.metrics), needed=False)
    service.run_beside("forgetting", Forgetting(pool, settings.keep_for, heard, forget_keys, forget_events).run)
    service.add("results", Consumer(listener(pool.url), settings.kafka, (topics.PURCHASE_RESULT,), "purchase"), needed=False)
    streams = Streams(pool, settings.streams)
    app = create_app(
        service,
        ROUTES,
        settings=settings.http,
        authority=Remembering(account, settings.auth.kept),
        dependencies={"pool": pool, "placing": Placing(pool, products, Ids(settings.ids.worker)), "streams": streams},
    )
    service.add("http", HttpServer(app, settings.http))
    service.add("streams", streams)
    return service
