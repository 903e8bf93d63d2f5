"""What is counted: for each layer how often it knew the answer, and what became of the shared cache and its filter."""

from __future__ import annotations

from typing import Literal, TypeAlias

from prometheus_client import CollectorRegistry, Counter, Gauge

__all__ = ["Layer", "Meter", "Outcome"]

Layer: TypeAlias = Literal["local", "filter", "shared", "lock", "database"]
Outcome: TypeAlias = Literal["hit", "miss", "absent", "joined", "skipped", "failed"]
"""`hit`: the layer answered. `absent`: it answered that there is nothing. `miss`: it passed the question on. `joined`: the
same question was under way already. `skipped`: the layer could not be asked. `failed`: it was asked, and raised."""


class Meter:
    """The counts of one cache, in a registry of Prometheus."""

    def __init__(self, cache: str, registry: CollectorRegistry) -> None:
        self._cache = cache
        self._reads = _counter(registry, "shop_cache_reads", "Questions to a layer of a cache", "cache", "layer", "outcome")
        self._events = _counter(registry, "shop_cache_events", "What has happened to a cache", "cache", "event")
        self._open = _gauge(registry, "shop_cache_breakers_open", "Nodes of Redis that are not asked now", "cache")
        self._children: dict[tuple[str, ...], Counter] = {}
        self.open(0)

    def read(self, layer: Layer, outcome: Outcome) -> None:
        """A layer was asked."""
        self._child(layer, outcome).inc()

    def event(self, event: str, many: int = 1) -> None:
        """Something has happened to the cache, such as `superseded`, `refused`, `rebuilt`, `lost`."""
        self._events.labels(self._cache, event).inc(many)

    def open(self, nodes: int) -> None:
        """So many nodes are not asked now."""
        self._open.labels(self._cache).set(nodes)

    def reads(self, layer: Layer, outcome: Outcome) -> int:
        """How often that was counted."""
        return int(self._child(layer, outcome)._value.get())

    def events(self, event: str) -> int:
        """How often that has happened."""
        return int(self._events.labels(self._cache, event)._value.get())

    def _child(self, layer: Layer, outcome: Outcome) -> Counter:
        """Looking one up by its labels costs more than the rest of a read."""
        child = self._children.get((layer, outcome))
        if child is None:
            child = self._children[layer, outcome] = self._reads.labels(self._cache, layer, outcome)
        return child


def _counter(registry: CollectorRegistry, name: str, told: str, *labels: str) -> Counter:
    """Several caches of a process share the counters of its registry."""
    known = registry._names_to_collectors.get(name)
    return known if isinstance(known, Counter) else Counter(name, told, labels, registry=registry)


def _gauge(registry: CollectorRegistry, name: str, told: str, *labels: str) -> Gauge:
    known = registry._names_to_collectors.get(name)
    return known if isinstance(known, Gauge) else Gauge(name, told, labels, registry=registry)
