"""Documents and logs, told apart: what an organisation has written down about its events, and the events themselves."""

from __future__ import annotations

import os
from collections.abc import Sequence
from glob import has_magic
from pathlib import Path
from typing import Any

import msgspec
import yaml

from sagacity.catalog.part import Part, referred
from sagacity.catalog.schemas import is_schema
from sagacity.discover.fields import eventful
from sagacity.errors import SagacityError, SourceError, UsageError
from sagacity.sources.paths import matches, no_such
from sagacity.sources.sniff import named_format, unreadable

__all__ = ["Documents", "Given", "told_apart"]

_WRITTEN = (".yaml", ".yml", ".json")
_LARGEST = 50_000_000
_LOADER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Given(msgspec.Struct, frozen=True):
    """What somebody gave: documents and logs, and which of them were named themselves, not found in a folder."""

    documents: tuple[str, ...]
    logs: tuple[str, ...]
    named: frozenset[str]


class Documents:
    """Documents by their paths, with all that they refer to. `notes` tells what could not be followed, `targets` which files
    others refer to."""

    def __init__(self) -> None:
        self.trees: dict[str, Any] = {}
        self.notes: list[str] = []
        self.targets: set[str] = set()
        self._failed: dict[str, SagacityError] = {}

    def read(self, path: str) -> Part:
        """A document. Raises SourceError where it cannot be read."""
        path = os.path.normpath(path)
        if path in self._failed:
            raise self._failed[path]
        if path not in self.trees:
            self.trees[path] = _tree(path)
            self._follow(path)
        return Part(self.trees, path, self.trees[path])

    def _follow(self, path: str) -> None:
        for target, reference in referred(self.trees[path], path):
            self.targets.add(target)
            if target in self.trees:
                continue
            self.trees[target] = None
            if "://" in target:
                self.notes.append(f"{path} refers to {reference}, and nothing is fetched from elsewhere")
            elif not Path(target).is_file():
                self.notes.append(f"{path} refers to {reference}, and there is no such file")
            elif Path(target).suffix.lower() in _WRITTEN:
                self._read(path, target, reference)

    def _read(self, path: str, target: str, reference: str) -> None:
        try:
            self.trees[target] = _tree(target)
        except (SourceError, UsageError) as error:
            self._failed[target] = error
            self.notes.append(f"{path} refers to {reference}: {error.message}")
        else:
            self._follow(target)


def told_apart(given: Sequence[str], fields: Sequence[str] = ()) -> Given:
    """Paths, folders and globs as the documents (YAML, or one JSON object) and the logs in them. What a folder holds beside
    logs is taken for one only if it looks like events, or has all of some `fields`.

    Raises SourceError where there is nothing.
    """
    documents: dict[str, None] = {}
    logs: dict[str, None] = {}
    named: set[str] = set()
    for text in given:
        paths = _files(text)
        found = paths != [text] and paths != [str(Path(text).expanduser())]
        named |= set() if found else set(paths)
        for path in paths:
            written = Path(path).suffix.lower() in _WRITTEN
            if written and path.lower().endswith(".json"):
                written = _is_document(path, fields, found)
            (documents if written else logs)[path] = None
    return Given(tuple(documents), tuple(path for path in logs if path not in documents), frozenset(named))


def _files(text: str) -> list[str]:
    if text == "-" or "://" in text:
        return [text]
    path = Path(text).expanduser()
    if path.is_dir():
        found = [
            str(file)
            for file in sorted(path.rglob("*"))
            if file.is_file()
            and not any(part.startswith((".", "_")) for part in file.relative_to(path).parts)
            and (file.suffix.lower() in _WRITTEN or named_format(file.name) is not None)
        ]
        if not found:
            raise SourceError(f"the folder {text} holds neither documents nor events", hint="YAML, JSON, or logs")
        return found
    if path.exists():
        return [str(path)]
    if has_magic(text):
        return matches(str(path))
    raise no_such(path)


def _is_document(path: str, fields: Sequence[str], found: bool) -> bool:
    """Whether a .json file is one object that says what events are, and not events; of one that was `found`, whether it is
    no events either."""
    try:
        with Path(path).open("rb") as file:
            first = file.readline(1 << 20)
        tree = _tree(path)
    except OSError as error:
        raise unreadable(path, error) from error
    except (SourceError, UsageError):
        return not first.rstrip().endswith(b"}")  # an object a line is events
    part = Part({}, path, tree)
    if part.at("asyncapi") or part.at("workflow") or is_schema(part):
        return True
    return found and not eventful(tree, fields)


def _tree(path: str) -> Any:
    try:
        if Path(path).stat().st_size > _LARGEST:
            raise UsageError(f"{path} is too large for a document", hint="name a log .jsonl, so that it is read as events")
        content = Path(path).read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
    try:
        if path.lower().endswith(".json"):
            return msgspec.json.decode(content)
        return yaml.load(content, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f":{mark.line + 1}:{mark.column + 1}" if mark is not None else ""
        raise SourceError(f"{path}{where} is not YAML: {error.problem or error.context}") from error
    except (yaml.YAMLError, msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise SourceError(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise SourceError(f"{path} is nested too deeply to be read") from error
