"""What an access token says about its holder."""

from __future__ import annotations

from typing import Literal, TypeAlias

__all__ = ["ADMIN", "CUSTOMER", "ROLES", "Role"]

Role: TypeAlias = Literal["customer", "admin"]

CUSTOMER: Role = "customer"
"""May buy, and see what is their own. Everybody who has registered is one."""

ADMIN: Role = "admin"
"""May also change what is for sale."""

ROLES: tuple[Role, ...] = (CUSTOMER, ADMIN)
