"""Parts of Sagacity that are installed when they are needed."""

from __future__ import annotations

from importlib.util import find_spec

from sagacity.errors import UsageError

__all__ = ["needed"]


def needed(extra: str, *packages: str) -> None:
    """Raises UsageError, with what to install, where a package is not there."""
    absent = [package for package in packages if find_spec(package) is None]
    if absent:
        raise UsageError(
            f"this needs {', '.join(absent)}, not installed here", hint=f"pip install '.[{extra}]' in a clone of Sagacity"
        )
