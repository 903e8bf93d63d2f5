"""A server put together: the ledger, the streams that feed it, the rounds, the alerts, and the web, in one process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from sagacity.alerts.channels import senders
from sagacity.alerts.config import Alerts
from sagacity.alerts.delivery import Deliverer
from sagacity.alerts.reading import load as load_alerts
from sagacity.alerts.reading import read as read_alerts
from sagacity.cli.server.binding import bound
from sagacity.cli.server.config import Config, check, duration
from sagacity.cli.server.rejections import Rejections
from sagacity.cli.server.sagas import sagas_of, why_away
from sagacity.errors import SagacityError, UsageError
from sagacity.ledger.duckdb.live import DuckDBLiveLedger
from sagacity.reconcile.clock import Clock, SystemClock
from sagacity.reconcile.live import Live
from sagacity.reconcile.watermark import Patience
from sagacity.sources.push import PushStream
from sagacity.sources.resolve import source_names
from sagacity.sources.stream import Stream
from sagacity.web.app import Settings, create_app
from sagacity.web.listening import check_listening
from sagacity.web.logs import log, set_up
from sagacity.web.server import server
from sagacity.web.tokens import tokens_from
from sagacity.workflow.conditions.record import parse_record, paths
from sagacity.workflow.language.reader import loads, source_text
from sagacity.workflow.model import Source, Workflow

if TYPE_CHECKING:
    from sagacity.sources.kafka import KafkaStream

__all__ = ["serve"]

_BY = "serve"
_JOIN = 30.0


def serve(config: Config, environment: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Run a server until it is told to stop, by SIGINT or SIGTERM. `say` is told where it listens, and in the
    end where all is kept.

    Raises UsageError and WorkflowError for what is wrong before anything starts, LedgerError, and whatever ended the rounds.
    """
    check(config)
    host, port = config.address
    tokens = tokens_from(None if config.tokens is None else Path(config.tokens), environment)
    check_listening(host, tokens)
    alerts = _alerts(config)
    channels = {} if alerts is None else senders(alerts, environment)
    patience = Patience(lateness=duration(config.lateness, "lateness"), idle=duration(config.idle, "idle"))
    given = [(loads(text, path), text) for path in config.workflows for text in [source_text(path)]]
    _check_names([workflow for workflow, _ in given])
    if not Path(config.ledger).exists():
        _check_sources(config, [workflow for workflow, _ in given])
    sagas = sagas_of(config)
    clock = SystemClock()
    with ExitStack() as stack:
        sockets = bound(host, port)
        for each in sockets:
            stack.callback(each.close)
        port = sockets[0].getsockname()[1]
        set_up()
        ledger = DuckDBLiveLedger(
            Path(config.ledger),
            memory=config.memory,
            archive_after=duration(config.archive_after, "archive_after"),
            retain=None if config.retain is None else duration(config.retain, "retain"),
        )
        stack.callback(ledger.close)
        _check_sources(config, _meant(ledger, given))
        known = _adopted(ledger, given, clock)
        push = PushStream(_sources(known))
        kafka = _kafka(config, known)
        streams: list[Stream] = [push, *_followed(config), *([kafka] if kafka is not None else [])]
        for stream in streams:
            stack.callback(stream.close)
        live = Live(ledger, streams, clock=clock, patience=patience, batch=config.batch)
        settings = Settings(tokens=tokens, hosts=config.hosts, secure=config.secure, traces=config.traces)

        judged_by = {workflow.name: workflow for workflow in known}

        def adopted(workflow: Workflow) -> None:
            judged_by[workflow.name] = workflow
            if kafka is not None:
                topics = _topics_of(config, list(judged_by.values()))
                kafka.serve(topics, assumed=_assumed(topics), surroundings=_asks_for_surroundings(workflow))

        app = create_app(live, push=push, settings=settings, adopted=adopted, sagas=sagas)
        web = server(app, host=host, port=port)

        rejections = Rejections(ledger, clock, _log_rejected)
        live.listen(rejections.wake)
        watching = _Worker("rejections", rejections.run, web)
        stack.callback(watching.end, rejections.stop)
        watching.start()
        rounds = _Worker("rounds", live.run, web)
        stack.callback(rounds.end, live.stop)
        rounds.start()
        if alerts is not None:
            deliverer = Deliverer(alerts, channels, ledger.notices, live.note, clock=clock)
            live.listen(deliverer.wake)
            delivery = _Worker("alerts", deliverer.run, web)
            stack.callback(delivery.end, deliverer.stop)
            delivery.start()
        shown = "" if sagas is None else _shown(sagas.where, why_away(str(config.sagas)))
        say(_greeting(config, host, port, known, bool(tokens), shown))
        with suppress(KeyboardInterrupt):  # told to stop, it has: that is no failure
            web.run(sockets)
        for worker in (rounds, watching, *([delivery] if alerts is not None else [])):
            if worker.failure is not None:
                raise worker.failure
    say(f"Stopped; all is in {config.ledger}.")


