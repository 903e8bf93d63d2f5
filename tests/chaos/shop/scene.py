"""The stack behind its proxies, with the reconciler beside it and customers before it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from bench.shop.planned import LIMIT
from bench.shop.scene import Scene

from sagacity.testing.servers.kafka import KAFKA, broker_at_hand
from shop.contracts import topics
from shop.demo.opening import WINDOW, WORKFLOW, tightened
from shop.demo.watching import Reconciler
from shop.local.assembly import Layout, assemble
from shop.local.catalogue import RECONCILER, SHOP
from shop.local.kept import forget

from .disk import Disk, mounted
from .injuries import Kind
from .proxy import Proxy

__all__ = ["WINDOW", "Besieged", "opened"]

_MEGABYTES = 256
_FAULTS = {"WAREHOUSE_FAULTS_DROP": "0.03", "WAREHOUSE_FAULTS_DUPLICATE": "0.03", "WAREHOUSE_FAULTS_WRONG_AMOUNT": "0.03"}
"""What the warehouse does wrong by itself: of what is always right, nothing could be found."""
_EDGE = "edge"


class Besieged(msgspec.Struct, frozen=True):
    """A shop that is open. `web` is the edge behind its proxy; the scene's own addresses are those that services are told:
    behind proxies, too."""

    scene: Scene
    proxies: Mapping[str, Proxy]
    disk: Disk | None
    reconciler: Reconciler
    workflow: Path
    victims: Mapping[Kind, Sequence[str]]
    without: Sequence[str]
    """What cannot be done here, in words."""

    @property
    def web(self) -> str:
        return f"http://127.0.0.1:{self.proxies[_EDGE].port}"

    @property
    def folder(self) -> Path:
        return self.scene.stack.folder


@contextlib.contextmanager
def opened(folder: Path, say: Callable[[str], None]) -> Iterator[Besieged]:
    """All of it in an empty folder, which keeps the logs. Raises UnavailableError where a part of it cannot be had."""
    workflow = folder / WORKFLOW.name
    workflow.write_text(tightened(WORKFLOW.read_text(encoding="utf-8")), encoding="utf-8")
    with contextlib.ExitStack() as opening:
        disk = opening.enter_context(mounted(folder / "disk", _MEGABYTES))
        opening.callback(_forget, folder)
        proxies = {name: opening.enter_context(Proxy()) for name in ("postgres", "kafka", _EDGE)}
        extra = {
            "PAYMENT_PROVIDER_LIMIT": str(LIMIT),
            "RECONCILER_WORKFLOWS": str(workflow),
            "RECONCILER_LEDGER": str(folder / "disk" / "ledger"),
            **_FAULTS,
        }
        behind = {name: proxies[name].port for name in ("postgres", "kafka")}
        layout = Layout(catalogue=(*SHOP, RECONCILER), topics=topics.ALL, web=0, extra=extra, behind=behind)
        stack = assemble(folder / "shop", layout, say)
        for name in behind:
            proxies[name].towards(_port(stack.where(name)))
        proxies[_EDGE].towards(_port(stack.web))
        opening.enter_context(stack)
        reconciler = Reconciler(stack.where("reconciler"))
        opening.callback(reconciler.close)
        victims, without = _victims(stack.names, proxies, disk)
        yield Besieged(Scene(stack), proxies, disk, reconciler, workflow, victims, without)


def _victims(
    parts: Sequence[str], proxies: Mapping[str, Proxy], disk: Disk | None
) -> tuple[dict[Kind, list[str]], list[str]]:
    redis = [name for name in parts if name.startswith("redis-") and name[-1].isdigit()]
    spared = {*redis, "redis-cluster", "postgres", "kafka", "prometheus"}
    processes = [name for name in parts if name not in spared]
    without = []
    crashing = ["postgres", "kafka", redis[0]]
    if broker_at_hand() != KAFKA:
        crashing.remove("kafka")
        without.append("the broker is not killed: this one would forget its topics")
    if disk is None:
        without.append("the ledger's disk is not filled: no tmpfs may be mounted here")
    between = list(proxies)
    return {
        "kill": processes,
        "crash": crashing,
        "restart": [name for name in processes if name != "traefik"],
        "freeze": [*processes, redis[-1], "kafka"],
        **dict.fromkeys(("slow", "stall", "cut", "deafen"), between),
        "again": ["an event"],
        "fill": ["the ledger's disk"] if disk else [],
    }, without


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])


def _forget(folder: Path) -> None:
    """Remove the databases' files, which may be elsewhere, but not the logs."""
    shop = folder / "shop"
    if (shop / "logs").is_dir():
        (shop / "logs").rename(folder / "logs")
    if shop.is_dir():
        forget(shop)
