"""How often somebody has tried to log in: counted in the database, for all replicas together, before a password is looked
at."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from psycopg import AsyncConnection

from shop.account import settings
from shop.account.domain import login_name
from shop.chassis.failures import Failure

__all__ = ["count", "forgive"]

_COUNT = """
insert into attempts as kept (key, since, many) select key, %(now)s, 1 from unnest(%(keys)s::text[]) as given (key)
order by key
on conflict (key) do update set
    many = case when kept.since <= %(begin)s then 1 else kept.many + 1 end,
    since = case when kept.since <= %(begin)s then %(now)s else kept.since end
returning key, many, since
"""


async def count(connection: AsyncConnection[Any], login: settings.Login, email: str, address: str, now: datetime) -> None:
    """Count an attempt. Raises Failure 429 where there have been too many; whether the account is there makes no
    difference."""
    bounds = _bounds(login, email, address)
    given = {"now": now, "begin": now - login.window, "keys": list(bounds)}
    rows = await (await connection.execute(_COUNT, given)).fetchall()
    waits = [since + login.window - now for key, many, since in rows if many > bounds[key]]
    if waits:
        seconds = max(1, round(max(waits, default=timedelta(0)).total_seconds()))
        raise Failure(429, "too many attempts to log in; try again later", headers={"Retry-After": str(seconds)})


async def forgive(connection: AsyncConnection[Any], login: settings.Login, email: str, address: str) -> None:
    """Forget what was counted from this address at this account: somebody has logged in."""
    await connection.execute("delete from attempts where key = %s", (next(iter(_bounds(login, email, address))),))


def _bounds(login: settings.Login, email: str, address: str) -> dict[str, int]:
    """How many attempts each key may have; that of the address at the account comes first. Nobody's e-mail address is
    kept."""
    account = hashlib.sha256(login_name(email).encode()).hexdigest()
    return {
        f"account {account} from {address}": login.attempts,
        f"account {account}": login.account_attempts,
        f"address {address}": login.address_attempts,
    }
