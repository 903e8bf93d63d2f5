"""How often somebody has tried to log in: counted in the database, for all replicas together, before a password is looked
at. Nobody's e-mail address is kept.

Attempts at an account from anywhere are bounded as well, and anybody can make them: so that they lock its owner out of no
place where the owner has logged in before, an address that is familiar has its own bound alone.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from psycopg import AsyncConnection

from shop.account import settings
from shop.account.domain import login_name
from shop.chassis.failures import Failure

__all__ = ["count", "forget", "succeeded"]

_COUNT = """
insert into attempts as kept (key, since, many) select key, %(now)s, 1 from unnest(%(keys)s::text[]) as given (key)
order by key
on conflict (key) do update set
    many = case when kept.since <= %(begin)s then 1 else kept.many + 1 end,
    since = case when kept.since <= %(begin)s then %(now)s else kept.since end
returning key, many, since
"""
_SEEN = """
insert into familiar (key, seen_at) values (%s, %s) on conflict (key) do update set seen_at = excluded.seen_at
"""
_KEPT = timedelta(days=1)


async def count(connection: AsyncConnection[Any], login: settings.Login, email: str, address: str, now: datetime) -> None:
    """Count an attempt. Raises Failure 429 where there have been too many; whether the account is there makes no
    difference."""
    bounds = _bounds(login, email, address)
    given = {"now": now, "begin": now - login.window, "keys": list(bounds)}
    rows = await (await connection.execute(_COUNT, given)).fetchall()
    waits = {key: since + login.window - now for key, many, since in rows if many > bounds[key]}
    pair, anywhere, _ = bounds
    if anywhere in waits and await _familiar(connection, pair):
        del waits[anywhere]
    if waits:
        seconds = max(1, round(max(waits.values()).total_seconds()))
        raise Failure(429, "too many attempts to log in; try again later", headers={"Retry-After": str(seconds)})


async def succeeded(
    connection: AsyncConnection[Any], login: settings.Login, email: str, address: str, now: datetime
) -> None:
    """Somebody has logged in: what was counted from this address at this account is forgotten, and it is familiar."""
    pair = next(iter(_bounds(login, email, address)))
    await connection.execute("delete from attempts where key = %s", (pair,))
    await connection.execute(_SEEN, (pair, now))


async def forget(connection: AsyncConnection[Any], login: settings.Login, now: datetime) -> None:
    """Forget attempts that count no more, and addresses from which nobody has logged in for long."""
    await connection.execute("delete from attempts where since < %s", (now - max(_KEPT, login.window),))
    await connection.execute("delete from familiar where seen_at < %s", (now - login.familiar_for,))


async def _familiar(connection: AsyncConnection[Any], pair: str) -> bool:
    found = await connection.execute("select 1 from familiar where key = %s", (pair,))
    return await found.fetchone() is not None


def _bounds(login: settings.Login, email: str, address: str) -> dict[str, int]:
    """How many attempts each key may have: first that of the address at the account, then that of the account."""
    account = hashlib.sha256(login_name(email).encode()).hexdigest()
    return {
        f"account {account} from {address}": login.attempts,
        f"account {account}": login.account_attempts,
        f"address {address}": login.address_attempts,
    }
