"""Which of the rules that history suggests a workflow has already, also where it words them otherwise.

What people have changed stays changed: a rule with another deadline or condition is the same rule, and so is one that says
more than what is suggested.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from sagacity.workflow.model import Assert, Expectation, Matches, Rule

__all__ = ["known"]

_SAME_WAY = ("exclusive_choice", "not_co_existence", "co_existence", "choice")
"""Templates whose two event types may be exchanged."""

_IMPLIED_BY: Mapping[str, tuple[str, ...]] = {
    "response": (
        "succession", "alternate_response", "alternate_succession", "chain_response", "chain_succession",
    ),
    "precedence": (
        "succession", "alternate_precedence", "alternate_succession", "chain_precedence", "chain_succession",
    ),
    "succession": ("alternate_succession", "chain_succession"),
    "alternate_response": ("alternate_succession", "chain_response", "chain_succession"),
    "alternate_precedence": ("alternate_succession", "chain_precedence", "chain_succession"),
    "chain_response": ("chain_succession",),
    "chain_precedence": ("chain_succession",),
    "responded_existence": (
        "response", "co_existence", "succession", "alternate_response", "alternate_succession", "chain_response",
        "chain_succession",
    ),
    "not_co_existence": ("exclusive_choice",),
    "not_response": ("not_co_existence", "exclusive_choice", "not_responded_existence"),
    "not_responded_existence": ("not_co_existence", "exclusive_choice"),
}  # fmt: skip

_BOTH: Mapping[str, tuple[str, str]] = {
    "succession": ("response", "precedence"),
    "alternate_succession": ("alternate_response", "alternate_precedence"),
    "chain_succession": ("chain_response", "chain_precedence"),
}


def known(expectation: Expectation, stated: Iterable[Expectation]) -> bool:
    """Whether what is `stated` says an expectation, in whatever words."""
    stated = tuple(stated)
    if isinstance(expectation, Rule):
        rules = [each for each in stated if isinstance(each, Rule)]
        return _counted(expectation, rules) or _ruled(expectation, rules)
    if isinstance(expectation, Assert):
        said = _sides(expectation.predicate)
        if any(isinstance(each, Assert) and _sides(each.predicate) == said for each in stated):
            return True
        return any(_paired(expectation.predicate, each) for each in stated if isinstance(each, Matches))
    return expectation in stated


def _ruled(rule: Rule, rules: Iterable[Rule]) -> bool:
    rules = tuple(rules)
    if any(_says(each, rule) for each in rules):
        return True
    halves = _BOTH.get(rule.template)
    return halves is not None and all(_ruled(_as(rule, half), rules) for half in halves)


def _says(stated: Rule, rule: Rule) -> bool:
    if stated.template != rule.template and stated.template not in _IMPLIED_BY.get(rule.template, ()):
        return False
    either = stated.template in _SAME_WAY
    if stated.events != rule.events and not (either and set(stated.events) == set(rule.events)):
        return False
    narrower = (stated.when is not None and rule.when is None) or (stated.where is not None and rule.where is None)
    return not narrower and not (stated.within is None and rule.within is not None) and stated.n == rule.n


def _as(rule: Rule, template: str) -> Rule:
    return Rule(template=template, events=rule.events, when=rule.when, where=rule.where, within=rule.within)


def _counted(rule: Rule, rules: Iterable[Rule]) -> bool:
    """Whether what is said of the number of events bounds it as closely."""
    least, most = _bounds(rule)
    if (least, most) == (0, None):
        return False
    about = [_bounds(each) for each in rules if each.events == rule.events and each.when is None and each.where is None]
    lowest = max((low for low, _ in about), default=0)
    highest = min((high for _, high in about if high is not None), default=None)
    return lowest >= least and (most is None or (highest is not None and highest <= most))


def _bounds(rule: Rule) -> tuple[int, int | None]:
    """The least and the most events that a counting rule lets a case have."""
    bounds: Mapping[str, tuple[int, int | None]] = {
        "existence": (rule.n, None),
        "absence": (0, rule.n - 1),
        "exactly": (rule.n, rule.n),
    }
    return bounds.get(rule.template, (0, None))


def _sides(predicate: str) -> frozenset[str]:
    """What a predicate sets equal, whichever side stands first."""
    return frozenset(re.sub(r"\s+|\bfirst\b|[()]", "", side).lower() for side in re.split(r"(?<![<>!])=", predicate))


def _paired(predicate: str, matches: Matches) -> bool:
    """Whether a match asks that the amounts agree which a predicate compares."""
    if matches.amount is None:
        return False
    ours = frozenset(
        f"{event}.{name}".lower() for event, name in zip((matches.from_, matches.to), matches.amount, strict=True)
    )
    return _sides(predicate) == ours
