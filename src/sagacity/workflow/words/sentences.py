"""What is wrong, in one sentence: tables by the shape of the expectation and the kind of the violation.

Code only fills the blanks in:

| blank | what fills it |
|---|---|
| `{e}`, `{e_type}` | the activation with its time, and its event type |
| `{t}` | the target's event type |
| `{a}`, `{b}` | the template's event types |
| `{n}`, `{most}` | the template's number, and the greatest number allowed, in words |
| `{within}`, `{where}`, `{on}` | the window and the condition |
| `{since}` | the instant from which the violation stands |
| `{by_end}`, `{ended}` | that instant where it is the end of the case, as `by the end …` and as `the case ended …` |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from sagacity.workflow.durations import format_duration
from sagacity.workflow.instants import instant
from sagacity.workflow.model import Assert, Audited, Matches, Rule, Workflow
from sagacity.workflow.templates import TEMPLATES, Count, Leg, Legs, Position
from sagacity.workflow.trace import FOREVER
from sagacity.workflow.verdict import FindingKind, Violation

__all__ = ["flat", "message", "teller", "times"]

Words: TypeAlias = Mapping[FindingKind, str]

_COUNTS: dict[tuple[FindingKind, bool], str] = {
    ("missing", False): "{a} did not happen {by_end}",
    ("missing", True): "{a} happened fewer than {n} times {by_end}",
    ("unexpected", False): "{a} happened at {since}, and must not",
    ("duplicate", False): "{a} happened more than {most}, the one too many at {since}",
    ("duplicate", True): "{a} happened more than {most}, the one too many at {since}",
}

_POSITIONS: dict[str, Words] = {
    "first": {
        "out_of_order": "the case began at {since} with another event than {a}, which came only later",
        "missing": "the case began at {since} with another event than {a}, which never came",
    },
    "last": {
        "out_of_order": "{a} happened, but was not the last event when {ended}",
        "missing": "{a} did not happen, and should have been the last event when {ended}",
    },
}

_CHOICES: dict[bool, Words] = {
    False: {"missing": "neither {a} nor {b} happened {by_end}"},
    True: {
        "missing": "neither {a} nor {b} happened {by_end}",
        "unexpected": "both {a} and {b} happened, and only one of them may; the second came at {since}",
    },
}

_DISAGREES = "{t} happened, but none agrees with {e} on {where}"

# By side, reach and whether there is a window; what is not said for a reach is as for any distance.
_LEGS: dict[tuple[str, str, bool], Words] = {
    ("after", "any", False): {
        "missing": "{t} did not happen after {e}, and {ended}",
        "out_of_order": "{t} happened, but not after {e}",
        "mismatch": _DISAGREES,
    },
    ("after", "any", True): {
        "missing": "{t} did not happen within {within} of {e}; it was due by {since}",
        "late": "{t} happened, but later than {within} after {e}; it was due by {since}",
        "out_of_order": "{t} happened, but not after {e}; it was due by {since}",
        "mismatch": _DISAGREES + "; it was due by {since}",
    },
    ("after", "alternate", False): {
        "missing": "{t} did not happen after {e} and before the next {e_type}, by {since}",
        "out_of_order": "{t} happened, but not between {e} and the next {e_type}",
    },
    ("after", "alternate", True): {
        "missing": "{t} did not happen within {within} of {e} and before the next {e_type}; it was due by {since}",
        "out_of_order": "{t} happened, but not between {e} and the next {e_type}",
    },
    ("after", "chain", False): {
        "missing": "{t} did not come right after {e}, by {since}",
        "out_of_order": "{t} happened, but not right after {e}",
    },
    ("after", "chain", True): {
        "missing": "{t} did not come right after {e}, within {within}; it was due by {since}",
        "late": "{t} came right after {e}, but later than {within}; it was due by {since}",
        "out_of_order": "{t} happened, but not right after {e}",
    },
    ("before", "any", False): {
        "missing": "{t} did not happen before {e}",
        "out_of_order": "{t} happened only after {e}, not before it",
        "mismatch": _DISAGREES,
    },
    ("before", "any", True): {
        "missing": "{t} did not happen within {within} before {e}",
        "late": "{t} happened before {e}, but more than {within} earlier",
        "out_of_order": "{t} happened only after {e}, not within {within} before it",
        "mismatch": _DISAGREES,
    },
    ("before", "alternate", False): {"out_of_order": "{t} happened, but not between the previous {e_type} and {e}"},
    ("before", "alternate", True): {"out_of_order": "{t} happened, but not between the previous {e_type} and {e}"},
    ("before", "chain", False): {
        "missing": "{t} did not come right before {e}",
        "out_of_order": "{t} happened, but not right before {e}",
    },
    ("before", "chain", True): {
        "missing": "{t} did not come right before {e}",
        "late": "{t} came right before {e}, but more than {within} earlier",
        "out_of_order": "{t} happened, but not right before {e}",
    },
    ("either", "any", False): {
        "missing": "{t} did not happen before or after {e}, and {ended}",
        "mismatch": _DISAGREES,
    },
    ("either", "any", True): {
        "missing": "{t} did not happen before {e} or within {within} of it; it was due by {since}",
        "late": "{t} happened, but later than {within} after {e}; it was due by {since}",
        "mismatch": _DISAGREES + "; it was due by {since}",
    },
}

_NEGATED: dict[tuple[str, str, bool], str] = {
    ("after", "any", False): "{t} happened at {since}, and must not after {e}{on}",
    ("after", "any", True): "{t} happened at {since}, and must not within {within} of {e}{on}",
    ("after", "chain", False): "{t} came right after {e}, at {since}, and must not{on}",
    ("after", "chain", True): "{t} came right after {e}, at {since}, and must not within {within}{on}",
    ("before", "any", False): "{t} happened before {e}, and must not{on}",
    ("before", "any", True): "{t} happened within {within} before {e}, and must not{on}",
    ("before", "chain", False): "{t} came right before {e}, and must not{on}",
    ("before", "chain", True): "{t} came right before {e}, within {within}, and must not{on}",
    ("either", "any", False): "{t} happened as well as {e}, and must not{on}; both had by {since}",
    ("either", "any", True): "{t} happened before {e} or within {within} of it, and must not{on}; both had by {since}",
}

_MATCHES: Words = {
    "duplicate": "more than one {many} with {by}; the second came at {since}",
    "missing": "{a} and {b} with {by} do not pair: one of the two did not happen by {since}",
    "late": "{a} and {b} with {by} are more than {within} apart; they were due by {since}",
    "mismatch": "the {amounts} of {a} and of {b} with {by} do not agree",
}

_IMPLIED: dict[str, str] = {
    "begins": "the case began at {since} with another event than {allowed}",
    "unexpected": "{type} happened at {since}, and the workflow names no such event",
    "identity": "{type} {id} came more than once with different content, first at {since}",
}

_FALLBACK = "{subject} is not as expected ({kind}), since {since}"


def message(workflow: Workflow, expectation: Audited, violation: Violation) -> str:
    """What is wrong, in one sentence without a full stop. Uses only what a row of findings holds."""
    return teller(workflow, expectation)(violation)


def teller(workflow: Workflow, expectation: Audited) -> Callable[[Violation], str]:
    """`message` for many violations of one expectation: what they have in common is worded once."""
    worded: dict[object, str] = {}

    def tell(violation: Violation) -> str:
        kind, since, event_type, time = violation.kind, violation.since, violation.type, violation.time
        same = (kind, event_type if event_type in workflow.events else "", time is None, since == time, since == FOREVER)
        text = worded.get(same)
        if text is None:
            text = worded[same] = _worded(workflow, expectation, violation)
        at = "" if time is None else instant(time)
        return text.format(time=at, since=instant(since), type=event_type, id=violation.activation)

    return tell


def flat(source: str) -> str:
    """A condition's source text on one line."""
    return " ".join(source.split())


