"""A log that tries every expectation, for whoever judges it: small amounts of everything that can go wrong, by lot."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sagacity.workflow.templates import TEMPLATES

__all__ = ["SHORT", "STORIES", "many_cases", "story_lines"]

_CONDITIONS: tuple[dict[str, str], ...] = (
    {},
    {"within": "2h"},
    {"when": "flag"},
    {"where": "a.ref = b.ref"},
    {"where": "a.amount <= b.amount", "within": "5h"},
    {"when": "items > 1 AND lower(ref) LIKE 'x%'", "within": "1h"},
)
_SEVERITIES = ("error", "critical", "warning", "info")
_PAIRS = (("A", "B"), ("B", "C"), ("C", "A"), ("A", "D"))


_ASSERTS = (
    "sum(A.amount) <= sum(B.amount) + 1.5",
    "count(C) < 3 AND max(A.items) < 3",
    "first(A.time) <= last(D.time)",
    "min(B.amount) IS NULL OR A.flag OR count(A) > 1",
)
_PARTS = len(_ASSERTS)


def _rules(part: int) -> str:
    """Some of the templates, bare and with conditions and windows as far as they take them; and one of each other kind."""
    rules: list[dict[str, object]] = []
    for place, (name, template) in list(enumerate(TEMPLATES.items()))[part::_PARTS]:
        for turn in range(2):
            a, b = _PAIRS[(place + turn) % len(_PAIRS)]
            rule: dict[str, object] = {name: [a, b] if template.arity == 2 else a}
            if template.counts:
                rule["n"] = turn + 1
            given = _CONDITIONS[0 if turn == 0 else 1 + place % (len(_CONDITIONS) - 1)]
            rule |= {key: value for key, value in given.items() if template.activated or key == "when"}
            rule |= {"name": f"{name} {turn}", "severity": _SEVERITIES[(place + turn) % 4]}
            rules.append(rule)
    cardinality = ("one_to_one", "one_to_many", "many_to_one", "one_to_one")[part]
    pairing = {"from": "A", "to": "B", "by": "ref", "cardinality": cardinality, "amount": "amount", "tolerance": "0.5"}
    rules.append({"matches": {**pairing, **({"within": "6h"} if part else {})}, "name": cardinality})
    rules.append({"assert": _ASSERTS[part], "immediate": part == 1, "name": "assert"})
    return "\n".join(f"  - {json.dumps(rule)}" for rule in rules)


def _story(name: str, rules: str, settings: str) -> str:
    return f"""\
workflow: {name}
keys: case
sources:
  one: {{type: type, time: time, id: id, seq: n, key: case}}
  two: {{type: type, time: time, id: id, key: case}}
events:
  A: {{source: one, capture: {_CAPTURED}}}
  B: {{source: two, capture: {_CAPTURED}}}
  C: {{source: one, capture: {_CAPTURED}}}
  D: {{source: two, capture: {_CAPTURED}}}
{settings}
rules:
{rules}
"""


_CAPTURED = json.dumps(
    {
        "ref": "ref",
        "items": {"value": "items", "type": "integer"},
        "flag": {"value": "flag", "type": "boolean"},
        "amount": {"value": "amount", "type": "decimal", "currency": "currency"},
    }
)

_SETTINGS = (
    "begins: A\nends: D\ntimeout: 30d\nunexpected: forbid",
    "ends: [C, D]",
    "timeout: 6h",
    "begins: [A, B]\nunexpected: forbid",
)

STORIES = tuple(_story(f"story {part}", _rules(part), _SETTINGS[part]) for part in range(_PARTS))
"""Workflows that together hold every template and every other kind of expectation."""

SHORT = _story(
    "short",
    """\
  - {succession: [A, B], within: 2h, where: a.ref = b.ref, severity: critical}
  - {not_co_existence: [C, D], severity: warning}
  - {existence: B, when: flag, severity: info}
  - {assert: "sum(A.amount) <= sum(B.amount) + 1.5"}""",
    _SETTINGS[0],
)
"""One of few rules, where it does not matter which."""


def story_lines() -> dict[str, list[str]]:
    """Sixty cases over three days, with copies, copies that differ, and events of types that nobody expects."""
    return many_cases(60)


def many_cases(cases: int) -> dict[str, list[str]]:
    """The same of so many cases `c0`, `c1`, ... by lot, the same each time: lines for the sources `one` and `two`."""
    chance = random.Random(cases)
    lines: dict[str, list[str]] = {"one": [], "two": []}
    start = datetime(2026, 3, 4, tzinfo=UTC)
    for case in range(cases):
        begun = start + timedelta(hours=case % 60)
        for number in range(chance.randint(1, 8)):
            kind = chance.choices("ABCDX", (4, 4, 3, 2, 1) if number else (12, 1, 1, 1, 0))[0]
            record = {
                "type": kind,
                "time": (begun + timedelta(minutes=30 * chance.randint(0, 12))).isoformat(),
                "id": f"{case}-{number}",
                "case": f"c{case}",
                "n": chance.choice((0, 0, 1)),
                "ref": chance.choice(("x", "X1", "y", None)),
                "items": chance.randint(0, 3),
                "flag": chance.choice((True, False, None)),
                "amount": chance.choice(("1", "1.50", "2.25", None)),
                "currency": chance.choices(("EUR", "USD", None), (8, 1, 1))[0],
            }
            source = "two" if kind in "BD" else "one"
            lines[source] += _arriving(chance, {key: value for key, value in record.items() if value is not None})
    return lines


def _arriving(chance: random.Random, record: dict[str, object]) -> Sequence[str]:
    """The record, seldom twice, and then seldom as it was."""
    again = chance.random()
    copies = [record]
    if again < 0.05:
        copies.append(record)
    elif again < 0.07:
        copies.append({**record, "ref": "z"})
    return [json.dumps(copy) for copy in copies]
