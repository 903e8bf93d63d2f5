"""What rendering a plan for any engine has in common: names that an engine would cut short, attributes by their type, and
shapes that only some engines have."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from sqlglot import exp

from sagacity.plan.fill import Tree
from sagacity.workflow.model import Capture

__all__ = ["is_truth", "lists_side_by_side", "named_columns", "scale_of", "short"]


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


def scale_of(tree: Tree) -> int | None:
    """The digits after the point of a column with a decimal attribute; None for what is none."""
    if not isinstance(tree, exp.Column):
        return None
    found = _DECIMAL.fullmatch(tree.name.rpartition("$")[2])
    if found is None:
        return None
    return int(found[1]) if found[1] else Capture(value="").scale


def named_columns(tree: Tree) -> None:
    """Give every column that is selected its own name, in place: some engines would call it by its table's name as well."""
    for select in tree.find_all(exp.Select):
        for told in select.expressions:
            if isinstance(told, exp.Column) and told.table and not isinstance(told.this, exp.Star):
                told.replace(exp.alias_(told.copy(), told.name, quoted=True))


def lists_side_by_side(tree: Tree) -> Sequence[tuple[exp.Select, list[exp.Alias]]]:
    """The queries that make rows of several lists at once, with these lists: not every engine walks along them together."""
    found = []
    for select in tree.find_all(exp.Select):
        lists = [told for told in select.expressions if isinstance(told, exp.Alias) and isinstance(told.this, _LIST)]
        if len(lists) > 1:
            found.append((select, lists))
    return found


_DECIMAL = re.compile(r"decimal(?:_\d+_(\d+))?")
_LIST = (exp.Explode, exp.Unnest)