def times(n: int) -> str:
    """How often: never, once, twice, 3 times."""
    return {0: "never", 1: "once", 2: "twice"}.get(n, f"{n:,} times")


def _worded(workflow: Workflow, expectation: Audited, violation: Violation) -> str:
    """The sentence with `{time}`, `{since}`, `{type}` and `{id}` left blank."""
    log = violation.since == FOREVER
    blanks = {
        "since": "{since}",
        "id": "{id}",
        "type": "{type}",
        "kind": violation.kind.replace("_", " "),
        "by_end": "by the end of the log" if log else "by the end of the case ({since})",
        "ended": "the log ended" if log else "the case ended at {since}",
        "subject": _plain(expectation.name or "the expectation"),
        "allowed": _plain(" or ".join(workflow.begins)),
    }
    if isinstance(expectation, Rule):
        words = _rule(expectation, violation, blanks)
    elif isinstance(expectation, Matches):
        words = _matches(expectation, violation, blanks)
    elif isinstance(expectation, Assert):
        blanks["predicate"] = _plain(flat(expectation.predicate))
        words = "{predicate} did not hold, since {since}" if expectation.immediate else "{predicate} did not hold {by_end}"
    else:
        words = _IMPLIED[expectation.rule]
    return words.format_map(blanks)


def _rule(rule: Rule, violation: Violation, blanks: dict[str, str]) -> str:
    shape, kind = TEMPLATES[rule.template].shape, violation.kind
    if isinstance(shape, Legs):
        return _leg(rule, shape, violation, blanks)
    filtered = f" where {flat(rule.when)}" if rule.when else ""
    blanks.update(a=_plain(rule.events[0] + filtered), b=_plain(rule.events[-1] + filtered), n=f"{rule.n:,}")
    if isinstance(shape, Count):
        blanks["most"] = times(rule.n if shape.at_most == "n" else rule.n - 1)
        return _COUNTS.get((kind, rule.n > 1)) or _COUNTS.get((kind, False), _FALLBACK)
    table = _POSITIONS[shape.which] if isinstance(shape, Position) else _CHOICES[shape.exclusive]
    return table.get(kind, _FALLBACK)


