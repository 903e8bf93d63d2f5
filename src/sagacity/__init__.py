"""Sagacity makes distributed workflows happen, and proves that they did.

    import sagacity

    result = sagacity.check("order.workflow.yaml", sources={"orders": "events.parquet"})
    print(result.findings)

What is imported here is all that a program needs; everything is loaded on first use.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sagacity import expect
    from sagacity.catalog.entry import Catalog
    from sagacity.discover.drift import Drift
    from sagacity.discover.proposal import Proposal
    from sagacity.errors import (
        ConditionError,
        DefinitionError,
        FencedError,
        FullError,
        LedgerError,
        MemoryLimitError,
        MessagingError,
        PublishError,
        RejectedError,
        SagacityError,
        SourceError,
        StoreError,
        UsageError,
        WorkflowError,
    )
    from sagacity.judge import judge
    from sagacity.reconcile.catalog import catalog
    from sagacity.reconcile.discovery import discover
    from sagacity.reconcile.drift import drift
    from sagacity.reconcile.history import History, check, explain
    from sagacity.reconcile.result import Explanation, Finding, Result
    from sagacity.workflow.language.reader import load, loads
    from sagacity.workflow.model import Capture, EventType, Source, Workflow
    from sagacity.workflow.trace import FOREVER, Event

__all__ = [
    "FOREVER",
    "Capture",
    "Catalog",
    "ConditionError",
    "DefinitionError",
    "Drift",
    "Event",
    "EventType",
    "Explanation",
    "FencedError",
    "Finding",
    "FullError",
    "History",
    "LedgerError",
    "MemoryLimitError",
    "MessagingError",
    "Proposal",
    "PublishError",
    "RejectedError",
    "Result",
    "SagacityError",
    "Source",
    "SourceError",
    "StoreError",
    "UsageError",
    "Workflow",
    "WorkflowError",
    "catalog",
    "check",
    "discover",
    "drift",
    "expect",
    "explain",
    "judge",
    "load",
    "loads",
]

_HOMES = {
    "sagacity.catalog.entry": ("Catalog",),
    "sagacity.discover.drift": ("Drift",),
    "sagacity.discover.proposal": ("Proposal",),
    "sagacity.errors": (
        "ConditionError",
        "DefinitionError",
        "FencedError",
        "FullError",
        "LedgerError",
        "MemoryLimitError",
        "MessagingError",
        "PublishError",
        "RejectedError",
        "SagacityError",
        "SourceError",
        "StoreError",
        "UsageError",
        "WorkflowError",
    ),
    "sagacity.judge": ("judge",),
    "sagacity.reconcile.catalog": ("catalog",),
    "sagacity.reconcile.discovery": ("discover",),
    "sagacity.reconcile.drift": ("drift",),
    "sagacity.reconcile.history": ("History", "check", "explain"),
    "sagacity.reconcile.result": ("Explanation", "Finding", "Result"),
    "sagacity.workflow.model": ("Capture", "EventType", "Source", "Workflow"),
    "sagacity.workflow.language.reader": ("load", "loads"),
    "sagacity.workflow.trace": ("FOREVER", "Event"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "expect":
        return import_module("sagacity.expect")
    if name not in _HOME_OF:
        raise AttributeError(f"module 'sagacity' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)


class _Package(ModuleType):
    """This package. Importing a package within it, such as `sagacity.judge`, does not take the name from the function."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _HOME_OF or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
