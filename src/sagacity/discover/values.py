"""Captured values that agree: which are equal, and which are the sum of others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from sagacity.discover.relations import Relations
from sagacity.ledger.mining import Agreement, Column, Mining, Place

__all__ = ["Agreements", "agreements"]

_MOST_COLUMNS = 40
_MOST_NUMBERS = 12
_TOP = 0.9
"""Values of which nine in ten are the same agree by themselves."""


class Agreements(msgspec.Struct, frozen=True):
    """Equalities (each attribute with the earliest one that it agrees with), and sums."""

    equal: tuple[Agreement, ...]
    sums: tuple[Agreement, ...]


def agreements(
    mining: Mining, relations: Relations, kind: Callable[[Column], str], name: Callable[[Column], str]
) -> Agreements:
    """What agrees in as many cases as the threshold asks. `kind` and `name` tell of a column what it is read as and
    called.
    """
    places = [each for each in mining.values() if each.column.type in relations.types and each.cases >= _sampled(relations)]
    places = sorted((each for each in places if each.top <= _TOP * each.cases), key=lambda each: _rank(each, relations))
    columns = [each.column for each in places][:_MOST_COLUMNS]
    pairs = [
        (left, right)
        for number, left in enumerate(columns)
        for right in columns[:number]
        if kind(left) == kind(right) and kind(left) != "boolean" and _comparable(left, right, kind, name)
    ]
    agreeing = [each for each in mining.equal(pairs) if _agrees(each, relations)]
    equal: dict[Column, Agreement] = {}
    for each in sorted(agreeing, key=lambda each: (columns.index(each.left), columns.index(each.right[0]))):
        equal.setdefault(each.left, each)
    numbers = [column for column in columns if kind(column) in ("integer", "decimal") and column not in equal][
        :_MOST_NUMBERS
    ]
    return Agreements(tuple(equal.values()), tuple(_sums(mining, relations, numbers, columns)))


def _sampled(relations: Relations) -> int:
    return min(relations.support, 20)


def _rank(each: Place, relations: Relations) -> tuple[bool, float, int]:
    return (each.column.type not in relations.mandatory, *relations.place(each.column.type))


def _comparable(left: Column, right: Column, kind: Callable[[Column], str], name: Callable[[Column], str]) -> bool:
    """Numbers of one event are equal by the way that they are made; small whole numbers are equal by chance."""
    if left.type == right.type:
        return False
    return kind(left) in ("decimal", "time") or name(left) == name(right) or kind(left) == "text"


def _agrees(each: Agreement, relations: Relations) -> bool:
    return each.both >= _sampled(relations) and each.agree >= relations.threshold * each.both


def _sums(mining: Mining, relations: Relations, numbers: Sequence[Column], columns: Sequence[Column]) -> list[Agreement]:
    """Sums, each number as a sum once: of all events of a type that recurs, else of two others of which neither is
    nought.
    """
    found: dict[Column, Agreement] = {}
    summed: set[Column] = set()
    for each in mining.sums(numbers):
        if not _agrees(each, relations):
            continue
        if each.summed:
            if each.right[0].type in relations.single:
                continue
        elif len({column.type for column in (each.left, *each.right)}) == 1 and each.left in summed:
            continue
        held = found.get(each.left)
        if held is None or (each.summed and not held.summed) or each.agree > held.agree:
            found[each.left] = each
            summed |= set(each.right)
    return sorted(found.values(), key=lambda each: columns.index(each.left))
