"""Which fields tie events together: those that are asked for, in every source, and those that could be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from sagacity.discover.fields import Stated, event_fields, key_field
from sagacity.discover.keys import Elsewhere, Keys, keyish, promising, suggested, telling
from sagacity.discover.outline import Look, key_name
from sagacity.errors import UsageError
from sagacity.ledger.duckdb.mining import DuckDBMining
from sagacity.ledger.mining import Mining, Sample
from sagacity.reconcile.records import Records
from sagacity.sources.inputs import Input

__all__ = ["Correlated", "candidate_keys"]

_XES_CASE = '"case:concept:name"'
_HELD = 0.8
"""A field names cases by another source's key if that has so large a share of its values."""

_FEW = 5
_LOOKED_AT = 50_000
_TRIED = 6


class Correlated:
    """Sources as they were looked at, with the fields by which their events are correlated. `cases` are those that are asked
    for, by path or last name; none means that of XES. `keys` are their names, `notes` what was found by values.

    Raises UsageError where a source has none of the fields, nor one whose values are those of another source's.
    """

    def __init__(
        self,
        records: Records,
        mining: Mining,
        cases: Sequence[str],
        stated: tuple[str | None, str | None, str | None],
    ) -> None:
        self._records, self._mining = records, mining
        self._fields: dict[str, tuple[Sample, Stated]] = {}
        found = _fields_of(records, mining, stated)
        self._inputs = records.inputs(mining)
        for source, fields in found.items():
            self._fields[source] = mining.sample(source, self._inputs[source], fields.type), fields
        self.notes: list[str] = []
        paths = {source: self._named(source, cases) for source in self._inputs}
        called = self._called(paths, cases)
        for source in paths:
            if not paths[source]:
                paths[source] = self._by_values(source, paths, cases)
        spelt = {source: self._spelt(source, paths[source]) for source in self._inputs}
        self.keys = tuple(name for place, name in called.items() if any(place in found for found in spelt.values()))
        self.looks = {
            source: self._look(source, {called[place]: path for place, path in found.items()})
            for source, found in spelt.items()
        }

    def _named(self, source: str, cases: Sequence[str]) -> dict[int, str]:
        """The paths of the fields that are called so, by their place in `cases`."""
        sample, _ = self._fields[source]
        if not cases and self._records.formats[source] == "xes":
            return {0: _XES_CASE}
        found = {place: key_field(sample, case) for place, case in enumerate(cases or ["case"])}
        return {place: path for place, path in found.items() if path is not None}

    def _by_values(self, source: str, paths: Mapping[str, Mapping[int, str]], cases: Sequence[str]) -> dict[int, str]:
        sample, stated = self._fields[source]
        tried = [path for path in keyish(sample, stated) if telling(sample, path)][:_TRIED]
        others = [(other, place, path) for other, found in paths.items() for place, path in found.items()]
        fields = [(source, path) for path in tried] + [(other, path) for other, _, path in others]
        found = [
            each
            for each in self._mining.shared([(name, self._inputs[name], path) for name, path in fields], 1)
            if each.first < len(tried) <= each.second and each.share >= _HELD and each.values >= _FEW
        ]
        if not found or not others:
            raise self._lacking(source, " or ".join(cases) or "case")
        best = max(found, key=lambda each: (each.share, each.values, -each.first))
        other, place, path = others[best.second - len(tried)]
        self.notes.append(
            f"in '{source}', {tried[best.first]} is taken for {path} of '{other}', which has {best.share:.0%} of its values"
        )
        return {place: tried[best.first]}

    def _look(self, source: str, keys: Mapping[str, str]) -> Look:
        sample, stated = self._fields[source]
        types = self._mining.types(source, self._inputs[source], stated.type)
        return Look(sample, stated, keys, types, self._records.formats[source], self._records.paths[source])

    def _called(self, paths: Mapping[str, Mapping[int, str]], cases: Sequence[str]) -> dict[int, str]:
        """What the keys are called: as the first field of each is."""
        names: dict[int, str] = {}
        for place in range(max(len(cases), 1)):
            path = next((found[place] for found in paths.values() if place in found), None)
            if path is None:
                raise self._lacking(next(iter(paths)), cases[place] if cases else "case")
            name = key_name(path)
            names[place] = name if name not in names.values() else f"{name}_{place + 1}"
        return names

    def _lacking(self, source: str, named: str) -> UsageError:
        listed = ", ".join(field.path for field in self._fields[source][0].fields[:12])
        return UsageError(f"source '{source}' has no field '{named}'", hint=f"it has {listed}")

    def _spelt(self, source: str, paths: Mapping[int, str]) -> Mapping[int, str]:
        """The keys of a source. What holds the values of another, and never stands beside it, is the same key, as other
        events call it."""
        sample, stated = self._fields[source]
        places = [place for place in paths if telling(sample, paths[place])]
        if len(places) < 2:
            return paths
        found = {place: [path] for place, path in paths.items()}
        for each in self._mining.shared([(source, self._inputs[source], paths[place]) for place in places], 1):
            first, second = places[each.first], places[each.second]
            alike = first > second and first in found and second in found and each.share >= _HELD and each.values >= _FEW
            if alike and not self._beside(source, stated, paths[first], paths[second]):
                found[second] += found.pop(first)
                self.notes.append(f"{paths[first]} is taken for {paths[second]}, which has {each.share:.0%} of its values")
        return {place: f"COALESCE({', '.join(same)})" if len(same) > 1 else same[0] for place, same in found.items()}

    def _beside(self, source: str, stated: Stated, first: str, second: str) -> bool:
        """Whether events carry both fields."""
        _, links = self._mining.keys(source, self._inputs[source], stated.type, [first, second])
        return bool(links)


