"""A layered layout of a small directed graph (after Sugiyama, Tagawa and Toda, 1981), deterministic.

Nodes are put into ranks so that edges run forwards; every edge that carries a label passes through a rank of its own for
labels, so that no label can cover a node; edges over several ranks get a place in each (a dummy); places in a rank are
ordered by barycentres and then moved as near to their neighbours as their sizes allow.

The layout knows two axes only: *along* (the direction in which ranks follow one another) and *across*.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

import msgspec

from sagacity.report.layers import Link, Place, ordered, ranks_of, settle, straighten

__all__ = ["Box", "Layout", "Link", "Path", "lay_out"]


class Box(msgspec.Struct, frozen=True):
    """Where a node or a label stands: its centre, and its size."""

    along: float
    across: float
    size_along: float
    size_across: float


class Path(msgspec.Struct, frozen=True):
    """An edge's way from source to target as points `(along, across)`, and its label's centre.

    Every other stretch is straight, the first included; those between are bends from one rank to the next. An edge within
    one rank has two points and bends out as far as `bulge`.
    """

    points: tuple[tuple[float, float], ...]
    label: tuple[float, float]
    bulge: float | None = None


class Layout(msgspec.Struct, frozen=True):
    """Boxes by node, paths in the order of the links, and the extent of it all."""

    boxes: Mapping[str, Box]
    paths: tuple[Path, ...]
    along: float
    across: float


def lay_out(
    sizes: Mapping[str, tuple[float, float]], links: Sequence[Link], *, gap: float = 22, space: float = 22
) -> Layout:
    """Lay out nodes of the given sizes (along, across). `gap` parts ranks, `space` parts neighbours within a rank."""
    names = list(sizes)
    ranks = ranks_of(names, links)
    places = [Place(2 * ranks[name], *sizes[name]) for name in names]
    number = {name: place for place, name in enumerate(names)}
    chains = [_chain(places, number[link.source], number[link.target], link) for link in links]
    columns = ordered(places)
    settle(places, columns, space)
    straighten(places, columns, chains, space)
    return _drawn(names, places, columns, links, chains, gap)


def _chain(places: list[Place], source: int, target: int, link: Link) -> list[int]:
    """The places that an edge passes, from its lower to its higher rank; its label has one of them."""
    low, high = sorted((source, target), key=lambda number: (places[number].rank, number))
    first, last = places[low].rank, places[high].rank
    chain = [low]
    if first == last:
        label_rank = first + 1 if source != target else first
        chain.append(_add(places, Place(label_rank, link.along, link.across)))
    for rank in range(first + 1, last):
        middle = rank == (first + last) // 2 + (1 - (first + last) // 2 % 2)
        chain.append(_add(places, Place(rank, link.along, link.across) if middle else Place(rank, 0, 4)))
    chain.append(high)
    for earlier, later in pairwise(chain):
        if places[earlier].rank != places[later].rank:
            one, other = sorted((earlier, later), key=lambda number: places[number].rank)
            places[one].after = [*places[one].after, other]
            places[other].before = [*places[other].before, one]
    return chain


def _add(places: list[Place], place: Place) -> int:
    places.append(place)
    return len(places) - 1


def _drawn(
    names: Sequence[str],
    places: Sequence[Place],
    columns: Sequence[Sequence[int]],
    links: Sequence[Link],
    chains: Sequence[Sequence[int]],
    gap: float,
) -> Layout:
    starts, widths, at = [], [], 0.0
    for column in columns:
        width = max((places[number].along for number in column), default=0)
        starts.append(at)
        widths.append(width)
        at += width + (gap if column else 0)
    least = min((place.at - place.across / 2 for place in places), default=0)
    for place in places:
        place.at -= least
    across = max((place.at + place.across / 2 for place in places), default=0)

    def middle(number: int) -> float:
        return starts[places[number].rank] + widths[places[number].rank] / 2

    boxes = {name: Box(middle(n), places[n].at, places[n].along, places[n].across) for n, name in enumerate(names)}
    number = {name: n for n, name in enumerate(names)}
    ports = _ports(places, chains)
    paths = []
    for edge, (link, chain) in enumerate(zip(links, chains, strict=True)):
        label = next((n for n in chain[1:-1] if places[n].along), chain[len(chain) // 2])
        points: list[tuple[float, float]] = []
        bulge = None
        first, last = chain[0], chain[-1]
        levels = [places[n].at + ports.get((edge, step), 0.0) for step, n in enumerate(chain)]
        if places[first].rank == places[last].rank:
            bulge = starts[places[label].rank]
            points = [
                (middle(first) + places[first].along / 2, levels[0]),
                (middle(last) + places[last].along / 2, levels[-1]),
            ]
        else:
            for n, level in zip(chain, levels, strict=True):
                left, half = starts[places[n].rank], places[n].along / 2
                right = left + widths[places[n].rank]
                near = middle(n) + half if n == first else left
                far = middle(n) - half if n == last else right
                points += [(near, level), (far, level)]
        if number[link.source] != first:
            points.reverse()
        paths.append(Path(tuple(points), (middle(label), places[label].at), bulge))
    return Layout(
        boxes, tuple(paths), max((start + width for start, width in zip(starts, widths, strict=True)), default=0), across
    )


def _ports(places: Sequence[Place], chains: Sequence[Sequence[int]]) -> dict[tuple[int, int], float]:
    """How far from a node's middle each edge leaves and enters it: side by side, in the order of where they go."""
    sides: defaultdict[tuple[int, bool], list[tuple[float, int, int]]] = defaultdict(list)
    for edge, chain in enumerate(chains):
        level = places[chain[0]].rank == places[chain[-1]].rank
        sides[chain[0], True].append((places[chain[1]].at, edge, 0))
        sides[chain[-1], level].append((places[chain[-2]].at, edge, len(chain) - 1))
    found = {}
    for (number, _), ends in sides.items():
        ends.sort()
        step = min(14.0, places[number].across * 0.7 / max(1, len(ends)))
        for position, (_, edge, end) in enumerate(ends):
            found[edge, end] = (position - (len(ends) - 1) / 2) * step
    return found
