"""Charges of which it is not known whether they stand: kept before the provider is asked, until their payment is; what no
payment comes of is given back.

Whoever asks a provider may never hear its answer: it does not answer, the connection breaks, the process dies, the
database refuses the payment. The saga turns back then, and asks nobody to refund a step that was never done.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import psycopg
from prometheus_client import CollectorRegistry, Gauge

from shop.chassis.database import Connection, Pool
from shop.chassis.failures import Failure
from shop.chassis.logs import logger
from shop.payment.provider import Declined, Provider

__all__ = ["Charges", "given_back"]

_ASK = """
insert into charges as kept (reference, asked_at) values (%s, now())
on conflict (reference) do update set asked_at = now() where kept.given_back_at is null
"""
_DECLINED = "delete from charges where reference = %s and given_back_at is null"
# A service of before these were kept may have written the payment, or the command may have come again long afterwards.
_PAID = "exists (select from payments where purchase_id = reference::bigint)"
_SETTLED = f"delete from charges where given_back_at is null and asked_at < now() - %s and {_PAID}"
# In any order, so that those which cannot be given back do not keep others out.
_DOUBTFUL = """
select reference from charges where given_back_at is null and asked_at < now() - %s order by random() limit %s
"""
_HOLD = f"""
select 1 from charges where reference = %s and given_back_at is null and asked_at < now() - %s and not {_PAID}
for update skip locked
"""
_GIVEN_BACK = "update charges set given_back_at = now() where reference = %s"
_OPEN = f"""
select count(*), count(*) filter (where asked_at < now() - %s) from charges where given_back_at is null and not {_PAID}
"""
_FORGET = """
delete from charges where reference in (
    select reference from charges where given_back_at < now() - %s order by given_back_at limit %s for update skip locked
)
"""
_AT_ONCE = 100
_log = logger("shop.payment")


class Charges:
    """A provider that keeps in mind what another was asked for; any number may over one database. `doubt` is how long a
    charge may be without its payment: longer than a saga goes on asking for it. A reference that was given back is
    charged no more.

    In `registry`: `shop_charges{state="open"}`, how many have no payment yet, and `{state="overdue"}`, those of them that
    should have been given back."""

    def __init__(
        self,
        pool: Pool,
        provider: Provider,
        doubt: timedelta,
        *,
        every: float = 30.0,
        registry: CollectorRegistry | None = None,
    ) -> None:
        self._pool = pool
        self._provider = provider
        self._doubt = doubt
        self._every = every
        self._states = Gauge("shop_charges", "Charges of which no payment has come", ["state"], registry=registry)
        self._tell(0, 0)

    async def charge(self, reference: str, amount: int, currency: str) -> str:
        """As the provider. Its payment is to be kept in a transaction that forgets the doubt (`store.add`). Raises Failure
        503 where the database is away: then nobody was asked."""
        async with self._pool.connection() as connection:
            kept = await connection.execute(_ASK, (reference,))
        if kept.rowcount == 0:
            raise Declined("it could not be told in time whether this was charged, and it was given back")
        try:
            return await self._provider.charge(reference, amount, currency)
        except Declined:
            async with self._pool.connection() as connection:
                await connection.execute(_DECLINED, (reference,))
            raise

    async def refund(self, reference: str) -> None:
        await self._provider.refund(reference)

    async def run(self) -> None:
        """Give back what no payment came of, until cancelled. Never raises for what may pass."""
        while True:
            try:
                await self.give_back()
            except (Failure, psycopg.Error) as error:
                _log.warning("nothing is given back", reason=str(error).strip())
            await asyncio.sleep(self._every)

    async def give_back(self) -> int:
        """Give back what has been in doubt for so long, and can be; how many. Tells how many are left."""
        async with self._pool.connection() as connection:
            await connection.execute(_SETTLED, (self._doubt,))
            rows = await (await connection.execute(_DOUBTFUL, (self._doubt, _AT_ONCE))).fetchall()
        given = 0
        for (reference,) in rows:
            try:
                given += await self._give_back(reference)
            except (Failure, psycopg.Error):
                raise
            except Exception as error:  # whatever a provider fails with, the others are given back
                _log.warning("a charge that is in doubt cannot be given back", purchase=reference, reason=repr(error))
        async with self._pool.connection() as connection:
            left = await (await connection.execute(_OPEN, (self._doubt,))).fetchone()
        self._tell(*(left or (0, 0)))
        return given

    def _tell(self, still_open: int, overdue: int) -> None:
        self._states.labels("open").set(still_open)
        self._states.labels("overdue").set(overdue)

    async def _give_back(self, reference: str) -> bool:
        """Held meanwhile, so that nobody asks for it again."""
        async with self._pool.transaction() as connection:
            held = await (await connection.execute(_HOLD, (reference, self._doubt))).fetchone()
            if held is None:
                return False
            await self._provider.refund(reference)
            await connection.execute(_GIVEN_BACK, (reference,))
        _log.warning("a charge of which no payment came was given back", purchase=reference)
        return True


async def given_back(connection: Connection, after: timedelta, most: int) -> int:
    """Forget what was given back so long ago that its saga's command cannot come again; how many."""
    return (await connection.execute(_FORGET, (after, most))).rowcount
