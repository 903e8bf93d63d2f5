"""The storefront's process, put together. It asks nobody: what the page shows, the browser asks the other services for."""

from __future__ import annotations

from shop.chassis.http import HttpServer, create_app
from shop.chassis.service import Service
from shop.chassis.telemetry import Telemetry
from shop.storefront.http import ROUTES, Page
from shop.storefront.page import document
from shop.storefront.settings import Settings

__all__ = ["wire"]


def wire(settings: Settings) -> Service:
    service = Service("storefront", life=settings.life)
    service.add("telemetry", Telemetry("storefront", settings.otlp))
    page = Page(document(settings.case_url, settings.trace_url))
    app = create_app(service, ROUTES, settings=settings.http, dependencies={"page": page})
    service.add("http", HttpServer(app, settings.http))
    return service