def _leg(rule: Rule, shape: Legs, violation: Violation, blanks: dict[str, str]) -> str:
    leg = _leg_of(rule, shape, violation)
    activation, target = rule.events[leg.activation], rule.events[leg.target]
    blanks.update(
        e=_dated(activation, violation),
        e_type=_plain(activation),
        t=_plain(f"another {target}" if target == activation else target),
        within=format_duration(rule.within or 0),
        where=_plain(flat(rule.where or "its condition")),
        on=_plain(f" while {flat(rule.where)}") if rule.where else "",
    )
    windowed = rule.within is not None
    if leg.negated:
        return _NEGATED[leg.side, leg.reach, windowed]
    words = _LEGS[leg.side, leg.reach, windowed]
    return words.get(violation.kind) or _LEGS[leg.side, "any", windowed].get(violation.kind, _FALLBACK)


def _leg_of(rule: Rule, shape: Legs, violation: Violation) -> Leg:
    """The leg in which the activation was judged. Where both events are of one type, a leg backwards fails at once."""
    own = [leg for leg in shape.legs if rule.events[leg.activation] == violation.type] or list(shape.legs)
    backwards = [leg for leg in own if leg.side == "before" and violation.since == violation.time]
    return backwards[0] if len(own) > 1 and backwards else own[0]


def _matches(matches: Matches, violation: Violation, blanks: dict[str, str]) -> str:
    """A group is named by its value; only an event that has no value, and so can never pair, brings its type."""
    from_, to = matches.from_, matches.to
    left, right = matches.by
    lone = violation.type if violation.type in (from_, to) else None
    blanks.update(
        a=_plain(from_),
        b=_plain(to),
        e=_dated(lone or from_, violation),
        key=_plain(right if lone == to else left),
        by=_plain(left if left == right else f"{left} = {right}") + " {id}",
        within=format_duration(matches.within or 0),
        many=_plain({"one_to_many": from_, "many_to_one": to}.get(matches.cardinality, f"{from_} or {to}")),
        amounts=_plain(" and ".join(dict.fromkeys(matches.amount or ("amount",)))),
    )
    if violation.kind == "mismatch" and lone:
        return "{e} has no {key} to pair by"
    return _MATCHES.get(violation.kind, _FALLBACK)


def _dated(event_type: str, violation: Violation) -> str:
    return _plain(event_type) if violation.time is None else f"{_plain(event_type)} ({{time}})"


def _plain(text: str) -> str:
    """Text in which braces are not blanks."""
    return text.replace("{", "{{").replace("}", "}}")
