"""From a deadline to its alert while nothing comes in: rounds and deliveries as in the server, by this machine's clock."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from pathlib import Path

import msgspec

from bench.live_ledger import MEMORY, SOURCE
from bench.setting import Setting
from bench.table import table
from sagacity.alerts.channel import Message, Outcome, Sent
from sagacity.alerts.config import Alerts, LogChannel, Route
from sagacity.alerts.delivery import Deliverer
from sagacity.ledger.duckdb.live import DuckDBLiveLedger
from sagacity.reconcile.clock import SystemClock
from sagacity.reconcile.live import Live
from sagacity.reconcile.watermark import Patience
from sagacity.sources.push import PushStream
from sagacity.workflow.instants import iso
from sagacity.workflow.language.reader import loads

__all__ = ["deadlines"]

_RULES, _CASES = 30, 10
"""So many alerts of one rule are told one by one; each case has one deadline."""
_WITHIN, _APART = 40_000, 100
"""In milliseconds; the first falls due after `_WITHIN - _RULES * _CASES * _APART`."""
_HEAD = f"""workflow: deadlines
keys: [order]
sources: {{{SOURCE}: {{type: type, time: time, id: id, key: order_id}}}}
events: {{OrderPlaced: {{capture: {{shop: {{value: shop, type: integer}}}}}}, PaymentReceived: }}
rules:
"""


class _Heard:
    """A channel that notes how long after its deadline and the allowed lateness an alert comes, in seconds."""

    def __init__(self, lateness: int) -> None:
        self.delays: list[float] = []
        self._lateness = lateness

    async def send(self, message: Message, now: int) -> Outcome:
        del now
        self.delays.append((SystemClock().now() - message.finding.since - self._lateness) / 1e6)
        return Sent()

    async def close(self) -> None:
        pass


def deadlines(setting: Setting, folder: Path) -> str:
    """A table of how late alerts come, over some hundred deadlines."""
    patience = Patience()
    heard = _Heard(patience.lateness)
    text = _HEAD + "".join(
        f"  - {{response: [OrderPlaced, PaymentReceived], when: shop = {n}, within: {_WITHIN}ms, name: shop {n}}}\n"
        for n in range(_RULES)
    )
    clock, push = SystemClock(), PushStream([SOURCE])
    with ExitStack() as stack:
        ledger = DuckDBLiveLedger(folder, memory=MEMORY)
        stack.callback(ledger.close)
        ledger.adopt(loads(text), text, by="bench", now=clock.now())
        live = Live(ledger, [push], clock=clock, patience=patience)
        alerts = Alerts(channels={"bench": LogChannel()}, default=Route(name="all", channels=("bench",)))
        deliverer = Deliverer(alerts, {"bench": heard}, ledger.notices, live.note, clock=clock)
        live.listen(deliverer.wake)
        for run, stop in ((live.run, live.stop), (deliverer.run, deliverer.stop)):
            thread = threading.Thread(target=run)
            thread.start()
            stack.callback(thread.join, 30)
            stack.callback(stop)
        began = clock.now()
        push.offer(SOURCE, [_placed(n, began - n * _APART * 1000) for n in range(_RULES * _CASES)])
        limit = time.monotonic() + _WITHIN / 1000 + 30
        while len(heard.delays) < _RULES * _CASES and time.monotonic() < limit:
            time.sleep(0.1)
    setting.say(f"{len(heard.delays)} of {_RULES * _CASES} deadlines were told")
    delays = sorted(heard.delays)
    rows = [(name, f"{delays[int(share * (len(delays) - 1))]:.3f}") for name, share in _SHARES.items()] if delays else []
    title = f"Live: {len(delays)} of {_RULES * _CASES} deadlines to their alerts, nothing coming in"
    return table(title, ("after due + lateness", "seconds"), rows)


_SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "latest": 1.0}


def _placed(number: int, at: int) -> bytes:
    record = {"id": f"e{number}", "type": "OrderPlaced", "order_id": f"A{number}", "shop": number % _RULES, "time": iso(at)}
    return msgspec.json.encode(record)
