"""What is amiss in a catalogue. Of what nothing was read, nothing is missed: without logs no event type is never seen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from sagacity.catalog.entry import Entry, Gap, GapKind
from sagacity.catalog.fact import Fact, Kind
from sagacity.catalog.schemas import MOST_FIELDS
from sagacity.discover.fields import ENVELOPE, last_step, plain
from sagacity.workflow.conditions.record import Path, parse_record

__all__ = ["GAPS", "gaps_of"]

_DECLARING: tuple[Kind, ...] = ("asyncapi", "schema")

GAPS: dict[GapKind, str] = {
    "expected by nobody": "A document says who sends it, or it was seen and a workflow names it, and no rule is about it.",
    "owned by nobody": "A workflow expects it, and nobody answers for it.",
    "made by nobody": "A workflow expects it, no document says who sends it, and it was never seen.",
    "never seen": "A document or a workflow tells of it, and no log has it.",
    "not declared": "A log has it, and no document tells of it.",
    "in no workflow": "A log has it, and no workflow names it.",
    "keyed otherwise": "A workflow correlates it by another field than its document says.",
    "field not declared": "A workflow reads a field of it that its document does not declare.",
}
"""The kinds of gaps, in the order in which they are told, and what each means."""


def gaps_of(entries: Sequence[Entry]) -> tuple[Gap, ...]:
    """What is amiss, by kind and then by name."""
    given = {fact.kind for entry in entries for fact in entry.facts}
    found = [Gap(kind, entry.name, said) for kind in GAPS for entry in entries for said in _TELL[kind](entry, given)]
    return tuple(found)


def _unexpected(entry: Entry, given: set[Kind]) -> Iterator[str]:
    """What is seen, and in no workflow at all, is told as that alone."""
    declared = any(fact.sent_by for fact in entry.facts if fact.kind in _DECLARING)
    made = declared or (entry.seen is not None and entry.told_by("workflow"))
    if "workflow" in given and made and not entry.expected_by:
        sent = f"{_listed(entry.sent_by)} sends it" if entry.sent_by else "it is seen"
        received = f"{_listed(entry.received_by)} receives it" if entry.received_by else "nobody receives it"
        yield f"{sent}, no workflow expects it, and {received}"


def _unowned(entry: Entry, _given: set[Kind]) -> Iterator[str]:
    if entry.expected_by and not entry.owners:
        yield f"expected by {_listed([fact.document for fact in entry.expected_by])}"


def _unmade(entry: Entry, given: set[Kind]) -> Iterator[str]:
    if "asyncapi" in given and entry.expected_by and not entry.sent_by and entry.seen is None:
        yield f"expected by {_listed([fact.document for fact in entry.expected_by])}"


def _unseen(entry: Entry, given: set[Kind]) -> Iterator[str]:
    if "events" in given and entry.seen is None:
        yield f"told of by {_listed(entry.told_by('asyncapi', 'schema', 'workflow'))}"


def _undeclared(entry: Entry, given: set[Kind]) -> Iterator[str]:
    if given & set(_DECLARING) and entry.seen is not None and not entry.told_by(*_DECLARING):
        yield f"{_events(entry.seen.events)} in {_listed(entry.told_by('events'))}{_from(entry)}"


def _unwatched(entry: Entry, given: set[Kind]) -> Iterator[str]:
    if "workflow" in given and entry.seen is not None and not entry.told_by("workflow"):
        yield f"{_events(entry.seen.events)} in {_listed(entry.told_by('events'))}{_from(entry)}"


def _keyed(entry: Entry, _given: set[Kind]) -> Iterator[str]:
    """Keys are compared by their last name: where a payload lies in a record, its document does not say."""
    declared = [(fact, key) for fact in entry.facts if fact.kind in _DECLARING for key in fact.keys if " " not in key]
    if not declared:
        return
    for fact in entry.facts:
        if fact.kind == "workflow" and fact.keys:
            steps = {last_step(key) for key in fact.keys}
            if not steps & {key.rpartition(".")[2] for _, key in declared}:
                other, key = declared[0]
                yield f"{fact.document} reads {_listed(fact.keys)}, and {other.document} says {key}"


def _undeclared_fields(entry: Entry, _given: set[Kind]) -> Iterator[str]:
    declaring = next((fact for fact in entry.facts if fact.attributes and fact.kind in _DECLARING), None)
    if declaring is None or len(declaring.attributes) >= MOST_FIELDS:
        return
    declared = _Declared(declaring)
    for fact in entry.facts:
        absent = [path for path in fact.reads if fact.kind == "workflow" and not declared.holds(path)]
        if absent:
            named = _listed(sorted(each.path for each in declaring.attributes)[:8])
            yield f"{fact.document} reads {_listed(absent)}, and {declaring.document} declares {named}"


class _Declared:
    """The fields that a document declares of an event's payload."""

    def __init__(self, fact: Fact) -> None:
        self.known = {attribute.path.replace("[]", ""): attribute.type for attribute in fact.attributes}
        self.above = {above for path in self.known for above in _above(path.split("."))}
        self.known |= dict.fromkeys(fact.keys, "")

    def holds(self, path: str) -> bool:
        """Whether a path of a record leads to a declared field. How deep the payload lies in the record, no document says,
        so each end of the path may be the field's own. What the envelope of an event says is not the payload's to declare.
        """
        parsed = parse_record(path)
        steps = [step for step in parsed.steps if isinstance(step, str)] if isinstance(parsed, Path) else [path]
        if len(steps) == 1 and plain(steps[0]) in ENVELOPE:
            return True
        return any(self._told(steps[place:]) for place in range(len(steps)))

    def _told(self, steps: Sequence[str]) -> bool:
        """Whether a field is declared, or one above it of which it is not told what it holds."""
        name = ".".join(steps)
        return name in self.known or name in self.above or any(map(self._open, _above(steps)))

    def _open(self, name: str) -> bool:
        kind = self.known.get(name)
        return kind is not None and name not in self.above and not _OPEN.isdisjoint(re.findall(r"\w+", kind))


_OPEN = {"object", "any", "map", "several", "array"}


def _above(steps: Sequence[str]) -> Iterator[str]:
    return (".".join(steps[:place]) for place in range(1, len(steps)))


def _from(entry: Entry) -> str:
    return f", from {_listed(entry.sent_by)}" if entry.sent_by else ""


def _events(n: int) -> str:
    return f"{n:,} event{'' if n == 1 else 's'}"


def _listed(names: Sequence[str], most: int = 4) -> str:
    shown = [*names[:most], *([f"{len(names) - most} more"] if len(names) > most else [])]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


_TELL: dict[GapKind, Callable[[Entry, set[Kind]], Iterator[str]]] = {
    "expected by nobody": _unexpected,
    "owned by nobody": _unowned,
    "made by nobody": _unmade,
    "never seen": _unseen,
    "not declared": _undeclared,
    "in no workflow": _unwatched,
    "keyed otherwise": _keyed,
    "field not declared": _undeclared_fields,
}
