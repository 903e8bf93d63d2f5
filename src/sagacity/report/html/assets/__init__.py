"""The page's own style and scripts, shipped with the package: part of the program as much as this text is."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

__all__ = ["asset"]


@cache
def asset(name: str) -> str:
    """The text of a file beside this one. The one place where reports read anything, and only from the package."""
    return files(__name__).joinpath(name).read_text(encoding="utf-8")
