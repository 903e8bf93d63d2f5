"""The steps of a layered layout: ranks, the order within a rank, and where each place settles."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

import msgspec

__all__ = ["Link", "Place", "ordered", "ranks_of", "settle", "straighten"]

_SWEEPS = 16


class Link(msgspec.Struct, frozen=True):
    """An edge to lay out. `ranks` tells whether its direction places its ends; `along` and `across` size its label."""

    source: str
    target: str
    ranks: bool = True
    along: float = 0
    across: float = 0


class Place(msgspec.Struct):
    """A node, a label or a dummy in a rank."""

    rank: int
    along: float
    across: float
    at: float = 0
    before: list[int] = []
    after: list[int] = []


def ranks_of(names: Sequence[str], links: Sequence[Link]) -> dict[str, int]:
    """Longest paths from the start, edges that would close a circle turned round; then everything as near as can be."""
    after: defaultdict[str, list[str]] = defaultdict(list)
    for link in links:
        if link.ranks and link.source != link.target and link.target not in after[link.source]:
            after[link.source].append(link.target)
    forwards = _acyclic(names, after)
    before: defaultdict[str, list[str]] = defaultdict(list)
    for source, targets in forwards.items():
        for target in targets:
            before[target].append(source)
    ranks: dict[str, int] = {}
    order = _topological(names, forwards, before)
    for name in order:
        ranks[name] = max((ranks[source] + 1 for source in before[name]), default=0)
    for name in reversed(order):
        if forwards[name] and not before[name]:
            ranks[name] = min(ranks[target] for target in forwards[name]) - 1
    for name in order:
        if not forwards[name] and not before[name]:
            beside = [
                link.target if link.source == name else link.source for link in links if name in (link.source, link.target)
            ]
            ranks[name] = next((ranks[other] for other in beside if forwards[other] or before[other]), ranks[name])
    _spread_loners(names, links, ranks)
    least = min(ranks.values(), default=0)
    return {name: rank - least for name, rank in ranks.items()}


def _spread_loners(names: Sequence[str], links: Sequence[Link], ranks: dict[str, int]) -> None:
    """Nodes without any edge fill the ranks in turn instead of crowding the first."""
    linked = {end for link in links for end in (link.source, link.target) if link.source != link.target}
    loners = [name for name in names if name not in linked]
    deepest = max((ranks[name] for name in linked), default=0)
    columns = max(deepest + 1, min(4, len(loners)))
    for place, name in enumerate(loners):
        ranks[name] = place % columns


def _acyclic(names: Sequence[str], after: Mapping[str, Sequence[str]]) -> defaultdict[str, list[str]]:
    forwards: defaultdict[str, list[str]] = defaultdict(list)
    state: dict[str, int] = {}

    def visit(root: str) -> None:
        stack = [(root, iter(after.get(root, ())))]
        state[root] = 1
        while stack:
            name, targets = stack[-1]
            for target in targets:
                if state.get(target) == 1:
                    if name not in forwards[target]:
                        forwards[target].append(name)
                    continue
                if target not in forwards[name]:
                    forwards[name].append(target)
                if target not in state:
                    state[target] = 1
                    stack.append((target, iter(after.get(target, ()))))
                    break
            else:
                state[name] = 2
                stack.pop()

    for name in names:
        if name not in state:
            visit(name)
    return forwards


def _topological(names: Sequence[str], after: Mapping[str, list[str]], before: Mapping[str, list[str]]) -> list[str]:
    waiting = {name: len(before.get(name, ())) for name in names}
    ready = [name for name in names if not waiting[name]]
    order = []
    while ready:
        name = ready.pop(0)
        order.append(name)
        for target in after.get(name, ()):
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    return order


def ordered(places: Sequence[Place]) -> list[list[int]]:
    """Places by rank, ordered so that few edges cross: barycentres back and forth, the best of all rounds."""
    columns: list[list[int]] = [[] for _ in range(max((place.rank for place in places), default=-1) + 1)]
    seen: set[int] = set()
    for start in range(len(places)):
        stack = [start]
        while stack:
            number = stack.pop()
            if number not in seen:
                seen.add(number)
                columns[places[number].rank].append(number)
                stack.extend(reversed(places[number].after))
    best, fewest = [list(column) for column in columns], _crossings(places, columns)
    position = {number: place for column in columns for place, number in enumerate(column)}
    for sweep in range(_SWEEPS):
        forwards = sweep % 2 == 0
        for column in columns[1:] if forwards else columns[-2::-1]:
            keys = {}
            for place, number in enumerate(column):
                near = places[number].before if forwards else places[number].after
                keys[number] = (sum(position[other] for other in near) / len(near) if near else place, place)
            column.sort(key=keys.__getitem__)
            position.update((number, place) for place, number in enumerate(column))
        crossings = _crossings(places, columns)
        if crossings < fewest:
            best, fewest = [list(column) for column in columns], crossings
    return best


def _crossings(places: Sequence[Place], columns: Sequence[Sequence[int]]) -> int:
    total = 0
    for column, following in pairwise(columns):
        position = {number: place for place, number in enumerate(following)}
        passed: list[int] = []
        for number in column:
            for place in sorted(position[other] for other in places[number].after):
                total += len(passed) - bisect_right(passed, place)
                insort(passed, place)
    return total


def settle(places: Sequence[Place], columns: Sequence[Sequence[int]], space: float) -> None:
    """Move each place across to the mean of its neighbours, keeping order and distances."""
    for column in columns:
        at = 0.0
        for number in column:
            places[number].at = at + places[number].across / 2
            at += places[number].across + space
    for sweep in range(_SWEEPS * 2):
        for column in columns if sweep % 2 == 0 else list(reversed(columns)):
            wanted, weights = [], []
            for number in column:
                place = places[number]
                near = place.before + place.after if sweep >= 4 else (place.before if sweep % 2 == 0 else place.after)
                # Dummies that stand in line keep long edges straight, so they weigh more.
                shares = [(6.0 if not places[other].along and not place.along else 1.0) for other in near]
                total = sum(shares)
                mean = (
                    sum(places[other].at * share for other, share in zip(near, shares, strict=True)) / total
                    if near
                    else place.at
                )
                wanted.append(mean)
                weights.append(total or 0.2)
            _pack(places, column, wanted, weights, space)


def _pack(
    places: Sequence[Place], column: Sequence[int], wanted: Sequence[float], weights: Sequence[float], space: float
) -> None:
    """The positions nearest to those wanted (least squares) that keep the order and the space: pooling of neighbours."""
    offsets, offset = [], 0.0
    for place, number in enumerate(column):
        if place:
            offset += (places[column[place - 1]].across + places[number].across) / 2 + space
        offsets.append(offset)
    pools: list[tuple[float, float, int]] = []
    for place in range(len(column)):
        mean, weight, count = wanted[place] - offsets[place], weights[place], 1
        while pools and pools[-1][0] > mean:
            other, other_weight, other_count = pools.pop()
            mean = (mean * weight + other * other_weight) / (weight + other_weight)
            weight, count = weight + other_weight, count + other_count
        pools.append((mean, weight, count))
    place = 0
    for mean, _, count in pools:
        for _ in range(count):
            places[column[place]].at = mean + offsets[place]
            place += 1


def straighten(
    places: Sequence[Place], columns: Sequence[Sequence[int]], chains: Sequence[Sequence[int]], space: float
) -> None:
    """Where there is room, the stretches of a long edge stand in one line; edges then bend seldom."""
    order: dict[int, tuple[Sequence[int], int]] = {}
    for column in columns:
        order.update((number, (column, place)) for place, number in enumerate(column))

    def room(number: int) -> tuple[float, float]:
        column, place = order[number]
        half = places[number].across / 2
        before = places[column[place - 1]] if place else None
        after = places[column[place + 1]] if place + 1 < len(column) else None
        low = before.at + before.across / 2 + space / 2 + half if before else float("-inf")
        high = after.at - after.across / 2 - space / 2 - half if after else float("inf")
        return low, high

    for chain in chains:
        run: list[int] = []
        low, high = float("-inf"), float("inf")
        for number in chain[1:-1]:
            least, most = room(number)
            if run and (max(low, least) > min(high, most)):
                _line_up(places, run, low, high)
                run, low, high = [], float("-inf"), float("inf")
            run.append(number)
            low, high = max(low, least), min(high, most)
        _line_up(places, run, low, high)


def _line_up(places: Sequence[Place], run: Sequence[int], low: float, high: float) -> None:
    if len(run) > 1 and low <= high:
        level = min(max(sum(places[number].at for number in run) / len(run), low), high)
        for number in run:
            places[number].at = level
