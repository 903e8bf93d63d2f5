"""What is raised where a server cannot be had, or does not come up."""

from __future__ import annotations

from sagacity.errors import SagacityError

__all__ = ["UnavailableError"]


class UnavailableError(SagacityError):
    """A server cannot be had on this machine, or does not come up. `hint` says how to mend it, or where its log is."""
