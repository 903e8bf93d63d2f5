"""The settings of the chassis' parts. A service's settings are put together of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated

from msgspec import Meta, Struct

from shop.chassis.pairs import Pairs
from shop.chassis.settings import Secret

__all__ = [
    "KEEP_ANSWERS",
    "KEEP_FOR",
    "Access",
    "Database",
    "Http",
    "Ids",
    "Kafka",
    "KeepAnswers",
    "KeepFor",
    "Life",
    "Otlp",
    "Rpc",
]

_NO_ADDRESS = (
    "is no address of a database, such as postgresql://user:password@host:5432/name; what a password has of %, @, / and : is"
    " written %25, %40, %2F and %3A in it"
)

Port = Annotated[int, Meta(ge=0, le=65535, description="0 takes any that is free")]

KEEP_FOR = timedelta(days=30)
KeepFor = Annotated[
    timedelta,
    Meta(
        description="how long it is kept what was heard and told; longer than the broker keeps messages",
        extra={"least": timedelta(hours=1)},
    ),
]

KEEP_ANSWERS = timedelta(days=365)
KeepAnswers = Annotated[
    timedelta,
    Meta(
        description="how long it is kept what was answered to purchases' commands; twice as long as any purchase is left "
        "parked, for what is undone after that is not undone here",
        extra={"least": timedelta(days=90)},
    ),
]


class Http(Struct, frozen=True, kw_only=True):
    """Where a service answers over HTTP: its API, and /healthz, /readyz and /metrics."""

    host: Annotated[str, Meta(description="the address to listen on")] = "127.0.0.1"
    port: Port = 0
    cors_origins: Annotated[
        tuple[str, ...], Meta(description="origins whose pages may ask, with commas between; none by default")
    ] = ()
    body_limit: Annotated[int, Meta(ge=1, description="bytes that a request's body may have")] = 1_000_000
    connections: Annotated[int, Meta(ge=1, description="connections that may be open")] = 2_000


class Rpc(Struct, frozen=True, kw_only=True):
    """Where a service answers over gRPC."""

    host: Annotated[str, Meta(description="the address to listen on")] = "127.0.0.1"
    port: Port = 0


class Database(Struct, frozen=True, kw_only=True):
    """A service's PostgreSQL database."""

    url: Annotated[Secret, Meta(description="the service's database, as postgresql://user:password@host:5432/name")]
    pool: Annotated[int, Meta(ge=1, description="connections, at most")] = 10
    wait: Annotated[timedelta, Meta(description="how long a free connection is waited for")] = timedelta(seconds=5)
    statement: Annotated[timedelta, Meta(description="how long one statement of a request may take")] = timedelta(seconds=10)
    wait_on_start: Annotated[timedelta, Meta(description="how long it may be away on start")] = timedelta(minutes=1)

    def problems(self) -> Iterator[tuple[str, str]]:
        """What psycopg would say of the address has the password in it: so it is looked at before, and not told."""
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict

        try:
            said = conninfo_to_dict(self.url.reveal())
        except ProgrammingError:
            said = {"port": "none"}
        ports = [port for port in str(said.get("port", "")).split(",") if port]
        if not all(port.isdecimal() for port in ports) or "@" in str(said.get("host", "")):
            yield "url", _NO_ADDRESS


class Kafka(Struct, frozen=True, kw_only=True):
    """The broker."""

    servers: Annotated[str, Meta(description="the broker's servers, as host:port,host:port")]
    settings: Annotated[
        Pairs, Meta(description=r"librdkafka's settings for producer and consumer, as key=value,key=value; \, is a comma")
    ] = Pairs()
    consumer_settings: Annotated[
        Pairs, Meta(description=r"librdkafka's settings for the consumer alone, as key=value,key=value; \, is a comma")
    ] = Pairs()
    look_every: Annotated[
        timedelta, Meta(description="how often the outbox is looked at besides, should the database's word of it be lost")
    ] = timedelta(seconds=1)

    def for_publisher(self) -> dict[str, str]:
        """Settings as KafkaPublisher takes them."""
        return self.settings.reveal()

    def for_subscriber(self) -> dict[str, str]:
        """Settings as KafkaSubscriber takes them."""
        return self.settings.reveal() | self.consumer_settings.reveal()


class Access(Struct, frozen=True, kw_only=True):
    """Who is asked what a token stands for."""

    target: Annotated[str, Meta(description="the account service's gRPC, as host:port; through a proxy or not")]
    timeout: Annotated[timedelta, Meta(description="how long an answer is awaited, retries included")] = timedelta(seconds=2)
    kept: Annotated[timedelta, Meta(description="how long an answer is kept; 0s asks each time")] = timedelta(seconds=2)


class Ids(Struct, frozen=True, kw_only=True):
    """What tells the ids of one replica from those of another."""

    worker: Annotated[
        Annotated[int, Meta(ge=0, le=1023)] | None,
        Meta(description="a number from 0 to 1023, another for each replica; drawn by chance where it is not set"),
    ] = None


class Otlp(Struct, frozen=True, kw_only=True):
    """Where traces go."""

    endpoint: Annotated[
        str | None, Meta(description="a collector that takes OTLP over HTTP, as http://host:4318; no traces without")
    ] = None
    ratio: Annotated[float, Meta(ge=0, le=1, description="the share of traces that begin here and are kept")] = 1.0


class Life(Struct, frozen=True, kw_only=True):
    """How a process ends."""

    unready_for: Annotated[
        timedelta, Meta(description="how long it goes on taking requests after it said that it is not ready any more")
    ] = timedelta(0)
    drain_within: Annotated[timedelta, Meta(description="how long it may take to end")] = timedelta(seconds=20)
