"""What becomes of a delivery after an attempt: decisions on facts, the time, and a number that chance gave."""

from __future__ import annotations

import msgspec

from sagacity.alerts.channel import Again, Outcome, Refused, Sent
from sagacity.alerts.config import Retries
from sagacity.ledger.live import Delivery, Notice, Settled

__all__ = ["after", "pause", "postponed", "settled", "wait"]


def wait(retries: Retries, failures: int, chance: float) -> int:
    """How long to wait after so many failures, in microseconds; `chance` is from 0 to 1 and takes up to a half away."""
    longest = min(retries.longest, retries.first << min(failures - 1, 40))
    return int(longest * (1 - chance / 2))


def after(delivery: Delivery, outcome: Outcome, retries: Retries, now: int, chance: float) -> Delivery:
    """The delivery as it stands after an attempt that ended now."""
    tries = delivery.tries + 1
    if isinstance(outcome, Sent):
        return msgspec.structs.replace(delivery, state="delivered", tries=tries, error=None)
    spent = tries >= retries.tries or now - delivery.since >= retries.give_up_after
    if isinstance(outcome, Refused) or spent:
        return msgspec.structs.replace(delivery, state="dead", tries=tries, error=outcome.why)
    pause = max(wait(retries, tries, chance), outcome.after or 0)
    return msgspec.structs.replace(delivery, again=now + pause, tries=tries, error=outcome.why)


def postponed(delivery: Delivery, until: int, why: str | None, retries: Retries, now: int) -> Delivery:
    """The delivery, not tried for now since its channel is failing or busy. That is no attempt, but it has an end, too."""
    if why is not None and now - delivery.since >= retries.give_up_after:
        return msgspec.structs.replace(delivery, state="dead", error=why)
    return msgspec.structs.replace(delivery, again=until)


def settled(notice: Notice, deliveries: tuple[Delivery, ...]) -> Settled:
    """What the ledger is to keep of a notice."""
    waiting = [delivery.again for delivery in deliveries if delivery.state == "waiting"]
    dead = [f"{delivery.channel}: {delivery.error}" for delivery in deliveries if delivery.state == "dead"]
    return Settled(
        number=notice.number,
        deliveries=deliveries,
        again=min(waiting) if waiting else None,
        failed="; ".join(dead) if dead and not waiting else None,
    )


def pause(failures: int, outcome: Again, retries: Retries, chance: float) -> int:
    """How long a whole channel is left alone: as long as it asks, and after three failures in a row longer each time."""
    return max(outcome.after or 0, wait(retries, failures - 2, chance) if failures >= 3 else 0)
