"""Settings: frozen structs, read from environment variables with a service's prefix.

    class Settings(msgspec.Struct, frozen=True, kw_only=True):
        http: Http = Http()
        database: Database
        migrate_on_start: bool = False

    settings = load(Settings, "PRODUCT", os.environ)

A field's variable is its path in capitals: `http.port` is PRODUCT_HTTP_PORT. A field without a default must be set. The
second part of an annotation (`Annotated[int, Meta(description=..., ge=1)]`) says what it means, and what it may be.
"""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Protocol, TypeVar, runtime_checkable

import msgspec

from sagacity.errors import SagacityError, UsageError
from sagacity.workflow.durations import format_duration, parse_duration
from shop.chassis.pairs import Pairs

__all__ = ["Checking", "Secret", "Setting", "SettingsError", "described", "drafted", "load", "printed"]

S = TypeVar("S", bound=msgspec.Struct)
_HIDDEN = "********"
_CLOSE = 0.85


class Secret:
    """A text that is shown nowhere: neither in a log, nor in a traceback, nor by `--print-config`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one who needs it."""
        return self._text

    def __repr__(self) -> str:
        return _HIDDEN

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


class SettingsError(SagacityError):
    """Settings that cannot be used. `problems` has one entry a mistake, each with its variable and how to mend it."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@runtime_checkable
class Checking(Protocol):
    """Settings, or a part of some, that say what is wrong with them beyond single values."""

    def problems(self) -> Iterable[tuple[str, str]]:
        """Fields by path (`tokens.keys`), each with why it cannot be used."""
        ...


class Setting(msgspec.Struct, frozen=True):
    """One variable: its name, where its value goes, what it may be, what it means, and its default (UNSET: it must be
    set)."""

    variable: str
    path: tuple[str, ...]
    kind: Any
    meaning: str
    default: Any


def described(kind: type[msgspec.Struct], prefix: str) -> tuple[Setting, ...]:
    """Every variable that these settings have, in the order of their fields."""
    return tuple(_settings(kind, prefix, (), msgspec.UNSET))


def load(kind: type[S], prefix: str, environment: Mapping[str, str]) -> S:
    """The settings that an environment gives. Raises SettingsError with every mistake.

    A variable that is set to nothing counts as not set.
    """
    known = described(kind, prefix)
    given = _given(prefix, environment)
    values: dict[str, Any] = {}
    problems: list[str] = []
    for setting in known:
        if setting.variable in given:
            try:
                _put(values, setting.path, _read(setting.kind, given[setting.variable].strip()))
            except _UNUSABLE as error:
                problems.append(_refused(setting, given[setting.variable], error))
        elif setting.default is msgspec.UNSET:
            problems.append(f"{setting.variable} is not set: {setting.meaning or 'it has no default'}")
    problems += _misspelt(prefix, {setting.variable for setting in known}, given)
    if not problems:
        settings = _built(kind, values)
        problems += _together(settings, prefix)
    if problems:
        raise SettingsError(problems)
    return settings


def printed(settings: msgspec.Struct, prefix: str) -> str:
    """The settings as they would be set, one variable a line, with what each means; secrets are hidden."""
    lines = []
    for setting in described(type(settings), prefix):
        value: Any = settings
        for name in setting.path:
            value = getattr(value, name)
        lines.append(_line(setting, _shown(value)))
    return "\n".join(lines)


def drafted(kind: type[msgspec.Struct], prefix: str, environment: Mapping[str, str]) -> str:
    """As `printed`, of an environment of which no settings can be made: what must be set and is not, and what cannot be
    used, is said beside the rest."""
    given = _given(prefix, environment)
    lines = []
    for setting in described(kind, prefix):
        if setting.variable in given:
            text = given[setting.variable].strip()
            try:
                lines.append(_line(setting, _shown(_read(setting.kind, text))))
            except _UNUSABLE:
                lines.append(_line(setting, _HIDDEN if _kind(setting.kind) in _HIDING else text, "cannot be used"))
        elif setting.default is msgspec.UNSET:
            lines.append(_line(setting, "", "not set: needed"))
        else:
            lines.append(_line(setting, _shown(setting.default)))
    return "\n".join(lines)


def _given(prefix: str, environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(f"{prefix}_") and value.strip()}


def _line(setting: Setting, value: str, remark: str = "") -> str:
    said = "; ".join(filter(None, (remark, setting.meaning)))
    return f"{setting.variable}={value}" + (f"  # {said}" if said else "")


def _settings(kind: type[msgspec.Struct], prefix: str, path: tuple[str, ...], within: Any) -> Iterator[Setting]:
    hints = typing.get_type_hints(kind, include_extras=True)
    for field in msgspec.structs.fields(kind):
        annotation = hints[field.name]
        here = (*path, field.name)
        default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        if within is not msgspec.UNSET:
            default = getattr(within, field.name)
        absent = msgspec.UNSET if default is msgspec.NODEFAULT else default
        plain, meaning = _plain(annotation), _meaning(annotation)
        if isinstance(plain, type) and issubclass(plain, msgspec.Struct):
            yield from _settings(plain, prefix, here, absent)
        else:
            yield Setting("_".join((prefix, *here)).upper(), here, annotation, meaning, absent)


def _plain(annotation: Any) -> Any:
    return typing.get_args(annotation)[0] if typing.get_origin(annotation) is Annotated else annotation


def _meaning(annotation: Any) -> str:
    metas = annotation.__metadata__ if typing.get_origin(annotation) is Annotated else ()
    return next((meta.description for meta in metas if isinstance(meta, msgspec.Meta) and meta.description), "")


def _read(annotation: Any, text: str) -> Any:
    """A value from its text. Raises msgspec.ValidationError, ValueError or UsageError."""
    kind = _kind(annotation)
    if kind in _READERS:
        return _enough(annotation, _READERS[kind](text))
    if typing.get_origin(kind) is tuple:
        parts = [part.strip() for part in text.split(",") if part.strip()]
        return msgspec.convert(parts, annotation, strict=False)
    return msgspec.convert(text, annotation, strict=False)


def _kind(annotation: Any) -> Any:
    """What a value is, if there is one."""
    plain = _plain(annotation)
    members = typing.get_args(plain) if typing.get_origin(plain) in (typing.Union, types.UnionType) else (plain,)
    return next(_plain(member) for member in members if member is not type(None))


_READERS: dict[Any, Callable[[str], Any]] = {
    Secret: Secret,
    Pairs: Pairs.read,
    timedelta: lambda text: timedelta(microseconds=parse_duration(text)),
}


_UNUSABLE = (msgspec.ValidationError, ValueError, UsageError)
"""What reading a value raises."""

_HIDING = (Secret, Pairs)
"""Of which a text is not shown, as long as it could not be read."""


def _enough(annotation: Any, value: Any) -> Any:
    """The value. Raises ValueError where it is below the least that the annotation's Meta has in `extra`: msgspec knows of
    none for a duration."""
    for meta in annotation.__metadata__ if typing.get_origin(annotation) is Annotated else ():
        least = meta.extra.get("least") if isinstance(meta, msgspec.Meta) and meta.extra else None
        if least is not None and value < least:
            raise ValueError(f"it must be at least {_shown(least)}")
    return value


def _put(values: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        values = values.setdefault(name, {})
    values[path[-1]] = value


def _built(kind: type[S], values: Mapping[str, Any], within: Any = None) -> S:
    """The struct, with what is not given as its default or as in the default of the struct around."""
    hints = typing.get_type_hints(kind, include_extras=True)
    made: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        plain = _plain(hints[field.name])
        default = getattr(within, field.name) if within is not None else field.default
        if isinstance(plain, type) and issubclass(plain, msgspec.Struct):
            around = default if isinstance(default, msgspec.Struct) else None
            made[field.name] = _built(plain, values.get(field.name, {}), around)
        elif field.name in values:
            made[field.name] = values[field.name]
        elif within is not None:
            made[field.name] = default
    return kind(**made)


def _refused(setting: Setting, text: str, error: Exception) -> str:
    said = error.message if isinstance(error, UsageError) else str(error)
    hint = f"; {error.hint}" if isinstance(error, UsageError) and error.hint else ""
    meaning = f" ({setting.meaning})" if setting.meaning else ""
    shown = _HIDDEN if _kind(setting.kind) in _HIDING else repr(text)
    return f"{setting.variable}: {shown} cannot be used: {said[:1].lower()}{said[1:]}{hint}{meaning}"


def _together(settings: msgspec.Struct, prefix: str) -> Iterator[str]:
    """What is wrong with values that are right each by itself: a struct's own `problems`, and those of its parts."""
    if isinstance(settings, Checking):
        for path, why in settings.problems():
            yield f"{prefix}_{path.replace('.', '_')}".upper() + f": {why}"
    for field in msgspec.structs.fields(settings):
        value = getattr(settings, field.name)
        if isinstance(value, msgspec.Struct):
            yield from _together(value, f"{prefix}_{field.name}")


def _misspelt(prefix: str, known: set[str], given: Mapping[str, str]) -> Iterator[str]:
    """Variables that are none, and so close to one that is that they were hardly meant for anything else."""
    start = len(prefix) + 1
    by_rest = {name[start:]: name for name in sorted(known)}
    for name in sorted(set(given) - known):
        if close := difflib.get_close_matches(name[start:], by_rest, 1, _CLOSE):
            yield f"{name} is no setting: did you mean {by_rest[close[0]]}?"


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ",".join(map(_shown, value))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, timedelta):
        return format_duration(round(value.total_seconds() * 1_000_000))
    return str(value)