def _log_rejected(source: str, records: int, reason: str) -> None:
    log().warning("records rejected", source=source, records=records, first=reason[:500])


class _Worker(threading.Thread):
    """A thread without which the server makes no sense: where it fails, the server ends, and says why."""

    def __init__(self, name: str, work: Callable[[], None], web: Any) -> None:
        super().__init__(name=f"sagacity-{name}", daemon=True)
        self._work = work
        self._web = web
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            self._work()
        except BaseException as error:
            self.failure = error
            log().error("ended by an error", thread=self.name, error=str(error), exc_info=error)
            self._web.should_exit = True

    def end(self, stop: Callable[[], None]) -> None:
        """Have it stop, and wait until it has."""
        if self.is_alive():
            stop()
            self.join(_JOIN)


def _alerts(config: Config) -> Alerts | None:
    if config.alerts is None:
        return None
    alerts = load_alerts(config.alerts) if isinstance(config.alerts, str) else read_alerts(config.alerts)
    if alerts.public_url is None and config.public_url is not None:
        alerts = msgspec.structs.replace(alerts, public_url=config.public_url.rstrip("/"))
    return alerts


def _check_names(workflows: Iterable[Workflow]) -> None:
    names = [workflow.name for workflow in workflows]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"there are two workflows called {twice}", hint="give each a name of its own")


def _meant(ledger: DuckDBLiveLedger, given: Sequence[tuple[Workflow, str]]) -> list[Workflow]:
    """The workflows that there will be once those that are given are adopted."""
    kept = {each.name: loads(each.text) for each in ledger.workflows()}
    return list((kept | {workflow.name: workflow for workflow, _ in given}).values())


def _adopted(ledger: DuckDBLiveLedger, given: Sequence[tuple[Workflow, str]], clock: Clock) -> list[Workflow]:
    """Every workflow that the ledger judges by, those that are given now included."""
    for workflow, text in given:
        former = next((each for each in ledger.workflows() if each.name == workflow.name), None)
        stored = ledger.adopt(workflow, text, by=_BY, now=clock.now(), given=True)
        log().info("judging by", workflow=stored.name, revision=stored.revision, by=stored.by)
        if stored.text != text:
            hint = "the file says what it said at the last start; change it, too, or what was put in place ends with it"
            log().warning("not judging by the file", workflow=stored.name, revision=stored.revision, by=stored.by, hint=hint)
        elif former is not None and former.revision != stored.revision:
            after = f"after revision {former.revision} by {former.by}"
            ledger.audit(_BY, f"adopt workflow {stored.name}, revision {stored.revision}, {after}", clock.now())
            if former.by != _BY:
                log().warning("the file takes the place", workflow=stored.name, revision=former.revision, by=former.by)
    return [loads(each.text) for each in ledger.workflows()]


def _sources(workflows: Iterable[Workflow]) -> list[str]:
    return list(dict.fromkeys(name for workflow in workflows for name in source_names(workflow)))


