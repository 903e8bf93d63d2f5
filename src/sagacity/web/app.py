"""The application: one function that puts it together, for uvicorn or a test's client to run."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib import metadata
from typing import Any

from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.di import Provide
from litestar.router import Router

from sagacity.reconcile.live import Live
from sagacity.sources.push import PushStream
from sagacity.sources.resolve import source_names
from sagacity.web.access import Access, guard, protect
from sagacity.web.api import API
from sagacity.web.api.described import openapi
from sagacity.web.changes import Changes
from sagacity.web.context import Served
from sagacity.web.drifting import Drifting
from sagacity.web.ingest import INGEST, Intake
from sagacity.web.metrics import Metrics, metrics
from sagacity.web.pages import HANDLERS, error_page
from sagacity.web.problem import answered
from sagacity.web.reading import Readings
from sagacity.web.saga_desk import SagaDesk
from sagacity.web.sessions import Sessions
from sagacity.web.settings import Settings
from sagacity.workflow.model import Workflow

__all__ = ["Settings", "create_app"]

_MACHINES = ("/api/", "/ingest", "/metrics", "/healthz", "/readyz", "/assets/")
"""Where programs ask: they are answered alike, whatever they say that they accept."""

_BODY = 1_000_000
"""Bytes that a body may have, but for what is ingested."""


def create_app(
    live: Live,
    *,
    push: PushStream,
    settings: Settings | None = None,
    adopted: Callable[[Workflow], None] = lambda _workflow: None,
    sagas: SagaDesk | None = None,
) -> Litestar:
    """The API, ingest, metrics and pages over a ledger that `Live` keeps up to date on another thread.

    `push` must be one of its streams. `adopted` is told of each workflow that people put in place.
    `sagas` are shown, too, where they are given. Nothing is connected to,
    and nothing started, before the application runs.
    """
    settings = settings or Settings()

    def told(workflow: Workflow) -> None:
        push.serve(source_names(workflow))
        adopted(workflow)

    readings = Readings(live.ledger)
    served = Served(
        live=live,
        push=push,
        settings=settings,
        sessions=Sessions(settings.secret or os.urandom(32), settings.tokens),
        changes=Changes(live, most=settings.watchers),
        readings=readings,
        adopted=told,
        drifting=Drifting(live.ledger, readings, live.clock.now),
        sagas=sagas,
    )

    measured = Metrics(served)

    @asynccontextmanager
    async def watching(app: Litestar) -> AsyncIterator[None]:
        del app
        served.changes.begin()
        measured.begin()
        try:
            yield
        finally:
            measured.end()
            served.changes.end()
            await asyncio.to_thread(served.drifting.close)
            if sagas is not None:
                await sagas.close()

    return Litestar(
        [*API, *INGEST, metrics, Router("/", route_handlers=HANDLERS, include_in_schema=False)],
        state=State({"served": served, "access": Access(settings), "intake": Intake(served)}),
        dependencies={
            "served": Provide(lambda: served, sync_to_thread=False),
            "metrics_of": Provide(lambda: measured, sync_to_thread=False),
        },
        guards=[guard],
        before_send=[protect],
        exception_handlers={Exception: _answered},
        lifespan=[watching],
        request_max_body_size=_BODY,
        openapi_config=openapi(metadata.version("sagacity")),
        logging_config=None,
        debug=False,
        pdb_on_exception=False,
    )


def _answered(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """What went wrong: as a page for a browser that goes to an address, as a problem for everything else."""
    path = request.url.path
    person = "text/html" in request.headers.get("accept", "") and not path.startswith(_MACHINES)
    return error_page(request, error) if person else answered(request, error)
