"""The 26 Declare templates as data.

Each template is one of four shapes. The table is what checks, the plan, the pictures and the docs read; the reference
judge spells the definitions out once more, on purpose, so that two readings of SEMANTICS are held against each other.

Sources: Pesic, Schonenberg, van der Aalst: *DECLARE: Full Support for Loosely-Structured Processes* (2007);
Di Ciccio, Mecella: *On the Discovery of Declarative Control Flows for Artful Processes* (2015) for names and negations;
Burattin, Maggi, Sperduti: *Conformance Checking Based on Multi-Perspective Declarative Process Models* (2016).
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

__all__ = ["TEMPLATES", "Choice", "Count", "Leg", "Legs", "Position", "Shape", "Template"]


class Count(msgspec.Struct, frozen=True):
    """The number of a's is bounded: from below by n, from above by n, or (absence) by n - 1."""

    at_least: bool = False
    at_most: Literal["n", "n-1"] | None = None


class Position(msgspec.Struct, frozen=True):
    """The first or the last event of the case is an a."""

    which: Literal["first", "last"]


class Choice(msgspec.Struct, frozen=True):
    """One of a and b occurs; `exclusive`, only one of them."""

    exclusive: bool


class Leg(msgspec.Struct, frozen=True):
    """Each event of the activation's type asks for a target (`negated`: for none) at its `side`.

    `activation` and `target` are 0 for the template's a, 1 for its b. `reach` limits how far the target may be:
    `any` distance, `alternate` (not beyond the next, or previous, activation), `chain` (the event right beside it).
    """

    activation: Literal[0, 1]
    target: Literal[0, 1]
    side: Literal["after", "before", "either"]
    reach: Literal["any", "alternate", "chain"] = "any"
    negated: bool = False


class Legs(msgspec.Struct, frozen=True):
    """One leg, or two that must both hold."""

    legs: tuple[Leg, ...]


Shape: TypeAlias = Count | Position | Choice | Legs


class Template(msgspec.Struct, frozen=True):
    """A template: its name, how many event types it takes, its shape, and its meaning in one line."""

    name: str
    arity: Literal[1, 2]
    shape: Shape
    meaning: str

    @property
    def counts(self) -> bool:
        """Whether the template takes a number n."""
        return isinstance(self.shape, Count)

    @property
    def activated(self) -> bool:
        """Whether the template has activations, and so may take `where` and `within`."""
        return isinstance(self.shape, Legs)


_ab = Leg(0, 1, "after")
_ba = Leg(1, 0, "before")
_a_any = Leg(0, 1, "either")
_b_any = Leg(1, 0, "either")


def _as(leg: Leg, reach: Literal["any", "alternate", "chain"] = "any", negated: bool = False) -> Leg:
    return msgspec.structs.replace(leg, reach=reach, negated=negated)


TEMPLATES: dict[str, Template] = {
    template.name: template
    for template in (
        Template("existence", 1, Count(at_least=True), "a occurs at least n times"),
        Template("absence", 1, Count(at_most="n-1"), "a occurs fewer than n times"),
        Template("exactly", 1, Count(at_least=True, at_most="n"), "a occurs exactly n times"),
        Template("init", 1, Position("first"), "the first event is a"),
        Template("end", 1, Position("last"), "the last event is a"),
        Template("choice", 2, Choice(exclusive=False), "a or b occurs"),
        Template("exclusive_choice", 2, Choice(exclusive=True), "exactly one of a and b occurs"),
        Template("responded_existence", 2, Legs((_a_any,)), "if a occurs, b occurs, before or after"),
        Template("co_existence", 2, Legs((_a_any, _b_any)), "both occur or neither"),
        Template("response", 2, Legs((_ab,)), "every a has a later b"),
        Template("precedence", 2, Legs((_ba,)), "every b has an earlier a"),
        Template("succession", 2, Legs((_ab, _ba)), "response and precedence"),
        Template("alternate_response", 2, Legs((_as(_ab, "alternate"),)), "every a has a b before the next a"),
        Template("alternate_precedence", 2, Legs((_as(_ba, "alternate"),)), "every b has an a since the previous b"),
        Template("alternate_succession", 2, Legs((_as(_ab, "alternate"), _as(_ba, "alternate"))), "both alternates"),
        Template("chain_response", 2, Legs((_as(_ab, "chain"),)), "the very next event after a is b"),
        Template("chain_precedence", 2, Legs((_as(_ba, "chain"),)), "the event just before b is a"),
        Template("chain_succession", 2, Legs((_as(_ab, "chain"), _as(_ba, "chain"))), "both chains"),
        Template("not_co_existence", 2, Legs((_as(_a_any, negated=True), _as(_b_any, negated=True))), "never both a and b"),
        Template("not_responded_existence", 2, Legs((_as(_a_any, negated=True),)), "if a occurs, b never does"),
        Template("not_response", 2, Legs((_as(_ab, negated=True),)), "no a has a later b"),
        Template("not_precedence", 2, Legs((_as(_ba, negated=True),)), "no b has an earlier a"),
        Template("not_succession", 2, Legs((_as(_ab, negated=True), _as(_ba, negated=True))), "no b follows an a"),
        Template("not_chain_response", 2, Legs((_as(_ab, "chain", True),)), "a is never directly followed by b"),
        Template("not_chain_precedence", 2, Legs((_as(_ba, "chain", True),)), "b is never directly preceded by a"),
        Template(
            "not_chain_succession",
            2,
            Legs((_as(_ab, "chain", True), _as(_ba, "chain", True))),
            "a and b never stand side by side in this order",
        ),
    )
}
