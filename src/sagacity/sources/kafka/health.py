"""What the client's statistics tell of brokers and partitions. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

__all__ = ["Leadership", "Statistics", "leadership", "read_statistics"]

_SILENT_MICROSECONDS = 1_500_000
"""A broker that is asked for records answers several times a second, if only that there are none."""


class _Broker(msgspec.Struct, frozen=True):
    nodeid: int
    nodename: str
    state: str
    waitresp_cnt: int = 0
    rxidle: int = -1


class _Partition(msgspec.Struct, frozen=True):
    leader: int
    hi_offset: int
    ls_offset: int

    @property
    def end(self) -> int | None:
        """Where the partition ends for a reader: before the first open transaction. None while that is not known."""
        known = [offset for offset in (self.ls_offset, self.hi_offset) if offset >= 0]
        return min(known) if known else None


class _Topic(msgspec.Struct, frozen=True):
    partitions: Mapping[str, _Partition]


class Statistics(msgspec.Struct, frozen=True):
    brokers: Mapping[str, _Broker]
    topics: Mapping[str, _Topic]


class Leadership(msgspec.Struct, frozen=True):
    """A partition's end as its leader told it last, and why the leader cannot be heard; None where it can."""

    end: int | None
    trouble: str | None


read_statistics = msgspec.json.Decoder(Statistics).decode


def leadership(statistics: Statistics) -> dict[tuple[str, int], Leadership]:
    """How it stands with each partition that the client knows."""
    troubles = {broker.nodeid: _trouble(broker) for broker in statistics.brokers.values() if broker.nodeid >= 0}
    return {
        (topic, int(number)): Leadership(partition.end, troubles.get(partition.leader, "no broker leads this partition"))
        for topic, held in statistics.topics.items()
        for number, partition in held.partitions.items()
        if number != "-1"
    }


def _trouble(broker: _Broker) -> str | None:
    if broker.state != "UP":
        return f"no connection to the broker {broker.nodename}"
    if broker.waitresp_cnt and broker.rxidle > _SILENT_MICROSECONDS:
        return f"the broker {broker.nodename} has not answered for some seconds"
    return None
