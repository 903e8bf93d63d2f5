"""A purchase over three participants, what each purchase is to suffer, and the handlers that make it so.

What a saga is to suffer is drawn from the seed and its number, and travels in its input: so it is the same whichever process
does its steps, and however often.
"""

from __future__ import annotations

from datetime import timedelta
from random import Random

import msgspec

from sagacity.saga import BusinessFailure, Command, Effect, Participant, Patience, Retry, Saga, Step, Transaction

__all__ = [
    "DEAD", "EFFECTS", "EVENTS", "JAMMED", "MENDED", "PARTICIPANTS", "PURCHASE", "PURCHASES", "REPLIES", "STEPS", "Plan",
    "Purchase", "definition", "participant", "purchase",
]  # fmt: skip

PURCHASES, REPLIES, EVENTS, DEAD = "purchases", "saga-replies", "saga-events", "dead"
PARTICIPANTS = {"stock": ("reserve", "ship"), "orders": ("order",), "payments": ("charge",)}
"""Who does which steps; each reads the topic of its name, and has the database of its name."""

EFFECTS = "create table effects (row bigint generated always as identity, saga text, step text, action text, at timestamptz)"
MENDED = "create table mended (at timestamptz)"
"""A participant in whose database this has a row does again what was jammed."""
JAMMED = "the shelf is jammed"

_SECOND = timedelta(seconds=1)
_RETRY = Retry(attempts=8, first=0.5 * _SECOND, most=4 * _SECOND, on="transient")
_LASTING = Retry(attempts=40, first=0.1 * _SECOND, most=_SECOND)
"""Silence counts as an attempt too: as many as an outage on a busy machine takes, and some over."""


def _step(name: str, topic: str, timeout: float, **more: object) -> Step:
    undone = f"action = 'undo' and step = '{name}'" if "compensation" in more else None
    effect = Effect(source=topic, key="saga", done=f"action = 'do' and step = '{name}'", time="at", undone=undone, id="row")
    return Step(name, f"do-{name}", topic, timeout=timeout * _SECOND, retry=_RETRY, compensation_retry=_LASTING,
                effect=effect, **more)  # type: ignore[arg-type]  # fmt: skip


def definition(timeout: float) -> Saga:
    """The saga, with so many seconds for each answer."""
    return Saga(
        "purchase",
        1,
        (
            _step("reserve", "stock", timeout, after=(), compensation="undo-reserve"),
            _step("order", "orders", timeout, after=(), compensation="undo-order"),
            _step("charge", "payments", timeout, after=("reserve", "order"), kind="pivot"),
            _step("ship", "stock", timeout, after=("charge",), kind="retriable"),
        ),
        events_topic=EVENTS,
        replies_topic=REPLIES,
        resource="input.account",
    )


PURCHASE = definition(10.0)
STEPS = tuple(PURCHASE.by_name)


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a saga is to suffer. `refuse`: this step fails for business reasons, so that the saga must be compensated.
    `passing`: the first attempts of these fail, and the participant says that it may pass. `stumble`: handlers of these
    raise after they have written, the first time in each process. `stiff`: compensations fail so many times. `jam`: the
    compensation of `reserve` fails until somebody mends it."""

    refuse: str | None = None
    passing: tuple[str, ...] = ()
    stumble: tuple[str, ...] = ()
    stiff: int = 0
    jam: bool = False


class Purchase(msgspec.Struct, frozen=True):
    """The input of a saga, and the data of its commands."""

    account: str
    plan: Plan


def purchase(seed: int, number: int, total: int) -> Purchase:
    """What the saga of this number is. Two or three share an account, and so run one after another; a jammed one has its
    own, since it would hold up the others, and is among the first half, since it takes a while to be parked. Those beyond
    the total are started when nothing is killed any more: they suffer nothing."""
    if number >= total:
        return Purchase(f"fresh-{number}", Plan())
    chance = Random(f"purchase {seed} {number}")
    account = f"account-{chance.randrange(max(total * 2 // 5, 1))}"
    jam = number % 50 == 25 and number < total // 2
    account = f"jammed-{number}" if jam else account
    refuse = "charge" if jam else chance.choice(("reserve", "order", "charge")) if chance.random() < 0.18 else None
    return Purchase(
        account,
        Plan(
            refuse=refuse,
            passing=tuple(step for step in STEPS if chance.random() < 0.02),
            stumble=tuple(step for step in STEPS if chance.random() < 0.002),
            stiff=chance.choice((0, 0, 1, 3)),
            jam=jam,
        ),
    )


def participant(name: str, dsn: str) -> Participant:
    """The participant of this name, with its handlers."""
    made = Participant(name, dsn, dead_letters=DEAD, patience=Patience(attempts=8, first=0.05, most=1.0))
    stumbled: set[str] = set()

    async def do(command: Command, transaction: Transaction) -> dict[str, str]:
        plan: Plan = command.data.plan
        await _wrote(command, transaction)
        if command.step in plan.stumble and command.id not in stumbled:
            stumbled.add(command.id)
            raise RuntimeError("it stumbles")
        if command.step in plan.passing and command.attempt == 1:
            raise BusinessFailure("come again", transient=True)
        if command.step == plan.refuse:
            raise BusinessFailure("refused")
        return {"by": name}

    async def undo(command: Command, transaction: Transaction) -> None:
        plan: Plan = command.data.plan
        await _wrote(command, transaction)
        if plan.jam and command.step == "reserve":
            mended = await (await transaction.execute("select 1 from mended limit 1")).fetchone()
            if mended is None:
                raise BusinessFailure(JAMMED)
        elif command.attempt <= plan.stiff:
            raise BusinessFailure("not yet")

    for step in PARTICIPANTS[name]:
        made.handles(f"do-{step}", Purchase)(do)
        if PURCHASE.by_name[step].compensation:
            made.compensates(f"undo-{step}", Purchase)(undo)
    return made


async def _wrote(command: Command, transaction: Transaction) -> None:
    await transaction.execute(
        "insert into effects (saga, step, action, at) values (%s, %s, %s, clock_timestamp())",
        (command.saga, command.step, command.direction),
    )
