"""No charge stands for good of which no payment came, whatever was lost on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import psycopg
import pytest
from prometheus_client import CollectorRegistry
from test_order_and_payment import CREATE_PAYMENT, PAY, ROLLBACK_PAYMENT, UNCACHED, command, rows

import shop.payment.wiring
from sagacity.messaging import Envelope
from sagacity.saga.messages import replied
from shop.chassis.database import Pool
from shop.chassis.ids import Ids
from shop.chassis.migrating import migrate_now
from shop.chassis.parts import Database
from shop.chassis.settings import Secret
from shop.payment.charges import Charges
from shop.payment.handlers import participant
from shop.payment.provider import Declined, Unreachable


class Bank:
    """Charges, and can be made to say nothing of it."""

    def __init__(self) -> None:
        self.charged: dict[str, int] = {}
        self.says: Exception | None = None
        self.deaf = False

    async def charge(self, reference: str, amount: int, currency: str) -> str:
        if isinstance(self.says, Declined):
            raise self.says
        self.charged[reference] = amount
        if self.says is not None:
            raise self.says
        return f"{reference} {currency}"

    async def refund(self, reference: str) -> None:
        if self.deaf:
            raise Unreachable("it does not answer")
        self.charged.pop(reference, None)


@pytest.fixture
def payments(database: str) -> str:
    migrate_now(database, shop.payment.wiring.REVISIONS)
    return database


Story = Callable[[Charges, Callable[[Envelope], Awaitable[Sequence[Envelope]]]], Awaitable[None]]


def told(dsn: str, bank: Bank, story: Story, *, doubt: float = 0.0) -> None:
    """A story of charges and of the participant that does commands by them."""

    async def run() -> None:
        async with Pool(Database(url=Secret(dsn), pool=2)) as pool:
            charges = Charges(pool, bank, timedelta(seconds=doubt))
            service = participant(dsn, Ids(1), charges, UNCACHED)
            try:
                await story(charges, lambda each: service.do([each]))
            finally:
                await service.close()

    asyncio.run(run())


def outcome(replies: Sequence[Envelope]) -> bool:
    [reply] = [each for each in map(replied, replies) if each is not None]
    return reply.success


def test_a_charge_of_which_no_answer_came_is_given_back_once_the_saga_has_given_up(payments: str) -> None:
    bank = Bank()
    bank.says = Unreachable("no answer")

    async def story(charges: Charges, do: Callable[[Envelope], Awaitable[Sequence[Envelope]]]) -> None:
        for attempt in range(1, 7):
            assert not outcome(await do(command(PAY, "CREATE_PAYMENT", attempt=attempt)))
        assert bank.charged == {"7": 7800}
        assert await charges.give_back() == 1
        assert bank.charged == {}
        assert await charges.give_back() == 0
        bank.says = None
        assert not outcome(await do(command(PAY, "CREATE_PAYMENT", attempt=7)))  # which comes late
        assert bank.charged == {}

    told(payments, bank, story)
    assert rows(payments, "select * from payments") == []


def test_so_is_one_after_which_the_service_failed_and_which_nobody_has_undone(payments: str) -> None:
    """The saga asks to undo a step of which it knows nothing; the participant knows of none either."""
    bank = Bank()
    bank.says = RuntimeError("the process dies here")

    async def story(charges: Charges, do: Callable[[Envelope], Awaitable[Sequence[Envelope]]]) -> None:
        assert await do(CREATE_PAYMENT) == []  # a dead letter, after some attempts
        assert outcome(await do(ROLLBACK_PAYMENT))
        assert bank.charged == {"7": 7800}
        assert await charges.give_back() == 1
        assert bank.charged == {}

    told(payments, bank, story)


def test_what_is_given_back_is_tried_until_the_provider_answers(payments: str) -> None:
    bank = Bank()
    bank.says, bank.deaf = Unreachable("no answer"), True

    async def story(charges: Charges, do: Callable[[Envelope], Awaitable[Sequence[Envelope]]]) -> None:
        await do(CREATE_PAYMENT)
        assert await charges.give_back() == 0
        bank.deaf = False
        assert await charges.give_back() == 1
        assert bank.charged == {}

    told(payments, bank, story)


def test_a_charge_that_has_its_payment_or_is_asked_for_still_is_left(payments: str) -> None:
    bank = Bank()
    bank.says = Unreachable("no answer")

    async def story(charges: Charges, do: Callable[[Envelope], Awaitable[Sequence[Envelope]]]) -> None:
        await do(CREATE_PAYMENT)
        assert await charges.give_back() == 0
        bank.says = None
        assert outcome(await do(command(PAY, "CREATE_PAYMENT", attempt=2)))
        assert rows(payments, "select * from charges") == []
        assert bank.charged == {"7": 7800}

    told(payments, bank, story, doubt=3600.0)


def test_what_is_declined_is_in_no_doubt(payments: str) -> None:
    bank = Bank()
    bank.says = Declined("no money")

    async def story(_: Charges, do: Callable[[Envelope], Awaitable[Sequence[Envelope]]]) -> None:
        assert not outcome(await do(CREATE_PAYMENT))

    told(payments, bank, story)
    assert rows(payments, "select * from charges") == []


def test_a_charge_beside_its_payment_is_never_given_back(payments: str) -> None:
    """As a service of before charges were kept leaves it that did what a newer one had begun."""
    bank = Bank()

    async def story(charges: Charges, do: Callable[[Envelope], Awaitable[Sequence[Envelope]]]) -> None:
        assert outcome(await do(CREATE_PAYMENT))
        with psycopg.connect(payments, autocommit=True) as connection:
            connection.execute("insert into charges (reference, asked_at) values ('7', now() - interval '1 day')")
        assert await charges.give_back() == 0
        assert bank.charged == {"7": 7800}

    told(payments, bank, story)
    assert rows(payments, "select * from charges") == []


def test_no_payment_is_written_of_a_charge_that_was_given_back_meanwhile(payments: str) -> None:
    class Slow(Bank):
        async def charge(self, reference: str, amount: int, currency: str) -> str:
            charged = await super().charge(reference, amount, currency)
            with psycopg.connect(payments, autocommit=True) as connection:
                connection.execute("update charges set given_back_at = now()")
            return charged

    async def story(_: Charges, do: Callable[[Envelope], Awaitable[Sequence[Envelope]]]) -> None:
        assert not outcome(await do(CREATE_PAYMENT))

    told(payments, Slow(), story)
    assert rows(payments, "select * from payments") == []
    assert len(rows(payments, "select * from charges where given_back_at is not null")) == 1


def test_what_cannot_be_given_back_shows(payments: str) -> None:
    bank = Bank()
    bank.deaf = True

    async def run() -> list[tuple[float, float]]:
        registry, seen = CollectorRegistry(), []
        async with Pool(Database(url=Secret(payments), pool=2)) as pool:
            charges = Charges(pool, bank, timedelta(minutes=10), registry=registry)
            seen.append(_charges(registry))
            async with pool.connection() as connection:
                await connection.execute(
                    "insert into charges values ('7', now() - interval '1 hour', null), ('8', now(), null),"
                    " ('9', now(), now())"
                )
            await charges.give_back()
            seen.append(_charges(registry))
            bank.deaf = False
            await charges.give_back()
            return [*seen, _charges(registry)]

    assert asyncio.run(run()) == [(0, 0), (2, 1), (1, 0)]


def _charges(registry: CollectorRegistry) -> tuple[float, float]:
    """How many have no payment, and how many of them are to be given back."""
    still_open, overdue = (registry.get_sample_value("shop_charges", {"state": state}) for state in ("open", "overdue"))
    assert still_open is not None
    assert overdue is not None
    return still_open, overdue


def test_what_a_provider_fails_with_holds_up_no_other(payments: str) -> None:
    class Odd(Bank):
        async def refund(self, reference: str) -> None:
            if reference == "8":
                raise KeyError(reference)
            await super().refund(reference)

    bank = Odd()

    async def story(charges: Charges, _: Callable[[Envelope], Awaitable[Sequence[Envelope]]]) -> None:
        with psycopg.connect(payments, autocommit=True) as connection:
            connection.execute("insert into charges (reference, asked_at) values ('8', now()), ('9', now())")
        assert await charges.give_back() == 1

    told(payments, bank, story)
