"""The port to whoever takes the money.

Guarantees, for every adapter:

- `charge` with a reference that was charged before charges nothing more, and answers as before.
- `refund` with a reference gives back whatever was charged with it, once, however often it is asked for; where nothing was
  charged it does nothing. So one may refund what one has never heard of.
- When `charge` raises Declined, nothing was charged. When it raises Unreachable, or whatever else, it may have been: it is
  asked for again with the same reference, or refunded by it.
- It takes no longer than its timeout, and what it was asked for before is done by then, or never.

The reference is the purchase's id. What a provider has charged is not part of a database's transaction: `Charges` keeps in
mind what was asked for, and gives back what no payment came of.
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

    async def refund(self, reference: str) -> None:
        """Give back all that was charged with a reference, if anything was. Raises Unreachable."""
        ...
