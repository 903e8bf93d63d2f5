"""`python -m sagacity.testing.servers`: run a server until Ctrl-C, or fetch what is missing to run them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from sagacity.testing.servers.kafka import prepare_broker
from sagacity.testing.servers.postgres import described, prepare_postgres
from sagacity.testing.servers.prometheus import prometheus_at_hand
from sagacity.testing.servers.redis import prepare_redis
from sagacity.testing.servers.running import RUNNABLE, Wanted, run
from sagacity.testing.servers.traefik import prepare_traefik
from sagacity.testing.servers.unavailable import UnavailableError

__all__ = ["main"]

_SERVERS: dict[str, Callable[[], object]] = {
    "kafka": prepare_broker,
    "postgres": lambda: described(prepare_postgres()),
    "redis": lambda: " with ".join(path.name for path in prepare_redis()),
    "traefik": lambda: prepare_traefik().name,
    "prometheus": lambda: prometheus_at_hand() or "none on this machine, which is no hindrance",
}
_ABOUT = {
    "postgres": "Run a PostgreSQL.",
    "kafka": "Run a broker of Kafka's protocol, with the topics that are named.",
    "redis": "Run a Redis cluster of six nodes.",
}


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0 also where `prepare` finds that something cannot be had (what needs it says so itself), 1 where a
    server that is to run cannot be had, or ends by itself."""
    given = _parser().parse_args(arguments)
    if given.what == "prepare":
        return _prepare(given.names or list(_SERVERS))
    try:
        return run(given.what, Wanted(given.folder, given.port, tuple(given.topics)))
    except UnavailableError as missing:
        print(f"error: {missing}", file=sys.stderr)
        return 1


def _prepare(names: Sequence[str]) -> int:
    for name in names:
        try:
            print(f"{name}: {_SERVERS[name]()}")
        except UnavailableError as missing:
            print(f"{name}: none, and tests that need it are skipped by name: {missing}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sagacity.testing.servers", description=__doc__)
    parser.set_defaults(port=None, topics=())
    what = parser.add_subparsers(dest="what", required=True, metavar="|".join(("prepare", *RUNNABLE)))
    prepare = what.add_parser("prepare", help="Fetch what is missing, and say what there is.")
    prepare.add_argument("names", nargs="*", metavar="|".join(_SERVERS), type=_known)
    for name in RUNNABLE:
        one = what.add_parser(name, help=_ABOUT[name], description=f"{_ABOUT[name]} Ctrl-C stops it.")
        one.add_argument("--folder", type=Path, help="Where it keeps what it holds. Default: a temporary one.")
        if name != "redis":
            one.add_argument("--port", type=int, help="Default: one that is free.")
        if name == "kafka":
            one.add_argument("topics", nargs="*", metavar="TOPIC", help="Made unless they are there.")
    return parser


def _known(name: str) -> str:
    if name not in _SERVERS:
        raise argparse.ArgumentTypeError(f"there is no {name!r}; one of {', '.join(_SERVERS)}")
    return name


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
