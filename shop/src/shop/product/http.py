"""Products over HTTP: read by everybody, through the cache; written by administrators."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response, get, post, put
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.params import JSONBody, Parameter
from litestar.types import ControllerRouterHandler
from msgspec import Struct
from psycopg.errors import ForeignKeyViolation

from shop.chassis.access import BEARER, role
from shop.chassis.cache import Cache, Change
from shop.chassis.database import Pool
from shop.chassis.describing import may_answer
from shop.chassis.etags import etag, unchanged, wanted_versions
from shop.chassis.failures import Failure
from shop.chassis.http import id_in_path, id_in_query
from shop.chassis.ids import Ids, PublicId, from_public, to_public
from shop.contracts.claims import ADMIN
from shop.contracts.commands import Currency
from shop.product import store
from shop.product.catalogue import ProductBody, body
from shop.product.domain import Details
from shop.product.writing import (
    After,
    Description,
    IdInPath,
    IfMatch,
    IfNoneMatch,
    Inventory,
    Limit,
    Name,
    Price,
)

__all__ = ["ROUTES"]

_REVALIDATE = "no-cache"
"""Browsers and proxies may keep a product, and ask each time whether it is still of this version."""


class NewProduct(Struct, frozen=True, kw_only=True):
    name: Name
    description: Description
    brand_name: Name
    price: Price
    inventory: Inventory
    currency: Currency = "USD"
    category_id: PublicId | None = None


class ChangedProduct(Struct, frozen=True, kw_only=True):
    name: Name
    description: Description
    brand_name: Name
    price: Price
    currency: Currency = "USD"
    category_id: PublicId | None = None
    inventory: Inventory | None = None


class Made(Struct, frozen=True):
    id: PublicId


class ProductPage(Struct, frozen=True):
    """Products in the order of their ids. `next` is what to give as `after` for those that follow; null where there are
    none."""

    products: list[ProductBody]
    next: PublicId | None


@get("/api/v1/products/{product_id:str}", tags=["products"], summary="One product", responses=may_answer(304, 404))
async def product(
    product_id: IdInPath, cache: NamedDependency[Cache], if_none_match: IfNoneMatch = None
) -> Response[ProductBody | None]:
    """404 where there is no such product. Its ETag is its version."""
    kept = await cache.read(to_public(id_in_path(product_id, "product")))
    if kept.value is None:
        raise _absent()
    headers = {"ETag": etag(kept.version), "Cache-Control": _REVALIDATE}
    if unchanged(if_none_match, kept.version):
        return Response(None, status_code=304, headers=headers)
    shown: Any = kept.value  # as JSON
    return Response(shown, headers=headers, media_type=MediaType.JSON)


@get("/api/v1/products", tags=["products"], summary="Products, by category or all")
async def products(
    pool: NamedDependency[Pool],
    category_id: Annotated[PublicId | None, Parameter(description="only those of this category")] = None,
    after: After = None,
    limit: Limit = 20,
) -> ProductPage:
    """A category that is not there has no products."""
    category, start = id_in_query("category_id", category_id), id_in_query("after", after)
    async with pool.connection() as connection:
        found = await store.some(connection, category, -1 if start is None else start, limit + 1)
    shown = found[:limit]
    return ProductPage([body(each) for each in shown], to_public(shown[-1].id) if len(found) > limit else None)


@post("/api/v1/products", guards=[role(ADMIN)], security=BEARER, tags=["products"], summary="A new product")
async def create(
    data: JSONBody[NewProduct], pool: NamedDependency[Pool], ids: NamedDependency[Ids], cache: NamedDependency[Cache]
) -> Response[Made]:
    """Answers with its id."""
    id = ids.new()
    public = to_public(id)
    try:
        async with pool.transaction() as transaction:
            made = await store.add(transaction, id, _details(data), data.inventory)
            await cache.expect(public)
    except ForeignKeyViolation as error:
        raise _no_category() from error
    await cache.supersede([Change(public, made.version)])
    headers = {"Location": f"/api/v1/products/{public}", "ETag": etag(made.version)}
    return Response(Made(public), status_code=201, headers=headers)


@put(
    "/api/v1/products/{product_id:str}",
    guards=[role(ADMIN)],
    security=BEARER,
    tags=["products"],
    summary="Change a product",
    responses=may_answer(404, 412, 428),
)
async def change(
    product_id: IdInPath,
    data: JSONBody[ChangedProduct],
    pool: NamedDependency[Pool],
    cache: NamedDependency[Cache],
    if_match: IfMatch = None,
) -> Response[ProductBody]:
    """What is left stays as it is unless `inventory` is given. That is a count, which purchases made meanwhile would make
    wrong: so it needs If-Match with a version (428 without). 412 where the product has changed since; 404 where there is
    none."""
    versions = wanted_versions(if_match)
    if data.inventory is not None and versions is None:
        raise Failure(
            428, "a count of what is left needs If-Match", {"inventory": "needs the header If-Match, with a version"}
        )
    id = id_in_path(product_id, "product")
    try:
        async with pool.transaction() as transaction:
            changed = await store.change(transaction, id, _details(data), data.inventory, versions)
            if changed is None:
                raise _absent() if await store.find(transaction, id) is None else _outdated()
    except ForeignKeyViolation as error:
        raise _no_category() from error
    await cache.supersede([Change(to_public(id), changed.version)])
    return Response(body(changed), headers={"ETag": etag(changed.version)})


ROUTES: tuple[ControllerRouterHandler, ...] = (product, products, create, change)


def _details(data: NewProduct | ChangedProduct) -> Details:
    category = None
    if data.category_id is not None:
        category = from_public(data.category_id)
        if category is None:
            raise _no_category()
    return Details(
        name=data.name,
        description=data.description,
        brand_name=data.brand_name,
        category_id=category,
        price=data.price,
        currency=data.currency,
    )


def _absent() -> Failure:
    return Failure(404, "there is no such product")


def _outdated() -> Failure:
    return Failure(412, "it has changed since: read it again")


def _no_category() -> Failure:
    return Failure(400, "the request is not as it should be", {"category_id": "there is no such category"})
