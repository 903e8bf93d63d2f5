"""How many examples a property is tried on: few in every run of the tests, many in `make nightly`."""

from __future__ import annotations

import os

__all__ = ["examples"]

_EFFORT = float(os.environ.get("SAGACITY_EFFORT", "1"))


def examples(number: int) -> int:
    """So many, times SAGACITY_EFFORT where that is set."""
    return max(1, round(number * _EFFORT))
