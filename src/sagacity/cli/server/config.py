"""How a server is set up: what its configuration file says, and what the command line says besides."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec
import yaml

from sagacity.errors import UsageError
from sagacity.workflow.durations import parse_duration

__all__ = ["Config", "Kafka", "check", "duration", "read_config"]


_TRACES = re.compile(r"https?://[^/{}\s]+/[^{}\s]*\{trace\}[^{}\s]*")
_TRACES_HINT = "write an address with {trace} where the id goes, such as http://127.0.0.1:16686/trace/{trace}"
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")


class Kafka(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The brokers, and librdkafka's settings for them (TLS, SASL and so on). `topics` names those of a source, by name or,
    where it begins with `^`, by pattern; a source that is neither here nor followed reads the topics that its workflow
    states, else the topic of its own name."""

    servers: str
    topics: Mapping[str, tuple[str, ...]] = {}
    settings: Mapping[str, str] = {}
    group: str = "sagacity"


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A server. Paths are relative to the configuration file's folder. Durations are written as in workflows: `2s`, `7d`.

    `follow` names, by source, the files and folders that are read as they grow. `archive_after`: how long after its end a
    case is kept at hand before it goes to the archive; `retain`: how long the archive is kept; None: for ever. `alerts` is
    the configuration of alerts, or the path of its file. `hosts` are the names that the server is called by from
    outside, `public_url` is the address that messages link to unless `alerts` states one. `batch` bounds the records of
    one round. `traces` is the address at which a trace is shown, with `{trace}` where its id goes. `sagas` is the address of
    the PostgreSQL of an orchestrator whose sagas are shown.
    """

    workflows: tuple[str, ...] = ()
    ledger: str = "ledger"
    listen: str = "127.0.0.1:8420"
    kafka: Kafka | None = None
    follow: Mapping[str, tuple[str, ...]] = {}
    lateness: str = "2s"
    idle: str = "500ms"
    archive_after: str = "7d"
    retain: str | None = None
    memory: str = "1GB"
    batch: int = 200_000
    tokens: str | None = None
    hosts: tuple[str, ...] = ()
    public_url: str | None = None
    secure: bool = False
    traces: str | None = None
    sagas: str | None = None
    alerts: Any = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port. Raises UsageError."""
        host, colon, port = self.listen.rpartition(":")
        if not colon or not port.isdigit() or not 0 <= int(port) < 65_536:
            raise UsageError(f"cannot listen on '{self.listen}'", hint="write host:port, such as 127.0.0.1:8420")
        return host.strip("[]"), int(port)


def read_config(path: Path | None) -> Config:
    """The configuration in a YAML file; the defaults without one. Raises UsageError, with the key that is wrong."""
    if path is None:
        return Config()
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"the configuration {path} cannot be read: {error.strerror or error}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    try:
        config = msgspec.convert(_as_lists(document or {}), Config, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path}: {_told(error)}", hint="docs/operate.md lists what a configuration may hold") from error
    return _based(config, path.parent)


def check(config: Config) -> None:
    """Whether what the configuration says can be read. Raises UsageError that names the setting."""
    for name in ("lateness", "idle", "archive_after", "retain"):
        if (text := getattr(config, name)) is not None:
            duration(text, name)
    _ = config.address
    if config.traces is not None and not _TRACES.fullmatch(config.traces):
        raise UsageError(f"traces: '{config.traces}' is not where a trace is shown", hint=_TRACES_HINT)


def duration(text: str, what: str) -> int:
    """A duration in microseconds. Raises UsageError that names the setting."""
    try:
        return parse_duration(text)
    except UsageError as error:
        raise UsageError(f"{what}: {error.message}", hint=error.hint) from error


def _as_lists(document: Any) -> Any:
    """One workflow, path or topic may stand without a list."""
    if not isinstance(document, dict):
        return document
    found = dict(document)
    for name in ("workflows", "hosts"):
        if isinstance(found.get(name), str):
            found[name] = [found[name]]
    for holder in (found, found.get("kafka")):
        for name in ("follow", "topics"):
            if isinstance(holder, dict) and isinstance(holder.get(name), dict):
                holder[name] = {key: [each] if isinstance(each, str) else each for key, each in holder[name].items()}
    return found


def _based(config: Config, folder: Path) -> Config:
    """The configuration with its paths taken from its own folder."""
    changes: dict[str, Any] = {
        "workflows": tuple(str(folder / each) for each in config.workflows),
        "ledger": str(folder / config.ledger),
        "follow": {source: tuple(str(folder / each) for each in paths) for source, paths in config.follow.items()},
    }
    for name in ("tokens", "alerts"):
        if isinstance(value := getattr(config, name), str):
            changes[name] = str(folder / value)
    return msgspec.structs.replace(config, **changes)


def _told(error: msgspec.ValidationError) -> str:
    message, _, place = str(error).partition(" - at `$")
    where = place.rstrip("`").lstrip(".")
    if strange := _UNKNOWN.fullmatch(message):
        known = Kafka.__struct_fields__ if where == "kafka" else Config.__struct_fields__
        close = get_close_matches(strange[1], known, 1)
        message = f"there is no setting '{strange[1]}'" + (f"; did you mean '{close[0]}'?" if close else "")
    return f"{where}: {message}" if where else message
