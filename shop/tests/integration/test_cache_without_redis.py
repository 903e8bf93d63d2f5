"""The cache where Redis is away, in part or as a whole, and after it has come back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from cache_stories import Table, eventually, replicas, told, unique
from sagacity.testing.servers.redis import RedisCluster
from shop.chassis.cache import Cache, Kept, Times

IMPATIENT = Times(ask=0.5, look=0.05, local=0.0, absent_local=0.0)
"""Nothing is kept within the process: what is read is read from Redis, or the database."""


async def works(cache: Cache) -> bool:
    """Whether Redis is used again: what is read twice is found there, and the filter is whole."""
    before = cache.meter.reads("shared", "hit")
    await cache.read("tea")
    await cache.read("tea")
    return cache.meter.reads("shared", "hit") > before and await cache.filter.holds("no such thing") is False


async def holds(cache: Cache) -> bool:
    try:
        return await works(cache)
    except Exception:
        return False


async def at_ease(cache: Cache) -> bool:
    """Whether no node is left alone any more, though nobody asks it for anything."""
    return await cache.check() is None


def test_without_redis_everything_is_answered_and_when_it_is_back_it_is_used_again(redis_cluster: RedisCluster) -> None:
    async def story() -> None:
        table = Table(tea=b"green")
        async with replicas(redis_cluster.addresses, table, 2, times=IMPATIENT) as ((one, other), hearing):
            assert await one.read("tea") == await other.read("tea") == Kept(1, b"green")
            await asyncio.to_thread(redis_cluster.stop)
            try:
                for cache in (one, other):
                    for _ in range(30):
                        assert await cache.read("tea") == Kept(1, b"green")
                        assert (await cache.read("no such thing")).value is None
                assert not one.cluster.reachable
                queries = table.queries
                assert await asyncio.gather(*(one.read("tea") for _ in range(100))) == [Kept(1, b"green")] * 100
                assert table.queries == queries + 1  # within the process one asks for all, as ever
                await hearing.told(table.change("tea", b"black"))
                assert await one.read("tea") == await other.read("tea") == Kept(2, b"black")
                await one.expect("milk")
                await hearing.told(table.change("milk", b"white"))
                assert await other.read("milk") == Kept(1, b"white")
            finally:
                await asyncio.to_thread(redis_cluster.start)
            await eventually(lambda: at_ease(one))
            await eventually(lambda: at_ease(other))
            await eventually(lambda: holds(one))
            await eventually(lambda: holds(other))
            for cache in (one, other):
                assert await cache.read("tea") == Kept(2, b"black")
                assert await cache.read("milk") == Kept(1, b"white")

    told(story)


def test_a_frozen_redis_costs_each_read_a_bounded_time_and_then_none(redis_cluster: RedisCluster) -> None:
    async def story() -> None:
        table = Table(tea=b"green")
        async with replicas(redis_cluster.addresses, table, times=IMPATIENT) as ((cache,), _):
            await cache.read("tea")
            for node in redis_cluster.nodes:
                node.freeze()
            try:
                for _ in range(10):
                    assert await cache.read("tea") == Kept(1, b"green")
                skipped = cache.meter.reads("shared", "skipped")
                assert skipped > 0
                assert not cache.cluster.reachable
            finally:
                for node in redis_cluster.nodes:
                    node.thaw()
            await eventually(lambda: holds(cache))

    told(story)


def test_a_master_that_dies_is_followed_by_its_replica_and_no_read_fails(redis_cluster: RedisCluster) -> None:
    async def story() -> None:
        keys = [f"k{number}" for number in range(24)]
        table = Table(**dict.fromkeys(keys, b"value"), tea=b"green")
        async with replicas(redis_cluster.addresses, table, times=IMPATIENT) as ((cache,), _):
            for key in keys:
                await cache.read(key)
            victim = (await asyncio.to_thread(redis_cluster.masters))[0]
            victim.kill()
            try:
                for key in keys * 3:
                    assert await cache.read(key) == Kept(1, b"value")

                async def all_kept() -> bool:
                    before = cache.meter.reads("shared", "hit")
                    for key in keys:
                        await cache.read(key)
                    return cache.meter.reads("shared", "hit") - before == len(keys)

                await eventually(all_kept)
            finally:
                await asyncio.to_thread(redis_cluster.start)

    told(story)


@contextmanager
def full(cluster: RedisCluster) -> Iterator[None]:
    """Every node refuses whatever needs memory, and evicts nothing for it: what a managed Redis does by default."""
    before = [(node, name, node.ask("CONFIG", "GET", name)[name]) for node in cluster.nodes for name in _FULL]
    for node in cluster.nodes:
        for name, value in _FULL.items():
            assert node.ask("CONFIG", "SET", name, value) == "OK"
    try:
        yield
    finally:
        for node, name, value in before:
            node.ask("CONFIG", "SET", name, value)


_FULL = {"maxmemory-policy": "noeviction", "maxmemory": "1mb"}


def test_a_redis_that_is_full_fails_no_read_and_hides_no_change(redis_cluster: RedisCluster) -> None:
    async def story() -> None:
        table, name = Table(tea=b"green", milk=b"white"), unique("full")
        async with replicas(redis_cluster.addresses, table, 2, name=name, times=IMPATIENT) as ((one, other), hearing):
            assert await one.read("tea") == Kept(1, b"green")
            with full(redis_cluster):
                for _ in range(5):
                    assert await one.read("milk") == Kept(1, b"white")
                    assert (await other.read("no such thing")).value is None
                await one.expect("bread")
                await hearing.told(table.change("tea", b"black"))
                assert await one.read("tea") == await other.read("tea") == Kept(2, b"black")
                async with replicas(redis_cluster.addresses, table, name=name, running=False, times=IMPATIENT) as (
                    (new,),
                    _,
                ):
                    assert await new.read("tea") == Kept(2, b"black")  # which has heard of nothing
            await eventually(lambda: holds(one))

    told(story)
