"""The orchestrator's process, put together. Any number of replicas may run: they share the sagas, and the partitions of
`purchase` and `reply`."""

from __future__ import annotations

from pathlib import Path

from sagacity.saga import Orchestrator
from shop.chassis.database import Pool
from shop.chassis.forgetting import Forgetting, sagas
from shop.chassis.http import HttpServer, create_app
from shop.chassis.messages import Consumer, Outbox
from shop.chassis.saga_spans import SagaSpans
from shop.chassis.service import Service
from shop.chassis.tables import UpToDate
from shop.chassis.telemetry import Telemetry
from shop.contracts import topics
from shop.orchestrator.definition import PURCHASE
from shop.orchestrator.meter import SagaMeter
from shop.orchestrator.settings import Settings
from shop.orchestrator.telling import Telling

__all__ = ["REVISIONS", "wire"]

REVISIONS = Path(__file__).parent / "migrations"


def wire(settings: Settings) -> Service:
    service = Service("orchestrator", life=settings.life)
    telemetry = service.add("telemetry", Telemetry("orchestrator", settings.otlp))
    service.add("schema", UpToDate(settings.database, REVISIONS, on_start=settings.migrate_on_start))
    pool = service.add("database", Pool(settings.database))
    service.add("outbox", Outbox(pool.url, settings.kafka, service.metrics, through=Telling))
    service.run_beside("forgetting", Forgetting(pool, settings.keep_for, sagas).run)
    orchestrator = Orchestrator(
        pool.url,
        [PURCHASE],
        starts={topics.PURCHASE: PURCHASE.name},
        dead_letters=topics.DEAD_LETTER,
        meter=service.metrics.meter,
        tracer=SagaSpans(telemetry),
    )
    service.metrics.register(SagaMeter(orchestrator))
    service.add("sagas", Consumer(orchestrator, settings.kafka, (topics.PURCHASE, topics.REPLY), "orchestrator"))
    service.add("http", HttpServer(create_app(service, (), settings=settings.http), settings.http))
    return service
