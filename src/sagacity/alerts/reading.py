"""Reading the configuration of alerts, with every mistake said at once and where it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sagacity.alerts.addresses import address_problem
from sagacity.alerts.config import (
    KINDS,
    Alerts,
    Channel,
    Escalation,
    LogChannel,
    Retries,
    Route,
    SlackChannel,
    WebhookChannel,
)
from sagacity.alerts.quiet import DAYS, SEVERITIES, QuietHours
from sagacity.errors import UsageError
from sagacity.workflow.durations import UNITS, parse_duration

__all__ = ["load", "read"]

T = TypeVar("T")
Reader = Callable[[Any, str], Any]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LONGEST = 366 * UNITS["d"]
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def load(path: str | Path) -> Alerts:
    """The configuration in a YAML file: the file's own, or what stands under its key `alerts`. Raises UsageError."""
    import yaml

    try:
        document = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", hint="name a configuration file") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8", hint="save the file as UTF-8") from None
    except yaml.YAMLError as error:
        raise UsageError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    if isinstance(document, dict) and "alerts" in document:
        document = document["alerts"]
    return read(document, str(path))


def read(document: object, where: str = "alerts") -> Alerts:
    """The configuration in a value such as YAML or JSON gives. Raises UsageError, whose message has a line a mistake."""
    reading = _Reading()
    found = reading.alerts(document)
    if reading.problems or found is None:
        raise UsageError("\n".join(f"{where}: {problem}" for problem in reading.problems))
    return found


class _WrongError(Exception):
    """A value that is not what it should be; its message says why."""


class _Reading:
    def __init__(self) -> None:
        self.problems: list[str] = []

    def alerts(self, document: object) -> Alerts | None:
        if document is None:
            self._wrong("", "is empty: name channels and a default route")
            return None
        values = self._mapping(
            document,
            "",
            {
                "channels": self._channels,
                "routes": self._routes,
                "default": self._default,
                "retries": self._retries,
                "public_url": _checked(_public_url),
            },
            ("channels", "default"),
        )
        if self.problems:
            return None
        alerts = Alerts(**values)
        for route in (*alerts.routes, alerts.default):
            for name in (*route.channels, *(name for step in route.escalate for name in step.channels)):
                if name not in alerts.channels:
                    self._wrong(route.name, f"there is no channel {name!r}{_meant(name, alerts.channels)}")
        return alerts

    def _channels(self, value: object, place: str) -> dict[str, Channel | None]:
        if not isinstance(value, dict):
            raise _WrongError("is not a mapping of channels by name")
        for name in value:
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                self._wrong(place, f"{name!r} cannot be a channel's name: use letters, digits, - . _, at most 64")
        return {name: self._channel(each, f"{place}.{name}") for name, each in value.items()}

    def _channel(self, value: object, place: str) -> Channel | None:
        if not isinstance(value, dict) or value.get("kind") not in _CHANNELS:
            kind = value.get("kind") if isinstance(value, dict) else None
            what = "says no kind" if kind is None else f"has the unknown kind {kind!r}"
            self._wrong(place, f"{what}: use one of {', '.join(_CHANNELS)}")
            return None
        before = len(self.problems)
        made, places, secrets = _CHANNELS[value["kind"]]
        readers: dict[str, Reader] = {"kind": _checked(str), "quiet_hours": self._quiet, "concurrency": _number(1, 100)}
        if places:
            readers |= {name: _checked(_text) for name in (*places, *secrets)}
            readers |= {"insecure": _checked(_boolean), "timeout": _checked(_duration)}
        values = self._mapping(value, place, readers)
        for names, what in ((places, "where to send to"), (secrets, "where its secret is")):
            if names and sum(name in values for name in names) != 1:
                self._wrong(place, f"must say {what} once, with {' or '.join(names)}")
        if url := values.get("url"):
            wrong = address_problem(url, insecure=bool(values.get("insecure")))
            if wrong:
                self._wrong(f"{place}.url", wrong)
        del values["kind"]
        return made(**values) if len(self.problems) == before else None

    def _quiet(self, value: object, place: str) -> QuietHours | None:
        names = {
            "from": _checked(_minute),
            "to": _checked(_minute),
            "timezone": _checked(_zone),
            "days": _several(DAYS),
            "severity": lambda each, at: None if each == "none" else _one(SEVERITIES)(each, at),
        }
        before = len(self.problems)
        values = self._mapping(value, place, names, ("from", "to", "timezone"))
        if len(self.problems) > before:
            return None
        begins, ends = values.pop("from"), values.pop("to")
        if begins == ends:
            raise _WrongError("from and to are the same: leave quiet hours out, or leave the channel out of the routes")
        return QuietHours(begins=begins, ends=ends, **values)

    def _routes(self, value: object, place: str) -> tuple[Route | None, ...]:
        if not isinstance(value, list):
            raise _WrongError("is not a list of routes")
        return tuple(self._route(each, f"{place}[{number}]", True) for number, each in enumerate(value))

    def _default(self, value: object, place: str) -> Route | None:
        return self._route(value, place, False)

    def _route(self, value: object, place: str, choosing: bool) -> Route | None:
        readers: dict[str, Reader] = {"channels": _names, "kinds": _several(KINDS), "escalate": self._escalations}
        if choosing:
            readers |= {"owner": _names, "workflow": _names, "severity": _one(SEVERITIES), "continue": _checked(_boolean)}
        before = len(self.problems)
        values = self._mapping(value, place, readers, ("channels",))
        if len(self.problems) > before:
            return None
        return Route(name=place, onward=values.pop("continue", False), **values)

    def _escalations(self, value: object, place: str) -> tuple[Escalation, ...]:
        if not isinstance(value, list):
            raise _WrongError("is not a list of steps, each with after and channels")
        readers: dict[str, Reader] = {"after": _checked(_duration), "channels": _names}
        steps = []
        for number, each in enumerate(value):
            before = len(self.problems)
            values = self._mapping(each, f"{place}[{number}]", readers, ("after", "channels"))
            if len(self.problems) == before:
                steps.append(Escalation(**values))
        if [step.after for step in steps] != sorted({step.after for step in steps}):
            raise _WrongError("each step must come after a longer time than the one before")
        return tuple(steps)

    def _retries(self, value: object, place: str) -> Retries:
        durations = {name: _checked(_duration) for name in ("first", "longest", "give_up_after")}
        return Retries(**self._mapping(value, place, {"tries": _number(1, 100), **durations}))

    def _mapping(
        self, value: object, place: str, readers: Mapping[str, Reader], needed: Iterable[str] = ()
    ) -> dict[str, Any]:
        if not isinstance(value, dict):
            self._wrong(place, "is not a mapping")
            return {}
        for name in value:
            if name not in readers:
                self._wrong(place, f"has the unknown key {name!r}{_meant(str(name), readers)}")
        for name in needed:
            if name not in value:
                self._wrong(place, f"has no {name}")
        values = {}
        for name, read in readers.items():
            if name in value:
                at = f"{place}.{name}" if place else name
                try:
                    values[name] = read(value[name], at)
                except (_WrongError, UsageError) as error:
                    self._wrong(at, str(error))
        return values

    def _wrong(self, place: str, message: str) -> None:
        self.problems.append(f"{place}: {message}" if place else message)