def _fields_of(records: Records, mining: Mining, stated: tuple[str | None, str | None, str | None]) -> dict[str, Stated]:
    """What events are read from, by source. Where JSON lines are not read alike, they are told apart by their files."""
    for _ in range(2):
        try:
            return {
                source: event_fields(mining.sample(source, given, None), *stated)
                for source, given in records.inputs(mining).items()
            }
        except UsageError:
            if not records.part(mining):
                raise
    raise AssertionError


def candidate_keys(
    files: Any,
    *,
    type: str | None = None,
    time: str | None = None,
    memory: str | None = None,
    threads: int | None = None,
) -> dict[str, Keys]:
    """For each source, the fields that could be its correlation key. Parameters and errors are those of `Discovery`."""
    records = Records(files, None, (type, time, None))
    mining: Mining = DuckDBMining(memory=memory, threads=threads)
    try:
        fields = _fields_of(records, mining, (type, time, None))
        inputs = records.inputs(mining)
        found, compared, most = {}, [], 0
        for source, given in inputs.items():
            sample = mining.sample(source, given, None)
            stated = fields[source]
            types = mining.types(source, given, stated.type)
            seen, links = mining.keys(source, given, stated.type, keyish(sample, stated))
            keys = suggested(seen, links, sum(types.values()), len(types))
            found[source] = replace(keys, unreadable=mining.unreadable(source, given))
            tried = [path for path in keyish(sample, stated) if telling(sample, path)]
            if len(inputs) == 1:  # then only fields of different events can be one key
                tried = [path for path in tried if any(_apart(found[source], path, other) for other in tried)]
            compared += [(source, path) for path in tried[:_TRIED]]
            most = max(most, sum(types.values()))
        told = _compared(mining, inputs, found, compared, most // _LOOKED_AT + 1)
        others = {(each.source, each.other) for keys in told.values() for each in keys.elsewhere}
        return {source: promising(keys, {path for of, path in others if of == source}) for source, keys in told.items()}
    finally:
        mining.close()
        records.close()


def _compared(
    mining: Mining,
    inputs: Mapping[str, Input],
    found: Mapping[str, Keys],
    fields: Sequence[tuple[str, str]],
    one_in: int,
) -> dict[str, Keys]:
    """The candidates, and which fields have the same values: those of other sources, and of other events of the same."""
    if len(fields) < 2:
        return dict(found)
    elsewhere: dict[str, list[Elsewhere]] = {source: [] for source in found}
    for each in mining.shared([(source, inputs[source], path) for source, path in fields], one_in):
        (source, path), (other, of) = fields[each.first], fields[each.second]
        if each.share >= _HELD and each.values >= _FEW and (source != other or _apart(found[source], path, of)):
            elsewhere[source].append(Elsewhere(path, other, of, each.share))
    return {source: replace(keys, elsewhere=tuple(elsewhere[source])) for source, keys in found.items()}


def _apart(keys: Keys, first: str, second: str) -> bool:
    """Whether two candidates are of events of different types."""
    types = {each.path: set(each.types) for each in keys.candidates}
    return first in types and second in types and types[first].isdisjoint(types[second])
