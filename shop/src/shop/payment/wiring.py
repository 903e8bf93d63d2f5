"""The payment service's process, put together."""

from __future__ import annotations

from pathlib import Path

from shop.chassis.access import Account, Remembering
from shop.chassis.cache.rows import RowCache, Uncached, row_cache
from shop.chassis.database import Pool
from shop.chassis.forgetting import Forgetting, answers
from shop.chassis.http import HttpServer, create_app
from shop.chassis.ids import Ids
from shop.chassis.messages import Consumer, Outbox
from shop.chassis.saga_spans import SagaSpans
from shop.chassis.service import Service
from shop.chassis.tables import UpToDate
from shop.chassis.telemetry import Telemetry
from shop.payment.charges import Charges, given_back
from shop.payment.handlers import TOPICS, participant
from shop.payment.http import ROUTES, loads
from shop.payment.ruled import RuledProvider
from shop.payment.settings import Settings

__all__ = ["REVISIONS", "wire"]

REVISIONS = Path(__file__).parent / "migrations"


def wire(settings: Settings) -> Service:
    service = Service("payment", life=settings.life)
    telemetry = service.add("telemetry", Telemetry("payment", settings.otlp))
    service.add("schema", UpToDate(settings.database, REVISIONS, on_start=settings.migrate_on_start))
    pool = service.add("database", Pool(settings.database))
    cache: RowCache = Uncached(loads(pool))
    if settings.redis.nodes:
        registry = service.metrics.registry
        layers = row_cache("payment:1", "payments", loads(pool), pool, settings.redis, settings.cache, registry)
        cache = service.add("cache", layers, needed=False)
    account = service.add("account", Account(settings.auth))
    service.add("outbox", Outbox(pool.url, settings.kafka, service.metrics), needed=False)
    service.run_beside("forgetting", Forgetting(pool, settings.keep_answers_for, answers, given_back).run)
    service.metrics.keeps_answers(settings.keep_answers_for)
    ruled = RuledProvider(limit=settings.provider.limit, declined=settings.provider.declined)
    provider = Charges(pool, ruled, settings.provider.doubt, registry=service.metrics.registry)
    service.run_beside("doubts", provider.run)
    payments = participant(
        pool.url, Ids(settings.ids.worker), provider, cache, meter=service.metrics.meter, tracer=SagaSpans(telemetry)
    )
    service.add("commands", Consumer(payments, settings.kafka, TOPICS, "payment"), needed=False)
    app = create_app(
        service,
        ROUTES,
        settings=settings.http,
        authority=Remembering(account, settings.auth.kept),
        dependencies={"pool": pool, "cache": cache},
    )
    service.add("http", HttpServer(app, settings.http))
    return service