_CHANNELS: dict[str, tuple[type[Any], tuple[str, ...], tuple[str, ...]]] = {
    "webhook": (WebhookChannel, ("url", "url_env", "url_file"), ("secret_env", "secret_file")),
    "slack": (SlackChannel, ("url_env", "url_file"), ()),
    "log": (LogChannel, (), ()),
}
"""Each kind of channel: what it becomes, and the names of which one says where to send to, and one where its secret is."""


def _checked(read: Callable[[Any], T]) -> Callable[[Any, str], T]:
    return lambda value, _place: read(value)


def _one(allowed: tuple[str, ...]) -> Reader:
    def read(value: object, _place: str) -> str:
        if value not in allowed:
            raise _WrongError(f"{value!r} is none of {', '.join(allowed)}")
        return str(value)

    return read


def _several(allowed: tuple[str, ...]) -> Reader:
    def read(value: object, place: str) -> tuple[str, ...]:
        return tuple(_one(allowed)(each, place) for each in _names(value, place))

    return read


def _number(least: int, most: int) -> Reader:
    def read(value: object, _place: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise _WrongError(f"{value!r} is not a whole number from {least} to {most}")
        return value

    return read


def _names(value: object, _place: str) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise _WrongError("is not a name or a list of names")
    return tuple(dict.fromkeys(names))


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _WrongError("is not a text")
    return value


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise _WrongError("is neither true nor false")
    return value


def _duration(value: object) -> int:
    found = parse_duration(str(value))
    if not 0 < found <= _LONGEST:
        raise _WrongError("must be longer than nothing" if found == 0 else "must not be longer than 366d")
    return found


def _minute(value: object) -> int:
    # YAML 1.1 reads an unquoted 22:30 as a number to the base of 60, which is the minute of the day.
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < UNITS["d"] // UNITS["m"]:
        return value
    found = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found:
        raise _WrongError(f"{value!r} is not a time of day such as '22:00'")
    return int(found[1]) * 60 + int(found[2])


def _zone(value: object) -> str:
    try:
        return ZoneInfo(_text(value)).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _WrongError(f"{value!r} is no time zone: use a name such as Europe/Berlin or UTC") from None


def _public_url(value: object) -> str:
    parts = urlsplit(_text(value))
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise _WrongError(f"{value!r} is not the address of this server, such as https://sagacity.example.org")
    return str(value).rstrip("/")


def _meant(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(known)}"
