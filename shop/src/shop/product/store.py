"""Products in PostgreSQL. The database counts their versions and tells of each change by itself (see the revisions)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from shop.chassis.cache.rows import changed_since
from shop.chassis.database import Pool
from shop.chassis.executing import Executes
from shop.product.domain import Details, Product, Stock

__all__ = ["CHANGED_SINCE", "CHANNEL", "KnownProducts", "add", "change", "find", "some", "stocks"]

CHANNEL = "product_changes"
"""Where the database tells of changes: the product's id and its new version."""

CHANGED_SINCE = changed_since("products")

_COLUMNS = """
id, name, description, brand_name, category_id, price, currency, inventory, version, created_at, changed_at
"""
_ADD = f"""
insert into products (id, name, description, brand_name, category_id, price, currency, inventory)
values (%s, %s, %s, %s, %s, %s, %s, %s) returning {_COLUMNS}
"""
_CHANGE = f"""
update products set name = %s, description = %s, brand_name = %s, category_id = %s, price = %s, currency = %s,
    inventory = coalesce(%s, inventory)
where id = %s and (%s::bigint[] is null or version = any(%s::bigint[])) returning {_COLUMNS}
"""
_FIND = f"select {_COLUMNS} from products where id = %s"
_SOME = f"""
select {_COLUMNS} from products
where id > %s and (%s::bigint is null or category_id = %s) order by id limit %s
"""
_STOCKS = "select id, inventory, price, currency from products where id = any(%s)"
_IDS = "select id from products where id > %s order by id limit %s"
_COUNT = "select greatest(reltuples, 0)::bigint from pg_class where oid = 'products'::regclass"
_AT_ONCE = 5_000


async def add(on: Executes, id: int, details: Details, inventory: int) -> Product:
    """A new product, of version 1. Raises psycopg's ForeignKeyViolation where its category is not there."""
    row = await (await on.execute(_ADD, (id, *_values(details), inventory))).fetchone()
    return _product(row)


async def change(
    on: Executes, id: int, details: Details, inventory: int | None, versions: Sequence[int] | None
) -> Product | None:
    """Change a product, if it is of one of these versions (None: of any); None where there is none such. `inventory` None:
    what is left stays as it is. Raises psycopg's ForeignKeyViolation where its category is not there."""
    of = None if versions is None else list(versions)
    row = await (await on.execute(_CHANGE, (*_values(details), inventory, id, of, of))).fetchone()
    return None if row is None else _product(row)


async def find(on: Executes, id: int) -> Product | None:
    row = await (await on.execute(_FIND, (id,))).fetchone()
    return None if row is None else _product(row)


async def some(on: Executes, category: int | None, after: int, most: int) -> list[Product]:
    """Products whose ids are above one, in the order of their ids, so many at most."""
    rows = await (await on.execute(_SOME, (after, category, category, most))).fetchall()
    return [_product(row) for row in rows]


async def stocks(on: Executes, ids: Sequence[int]) -> dict[int, Stock]:
    """What is left of these, and at what price; those that there are."""
    rows = await (await on.execute(_STOCKS, (list(ids),))).fetchall()
    return {id: Stock(inventory, price, currency) for id, inventory, price, currency in rows}


class KnownProducts:
    """The ids that there are, for the filter."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def all(self) -> AsyncIterator[Sequence[str]]:
        after = -1
        while True:
            async with self._pool.connection() as connection:
                rows = await (await connection.execute(_IDS, (after, _AT_ONCE))).fetchall()
            if not rows:
                return
            yield [str(id) for (id,) in rows]
            after = rows[-1][0]

    async def count(self) -> int:
        """As the database's own statistics have it: an estimate that costs nothing."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(_COUNT)).fetchone()
        return 0 if row is None else int(row[0])


def _values(details: Details) -> tuple[Any, ...]:
    return (
        details.name, details.description, details.brand_name, details.category_id, details.price, details.currency,
    )  # fmt: skip


def _product(row: Any) -> Product:
    id, name, description, brand, category, price, currency, inventory, version, created, changed = row
    details = Details(
        name=name, description=description, brand_name=brand, category_id=category, price=price, currency=currency
    )
    return Product(
        id=id, details=details, inventory=inventory, version=version, created_at=created, changed_at=changed
    )  # fmt: skip
