"""Faults to be planted in what a service tells, for demonstrations: drop, delay, duplicate, wrong amount, each at a rate.

Whether a purchase has a fault is drawn from its id, so that the same purchase has the same fate in every replica and
however often it is looked at.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, TypeAlias
from zlib import crc32

import msgspec
from msgspec import Meta, Struct

from shop.chassis.settings import Secret

__all__ = ["Fault", "FaultSettings", "Faults", "Rates"]

Fault: TypeAlias = Literal["drop", "delay", "duplicate", "wrong_amount"]

Rate: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
_OF = 1_000_000


class Rates(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The share of purchases that each fault is planted in, from 0 to 1. A purchase may have several; one that is dropped
    has no other."""

    drop: Annotated[Rate, Meta(description="nothing is done, and nothing told")] = 0.0
    delay: Annotated[Rate, Meta(description="it is told late")] = 0.0
    duplicate: Annotated[Rate, Meta(description="it is told twice, as two events")] = 0.0
    wrong_amount: Annotated[Rate, Meta(description="it is told with another amount")] = 0.0


class FaultSettings(Struct, frozen=True, kw_only=True):
    """Faults to begin with, and the token with which they are changed while the service runs."""

    drop: Annotated[Rate, Meta(description="the share of purchases for which nothing is done, from 0 to 1")] = 0.0
    delay: Annotated[Rate, Meta(description="the share that is told of late")] = 0.0
    duplicate: Annotated[Rate, Meta(description="the share that is told of twice")] = 0.0
    wrong_amount: Annotated[Rate, Meta(description="the share that is told of with another amount")] = 0.0
    late_by: Annotated[timedelta, Meta(description="how late")] = timedelta(minutes=2)
    token: Annotated[
        Secret | None, Meta(description="what PUT /faults must bear to change them; without it they cannot be changed")
    ] = None

    @property
    def rates(self) -> Rates:
        return Rates(drop=self.drop, delay=self.delay, duplicate=self.duplicate, wrong_amount=self.wrong_amount)


class Faults:
    """The faults of one process. `rates` may be replaced at any time."""

    def __init__(self, settings: FaultSettings) -> None:
        self.rates = settings.rates
        self.late_by = settings.late_by

    def of(self, purchase_id: str) -> frozenset[Fault]:
        """The faults that a purchase has."""
        rates: dict[Fault, float] = msgspec.to_builtins(self.rates)
        found = {fault for fault, rate in rates.items() if _drawn(fault, purchase_id) < rate}
        return frozenset({"drop"} if "drop" in found else found)


def _drawn(fault: str, purchase_id: str) -> float:
    return crc32(f"{fault}/{purchase_id}".encode()) % _OF / _OF
