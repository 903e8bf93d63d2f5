"""Categories over HTTP."""

from __future__ import annotations

from litestar import Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler
from msgspec import Struct
from psycopg.errors import ForeignKeyViolation, UniqueViolation

from shop.chassis.access import BEARER, role
from shop.chassis.database import Pool
from shop.chassis.describing import may_answer
from shop.chassis.etags import etag, unchanged, wanted_versions
from shop.chassis.failures import Failure
from shop.chassis.http import id_in_path, id_in_query
from shop.chassis.ids import Ids, PublicId, to_public
from shop.contracts.claims import ADMIN
from shop.product import categories
from shop.product.domain import Category
from shop.product.http import Made
from shop.product.writing import After, Description, IdInPath, IfMatch, IfNoneMatch, Limit, Name

__all__ = ["ROUTES"]


class NewCategory(Struct, frozen=True, kw_only=True):
    name: Name
    description: Description = ""


class CategoryBody(Struct, frozen=True, kw_only=True):
    """A category. `version` counts every change and is the ETag."""

    id: PublicId
    name: str
    description: str
    version: int


class CategoryPage(Struct, frozen=True):
    """Categories in the order of their ids. `next` is what to give as `after` for those that follow."""

    categories: list[CategoryBody]
    next: PublicId | None


@get("/api/v1/categories/{category_id:str}", tags=["categories"], summary="One category", responses=may_answer(304, 404))
async def category(
    category_id: IdInPath, pool: NamedDependency[Pool], if_none_match: IfNoneMatch = None
) -> Response[CategoryBody | None]:
    """404 where there is no such category. Its ETag is its version."""
    async with pool.connection() as connection:
        found = await categories.find(connection, id_in_path(category_id, "category"))
    if found is None:
        raise _absent()
    headers = {"ETag": etag(found.version)}
    if unchanged(if_none_match, found.version):
        return Response(None, status_code=304, headers=headers)
    return Response(_body(found), headers=headers)


@get("/api/v1/categories", tags=["categories"], summary="All categories")
async def all_categories(pool: NamedDependency[Pool], after: After = None, limit: Limit = 20) -> CategoryPage:
    start = id_in_query("after", after)
    async with pool.connection() as connection:
        found = await categories.some(connection, -1 if start is None else start, limit + 1)
    shown = found[:limit]
    return CategoryPage([_body(each) for each in shown], to_public(shown[-1].id) if len(found) > limit else None)


@post(
    "/api/v1/categories",
    guards=[role(ADMIN)],
    security=BEARER,
    tags=["categories"],
    summary="A new category",
    responses=may_answer(409),
)
async def create(data: JSONBody[NewCategory], pool: NamedDependency[Pool], ids: NamedDependency[Ids]) -> Response[Made]:
    """Answers with its id. 409 where another has this name."""
    id = ids.new()
    try:
        async with pool.connection() as connection:
            await categories.add(connection, id, data.name, data.description)
    except UniqueViolation as error:
        raise _taken() from error
    headers = {"Location": f"/api/v1/categories/{id}", "ETag": etag(1)}
    return Response(Made(to_public(id)), status_code=201, headers=headers)


@put(
    "/api/v1/categories/{category_id:str}",
    guards=[role(ADMIN)],
    security=BEARER,
    tags=["categories"],
    summary="Change a category",
    responses=may_answer(404, 409, 412),
)
async def change(
    category_id: IdInPath, data: JSONBody[NewCategory], pool: NamedDependency[Pool], if_match: IfMatch = None
) -> Response[CategoryBody]:
    """409 where another has this name, 412 where it has changed since, 404 where there is none."""
    versions, id = wanted_versions(if_match), id_in_path(category_id, "category")
    try:
        async with pool.transaction() as transaction:
            changed = await categories.change(transaction, id, data.name, data.description, versions)
            if changed is None:
                raise _absent() if await categories.find(transaction, id) is None else _outdated()
    except UniqueViolation as error:
        raise _taken() from error
    return Response(_body(changed), headers={"ETag": etag(changed.version)})


@delete(
    "/api/v1/categories/{category_id:str}",
    guards=[role(ADMIN)],
    security=BEARER,
    tags=["categories"],
    summary="Remove a category",
    responses=may_answer(404, 409, 412),
)
async def remove(category_id: IdInPath, pool: NamedDependency[Pool], if_match: IfMatch = None) -> None:
    """409 where products belong to it, 412 where it has changed since, 404 where there is none."""
    versions, id = wanted_versions(if_match), id_in_path(category_id, "category")
    try:
        async with pool.transaction() as transaction:
            if not await categories.remove(transaction, id, versions):
                raise _absent() if await categories.find(transaction, id) is None else _outdated()
    except ForeignKeyViolation as error:
        raise Failure(409, "products belong to this category") from error


ROUTES: tuple[ControllerRouterHandler, ...] = (category, all_categories, create, change, remove)


def _body(category: Category) -> CategoryBody:
    return CategoryBody(
        id=to_public(category.id), name=category.name, description=category.description, version=category.version
    )


def _absent() -> Failure:
    return Failure(404, "there is no such category")


def _outdated() -> Failure:
    return Failure(412, "it has changed since: read it again")


def _taken() -> Failure:
    return Failure(409, "another category has this name", {"name": "another category has it"})
