"""The port to whoever takes the money.

Guarantees, for every adapter:

- `charge` with a reference that was charged before charges nothing more, and answers as before. The same goes for `refund`.
- When `charge` raises Declined, nothing was charged. When it raises Unreachable, it may have been: it is asked for
  again with the same reference.
- It takes no longer than its timeout.

The reference is the purchase's id. What a provider has charged is not part of a database's transaction: should the service
die after a charge, and the purchase turn back before it is up again, a charge may stand of which the service knows nothing.
Reconcile the provider's statement with the payments (by reference), as one does with any provider.
"""

from __future__ import annotations

from typing import Protocol

__all__ = ["Declined", "Provider", "Unreachable"]


class Declined(Exception):  # noqa: N818 - it is an answer, and no error of the program
    """The provider will not charge this; says why."""


class Unreachable(Exception):  # noqa: N818 - it is a state of the world
    """The provider did not answer."""


class Provider(Protocol):
    """Where money is taken."""

    async def charge(self, reference: str, amount: int, currency: str) -> str:
        """Take so much, in minor units; what the provider knows the charge by. Raises Declined and Unreachable."""
        ...

    async def refund(self, charge: str) -> None:
        """Give all of a charge back. Raises Unreachable."""
        ...
