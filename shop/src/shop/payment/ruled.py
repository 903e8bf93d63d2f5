"""A provider within the process, which declines by rule: for demonstrations and tests. It moves no money."""

from __future__ import annotations

from zlib import crc32

from shop.payment.provider import Declined

__all__ = ["RuledProvider"]

_OF = 10_000


class RuledProvider:
    """Declines what is above a limit, and a share of all others, chosen by their references: the same reference has the same
    answer always, in every replica, which is what makes it idempotent without keeping anything.

    `limit` is in minor units, None for none. `declined` is the share that is declined, from 0 to 1.
    """

    def __init__(self, *, limit: int | None = None, declined: float = 0.0) -> None:
        self._limit = limit
        self._declined = declined

    async def charge(self, reference: str, amount: int, currency: str) -> str:
        if self._limit is not None and amount > self._limit:
            raise Declined(f"{amount} {currency} (minor units) is above the limit of {self._limit}")
        if crc32(reference.encode()) % _OF < round(self._declined * _OF):
            raise Declined("the payment provider declines this payment")
        return f"charge-{reference}"

    async def refund(self, reference: str) -> None:  # noqa: ARG002 - there is nothing to move
        return None