def _check_sources(config: Config, workflows: Sequence[Workflow]) -> None:
    if not workflows and (config.sagas is None or config.kafka or config.follow):
        hint = "give one: --workflow order.workflow.yaml; sagacity init writes one"
        if config.sagas is None:
            hint += "; --sagas alone shows sagas without one"
        raise UsageError("there is no workflow to judge by", hint=hint)
    names = _sources(workflows)
    stated = {*config.follow, *(config.kafka.topics if config.kafka else ())}
    if strange := sorted(stated - set(names)):
        raise UsageError(f"no workflow names a source {strange[0]!r}", hint=f"they name {', '.join(names)}")


def _followed(config: Config) -> list[Stream]:
    if not config.follow:
        return []
    from sagacity.sources.follow import FollowStream

    return [FollowStream(config.follow)]


def _kafka(config: Config, workflows: Sequence[Workflow]) -> KafkaStream | None:
    if config.kafka is None:
        return None
    from sagacity.sources.kafka import KafkaStream

    topics = _topics_of(config, workflows)
    return KafkaStream(
        config.kafka.servers,
        topics,
        assumed=_assumed(topics),
        group=config.kafka.group,
        settings=config.kafka.settings,
        surroundings=any(_asks_for_surroundings(workflow) for workflow in workflows),
    )


def _topics_of(config: Config, workflows: Sequence[Workflow]) -> dict[str, tuple[str, ...]]:
    """The topics of each source that is not followed in files, and is not said to have none."""
    stated = config.kafka.topics if config.kafka else {}
    names = [name for name in _sources(workflows) if name not in config.follow]
    topics = {name: tuple(stated.get(name, _topics(workflows, name))) for name in names}
    return {name: of_source for name, of_source in topics.items() if of_source}


def _assumed(topics: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """The sources whose topic nobody may have stated: it has their own name. Where there is none, they come otherwise."""
    return frozenset(name for name, of_source in topics.items() if tuple(of_source) == (name,))


def _topics(workflows: Sequence[Workflow], source: str) -> tuple[str, ...]:
    """The topics that workflows state for a source; else the one of its own name."""
    stated = [topic for workflow in workflows for topic in workflow.sources.get(source, Source()).topics]
    return tuple(dict.fromkeys(stated)) or (source,)


def _asks_for_surroundings(workflow: Workflow) -> bool:
    """Whether an expression reads what Kafka has around a record."""
    texts: list[str | None] = []
    for source in workflow.sources.values():
        texts += [source.type, source.time, source.id, source.seq, *source.keys.values()]
    for event in workflow.events.values():
        texts += [event.where, event.time, event.id, event.seq, *(event.keys or {}).values()]
        texts += [text for capture in event.capture.values() for text in (capture.value, capture.currency)]
    read = [path for text in texts if text and text != "row" for path in paths(parse_record(text))]
    return any(path.steps and path.steps[0] == "kafka" for path in read)


def _shown(where: str, away: SagacityError | None) -> str:
    """What is said of the sagas that are shown, with a warning in the log where they cannot be now."""
    if away is None:
        return f"Sagas in the database {where} are shown.\n"
    log().warning("sagas cannot be shown now", reason=away.message, hint=away.hint)
    hint = f" ({away.hint})" if away.hint else ""
    return f"Sagas cannot be shown now: {away.message}{hint}. They are shown as soon as it is mended.\n"


def _greeting(config: Config, host: str, port: int, workflows: Sequence[Workflow], guarded: bool, shown: str) -> str:
    named = ", ".join(workflow.name for workflow in workflows)
    where = f"http://{f'[{host}]' if ':' in host else host or '127.0.0.1'}:{port}/"
    from_kafka = f", Kafka at {config.kafka.servers}" if config.kafka else ""
    followed = f", files of {', '.join(config.follow)}" if config.follow else ""
    login = "asks for a token" if guarded else "open to everybody on this machine"
    judging = (
        f"Judging by {named}; ledger in {config.ledger}.\nRecords come in by POST {where}ingest{from_kafka}{followed}.\n"
        if workflows
        else f"Nothing is judged, since there is no workflow (--workflow FILE); ledger in {config.ledger}.\n"
    )
    return f"{judging}{shown}Pages at {where} ({login}). Ctrl-C stops it."
