"""The workflow as a graph: what a picture of it shows, and in which words.

Event types are nodes. An expectation over two event types is a line of the tie between them, one over a single event type
a line in its node; what spans more (asserts, implied expectations) stands apart, beneath.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec

from sagacity.reconcile.result import Tally
from sagacity.workflow.durations import format_duration
from sagacity.workflow.model import Audited, Matches, Rule, Workflow
from sagacity.workflow.templates import TEMPLATES, Choice, Count, Legs, Position
from sagacity.workflow.words.definition import definition
from sagacity.workflow.words.naming import names
from sagacity.workflow.words.sentences import times

__all__ = ["Line", "Map", "Node", "Tie", "map_of"]

Kind: TypeAlias = Literal["order", "both", "never"]
"""An order of two events, their occurring together, or a ban."""


class Line(msgspec.Struct, frozen=True):
    """One expectation in a picture: a few words, its name and definition, and how many cases it applies to and fails.

    `found` counts open findings, where that is what is known instead.
    """

    words: str
    name: str
    definition: str
    applies: int | None = None
    violated: int = 0
    pending: int = 0
    found: int | None = None

    @property
    def state(self) -> Literal["plain", "good", "open", "bad"]:
        """How the line is coloured: plain where nothing was counted."""
        if self.found is not None:
            return "bad" if self.found else "good"
        if self.applies is None or not self.applies:
            return "plain"
        return "bad" if self.violated else "open" if self.pending else "good"


class Node(msgspec.Struct, frozen=True):
    """An event type: where it is found, whether it begins or ends a case, how many events there are."""

    name: str
    source: str
    begins: bool
    ends: bool
    events: int | None
    lines: tuple[Line, ...]


class Tie(msgspec.Struct, frozen=True):
    """Every expectation of one kind from one event type to another."""

    source: str
    target: str
    kind: Kind
    lines: tuple[Line, ...]

    @property
    def state(self) -> Literal["plain", "good", "open", "bad"]:
        """The worst of the lines' states."""
        states = {line.state for line in self.lines}
        return next((state for state in ("bad", "open", "good") if state in states), "plain")


class Map(msgspec.Struct, frozen=True):
    """What a picture shows."""

    nodes: tuple[Node, ...]
    ties: tuple[Tie, ...]
    beneath: tuple[Line, ...]


# In few words what b owes a, in the order of the template's name.
_WORDS = {
    "choice": "at least one",
    "exclusive_choice": "only one",
    "responded_existence": "asks for",
    "co_existence": "both or neither",
    "response": "then",
    "precedence": "only after",
    "succession": "then, only after",
    "alternate_response": "then, each time",
    "alternate_precedence": "only after, each time",
    "alternate_succession": "in turn",
    "chain_response": "directly then",
    "chain_precedence": "directly before",
    "chain_succession": "side by side",
    "not_co_existence": "never both",
    "not_responded_existence": "never with",
    "not_response": "never later",
    "not_precedence": "never before",
    "not_succession": "never after",
    "not_chain_response": "never directly then",
    "not_chain_precedence": "never directly before",
    "not_chain_succession": "never side by side",
}


def map_of(
    workflow: Workflow,
    tallies: Sequence[Tally] = (),
    event_counts: Mapping[str, int] | None = None,
    found: Mapping[str, int] | None = None,
) -> Map:
    """The workflow's graph, with counts where they are given; `found` are open findings by expectation."""
    counted = {tally.name: tally for tally in tallies}
    in_nodes: dict[str, list[Line]] = {name: [] for name in workflow.events}
    ties: dict[tuple[str, str, Kind], list[Line]] = {}
    beneath = []
    for name, expectation in zip(names(workflow), workflow.audited(), strict=True):
        line = _line(workflow, name, expectation, counted.get(name))
        if found is not None:
            line = msgspec.structs.replace(line, found=found.get(name, 0))
        ends = _ends(expectation)
        if ends is None or any(event not in in_nodes for event in ends[:2]):
            beneath.append(line)
        elif ends[0] == ends[1]:
            in_nodes[ends[0]].append(line)
        else:
            ties.setdefault(ends, []).append(line)
    nodes = (
        Node(
            name=name,
            source=event_type.source,
            begins=name in workflow.begins,
            ends=name in workflow.ends,
            events=None if event_counts is None else event_counts.get(name, 0),
            lines=tuple(in_nodes[name]),
        )
        for name, event_type in workflow.events.items()
    )
    return Map(tuple(nodes), tuple(Tie(*ends, tuple(lines)) for ends, lines in ties.items()), tuple(beneath))


def _ends(expectation: Audited) -> tuple[str, str, Kind] | None:
    if isinstance(expectation, Matches):
        return expectation.from_, expectation.to, "order"
    if not isinstance(expectation, Rule):
        return None
    first, last = expectation.events[0], expectation.events[-1]
    match TEMPLATES[expectation.template].shape:
        case Legs(legs):
            sided = any(leg.side != "either" for leg in legs)
            return first, last, "never" if legs[0].negated else "order" if sided else "both"
        case Choice(exclusive):
            return first, last, "never" if exclusive else "both"
        case _:
            return first, first, "both"


def _line(workflow: Workflow, name: str, expectation: Audited, tally: Tally | None) -> Line:
    said = definition(workflow, expectation)
    words = _words(expectation) or said
    if tally is None:
        return Line(words, name, said)
    return Line(words, name, said, tally.satisfied + tally.pending + tally.violated, tally.violated, tally.pending)


def _words(expectation: Audited) -> str | None:
    if isinstance(expectation, Matches):
        return "pairs with"
    if not isinstance(expectation, Rule):
        return None
    match TEMPLATES[expectation.template].shape:
        case Count(at_least=True, at_most=None):
            return f"at least {times(expectation.n)}"
        case Count(at_least=True):
            return times(expectation.n)
        case Count():
            return "never" if expectation.n <= 1 else f"at most {times(expectation.n - 1)}"
        case Position(which):
            return which
        case _:
            words = _WORDS[expectation.template]
    if expectation.where:
        words = "agrees with" if words == "asks for" else f"{words}, if alike" if "never" in words else f"{words}, agreeing"
    if expectation.within is None:
        return words
    window = format_duration(expectation.within)
    return f"within {window}" if words == "then" else f"{words}, {window}"
