"""What an expectation is about, as a short mark: another one where the same name would say it of something else."""

from __future__ import annotations

import re
from hashlib import sha256

import msgspec

from sagacity.workflow.model import Acceptance, Assert, Audited, EventType, Implied, Matches, Rule, Workflow
from sagacity.workflow.words.naming import names

__all__ = ["meaning_of", "meanings", "stands"]

_LETTERS = str.maketrans("0123456789", "ghijklmnop")
"""A mark of letters alone is a text in YAML, whatever comes out."""

_LENGTH = 10


def meaning_of(workflow: Workflow, expectation: Audited) -> str:
    """A mark of how the event types concerned are read: by `type`, `where` and `key` of each, and those of its captured
    attributes that the expectation uses. What is expected of them is no part of it, since its name says that, nor is what
    their source says for all of them."""
    conditions = " ".join(_conditions(expectation))
    read = [_read(name, workflow.events[name], conditions) for name in _events(workflow, expectation)]
    return sha256(msgspec.json.encode(read, order="deterministic")).hexdigest()[:_LENGTH].translate(_LETTERS)


def stands(workflow: Workflow, name: str) -> Acceptance | None:
    """Where an expectation of this name came from; None where that is not said, or was of another meaning."""
    found = workflow.accepted.get(name)
    if found is None or found.meaning is None:
        return found
    return found if meanings(workflow).get(name) == found.meaning else None


def meanings(workflow: Workflow) -> dict[str, str]:
    """The mark of each expectation that was accepted with one, by its name."""
    marked = {name for name, each in workflow.accepted.items() if each.meaning is not None}
    pairs = zip(names(workflow), workflow.audited(), strict=True)
    return {name: meaning_of(workflow, expectation) for name, expectation in pairs if name in marked}


def _events(workflow: Workflow, expectation: Audited) -> list[str]:
    match expectation:
        case Rule():
            concerned = set(expectation.events)
        case Matches():
            concerned = {expectation.from_, expectation.to}
        case Assert():
            concerned = {name for name in workflow.events if _names(name, expectation.predicate)}
        case Implied():
            concerned = set(workflow.begins) if expectation.rule == "begins" else set()
    return sorted(concerned & workflow.events.keys())


def _conditions(expectation: Audited) -> list[str]:
    """The texts of an expectation that may name attributes."""
    match expectation:
        case Rule():
            return [expectation.when or "", expectation.where or ""]
        case Assert():
            return [expectation.predicate]
        case Matches():
            return [msgspec.json.encode(expectation).decode()]
        case Implied():
            return []


def _read(name: str, event: EventType, conditions: str) -> list[object]:
    used = {each: capture for each, capture in event.capture.items() if _names(each, conditions)}
    return [name, event.type or name, event.where, event.keys, used]


def _names(word: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None
