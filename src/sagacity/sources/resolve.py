"""What a user writes for a source, as an input: files, a folder, a glob, `-`, or data in memory."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from glob import escape, has_magic
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from sagacity.errors import SourceError, UsageError
from sagacity.sources.inputs import Compression, Files, Format, Input, Table
from sagacity.sources.paths import files_below, matches, mixture, no_such
from sagacity.sources.postgres import SCHEMES, Databases
from sagacity.sources.sniff import KNOWN, format_of, sniff, unreadable
from sagacity.sources.spool import Spool
from sagacity.urls import without_password
from sagacity.workflow.model import Source, Workflow

__all__ = ["parse_source_option", "parse_source_options", "resolve", "source_names"]

_STDIN = "-"
_REMOTE = ("s3://", "http://", "https://", "gs://", "abfss://", "hdfs://")


def source_names(workflow: Workflow) -> tuple[str, ...]:
    """Every source of a workflow: those that it declares, then those that only its event types name."""
    return tuple(dict.fromkeys([*workflow.sources, *(event.source for event in workflow.events.values())]))


def parse_source_option(text: str, workflow: Workflow | None = None, option: str = "--source ") -> tuple[str, str]:
    """A `name=path` as its two parts. Where the workflow has one source, a bare path is enough. `option` is what a user
    writes before it.

    Raises UsageError where there is no name, or no path.
    """
    name, equals, path = text.partition("=")
    names = source_names(workflow) if workflow else ()
    if len(names) == 1 and (not equals or os.sep in name) and text:
        return names[0], text
    if not equals or not name.strip() or not path.strip():
        called = Path(text).name.partition(".")[0]
        likely = called if called in names else names[0] if names else "orders"
        example = f"{likely}={text.strip('= ') or 'events/*.jsonl.gz'}"
        raise UsageError(f"'{text}' does not name a source and its path", hint=f"write {option}{example}")
    return name.strip(), path


def parse_source_options(
    texts: Iterable[str], workflow: Workflow | None = None, option: str = "--source "
) -> dict[str, list[str]]:
    """Several `name=path`; a name that comes more than once has all its paths, in this order."""
    found: dict[str, list[str]] = {}
    for text in texts:
        name, path = parse_source_option(text, workflow, option)
        found.setdefault(name, []).append(path)
    return found


def resolve(
    workflow: Workflow,
    given: Mapping[str, object],
    *,
    base: Path | None,
    spool: Spool | None = None,
    stdin: BinaryIO | None = None,
) -> dict[str, Input]:
    """An input for every source of the workflow, in the order of `source_names`.

    `given` maps a source to a path (a file, a folder, a glob with `**`, `-` for standard input, or the URL of a table in
    PostgreSQL), a list of them, a table in memory (anything with `__arrow_c_stream__` or `__dataframe__`), or a list of
    rows (mappings). A source that is not given is read from its `path` in the workflow, relative to `base`, the folder of
    the workflow file.

    What cannot be read twice is copied to `spool`; without one, to a spool of its own that lives as long as the inputs.
    `stdin` stands in for standard input. Files of a folder are read in the order of their names, as are those of a glob.
    Raises UsageError and SourceError.
    """
    names = source_names(workflow)
    if not isinstance(given, Mapping):
        example = f"{{'{names[0] if names else 'log'}': ...}}"
        raise UsageError(f"sources are given as a {type(given).__name__}", hint=f"give a mapping: {example}")
    _no_strangers(names, given)
    reader = _Reader(spool or Spool(), stdin)
    absent = [name for name in names if name not in given and workflow.sources.get(name, Source()).path is None]
    if absent:
        raise UsageError(
            f"the workflow names {_listed(absent)}, and nothing is given for {'them' if len(absent) > 1 else 'it'}",
            hint=" ".join(f"--source {name}=PATH" for name in absent),
        )
    inputs: dict[str, Input] = {}
    try:
        for name in names:
            source = workflow.sources.get(name, Source())
            inputs[name] = reader.read(name, given[name] if name in given else _beside(base, source.path or ""), source)
    finally:
        reader.databases.close()
    return inputs


def _no_strangers(names: Sequence[str], given: Mapping[str, object]) -> None:
    for name in given:
        if name not in names:
            close = get_close_matches(name, names, 1)
            hint = f"did you mean '{close[0]}'?" if close else f"it names {_listed(names)}"
            raise UsageError(f"the workflow names no source '{name}'", hint=hint)


def _beside(base: Path | None, path: str) -> str:
    """A workflow's own path, which is relative to the workflow's folder."""
    elsewhere = base is None or path == _STDIN or path.startswith(("~", *_REMOTE, *SCHEMES))
    if elsewhere:
        return path
    return str(Path(escape(str(base)) if has_magic(path) else str(base)) / path)


class _Reader:
    """Makes inputs; knows what has been read from standard input, which can be had once only."""

    def __init__(self, spool: Spool, stdin: BinaryIO | None) -> None:
        self.spool = spool
        self.stdin = stdin
        self.databases = Databases(spool)
        self.stdin_serves: str | None = None

    def read(self, name: str, value: object, source: Source) -> Input:
        if hasattr(value, "__arrow_c_stream__") or hasattr(value, "__dataframe__"):
            return Table(value, given=f"{type(value).__name__} in memory")
        parts: list[Any] = list(value) if isinstance(value, list | tuple) else [value]
        if isinstance(value, list | tuple) and all(isinstance(part, Mapping) for part in parts):
            return self._rows(parts)
        if not all(isinstance(part, str | os.PathLike) for part in parts):
            kinds = _listed(sorted({type(part).__name__ for part in parts}))
            raise UsageError(
                f"source '{name}' cannot be read from {kinds}",
                hint="give a path, a list of paths, a table or data frame, or a list of dicts",
            )
        if source.format == "table":
            raise UsageError(
                f"source '{name}' is a table in memory, and a path is given", hint=f"state format: {KNOWN}, or leave it out"
            )
        return self._files(name, [os.fspath(part) for part in parts], source.format)

    def _rows(self, rows: Sequence[Any]) -> Files:
        path = self.spool.new(".jsonl")
        encoder = msgspec.json.Encoder(enc_hook=str)
        with path.open("wb") as out:
            for number, row in enumerate(rows):
                try:
                    out.write(encoder.encode(row) + b"\n")
                except (TypeError, ValueError, msgspec.MsgspecError) as error:
                    raise SourceError(f"row {number + 1} of {len(rows):,} cannot be read: {error}") from error
        given = f"{len(rows):,} rows in memory"
        return Files((str(path),), "jsonl", ("none",), given=given, names=("rows",), held=self.spool)

    def _files(self, name: str, texts: Sequence[str], stated: Format | None) -> Files:
        found: dict[str, str] = {}
        for text in texts:
            for path, shown in self._expand(name, text, stated):
                found.setdefault(path, shown)
        formats: dict[str, Format] = {}
        compression: list[Compression] = []
        for path, shown in found.items():
            sniffed = sniff(path, shown)
            if shown.startswith(SCHEMES):
                formats[shown] = _of_table(shown, stated)
                compression.append("none")
                continue
            formats[shown] = format_of(shown, sniffed, stated)
            compression.append(sniffed.compression)
        if len(set(formats.values())) > 1:
            raise mixture(f"source '{name}'", formats)
        spooled = any(path != shown for path, shown in found.items())
        return Files(
            tuple(found),
            next(iter(formats.values())),
            tuple(compression),
            given=_given([without_password(text) for text in texts]),
            names=tuple(found.values()) if spooled else (),
            held=self.spool if spooled else None,
        )

    def _expand(self, name: str, text: str, stated: Format | None) -> list[tuple[str, str]]:
        """The files that a path stands for, each with the name that messages use."""
        if text == _STDIN:
            return [(self._standard_input(name), "stdin")]
        if text.startswith(SCHEMES):
            table, shown = self.databases.read(text)
            return [(str(table), shown)]
        if text.startswith(_REMOTE):
            raise UsageError(f"{text} is not on this machine", hint="copy it here first, or pipe it in with -")
        if not text or "\0" in text:
            raise UsageError(f"source '{name}': {text!r} is not a path", hint="write . for the folder you are in")
        path = Path(text).expanduser() if text.startswith("~") else Path(text)
        try:
            mode = path.stat().st_mode
        except (FileNotFoundError, NotADirectoryError) as error:
            if not has_magic(text):
                raise no_such(path) from error
            return [(match, match) for match in matches(str(path))]
        except OSError as error:
            raise unreadable(text, error) from error
        if stat.S_ISDIR(mode):
            return [(file, file) for file in files_below(path, stated)]
        if not stat.S_ISREG(mode):
            return [(self._pipe(path), text)]
        return [(str(path), str(path))]

    def _standard_input(self, name: str) -> str:
        if self.stdin_serves is not None:
            raise UsageError(f"standard input cannot serve both '{self.stdin_serves}' and '{name}'", hint="give - once only")
        self.stdin_serves = name
        return str(self.spool.copy(self.stdin or sys.stdin.buffer))

    def _pipe(self, path: Path) -> str:
        try:
            with path.open("rb") as stream:
                return str(self.spool.copy(stream))
        except OSError as error:
            raise unreadable(str(path), error) from error


def _of_table(shown: str, stated: Format | None) -> Format:
    """Rows of a database come as JSON lines. Raises UsageError where the workflow says otherwise."""
    if stated not in (None, "jsonl"):
        raise UsageError(f"{shown} is a table, and the workflow says {stated}", hint="leave `format` out of the workflow")
    return "jsonl"


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _given(texts: Sequence[str]) -> str:
    return ", ".join(texts) if len(texts) <= 3 else f"{', '.join(texts[:3])} and {len(texts) - 3:,} more"
