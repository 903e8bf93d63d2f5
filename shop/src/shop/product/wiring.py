"""The product service's process, put together."""

from __future__ import annotations

from pathlib import Path

from shop.chassis.access import Account, Remembering
from shop.chassis.command import Command
from shop.chassis.database import Pool
from shop.chassis.forgetting import Forgetting, answers
from shop.chassis.http import HttpServer, create_app
from shop.chassis.ids import Ids
from shop.chassis.messages import Consumer, Outbox
from shop.chassis.rpc import RpcServer
from shop.chassis.saga_spans import SagaSpans
from shop.chassis.service import Service
from shop.chassis.tables import UpToDate, migrate_command
from shop.chassis.telemetry import Telemetry
from shop.contracts.proto import product_pb2_grpc
from shop.product import category_http, http
from shop.product.catalogue import cached
from shop.product.grpc import ProductServicer
from shop.product.handlers import TOPICS, participant
from shop.product.settings import Settings

__all__ = ["COMMANDS", "REVISIONS", "wire"]

REVISIONS = Path(__file__).parent / "migrations"


def wire(settings: Settings) -> Service:
    """The service, ready to run."""
    service = Service("product", life=settings.life)
    telemetry = service.add("telemetry", Telemetry("product", settings.otlp))
    service.add("schema", UpToDate(settings.database, REVISIONS, on_start=settings.migrate_on_start))
    pool = service.add("database", Pool(settings.database))
    cache = service.add("cache", cached(pool, settings.redis, settings.cache, service.metrics.registry), needed=False)
    account = service.add("account", Account(settings.auth))
    service.add("outbox", Outbox(pool.url, settings.kafka, service.metrics), needed=False)
    service.run_beside("forgetting", Forgetting(pool, settings.keep_answers_for, answers).run)
    service.metrics.keeps_answers(settings.keep_answers_for)
    stock = participant(pool.url, meter=service.metrics.meter, tracer=SagaSpans(telemetry))
    service.add("commands", Consumer(stock, settings.kafka, TOPICS, "product"), needed=False)
    offers = {
        "product.ProductService": (product_pb2_grpc.add_ProductServiceServicer_to_server, ProductServicer(pool, cache))
    }
    service.add("rpc", RpcServer(settings.rpc, offers, service.metrics))
    app = create_app(
        service,
        [*http.ROUTES, *category_http.ROUTES],
        settings=settings.http,
        authority=Remembering(account, settings.auth.kept),
        dependencies={"pool": pool, "cache": cache, "ids": Ids(settings.ids.worker)},
    )
    service.add("http", HttpServer(app, settings.http))
    return service


COMMANDS: dict[str, Command[Settings]] = {
    "migrate": migrate_command(lambda settings: settings.database, REVISIONS),
}
