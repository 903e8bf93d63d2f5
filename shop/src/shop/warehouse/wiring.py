"""The warehouse's process, put together."""

from __future__ import annotations

from pathlib import Path

from shop.chassis.database import Pool
from shop.chassis.faults import Faults
from shop.chassis.forgetting import Forgetting, heard
from shop.chassis.http import HttpServer, create_app
from shop.chassis.ids import Ids
from shop.chassis.late import Late
from shop.chassis.messages import Consumer, Outbox
from shop.chassis.service import Service
from shop.chassis.switches import Switches
from shop.chassis.tables import UpToDate
from shop.chassis.telemetry import Telemetry
from shop.contracts import topics
from shop.warehouse.handlers import listener
from shop.warehouse.settings import Settings

__all__ = ["REVISIONS", "wire"]

REVISIONS = Path(__file__).parent / "migrations"


def wire(settings: Settings) -> Service:
    service = Service("warehouse", life=settings.life)
    service.add("telemetry", Telemetry("warehouse", settings.otlp))
    service.add("schema", UpToDate(settings.database, REVISIONS, on_start=settings.migrate_on_start))
    pool = service.add("database", Pool(settings.database))
    service.add("outbox", Outbox(pool.url, settings.kafka, service.metrics))
    service.run_beside("forgetting", Forgetting(pool, settings.keep_for, heard).run)
    faults = Faults(settings.faults)
    service.run_beside("late", Late(pool).run)
    listening = listener(pool.url, Ids(settings.ids.worker), faults)
    service.add("events", Consumer(listening, settings.kafka, (topics.SHOP_EVENTS,), "warehouse"))
    app = create_app(
        service,
        (Switches,),
        settings=settings.http,
        dependencies={"faults": faults},
        state={"fault_token": settings.faults.token},
    )
    service.add("http", HttpServer(app, settings.http))
    return service
