"""What is wrong with a document, field by field: all of it at once, where a decoder stops at the first."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

__all__ = ["wrong_fields"]

_WHERE = re.compile(r" - at `\$(?P<path>[^`]*)`$")
_PATTERN = "Expected `str` matching regex "
_BOUNDS = (
    (re.compile(r"Expected `(?:int|float)` >= (\S+)"), "must be at least {0}"),
    (re.compile(r"Expected `(?:int|float)` <= (\S+)"), "must be at most {0}"),
    (re.compile(r"Expected `(?:int|float)` > (\S+)"), "must be more than {0}"),
    (re.compile(r"Expected `(?:int|float)` < (\S+)"), "must be less than {0}"),
    (re.compile(r"Expected `str` of length >= (\d+)"), "must have at least {0} characters"),
    (re.compile(r"Expected `str` of length <= (\d+)"), "must have at most {0} characters"),
    (re.compile(r"Expected `array` of length >= (\d+)"), "must have at least {0} entries"),
    (re.compile(r"Expected `array` of length <= (\d+)"), "must have at most {0} entries"),
    (re.compile(r"Object contains unknown field `(.+)`"), "there is no field {0}"),
    (re.compile(r"Expected `(.+)`, got `(.+)`"), "must be {0}, not {1}"),
)
_KINDS = {
    "str": "a text",
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
}


def wrong_fields(document: Any, kind: Any, path: str = "") -> dict[str, str]:
    """Why a document, as plain Python, is not of a type: words by path, empty where it is."""
    return dict(_wrong(document, kind, path))


def _wrong(value: Any, kind: Any, path: str) -> Iterator[tuple[str, str]]:
    plain = _plain(kind)
    if isinstance(plain, type) and issubclass(plain, msgspec.Struct) and isinstance(value, dict):
        found = list(_of_struct(value, plain, path))
    elif typing.get_origin(plain) in (list, tuple) and isinstance(value, list):
        inner = typing.get_args(plain)[0]
        found = [each for at, item in enumerate(value) for each in _wrong(item, inner, _join(path, str(at)))]
    else:
        found = []
    yield from found or _whole(value, kind, path)


def _of_struct(value: dict[str, Any], kind: type[msgspec.Struct], path: str) -> Iterator[tuple[str, str]]:
    hints = typing.get_type_hints(kind, include_extras=True)
    for field in msgspec.structs.fields(kind):
        here = _join(path, field.encode_name)
        if field.encode_name in value:
            yield from _wrong(value[field.encode_name], hints[field.name], here)
        elif field.required:
            yield here, "is missing"


def _whole(value: Any, kind: Any, path: str) -> Iterator[tuple[str, str]]:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        said = str(error)
        inner = _WHERE.search(said)
        where = _path(inner["path"]) if inner else ""
        yield _join(path, where), _words(said[: inner.start()] if inner else said, kind)


def _plain(kind: Any) -> Any:
    while typing.get_origin(kind) is Annotated:
        kind = typing.get_args(kind)[0]
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        present = [each for each in typing.get_args(kind) if each is not type(None)]
        return _plain(present[0]) if len(present) == 1 else kind
    return kind


def _words(said: str, kind: Any) -> str:
    if said.startswith(_PATTERN):
        return f"must be {_described(kind) or 'of another form'}"
    for pattern, words in _BOUNDS:
        if match := pattern.fullmatch(said):
            return words.format(*(_KINDS.get(group, group) for group in match.groups()))
    return said[:1].lower() + said[1:]


def _described(kind: Any) -> str | None:
    metas = kind.__metadata__ if typing.get_origin(kind) is Annotated else ()
    return next((meta.description for meta in metas if isinstance(meta, msgspec.Meta) and meta.description), None)


def _path(inner: str) -> str:
    return inner.replace("[", ".").replace("]", "").strip(".")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path and name else path or name
