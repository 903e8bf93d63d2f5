"""The product service over HTTP, on a real PostgreSQL and a real Redis cluster."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import psycopg
import pytest

from cache_stories import eventually, told
from product_stories import ADMIN, CUSTOMER, Replica, replicas, tabled
from sagacity.testing.servers.redis import RedisCluster

TEA: dict[str, Any] = {
    "name": "tea", "description": "first flush", "brand_name": "Leaf", "price": 100, "inventory": 10,
}  # fmt: skip
CHANGED = {key: TEA[key] for key in ("name", "description", "brand_name", "price")}


async def made(replica: Replica, **other: Any) -> str:
    answer = await replica.client.post("/products", json={**TEA, **other}, headers=ADMIN)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def category(replica: Replica, name: str) -> str:
    answer = await replica.client.post("/categories", json={"name": name}, headers=ADMIN)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_a_product_is_made_read_changed_and_read_again(database: str, redis_cluster: RedisCluster) -> None:
    async def story() -> None:
        async with replicas(tabled(database), redis_cluster.addresses) as (replica,):
            client = replica.client
            drinks = await category(replica, "drinks")
            id = await made(replica, category_id=drinks)
            read = await client.get(f"/products/{id}")
            shown = read.json()
            assert {name: shown[name] for name in TEA} == TEA
            assert (shown["id"], shown["category_id"], shown["currency"], shown["version"]) == (id, drinks, "USD", 1)
            assert (read.headers["etag"], read.headers["content-type"]) == ('"1"', "application/json")
            changed = await client.put(f"/products/{id}", json={**CHANGED, "price": 120}, headers=ADMIN)
            assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
            again = (await client.get(f"/products/{id}")).json()
            assert (again["price"], again["inventory"], again["category_id"]) == (120, 10, None)

    told(story)


def test_who_has_this_version_is_told_so_and_sent_nothing(database: str, redis_cluster: RedisCluster) -> None:
    async def story() -> None:
        async with replicas(tabled(database), redis_cluster.addresses) as (replica,):
            id = await made(replica)
            same = await replica.client.get(f"/products/{id}", headers={"If-None-Match": 'W/"9", "1"'})
            assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", '"1"')
            assert (await replica.client.get(f"/products/{id}", headers={"If-None-Match": '"2"'})).status_code == 200

    told(story)


def test_of_two_who_change_the_same_version_one_is_refused(database: str, redis_cluster: RedisCluster) -> None:
    async def story() -> None:
        async with replicas(tabled(database), redis_cluster.addresses) as (replica,):
            id = await made(replica)
            headers = {**ADMIN, "If-Match": '"1"'}
            both = await asyncio.gather(
                *(replica.client.put(f"/products/{id}", json={**CHANGED, "price": n}, headers=headers) for n in (1, 2))
            )
            assert sorted(answer.status_code for answer in both) == [200, 412]

    told(story)


def test_a_count_of_what_is_left_needs_the_version_that_was_counted(database: str, redis_cluster: RedisCluster) -> None:
    async def story() -> None:
        async with replicas(tabled(database), redis_cluster.addresses) as (replica,):
            id = await made(replica)
            counted = {**CHANGED, "inventory": 99}
            for headers in (ADMIN, {**ADMIN, "If-Match": "*"}):
                blind = await replica.client.put(f"/products/{id}", json=counted, headers=headers)
                told = (blind.status_code, blind.json()["fields"])
                assert told == (428, {"inventory": "needs the header If-Match, with a version"})
            with psycopg.connect(database, autocommit=True) as connection:
                connection.execute("update products set inventory = inventory - 1")  # somebody has bought one meanwhile
            late = await replica.client.put(f"/products/{id}", json=counted, headers={**ADMIN, "If-Match": '"1"'})
            assert late.status_code == 412
            fresh = await replica.client.put(f"/products/{id}", json=counted, headers={**ADMIN, "If-Match": '"2"'})
            assert (fresh.status_code, fresh.json()["inventory"]) == (200, 99)

    told(story)


def test_products_are_listed_by_category_page_by_page(database: str, redis_cluster: RedisCluster) -> None:
    async def story() -> None:
        async with replicas(tabled(database), redis_cluster.addresses) as (replica,):
            drinks, food = await category(replica, "drinks"), await category(replica, "food")
            ids = [await made(replica, name=f"tea {n}", category_id=drinks) for n in range(5)]
            await made(replica, name="bread", category_id=food)
            seen: list[str] = []
            after: str | None = None
            for _ in range(3):
                asked = {"category_id": drinks, "limit": "2"} | ({} if after is None else {"after": after})
                page = (await replica.client.get("/products", params=asked)).json()
                seen += [each["id"] for each in page["products"]]
                after = page["next"]
            assert (seen, after) == (ids, None)
            assert len((await replica.client.get("/products")).json()["products"]) == 6
            assert (await replica.client.get("/products", params={"category_id": "1"})).json() == {
                "products": [],
                "next": None,
            }

    told(story)


def test_the_whole_of_categories(database: str, redis_cluster: RedisCluster) -> None:
    async def story() -> None:
        async with replicas(tabled(database), redis_cluster.addresses) as (replica,):
            client = replica.client
            drinks, food = await category(replica, "drinks"), await category(replica, "food")
            one = await client.get(f"/categories/{drinks}")
            assert one.json() == {"id": drinks, "name": "drinks", "description": "", "version": 1}
            assert (await client.get(f"/categories/{drinks}", headers={"If-None-Match": '"1"'})).status_code == 304
            page = (await client.get("/categories", params={"limit": 1})).json()
            assert (page["categories"][0]["name"], page["next"]) == ("drinks", drinks)
            assert (await client.post("/categories", json={"name": "food"}, headers=ADMIN)).status_code == 409
            taken = await client.put(f"/categories/{drinks}", json={"name": "food"}, headers=ADMIN)
            assert taken.status_code == 409
            changed = await client.put(f"/categories/{drinks}", json={"name": "hot drinks"}, headers=ADMIN)
            assert (changed.json()["name"], changed.headers["etag"]) == ("hot drinks", '"2"')
            old = {**ADMIN, "If-Match": '"1"'}
            assert (await client.put(f"/categories/{drinks}", json={"name": "x"}, headers=old)).status_code == 412
            await made(replica, category_id=drinks)
            assert (await client.delete(f"/categories/{drinks}", headers=ADMIN)).status_code == 409
            assert (await client.delete(f"/categories/{food}", headers=ADMIN)).status_code == 204
            for gone in (client.get, client.delete):
                assert (await gone(f"/categories/{food}", headers=ADMIN)).status_code == 404
            assert (await client.put("/categories/1", json={"name": "y"}, headers=ADMIN)).status_code == 404

    told(story)


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 401), (CUSTOMER, 403), ({"Authorization": "x"}, 401), ({"Authorization": "Bearer expired"}, 401)],
)
def test_defect_12_nothing_is_changed_without_the_role_of_an_administrator(
    headers: dict[str, str], status: int, database: str, redis_cluster: RedisCluster
) -> None:
    async def story() -> None:
        async with replicas(tabled(database), redis_cluster.addresses) as (replica,):
            client = replica.client
            answers: list[httpx.Response] = [
                await client.post("/products", json=TEA, headers=headers),
                await client.put("/products/1", json=CHANGED, headers=headers),
                await client.post("/categories", json={"name": "drinks"}, headers=headers),
                await client.put("/categories/1", json={"name": "drinks"}, headers=headers),
                await client.delete("/categories/1", headers=headers),
            ]
            assert [answer.status_code for answer in answers] == [status] * 5
            assert (await client.get("/products")).json()["products"] == []

    told(story)


def test_what_cannot_be_is_refused_field_by_field_and_never_fails(database: str, redis_cluster: RedisCluster) -> None:
    async def story() -> None:
        async with replicas(tabled(database), redis_cluster.addresses) as (replica,):
            client = replica.client
            wrong = {**TEA, "price": -1, "inventory": "many", "name": "", "description": "\x00"}
            answer = await client.post("/products", json=wrong, headers=ADMIN)
            assert answer.status_code == 400
            assert set(answer.json()["fields"]) == {"price", "inventory", "name", "description"}
            absent = await client.post("/products", json={**TEA, "category_id": "4"}, headers=ADMIN)
            assert (absent.status_code, absent.json()["fields"]) == (400, {"category_id": "there is no such category"})
            for path in ("/products/x", "/products/-1", f"/products/{1 << 63}", "/products/5", "/categories/x"):
                assert (await client.get(path)).status_code == 404, path
            for asked in ({"limit": 0}, {"limit": 201}, {"after": "x"}, {"category_id": "x"}):
                assert (await client.get("/products", params=asked)).status_code == 400, asked
            assert (await client.put("/products/5", json=CHANGED, headers=ADMIN)).status_code == 404
            unreadable = await client.put("/products/5", json=CHANGED, headers={**ADMIN, "If-Match": "5"})
            assert unreadable.status_code == 400

    told(story)


def test_defect_10_a_change_is_seen_by_every_replica_whoever_makes_it(database: str, redis_cluster: RedisCluster) -> None:
    async def story() -> None:
        async with replicas(tabled(database), redis_cluster.addresses, 3) as all_three:
            one = all_three[0]
            id = await made(one)
            await sees(all_three, id, price=100)
            await one.client.put(f"/products/{id}", json={**CHANGED, "price": 120}, headers=ADMIN)
            assert (await one.client.get(f"/products/{id}")).json()["price"] == 120  # who has written reads what was written
            await sees(all_three, id, price=120)
            with psycopg.connect(database, autocommit=True) as connection:  # a purchase, or a person at the database
                connection.execute("update products set inventory = inventory - 3")
            await sees(all_three, id, inventory=7)
            queries = sum(each.cache.meter.reads("database", "hit") for each in all_three)
            assert queries <= 3  # one for each version: what is not superseded stays where it is

    async def sees(those: list[Replica], id: str, **wanted: int) -> None:
        async def all_see() -> bool:
            shown = [(await each.client.get(f"/products/{id}")).json() for each in those]
            return all(each[name] == value for each in shown for name, value in wanted.items())

        await eventually(all_see)

    told(story)


def test_a_new_product_is_found_at_once_by_every_replica(database: str, redis_cluster: RedisCluster) -> None:
    """Also where its absence was asked for before: no filter and no cache hides it."""

    async def story() -> None:
        async with replicas(tabled(database), redis_cluster.addresses, 2) as (one, other):
            await one.cache.keeper.once()
            id = await made(one)
            assert (await one.client.get(f"/products/{id}")).status_code == 200
            assert (await other.client.get(f"/products/{id}")).status_code == 200

    told(story)
