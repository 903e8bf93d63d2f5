"""What rendering a plan for any engine has in common: names that an engine would cut short, and attributes by their type."""

from __future__ import annotations

import hashlib

from sqlglot import exp

from sagacity.plan.fill import Tree

__all__ = ["is_truth", "short"]


def short(name: str, longest: int) -> str:
    """A name of at most so many bytes, which tells long names apart that begin alike."""
    encoded = name.encode()
    if len(encoded) <= longest:
        return name
    kept = encoded[: longest - 17].decode(errors="ignore")
    return f"{kept}~{hashlib.sha256(encoded).hexdigest()[:16]}"


def is_truth(tree: Tree) -> bool:
    """Whether this is a column with a boolean attribute: its name ends with its type, see `sagacity.plan.columns`."""
    return isinstance(tree, exp.Column) and tree.name.rpartition("$")[2] == "boolean"
