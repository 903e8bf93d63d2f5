"""Categories in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence

from shop.chassis.executing import Executes
from shop.product.domain import Category

__all__ = ["add", "change", "find", "remove", "some"]

_ADD = "insert into categories (id, name, description) values (%s, %s, %s)"
_CHANGE = """
update categories set name = %s, description = %s, version = version + 1
where id = %s and (%s::bigint[] is null or version = any(%s::bigint[])) returning id, name, description, version
"""
_FIND = "select id, name, description, version from categories where id = %s"
_SOME = "select id, name, description, version from categories where id > %s order by id limit %s"
_REMOVE = "delete from categories where id = %s and (%s::bigint[] is null or version = any(%s::bigint[])) returning id"


async def add(on: Executes, id: int, name: str, description: str) -> None:
    """Raises psycopg's UniqueViolation where another has this name."""
    await on.execute(_ADD, (id, name, description))


async def change(on: Executes, id: int, name: str, description: str, versions: Sequence[int] | None) -> Category | None:
    """Change a category, if it is of one of these versions (None: of any); None where there is none such. Raises psycopg's
    UniqueViolation where another has this name."""
    of = None if versions is None else list(versions)
    row = await (await on.execute(_CHANGE, (name, description, id, of, of))).fetchone()
    return None if row is None else _category(row)


async def find(on: Executes, id: int) -> Category | None:
    row = await (await on.execute(_FIND, (id,))).fetchone()
    return None if row is None else _category(row)


async def some(on: Executes, after: int, most: int) -> list[Category]:
    """Categories whose ids are above one, in the order of their ids, so many at most."""
    return [_category(row) for row in await (await on.execute(_SOME, (after, most))).fetchall()]


async def remove(on: Executes, id: int, versions: Sequence[int] | None) -> bool:
    """Remove a category; whether there was one such. Raises psycopg's ForeignKeyViolation where products belong to it."""
    of = None if versions is None else list(versions)
    return await (await on.execute(_REMOVE, (id, of, of))).fetchone() is not None


def _category(row: Sequence[object]) -> Category:
    id, name, description, version = row
    return Category(id=id, name=name, description=description, version=version)  # type: ignore[arg-type]
