"""The reconciler's settings: variables that begin with RECONCILER_."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from msgspec import Meta, Struct

from shop.chassis import parts
from shop.chassis.settings import Secret

__all__ = ["Settings"]


class Settings(Struct, frozen=True, kw_only=True):
    http: parts.Http = parts.Http()
    kafka: parts.Kafka
    workflows: Annotated[tuple[str, ...], Meta(description="workflow files, with commas between")]
    ledger: Annotated[str, Meta(description="the folder in which events and findings are kept")] = "ledger"
    tokens: Annotated[
        Secret | None,
        Meta(description="who may ask what, as `sagacity token new` prints it, with commas between; needed beyond loopback"),
    ] = None
    lateness: Annotated[timedelta, Meta(description="how late events may come")] = timedelta(seconds=2)
    trace_url: Annotated[
        str | None, Meta(description="where a trace is shown, as http://host:16686/trace/{trace}; no links without")
    ] = None
    sagas_url: Annotated[
        Secret | None, Meta(description="the orchestrator's database, as postgresql://user:password@host:5432/name")
    ] = None
