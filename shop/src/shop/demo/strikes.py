"""The script of faults: what strikes when, and what is said of it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import httpx
import msgspec

from shop.chassis.faults import Rates
from shop.demo.crowd import Crowd
from shop.demo.opening import WINDOW, Open
from shop.demo.truth import confessed
from shop.demo.twice import delivered_again

__all__ = ["SCRIPT", "Strike", "Strikes"]

Told = Callable[[str, str], None]
"""What struck, and what that means."""

_SILENT = WINDOW.total_seconds() + 5
_PATIENCE, _LOOK = 20.0, 0.01


class Strike(msgspec.Struct, frozen=True):
    """`at` is the share of the story after which it strikes, `lasts` how many seconds it goes on."""

    at: float
    title: str
    meaning: str
    lasts: float = 0.0
    kills: str = ""
    freezes: str = ""
    plants: str = ""
    rates: Rates = Rates()
    again: bool = False


SCRIPT = (
    Strike(
        0.06,
        "the orchestrator is killed, {under_way} under way",
        "each must still end",
        kills="orchestrator",
    ),
    Strike(
        0.2,
        f"compliance is silent for {_SILENT:.0f} seconds",
        "what then waits too long must be found",
        lasts=_SILENT,
        freezes="compliance",
    ),
    Strike(
        0.5,
        "the warehouse tells of a wrong amount",
        "each such shipment must be found",
        lasts=1.5,
        plants="warehouse",
        rates=Rates(wrong_amount=1.0),
    ),
    Strike(
        0.6,
        "the warehouse ships twice",
        "two events of one payment: must be found",
        lasts=1.5,
        plants="warehouse",
        rates=Rates(duplicate=1.0),
    ),
    Strike(0.68, "an event is delivered twice", "one event, two deliveries: nobody is to be woken", again=True),
    Strike(0.75, "a master of the Redis cluster is lost", "the shop must go on", kills="redis-1"),
    Strike(
        0.85,
        "the warehouse forgets to ship",
        "what never happens must be found, too",
        lasts=1.5,
        plants="warehouse",
        rates=Rates(drop=1.0),
    ),
    Strike(0.93, "a product replica is killed", "the other one answers", kills="product-1"),
)


class Strikes:
    """As a context manager it strikes, as the crowd's time goes on. What lasts is ended before it is left."""

    def __init__(self, shop: Open, crowd: Crowd, told: Told) -> None:
        self.again = 0
        """How many events were delivered again."""
        self.failure: BaseException | None = None
        self._shop, self._crowd, self._told = shop, crowd, told
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="strikes", daemon=True)

    def __enter__(self) -> Strikes:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        if self.failure is not None:
            raise self.failure

    def wait(self) -> None:
        """Until the last has struck and what lasts is over."""
        self._thread.join()

    def _run(self) -> None:
        try:
            for strike in SCRIPT:
                if self._over.wait(max(0.0, strike.at * self._crowd.seconds - self._crowd.offset)):
                    return
                self._strike(strike)
        except BaseException as error:
            self.failure = error
            self._crowd.stop()

    def _strike(self, strike: Strike) -> None:
        stack = self._shop.stack
        if "under_way" in strike.title:
            self._until(lambda: self._crowd.under_way > 0)  # a kill in the middle of nothing would show nothing
        self._told(strike.title.format(under_way=self._crowd.under_way), strike.meaning)
        if strike.kills:
            stack.kill(strike.kills)
        if strike.again:
            self.again += delivered_again(stack.addresses.kafka)
        if strike.freezes:
            stack.freeze(strike.freezes)
            try:
                self._over.wait(strike.lasts)
            finally:
                stack.thaw(strike.freezes)
            self._told(f"{strike.freezes} speaks again", "and does what it has missed, late")
        if strike.plants:
            before = self._planted(strike.plants)
            self._switch(strike.plants, strike.rates)
            try:
                self._over.wait(strike.lasts)
                self._until(lambda: self._planted(strike.plants) > before)
            finally:
                self._switch(strike.plants, Rates())

    def _planted(self, service: str) -> int:
        """How many faults a service has confessed."""
        return sum(1 for _ in confessed(self._shop.stack.folder / "logs" / f"{service}.log"))

    def _until(self, happened: Callable[[], bool]) -> None:
        """Wait for it, but not for ever: nobody may be buying now."""
        limit = self._crowd.offset + _PATIENCE
        while not happened() and self._crowd.offset < limit and not self._over.wait(_LOOK):
            pass

    def _switch(self, service: str, rates: Rates) -> None:
        token = self._shop.stack.addresses.secrets.faults
        httpx.put(
            f"{self._shop.stack.where(service)}/faults",
            json=msgspec.to_builtins(rates),
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
            trust_env=False,
        ).raise_for_status()
