"""What is amiss in a catalogue. Of what nothing was read, nothing is missed: without logs no event type is never seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sagacity.catalog.entry import Entry, Gap, GapKind
from sagacity.catalog.fact import Fact, Kind
from sagacity.discover.fields import last_step

__all__ = ["GAPS", "gaps_of"]

_DECLARING: tuple[Kind, ...] = ("asyncapi", "schema")

GAPS: dict[GapKind, str] = {
    "expected by nobody": "A document says who sends it, and no rule of a workflow is about it.",
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
    senders = tuple(dict.fromkeys(name for fact in entry.facts if fact.kind in _DECLARING for name in fact.sent_by))
    if "workflow" in given and senders and not entry.expected_by:
        received = f"{_listed(entry.received_by)} receives it" if entry.received_by else "nobody receives it"
        yield f"{_listed(senders)} sends it, no workflow expects it, and {received}"


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
    if declaring is None:
        return
    known = {attribute.path for attribute in declaring.attributes}
    for fact in entry.facts:
        absent = [path for path in fact.reads if fact.kind == "workflow" and not _declared(path, known, declaring)]
        if absent:
            yield f"{fact.document} reads {_listed(absent)}, and {declaring.document} declares {_listed(sorted(known)[:8])}"


def _declared(path: str, known: set[str], declaring: Fact) -> bool:
    """Whether a path of a record leads to a declared field: of the record, or of a payload in its `data`."""
    bare = path.replace('"', "").partition("[")[0]
    inner = bare.partition(".")[2]
    return bare in known or inner in known or inner in declaring.keys or any(each.startswith(f"{bare}.") for each in known)


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
