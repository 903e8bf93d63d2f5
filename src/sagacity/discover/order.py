"""What of the relations is worth saying: what others imply is left out.

Implications used, of a, b, x (each follows from the definitions in `docs/semantics.md`):

| left out | because of |
|---|---|
| precedence(a, b) | precedence(a, x) and precedence(x, b); cases begin with a |
| response(a, b) | response(a, x) and response(x, b); b must come, a comes once and precedes each b |
| precedence(a, b) | response(a, b), where a must come and b comes once |
| responded_existence(a, b) | response(a, b); precedence(b, a); b must come; a path of such pairs |
| not_response(b, a) | precedence(a, b) and a comes once; response(a, b) and b comes once; exclusive(a, b) |
| not_response(b, a) | precedence(x, b) and not_response(x, a); response(a, x) and not_response(b, x) |
| not_co_existence(a, b) | not_co_existence(a, x), where b only comes with x |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from sagacity.discover.relations import Pair, Relations

__all__ = ["Ordered", "ordered"]


class Ordered(msgspec.Struct, frozen=True):
    """The pairs that are worth saying. `answers` and `follows` may yet drop one another, once deadlines are known: see
    `spoken`.
    """

    answers: tuple[Pair, ...]
    follows: tuple[Pair, ...]
    attends: tuple[Pair, ...]
    never_after: tuple[Pair, ...]
    exclusive: tuple[Pair, ...]


def ordered(relations: Relations) -> Ordered:
    """The relations without those that follow from others."""
    answers = _reduced(relations.response, relations)
    follows = _reduced(relations.precedence, relations)
    return Ordered(
        answers=_listed(answers, relations),
        follows=_listed(follows, relations),
        attends=_listed(_attending(relations), relations),
        never_after=_listed(_forbidden(relations), relations),
        exclusive=_listed(_exclusive(relations), relations),
    )


def _listed(pairs: Iterable[Pair], relations: Relations) -> tuple[Pair, ...]:
    return tuple(sorted(pairs, key=lambda pair: (relations.place(pair[1]), relations.place(pair[0]))))


def _reduced(pairs: frozenset[Pair], relations: Relations) -> set[Pair]:
    """The transitive reduction. Where a relation goes both ways (loops), the nearest in the order of cases are kept."""
    kept = {pair for pair in pairs if (pair[1], pair[0]) not in pairs or relations.place(pair[0]) < relations.place(pair[1])}
    types = {a for pair in kept for a in pair}
    return {(a, b) for a, b in kept if not any((a, x) in kept and (x, b) in kept for x in types - {a, b})}


def _attending(relations: Relations) -> set[Pair]:
    """Pairs (a, b): where a occurs, b does. What a path of other such pairs leads to is left out."""
    known: dict[int, set[int]] = {a: set() for a in relations.types}
    for a, b in relations.response:
        known[a].add(b)
    for a, b in relations.precedence:
        known[b].add(a)
    found: set[Pair] = set()
    wanted = [(a, b) for a, b in relations.attendance if b not in relations.mandatory]
    for a, b in sorted(wanted, key=lambda pair: (-min(map(relations.number, pair)), pair)):
        if not _leads(known, a, b):
            known[a].add(b)
            found.add((a, b))
    return found


def _leads(known: Mapping[int, set[int]], a: int, b: int) -> bool:
    seen, ahead = {a}, [a]
    while ahead:
        beyond = known[ahead.pop()] - seen
        if b in beyond:
            return True
        seen |= beyond
        ahead += beyond
    return False


def _forbidden(relations: Relations) -> set[Pair]:
    """Pairs (b, a): no a after a b."""
    before = relations.precedence
    held = {
        (b, a)
        for b, a in relations.never_after
        if not ((a, b) in before and a in relations.single)
        and not ((a, b) in relations.response and b in relations.single)
        and (min(a, b), max(a, b)) not in relations.exclusive
        and relations.begins != (a,)
    }
    known = relations.never_after
    either = {(b, a) for b, a in held if (a, b) in held}
    held -= either

    def implied(b: int, a: int) -> bool:
        return any(
            ((x, b) in before and (x, a) in known) or ((a, x) in relations.response and (b, x) in known)
            for x in relations.types
            if x not in (a, b)
        )

    return {(b, a) for b, a in held if not implied(b, a)}


def _exclusive(relations: Relations) -> set[Pair]:
    needs = relations.attendance
    excluded = relations.exclusive

    def both(a: int, b: int) -> bool:
        return (min(a, b), max(a, b)) in excluded

    def leads(x: int, b: int) -> bool:
        """Whether b comes only with x, and x is the one to name."""
        if (b, x) not in needs or x in relations.mandatory:
            return False
        return (x, b) not in needs or relations.place(x) < relations.place(b)

    def through(one: int, other: int) -> bool:
        return any(leads(x, other) and both(one, x) for x in relations.types if x not in (one, other))

    kept = {(a, b) for a, b in excluded if not (through(a, b) or through(b, a))}
    if not kept & relations.exactly_one:
        kept |= relations.exactly_one
    return {(a, b) if relations.place(a) < relations.place(b) else (b, a) for a, b in kept}
