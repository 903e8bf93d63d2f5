"""`sagacity serve`: reconcile live."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sagacity.cli.server.config import Config

__all__ = ["command"]


def command(
    workflow: Annotated[
        list[str] | None,
        typer.Option(
            "--workflow", "-w", metavar="FILE", help="A workflow to judge by; a pattern for several.", show_default=False
        ),
    ] = None,
    ledger: Annotated[
        str | None,
        typer.Option(metavar="FOLDER", help="Where events and findings are kept [default: ./ledger].", show_default=False),
    ] = None,
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="[default: 127.0.0.1:8420]", show_default=False)
    ] = None,
    kafka: Annotated[str | None, typer.Option(metavar="SERVERS", help="Brokers to read from.", show_default=False)] = None,
    kafka_setting: Annotated[
        list[str] | None,
        typer.Option("--kafka-setting", "-X", metavar="KEY=VALUE", help="A setting of librdkafka's.", show_default=False),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            "--source", "-s", metavar="NAME=PATH", help="A file or folder that is followed as it grows.", show_default=False
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", metavar="FILE", help="A configuration file.", show_default=False)
    ] = None,
    tokens: Annotated[
        str | None, typer.Option(metavar="FILE", help="Who may do what (`sagacity token new`).", show_default=False)
    ] = None,
    lateness: Annotated[
        str | None, typer.Option(metavar="DURATION", help="How late events may come [default: 2s].", show_default=False)
    ] = None,
    sagas: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="An orchestrator's PostgreSQL, whose sagas are shown, too. Give no password here, where other users of the "
            "machine see it: use PGPASSWORD, ~/.pgpass or the configuration file.",
            show_default=False,
        ),
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="What the ledger may hold in memory [default: 1GB].", show_default=False),
    ] = None,
) -> None:
    """Reconcile live: take events in, judge, alert, and show it all on pages, in one process.

    Events come from Kafka, from files that grow, and by POST to /ingest. What is given here goes before what the
    configuration file says. SIGINT or SIGTERM stops it, and it exits with 0; started again on the same ledger, it goes on
    where it was.

    \b
    Examples:
      sagacity serve --workflow order.workflow.yaml
      sagacity serve --workflow 'workflows/*.yaml' --ledger ./ledger --kafka broker:9092
      sagacity serve --workflow purchase.workflow.yaml --sagas postgresql://shop@db/sagas
      sagacity serve --sagas postgresql://shop@db/sagas
      sagacity serve --config server.yaml --listen 0.0.0.0:8420 --tokens tokens.txt
    """
    import os
    import signal
    from contextlib import suppress

    from sagacity.cli.extras import needed

    needed("serve", "litestar", "pyarrow", "structlog", "uvicorn")
    if kafka is not None:
        needed("kafka", "confluent_kafka")
    from sagacity.cli.server.config import read_config
    from sagacity.cli.server.wiring import serve

    given = read_config(config)
    changed = _changed(given, workflow, ledger, listen, kafka, kafka_setting, source, tokens, lateness, memory, sagas)
    if changed.sagas is not None:
        needed("saga", "psycopg")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):  # to be told to stop is how a server ends well
        serve(changed, os.environ, typer.echo)


def _changed(
    config: Config,
    workflow: list[str] | None,
    ledger: str | None,
    listen: str | None,
    kafka: str | None,
    settings: list[str] | None,
    sources: list[str] | None,
    tokens: str | None,
    lateness: str | None,
    memory: str | None,
    sagas: str | None,
) -> Config:
    """The configuration with what the command line says put over it. Raises UsageError."""
    import msgspec

    from sagacity.cli.server.config import Kafka
    from sagacity.errors import UsageError

    changes: dict[str, Any] = {
        name: value
        for name, value in (
            ("ledger", ledger),
            ("listen", listen),
            ("tokens", tokens),
            ("lateness", lateness),
            ("memory", memory),
            ("sagas", sagas),
        )
        if value is not None
    }
    changes["workflows"] = tuple(_files([*(workflow or ()), *config.workflows]))
    pairs = [_pair(each, "-X") for each in settings or ()]
    if kafka is not None or pairs:
        there = config.kafka or (Kafka(kafka) if kafka is not None else None)
        if there is None:
            raise UsageError("settings of librdkafka's are given, and no brokers", hint="add --kafka host:9092")
        merged = {**there.settings, **dict(pairs)}
        changes["kafka"] = msgspec.structs.replace(there, servers=kafka or there.servers, settings=merged)
    follow = dict(config.follow)
    for name, path in (_pair(each, "--source") for each in sources or ()):
        follow[name] = (*follow.get(name, ()), path)
    return msgspec.structs.replace(config, follow=follow, **changes)


def _pair(text: str, option: str) -> tuple[str, str]:
    from sagacity.errors import UsageError

    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        raise UsageError(f"{option} {text!r} is not NAME=VALUE")
    return name, value


def _files(patterns: list[str]) -> list[str]:
    """The files that paths and patterns stand for, each once. Raises UsageError for a pattern that fits none."""
    from glob import glob

    from sagacity.errors import UsageError

    found: dict[str, None] = {}
    for pattern in patterns:
        if Path(pattern).is_file():
            found[pattern] = None
            continue
        fitting = sorted(glob(pattern, recursive=True))  # noqa: PTH207
        if not fitting:
            raise UsageError(f"no file fits {pattern}", hint="sagacity init writes a workflow to start from")
        found |= dict.fromkeys(fitting)
    return list(found)
