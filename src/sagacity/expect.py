"""Expectations in Python: a constructor for each template, equal to what a workflow file yields.

    from sagacity import expect

    expect.exactly("OrderPlaced", 1)
    expect.response("OrderPlaced", "PaymentReceived", within="15m", where="a.amount = b.amount", severity="critical")
    expect.matches("InvoiceIssued", "PaymentReceived", by="invoice_id", cardinality="one_to_many", amount="amount")
    expect.asserts("sum(PaymentReceived.amount) = OrderPlaced.amount", immediate=True)

Every constructor takes `severity` (info, warning, error or critical), `owner`, `name` and `description`. Those of
templates take `when`, a condition on the activation, or, where there is none, on the events that count. Templates with
an activation also take `where`, a condition on the template's `a` and `b`, and `within`, a window after the activation
(for precedence before it), as text such as `15m`, a timedelta, or microseconds.

All raise UsageError where a duration is not one. Whether event types and attributes exist is seen only in a workflow:
`sagacity.workflow.checks.check`.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeAlias, TypedDict, Unpack

from sagacity.errors import UsageError
from sagacity.workflow.durations import parse_duration
from sagacity.workflow.language import shorthand as _shorthand
from sagacity.workflow.model import Assert, Cardinality, Expectation, Matches, Rule, Severity

__all__ = [
    "Duration", "absence", "alternate_precedence", "alternate_response", "alternate_succession", "asserts",
    "chain_precedence", "chain_response", "chain_succession", "choice", "co_existence", "end", "exactly",
    "exclusive_choice", "existence", "init", "matches", "not_chain_precedence", "not_chain_response",
    "not_chain_succession", "not_co_existence", "not_precedence", "not_responded_existence", "not_response",
    "not_succession", "precedence", "responded_existence", "response", "said", "succession",
]  # fmt: skip

Duration: TypeAlias = str | timedelta | int
"""Text such as `15m` or `PT15M`, a timedelta, or microseconds."""


class _Common(TypedDict, total=False):
    severity: Severity
    owner: str | None
    name: str | None
    description: str | None


class _Counted(_Common, total=False):
    when: str | None


class _Activated(_Counted, total=False):
    where: str | None
    within: Duration | None


def existence(a: str, n: int = 1, **options: Unpack[_Counted]) -> Rule:
    """A occurs at least n times."""
    return _rule("existence", (a,), options, n)


def absence(a: str, n: int = 1, **options: Unpack[_Counted]) -> Rule:
    """A occurs fewer than n times."""
    return _rule("absence", (a,), options, n)


def exactly(a: str, n: int = 1, **options: Unpack[_Counted]) -> Rule:
    """A occurs exactly n times."""
    return _rule("exactly", (a,), options, n)


def init(a: str, **options: Unpack[_Counted]) -> Rule:
    """The first event is a."""
    return _rule("init", (a,), options)


def end(a: str, **options: Unpack[_Counted]) -> Rule:
    """The last event is a."""
    return _rule("end", (a,), options)


def choice(a: str, b: str, **options: Unpack[_Counted]) -> Rule:
    """A or b occurs."""
    return _rule("choice", (a, b), options)


def exclusive_choice(a: str, b: str, **options: Unpack[_Counted]) -> Rule:
    """Exactly one of a and b occurs."""
    return _rule("exclusive_choice", (a, b), options)


def responded_existence(a: str, b: str, **options: Unpack[_Activated]) -> Rule:
    """If a occurs, b occurs, before or after."""
    return _rule("responded_existence", (a, b), options)


def co_existence(a: str, b: str, **options: Unpack[_Activated]) -> Rule:
    """Both occur or neither."""
    return _rule("co_existence", (a, b), options)


def response(a: str, b: str, **options: Unpack[_Activated]) -> Rule:
    """Every a has a later b."""
    return _rule("response", (a, b), options)


def precedence(a: str, b: str, **options: Unpack[_Activated]) -> Rule:
    """Every b has an earlier a."""
    return _rule("precedence", (a, b), options)


def succession(a: str, b: str, **options: Unpack[_Activated]) -> Rule:
    """Response and precedence."""
    return _rule("succession", (a, b), options)


def alternate_response(a: str, b: str, **options: Unpack[_Activated]) -> Rule:
    """Every a has a b before the next a."""
    return _rule("alternate_response", (a, b), options)


def alternate_precedence(a: str, b: str, **options: Unpack[_Activated]) -> Rule:
    """Every b has an a since the previous b."""
    return _rule("alternate_precedence", (a, b), options)


def alternate_succession(a: str, b: str, **options: Unpack[_Activated]) -> Rule:
    """Both alternates."""
    return _rule("alternate_succession", (a, b), options)


def chain_response(a: str, b: str, **options: Unpack[_Activated]) -> Rule:
    """The very next event after a is b."""
    return _rule("chain_response", (a, b), options)


def chain_precedence(a: str, b: str, **options: Unpack[_Activated]) -> Rule:
    """The event just before b is a."""
    return _rule("chain_precedence", (a, b), options)


def chain_succession(a: str, b: str, **options: Unpack[_Activated]) -> Rule:
    """Both chains."""
    return _rule("chain_succession", (a, b), options)


def not_co_existence(a: str, b: str, **options: Unpack[_Activated]) -> Rule:
    """Never both a and b."""
    return _rule("not_co_existence", (a, b), options)


def not_responded_existence(a: str, b: str, **options: Unpack[_Activated]) -> Rule:
    """If a occurs, b never does."""
    return _rule("not_responded_existence", (a, b), options)


def not_response(a: str, b: str, **options: Unpack[_Activated]) -> Rule:
    """No a has a later b."""
    return _rule("not_response", (a, b), options)


def not_precedence(a: str, b: str, **options: Unpack[_Activated]) -> Rule:
    """No b has an earlier a."""
    return _rule("not_precedence", (a, b), options)


def not_succession(a: str, b: str, **options: Unpack[_Activated]) -> Rule:
    """No b follows an a."""
    return _rule("not_succession", (a, b), options)


def not_chain_response(a: str, b: str, **options: Unpack[_Activated]) -> Rule:
    """A is never directly followed by b."""
    return _rule("not_chain_response", (a, b), options)


def not_chain_precedence(a: str, b: str, **options: Unpack[_Activated]) -> Rule:
    """B is never directly preceded by a."""
    return _rule("not_chain_precedence", (a, b), options)


def not_chain_succession(a: str, b: str, **options: Unpack[_Activated]) -> Rule:
    """A and b never stand side by side in this order."""
    return _rule("not_chain_succession", (a, b), options)


def matches(
    from_: str,
    to: str,
    *,
    by: str | tuple[str, str],
    cardinality: Cardinality = "one_to_one",
    amount: str | tuple[str, str] | None = None,
    tolerance: str | Decimal | int = "0",
    within: Duration | None = None,
    **options: Unpack[_Common],
) -> Matches:
    """Every `from_` event pairs with its own `to` event by the attribute `by`, and none is left over.

    `by` and `amount` are one attribute's name, or that of each side. Where `amount` is given, the sums of each pairing
    agree within `tolerance`. `within` bounds the time from the first event of a pairing to its last.
    """
    return Matches(
        from_=from_,
        to=to,
        by=_pair(by),
        cardinality=cardinality,
        amount=None if amount is None else _pair(amount),
        tolerance=str(tolerance),
        within=_microseconds(within),
        **options,
    )


def asserts(predicate: str, *, immediate: bool = False, **options: Unpack[_Common]) -> Assert:
    """An SQL predicate over the case is true by the end of the case; with `immediate`, at all times."""
    return Assert(predicate=predicate, immediate=immediate, **options)


def said(event: str, text: str) -> tuple[Expectation, ...]:
    """What the everyday shorthand says of an event type: `said("PaymentReceived", "once, within 15m of OrderPlaced")`.

    Raises UsageError where it is not understood.
    """
    try:
        return _shorthand.expectations(event, text)
    except _shorthand.ShorthandError as error:
        raise UsageError(f"{text!r}, at character {error.offset + 1}: {error.message}", hint=error.hint) from None


def _rule(template: str, events: tuple[str, ...], options: Any, n: int = 1) -> Rule:
    return Rule(template=template, events=events, n=n, **{**options, "within": _microseconds(options.get("within"))})


def _microseconds(duration: Duration | None) -> int | None:
    match duration:
        case None:
            return None
        case str():
            return parse_duration(duration)
        case timedelta():
            microseconds = duration // timedelta(microseconds=1)
        case _:
            microseconds = duration
    if microseconds < 0:
        raise UsageError("a window is not negative", hint="give a duration such as 15m")
    return microseconds


def _pair(names: str | tuple[str, str]) -> tuple[str, str]:
    return (names, names) if isinstance(names, str) else names
