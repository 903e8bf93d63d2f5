"""Who asks, and what they may do."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec
from litestar import Request

from sagacity.web.tokens import Role

__all__ = ["ANYBODY", "LOCAL", "Asking", "Identity", "Need"]

Need: TypeAlias = Role | None
"""The role that a route asks for; None where anybody may come."""

_COVERS: dict[Role, frozenset[Role]] = {
    "ingest": frozenset(("ingest",)),
    "viewer": frozenset(("viewer",)),
    "operator": frozenset(("viewer", "operator")),
}


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks: the name that the audit log shows, what they may do, and how they showed who they are.

    `csrf` is what a request with a session cookie has to repeat in a header or a form's field before it may change
    anything; empty where no cookie was used. `guest`: nobody had to log in.
    """

    name: str
    roles: frozenset[Role]
    csrf: str = ""
    guest: bool = False

    def may(self, need: Need) -> bool:
        """Whether one of the roles covers the one that is needed. An operator reads, too; but does not hand records in."""
        return need is None or any(need in _COVERS[role] for role in self.roles)


Asking: TypeAlias = Request[Identity, Any, Any]
"""A request that has passed the guard: `user` is who asks."""

LOCAL = Identity(name="local", roles=frozenset(("ingest", "viewer", "operator")), guest=True)
"""Everybody, where no tokens are set up."""

ANYBODY = Identity(name="anybody", roles=frozenset(), guest=True)
"""Somebody who has not said who they are."""
