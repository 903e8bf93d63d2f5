"""What an expectation asks for, in plain words: `every OrderPlaced has a later PaymentReceived, within 15m`."""

from __future__ import annotations

from sagacity.workflow.durations import format_duration
from sagacity.workflow.model import Assert, Audited, Implied, Matches, Rule, Workflow
from sagacity.workflow.templates import TEMPLATES, Choice, Count, Leg, Legs, Position
from sagacity.workflow.words.sentences import flat, times

__all__ = ["definition"]

_LEGS = {
    ("after", "any"): "has {t} later",
    ("after", "alternate"): "has {t} before the next {e}",
    ("after", "chain"): "is directly followed by {t}",
    ("before", "any"): "has {t} earlier",
    ("before", "alternate"): "has {t} since the previous {e}",
    ("before", "chain"): "is directly preceded by {t}",
    ("either", "any"): "comes with {t}",
}
_WINDOWS = {
    "after": ", within {within}",
    "before": ", at most {within} before",
    "either": " before or within {within} after",
}
_PAIRS = {
    "one_to_one": "every {a} pairs with its own {b} by {key}, and none is left over",
    "one_to_many": "every {a} pairs with one or more {b} by {key}, and none is left over",
    "many_to_one": "one or more {a} pair with each {b} by {key}, and none is left over",
}
_IMPLIED = {
    "begins": "the case begins with {begins}",
    "unexpected": "no event of a type that the workflow does not name",
    "identity": "an event id always comes with the same content",
}


def definition(workflow: Workflow, expectation: Audited) -> str:
    """What an expectation asks for, in one sentence without a full stop."""
    match expectation:
        case Rule():
            return _rule(expectation)
        case Matches():
            return _matches(expectation)
        case Assert():
            return flat(expectation.predicate) + (", at all times" if expectation.immediate else "")
        case Implied():
            return _IMPLIED[expectation.rule].format(begins=" or ".join(workflow.begins))


def _rule(rule: Rule) -> str:
    shape = TEMPLATES[rule.template].shape
    condition = f" where {flat(rule.when)}" if rule.when else ""
    first, last = rule.events[0] + condition, rule.events[-1] + condition
    match shape:
        case Legs():
            return "; ".join(_leg(rule, leg) for leg in shape.legs)
        case Choice():
            return f"either {first} or {last} happens, not both" if shape.exclusive else f"{first} or {last} happens"
        case Position():
            return f"the case {'begins' if shape.which == 'first' else 'ends'} with {first}"
        case Count(at_least=True):
            return f"{first} happens {'exactly' if shape.at_most else 'at least'} {times(rule.n)}"
        case Count():
            return f"{first} never happens" if rule.n <= 1 else f"{first} happens at most {times(rule.n - 1)}"


def _leg(rule: Rule, leg: Leg) -> str:
    activation, target = rule.events[leg.activation], rule.events[leg.target]
    every = "no" if leg.negated else "every"
    when = f" where {flat(rule.when)}" if rule.when else ""
    asks = _LEGS[leg.side, leg.reach].format(e=activation, t=f"another {target}" if activation == target else target)
    window = "" if rule.within is None else _WINDOWS[leg.side].format(within=format_duration(rule.within))
    where = f", where {flat(rule.where)}" if rule.where else ""
    return f"{every} {activation}{when} {asks}{window}{where}"


def _matches(matches: Matches) -> str:
    left, right = matches.by
    key = left if left == right else f"{left} = {right}"
    text = _PAIRS[matches.cardinality].format(a=matches.from_, b=matches.to, key=key)
    if matches.amount:
        exactly = matches.tolerance.strip() in ("", "0")
        text += "; the amounts agree" + ("" if exactly else f" within {matches.tolerance}")
    return text + (f"; all within {format_duration(matches.within)}" if matches.within is not None else "")
