"""The records that are learnt from: what a user names, as sources."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sagacity.discover.fields import event_fields, key_field
from sagacity.errors import UsageError
from sagacity.ledger.mining import Mining
from sagacity.sources.inputs import Files, Input
from sagacity.sources.paths import formats_below
from sagacity.sources.resolve import resolve
from sagacity.sources.spool import Spool
from sagacity.sources.xes import as_jsonl
from sagacity.workflow.model import Source, Workflow

__all__ = ["Records"]

_ASKED = "log"
_TABULAR: tuple[str, ...] = ("csv", "parquet")
_BY_FILE = (*_TABULAR, "jsonl")


class Records:
    """Paths, folders, globs or tables, as one source for each format and way of reading events. `stated` (type, time, id)
    and `cases` name the fields that are asked for.

    `formats` has the format of each source, `paths` how a workflow in `folder` would name it, None where no one path does;
    `unplaced` has what was given for such a source.
    """

    def __init__(
        self,
        given: Any,
        folder: Path | None = None,
        stated: tuple[str | None, str | None, str | None] = (None, None, None),
        cases: Sequence[str] = (),
    ) -> None:
        self.formats: dict[str, str] = {}
        self.paths: dict[str, str | None] = {}
        self.unplaced: dict[str, tuple[str, ...]] = {}
        self._given = list(given) if isinstance(given, list | tuple) else [given]
        self._folder = folder
        self._stated = stated
        self._cases = cases
        self._spool = Spool()
        self._inputs: Mapping[str, Input] | None = None
        self._kinds = _TABULAR
        self._taken: Mapping[str, Input] = {}

    def close(self) -> None:
        """Remove temporary files."""
        self._spool.close()

    def inputs(self, mining: Mining) -> Mapping[str, Input]:
        """The sources by name. Raises UsageError, SourceError."""
        if self._inputs is None:
            self._inputs = self._gathered(mining)
        return self._inputs

    def part(self, mining: Mining) -> bool:
        """Read JSON lines file by file, as tables are, where their fields are called otherwise from file to file. False
        where that makes no more sources than there are."""
        before = self.inputs(mining), self.formats, self.paths, self.unplaced
        if self._kinds == _BY_FILE:
            return False
        self._kinds, self._taken = _BY_FILE, before[0]
        self.formats, self.paths, self.unplaced = {}, {}, {}
        self._inputs = self._gathered(mining)
        if len(self._inputs) > len(before[0]):
            return True
        self._inputs, self.formats, self.paths, self.unplaced = before
        return False

    def _gathered(self, mining: Mining) -> dict[str, Input]:
        if not self._given:
            raise UsageError("nothing is given to learn from", hint="name files, such as events/*.jsonl.gz")
        asked = Workflow(name=_ASKED, sources={_ASKED: Source()}, events={})
        if all(isinstance(each, dict) for each in self._given):
            found: list[tuple[Any, Input]] = [
                (None, resolve(asked, {_ASKED: self._given}, base=None, spool=self._spool)[_ASKED])
            ]
        else:
            given = [one for each in self._given for one in _expanded(each)]
            found = [(each, resolve(asked, {_ASKED: each}, base=None, spool=self._spool)[_ASKED]) for each in given]
        groups = self._groups(mining, found)
        named: dict[str, Input] = {}
        for members in groups:
            name = self._name(members, len(groups), {**self._taken, **named})
            merged = _merged([each for _, each in members])
            self.formats[name] = merged.format if isinstance(merged, Files) else "table"
            texts = list(dict.fromkeys(text for text, _ in members))
            self.paths[name] = self._path(texts, merged)
            if self.paths[name] is None and all(isinstance(text, str | os.PathLike) for text in texts):
                self.unplaced[name] = tuple(map(str, texts))
            xes = isinstance(merged, Files) and merged.format == "xes"
            named[name] = as_jsonl(merged, self._spool, None) if xes and isinstance(merged, Files) else merged
        return named

    def _groups(self, mining: Mining, found: list[tuple[Any, Input]]) -> list[list[tuple[Any, Input]]]:
        """Records that are read alike: of one format, by the same fields."""
        formats: dict[Any, list[tuple[Any, Input]]] = {}
        for number, (text, each) in enumerate(found):
            formats.setdefault(each.format if isinstance(each, Files) else number, []).append((text, each))
        groups = []
        for kind, members in formats.items():
            parted = self._parted(mining, members, kind) if kind in self._kinds else []
            groups += parted if len(parted) > 1 else [members]
        return groups

    def _parted(self, mining: Mining, members: list[tuple[Any, Input]], kind: str) -> list[list[tuple[Any, Input]]]:
        """Files whose columns differ are one source all the same if what an event is made of stands in the same columns."""
        columns: dict[frozenset[str], list[tuple[Any, Input]]] = {}
        for text, file in (each for member in members for each in _single(*member)):
            columns.setdefault(frozenset(mining.fields(file)), []).append((text, file))
        if len(columns) < 2:
            return []
        groups: dict[Any, list[tuple[Any, Input]]] = {}
        for number, (named, files) in enumerate(columns.items()):
            sample = mining.sample(f"{_ASKED} {kind} {number}", _merged([file for _, file in files]), None)
            try:
                stated = event_fields(sample, *self._stated)
                keys = tuple(key_field(sample, case) for case in self._cases)
                made: Any = (stated.type, stated.time, stated.id, keys)
            except UsageError:
                made = named
            groups.setdefault(made, []).extend(files)
        return list(groups.values())

    def _name(self, members: list[tuple[Any, Input]], groups: int, taken: Mapping[str, Input]) -> str:
        text = members[0][0]
        if groups == 1 or not isinstance(text, str | os.PathLike):
            stem = _ASKED
        else:
            stem = "".join(c if c.isalnum() else "_" for c in Path(text).name.partition(".")[0]).strip("_") or _ASKED
        name, number = stem, 1
        while name in taken:
            number += 1
            name = f"{stem}{number}"
        return name

    def _path(self, texts: list[Any], merged: Input) -> str | None:
        if not isinstance(merged, Files) or not all(isinstance(text, str | os.PathLike) for text in texts) or "-" in texts:
            return None
        named = [str(text) for text in texts]
        if len(named) > 1:
            folders = {str(Path(path).parent) for path in merged.paths}
            suffixes = {"".join(Path(path).suffixes) for path in merged.paths}
            if len(folders) > 1 or len(suffixes) > 1:
                return None
            pattern = Path(next(iter(folders))) / f"*{next(iter(suffixes))}"
            if {str(each) for each in pattern.parent.glob(pattern.name)} != {str(Path(path)) for path in merged.paths}:
                return None
            named = [str(pattern)]
        path = Path(named[0])
        return os.path.relpath(path, self._folder) if self._folder is not None and not path.is_absolute() else str(path)


def _expanded(given: Any) -> list[Any]:
    """A folder of several formats as its files: each format is a source of its own."""
    if not isinstance(given, str | os.PathLike) or not given or not Path(given).is_dir():
        return [given]
    formats = formats_below(Path(given))
    return sorted(formats) if len(set(formats.values())) > 1 else [given]


def _merged(inputs: list[Input]) -> Input:
    if len(inputs) == 1:
        return inputs[0]
    files = [each for each in inputs if isinstance(each, Files)]
    found: dict[str, tuple[Any, str]] = {}
    for each in files:
        for number, path in enumerate(each.paths):
            found.setdefault(path, (each.compression[number], each.name(number)))
    spooled = any(path != shown for path, (_, shown) in found.items())
    given = ", ".join(each.given for each in files[:3]) + (f" and {len(files) - 3:,} more" if len(files) > 3 else "")
    return Files(
        tuple(found),
        files[0].format,
        tuple(compression for compression, _ in found.values()),
        given=given,
        names=tuple(shown for _, shown in found.values()) if spooled else (),
        held=[each.held for each in files],
    )


def _single(text: Any, given: Input) -> list[tuple[Any, Input]]:
    """A source's files one by one."""
    if not isinstance(given, Files) or len(given.paths) < 2:
        return [(text, given)]
    return [
        (
            path if given.name(number) == path else text,
            Files(
                (path,),
                given.format,
                (given.compression[number],),
                given=given.name(number),
                names=(given.name(number),),
                held=given.held,
            ),
        )
        for number, path in enumerate(given.paths)
    ]
