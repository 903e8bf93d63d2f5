"""The crash campaign: `sagacity serve` is killed at random instants under load, again and again, on one ledger.

    python -m tests.chaos.crashes --rounds 200 --seed 7
    python -m tests.chaos.crashes --rounds 50 --seed 7 --from kafka

When the stream has run dry and the server has caught up, its findings and the statuses of its cases are to be those of
`sagacity check` on the same records with the same as-of, and every record is to be accounted for as often as it was taken
in. What a seed decides: the records, their order, duplicates and garbage, and when each kill comes. Where something is
wrong, it is printed and everything is kept in the folder that is named.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from sagacity.reconcile.clock import SystemClock
from sagacity.web.times import instant_of

from .comparison import checked, differences, held, lost_or_doubled, miscounted
from .course import PACE, Course, course
from .feeders import HttpFeeder, KafkaFeeder
from .process import ServeProcess, free_port

__all__ = ["Outcome", "campaign", "main"]

WORKFLOW = Path(__file__).parent / "order.workflow.yaml"
_PARTITIONS = {"orders": 3, "checks": 1}
_DRY_WITHIN = 300.0
_PATIENCE = 20.0


class Outcome(msgspec.Struct, frozen=True):
    """What a campaign came to. `wrong` is empty where all is as it should be; times are in seconds."""

    kills: int
    records: int
    resent: int
    findings: int
    cases: int
    late: int
    seconds: float
    wrong: tuple[str, ...]


def campaign(
    folder: Path,
    rounds: int,
    seed: int,
    *,
    kafka: bool = False,
    pace: float = PACE,
    say: Callable[[str], None] = print,
) -> Outcome:
    """Kill a server so many times, let it catch up, and compare. The folder keeps the ledger and what was printed."""
    random = Random(f"kills {seed}")
    began = time.monotonic()
    sent = course(seed, rounds, SystemClock().now(), pace=pace)
    with ExitStack() as stack:
        enter = _from_kafka if kafka else _over_http
        server, feed, attempts = stack.enter_context(enter(folder, sent, random))
        stack.callback(server.end)
        for number, segment in enumerate(sent.segments):
            server.start()
            feed(segment, number)
            server.kill()
            if (number + 1) % 10 == 0:
                say(f"{number + 1} kills, {time.monotonic() - began:.0f} s")
        server.start()
        server.until_ready()
        _run_dry(server, sent, dict(attempts()))
        code = server.stop()
    live = held(folder / "ledger")
    history = checked(WORKFLOW, sent.records, live.as_of, folder / "check")
    tried, resent = attempts()["tried"], attempts()["resent"]
    wrong = [] if code == 0 else [f"the server ended with {code}"]
    wrong += attempts()["strange"]
    wrong += differences(live, history, exactly_once=kafka) + lost_or_doubled(live, sent.records, tried)
    wrong += miscounted(live, sent.records)
    if kafka:
        wrong += [f"{position} is there {times} times" for position, times in live.positions.items() if times > 1][:10]
    return Outcome(
        kills=rounds,
        records=sum(live.copies.values()),
        resent=resent,
        findings=len(live.findings),
        cases=len(live.statuses),
        late=sum(account.late for account in live.accounts.values()),
        seconds=time.monotonic() - began,
        wrong=tuple(wrong),
    )


@contextmanager
def _over_http(folder: Path, _: Course, random: Random) -> Iterator[tuple[ServeProcess, Any, Any]]:
    """A server that is pushed to: most kills come after some answers of a segment, while others are under way."""
    server = ServeProcess(folder, free_port(), _options(folder))
    feeder = HttpFeeder(server.port, random)

    def feed(segment: Any, _: int) -> None:
        kind = random.random()
        before = feeder.answered
        chunks = feeder.give(segment)
        if kind < 0.12:  # while it starts, or mends what the last kill left
            time.sleep(random.uniform(0.05, 1.5))
            return
        server.until_ready()
        after = before + random.randrange(max(chunks, 1)) if kind < 0.85 else feeder.given
        feeder.wait(after, _PATIENCE)
        time.sleep(random.uniform(0.0, 0.04) if kind < 0.85 else random.uniform(0.0, 0.8))

    def told() -> dict[str, Any]:
        return {"tried": feeder.attempts, "resent": feeder.resent, "strange": feeder.strange[:5], "feeder": feeder}

    try:
        yield server, feed, told
    finally:
        feeder.close()


@contextmanager
def _from_kafka(folder: Path, sent: Course, random: Random) -> Iterator[tuple[ServeProcess, Any, Any]]:
    """A server that reads topics of a real broker. Raises SystemExit where no broker can be had."""
    from confluent_kafka import Producer
    from confluent_kafka.admin import AdminClient
    from confluent_kafka.cimpl import NewTopic

    from sagacity.testing.servers.kafka import Broker, prepare_broker
    from sagacity.testing.servers.unavailable import UnavailableError

    try:
        kind = prepare_broker()
    except UnavailableError as missing:
        raise SystemExit(str(missing)) from missing
    (folder / "broker").mkdir()
    broker = Broker(kind, folder / "broker")
    try:
        broker.start()
        quiet: dict[str, Any] = {"bootstrap.servers": broker.servers, "log_level": 0}
        admin = AdminClient(quiet)
        for future in admin.create_topics([NewTopic(name, many, 1) for name, many in _PARTITIONS.items()]).values():
            future.result(30)
        feeder = KafkaFeeder(Producer({**quiet, "linger.ms": 2}), {name: name for name in _PARTITIONS})
        server = ServeProcess(folder, free_port(), [*_options(folder), "--kafka", broker.servers])

        def feed(segment: Any, number: int) -> None:
            kind = random.random()
            half = len(segment) // 2
            feeder.give(segment[:half])
            if kind < 0.12:
                time.sleep(random.uniform(0.05, 1.5))
                feeder.give(segment[half:])
                return
            server.until_ready()
            feeder.give(segment[half:])
            _until_taken(server, random.randrange(1, len(segment)))
            time.sleep(random.uniform(0.0, 0.04) if kind < 0.85 else random.uniform(0.0, 0.8))
            if number == len(sent.segments) - 1:
                feeder.close()

        yield server, feed, lambda: {"tried": None, "resent": 0, "strange": []}
        feeder.close()
    finally:
        broker.stop()


def _until_taken(server: ServeProcess, records: int) -> None:
    """Wait until the server has taken so many records in since it was started, but not for ever."""
    limit = time.monotonic() + _PATIENCE
    while time.monotonic() < limit and server.alive:
        code, status = server.asked("/api/v1/status")
        if code == 200 and status["records"] >= records:
            return
        time.sleep(0.02)


def _options(folder: Path) -> list[str]:
    return ["--workflow", str(WORKFLOW), "--ledger", str(folder / "ledger"), "--memory", "256MB", "--lateness", "2s"]


def _run_dry(server: ServeProcess, sent: Course, told: dict[str, Any]) -> None:
    """Wait until everything has been taken in and nothing more can fall due."""
    limit = time.monotonic() + _DRY_WITHIN
    feeder = told.get("feeder")
    while feeder and not feeder.wait(feeder.given, 1.0):
        if time.monotonic() > limit or not server.alive:
            raise RuntimeError(f"{feeder.given - feeder.answered} chunks were never answered:\n{server.last_words()}")
    while True:
        code, status = server.asked("/api/v1/status")
        if code == 200 and not status["behind"] and _microseconds(status["as_of"]) >= sent.settled:
            _, found = server.asked("/api/v1/sources")
            waiting = [part for part in found["items"] if part["state"] != "current" or part["lag"]]
            taken = sum(part["records"] for part in found["items"])
            if not waiting and taken >= len(sent.records):
                return
        if time.monotonic() > limit:
            raise RuntimeError(f"the server has not caught up: {code} {status}\n{server.last_words()}")
        time.sleep(0.2)


def _microseconds(instant: str | None) -> int:
    return 0 if instant is None else instant_of(instant)


def _say(text: str) -> None:
    print(text, flush=True)


def main() -> int:
    """Run a campaign, and say how it went; the exit code is 0 where nothing is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.crashes", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=200, help="how often the server is killed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--from", dest="origin", choices=("http", "kafka"), default="http")
    parser.add_argument("--pace", type=float, default=PACE, help="seconds of events between one kill and the next")
    parser.add_argument("--folder", type=Path, help="kept afterwards; else a temporary one, kept where something is wrong")
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="crashes-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        kafka = given.origin == "kafka"
        outcome = campaign(folder, given.rounds, given.seed, kafka=kafka, pace=given.pace, say=_say)
    except BaseException:
        print(f"ended by an error; everything is in {folder}", file=sys.stderr)
        raise
    print(
        f"seed {given.seed}, {given.origin}: {outcome.kills} kills in {outcome.seconds:.0f} s; {outcome.records} records "
        f"kept, {outcome.late} of them behind as-of, {outcome.resent} times a chunk was tried again; "
        f"{outcome.cases} cases, {outcome.findings} findings"
    )
    for each in outcome.wrong:
        print(f"wrong: {each}")
    if outcome.wrong:
        print(f"everything is in {folder}")
        return 1
    print("findings, statuses and accounts are those of check; nothing lost, nothing doubled")
    if given.folder is None:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
