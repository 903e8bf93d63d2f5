"""What the shop is made of: its services, how many of each, what each needs and where the edge sends it requests."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

__all__ = ["DATABASES", "RECONCILER", "SHOP", "WORKFLOW", "Need", "Service"]

Need: TypeAlias = Literal["database", "kafka", "redis", "access", "product", "ids", "tokens", "faults", "sagas", "cases"]
"""`access`: it asks account what a token stands for. `product`: it asks product for prices. `ids`: it makes ids.
`tokens`: it signs tokens, and has a first administrator. `faults`: its faults can be switched.
`sagas`: it looks into the orchestrator's database. `cases`: it links to the reconciler's, where there is one."""


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """One service. `paths` are those below which requests from outside reach it, `pages` those at which alone; `rpc` says
    whether others call it."""

    name: str
    replicas: int = 1
    needs: frozenset[Need] = frozenset()
    paths: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    rpc: bool = False
    program: tuple[str, ...] = ()
    """What is run, where it is not `python -m shop.<name>`."""

    def names(self) -> tuple[str, ...]:
        """One name for each replica."""
        if self.replicas == 1:
            return (self.name,)
        return tuple(f"{self.name}-{number}" for number in range(1, self.replicas + 1))


SHOP: tuple[Service, ...] = (
    Service(name="account", rpc=True, needs=frozenset({"database", "ids", "tokens"}), paths=("/api/v1/account",)),
    Service(
        name="product",
        replicas=2,
        rpc=True,
        needs=frozenset({"database", "kafka", "redis", "access", "ids"}),
        paths=("/api/v1/products", "/api/v1/categories"),
    ),
    Service(name="order", needs=frozenset({"database", "kafka", "redis", "access", "ids"}), paths=("/api/v1/orders",)),
    Service(name="payment", needs=frozenset({"database", "kafka", "redis", "access", "ids"}), paths=("/api/v1/payments",)),
    Service(
        name="purchase",
        replicas=2,
        needs=frozenset({"database", "kafka", "access", "product", "ids"}),
        paths=("/api/v1/purchases",),
    ),
    Service(name="orchestrator", needs=frozenset({"database", "kafka"})),
    Service(name="warehouse", needs=frozenset({"database", "kafka", "ids", "faults"})),
    Service(name="compliance", needs=frozenset({"database", "kafka", "ids", "faults"})),
    Service(name="storefront", needs=frozenset({"cases"}), paths=("/storefront",), pages=("/",)),
)

RECONCILER = Service(name="reconciler", needs=frozenset({"kafka", "sagas"}))
"""Sagacity beside the shop. It is told by RECONCILER_WORKFLOWS what to judge by."""

_WORKFLOWS = Path(__file__).parents[3] / "workflows"
WORKFLOW = _WORKFLOWS / "shop.workflow.yaml"
"""What the reconciler judges purchases by."""
DATABASES = _WORKFLOWS / "databases.workflow.yaml"
"""What the services' tables are reconciled with each other by."""
