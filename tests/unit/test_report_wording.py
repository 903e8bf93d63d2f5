"""What verdicts sound like: every template, every kind, in words that a person understands."""

from __future__ import annotations

import re

import pytest

from sagacity.workflow.instants import instant, iso, span
from sagacity.workflow.model import Assert, Audited, EventType, Implied, Matches, Rule, Workflow
from sagacity.workflow.templates import TEMPLATES, Count, Legs, Position
from sagacity.workflow.trace import FOREVER
from sagacity.workflow.verdict import FindingKind, Verdict, Violation
from sagacity.workflow.words.wording import definition, message, reason, teller

MINUTE = 60_000_000
DAY = 1_440 * MINUTE
AT = 1_793_527_200_000_000  # 2026-11-01 10:00:00Z
WORKFLOW = Workflow(
    name="order",
    events={name: EventType("orders") for name in ("OrderPlaced", "PaymentReceived", "ItemShipped")},
    begins=("OrderPlaced",),
)
PAID = Rule(template="response", events=("OrderPlaced", "PaymentReceived"), within=15 * MINUTE)


def test_a_missing_payment_is_said_with_its_window_and_due_time() -> None:
    said = message(WORKFLOW, PAID, Violation("missing", AT + 15 * MINUTE, "OrderPlaced", AT, "o-1"))
    assert said == (
        "PaymentReceived did not happen within 15m of OrderPlaced (2026-11-01 10:00:00Z); it was due by 2026-11-01 10:15:00Z"
    )


def test_a_case_that_ends_with_the_log_is_said_to() -> None:
    once = Rule(template="existence", events=("ItemShipped",))
    assert message(WORKFLOW, once, Violation("missing", FOREVER)) == "ItemShipped did not happen by the end of the log"


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("late", "later than 15m after"),
        ("out_of_order", "but not after"),
        ("mismatch", "none agrees with"),
        ("missing", "did not happen"),
    ],
)
def test_each_kind_of_a_response_has_its_own_words(kind: FindingKind, words: str) -> None:
    rule = Rule(template="response", events=PAID.events, within=15 * MINUTE, where="a.amount = b.amount")
    assert words in message(WORKFLOW, rule, Violation(kind, AT + 15 * MINUTE, "OrderPlaced", AT, "o-1"))


def _kinds(rule: Rule) -> tuple[FindingKind, ...]:
    shape = TEMPLATES[rule.template].shape
    if isinstance(shape, Legs):
        if shape.legs[0].negated:
            return ("unexpected",)
        either = shape.legs[0].side == "either"
        kinds: tuple[FindingKind, ...] = ("missing", "mismatch") if either else ("missing", "out_of_order", "mismatch")
        return kinds if rule.within is None else (*kinds, "late")
    if isinstance(shape, Count):
        return (
            ("duplicate", "missing")
            if shape.at_least and shape.at_most
            else ("missing" if shape.at_least else "unexpected",)
        )
    return ("missing", "out_of_order") if isinstance(shape, Position) else ("missing",)


@pytest.mark.parametrize("within", [None, 15 * MINUTE])
@pytest.mark.parametrize("template", TEMPLATES)
def test_every_kind_of_every_template_is_a_whole_sentence(template: str, within: int | None) -> None:
    known = TEMPLATES[template]
    rule = Rule(
        template=template,
        events=("OrderPlaced", "PaymentReceived")[: known.arity],
        within=within if known.activated else None,
        where="a.amount = b.amount" if known.activated else None,
    )
    for kind in _kinds(rule):
        for activation in ("OrderPlaced", "PaymentReceived") if known.activated else (None,):
            violation = Violation(kind, AT + MINUTE, activation, AT if activation else None, "x" if activation else None)
            said = message(WORKFLOW, rule, violation)
            assert "as expected" not in said, said
            assert not re.search(r"[{}]|None", said), said
            assert said.count("OrderPlaced") + said.count("PaymentReceived") >= 1
    assert "{" not in definition(WORKFLOW, rule)


def test_a_succession_is_said_for_the_leg_that_failed() -> None:
    rule = Rule(template="succession", events=("OrderPlaced", "PaymentReceived"))
    forwards = message(WORKFLOW, rule, Violation("missing", FOREVER, "OrderPlaced", AT, "o"))
    backwards = message(WORKFLOW, rule, Violation("missing", AT, "PaymentReceived", AT, "p"))
    assert forwards == "PaymentReceived did not happen after OrderPlaced (2026-11-01 10:00:00Z), and the log ended"
    assert backwards == "OrderPlaced did not happen before PaymentReceived (2026-11-01 10:00:00Z)"


def test_names_with_braces_are_text_and_not_blanks() -> None:
    name = "{since} {0} {x!r}"
    workflow = Workflow(name="w", events={name: EventType("s")})
    rule = Rule(template="exactly", events=(name,), when="{a} = '{b}'")
    assert message(workflow, rule, Violation("missing", FOREVER)).startswith(f"{name} where {{a}} = '{{b}}' did not happen")


def test_one_teller_words_many_violations_alike_and_each_with_its_own_times() -> None:
    tell = teller(WORKFLOW, PAID)
    for shift in (0, DAY, 2 * DAY):
        violation = Violation("missing", AT + shift + 15 * MINUTE, "OrderPlaced", AT + shift, f"o-{shift}")
        assert tell(violation) == message(WORKFLOW, PAID, violation)


def test_a_violated_absence_of_a_second_event_names_the_bound() -> None:
    rule = Rule(template="absence", events=("PaymentReceived",), n=2)
    said = message(WORKFLOW, rule, Violation("duplicate", AT))
    assert said == "PaymentReceived happened more than once, the one too many at 2026-11-01 10:00:00Z"


MATCHES = Matches(from_="OrderPlaced", to="PaymentReceived", by=("ref", "ref"), amount=("amount", "amount"), within=DAY)


@pytest.mark.parametrize(
    ("violation", "words"),
    [
        (Violation("duplicate", AT, None, AT, "77"), "more than one OrderPlaced or PaymentReceived with ref 77"),
        (Violation("missing", AT, None, AT, "77"), "with ref 77 do not pair: one of the two did not happen"),
        (Violation("late", AT, None, AT, "77"), "more than 1d apart"),
        (
            Violation("mismatch", AT, None, AT, "77"),
            "the amount of OrderPlaced and of PaymentReceived with ref 77 do not agree",
        ),
        (
            Violation("mismatch", AT, "PaymentReceived", AT, "p-1"),
            "PaymentReceived (2026-11-01 10:00:00Z) has no ref to pair by",
        ),
    ],
)
def test_a_pairing_names_its_value(violation: Violation, words: str) -> None:
    assert words in message(WORKFLOW, MATCHES, violation)


@pytest.mark.parametrize(
    ("expectation", "violation", "said"),
    [
        (Implied(rule="begins"), Violation("out_of_order", AT), "with another event than OrderPlaced"),
        (Implied(rule="unexpected"), Violation("unexpected", AT, "Odd", AT, "x"), "Odd happened at"),
        (
            Implied(rule="identity"),
            Violation("conflict", AT, "OrderPlaced", AT, "o-1"),
            "OrderPlaced o-1 came more than once",
        ),
        (
            Assert(predicate="count(X)\n  > 1"),
            Violation("mismatch", FOREVER),
            "count(X) > 1 did not hold by the end of the log",
        ),
        (Assert(predicate="a", immediate=True), Violation("mismatch", AT), "a did not hold, since 2026-11-01 10:00:00Z"),
    ],
)
def test_what_is_not_a_template_has_words_too(expectation: Audited, violation: Violation, said: str) -> None:
    assert said in message(WORKFLOW, expectation, violation)


def test_a_pending_verdict_says_by_when_and_how_far_off_that_is() -> None:
    rule = Rule(template="response", events=("PaymentReceived", "ItemShipped"), within=3 * DAY)
    pending = Verdict("x", 1, 0, 1, (), AT + 51 * 60 * MINUTE)
    assert reason(WORKFLOW, rule, pending, AT) == "pending: ItemShipped is due by 2026-11-03 13:00:00Z, in 2d 3h"


def test_what_never_comes_due_is_said_to_be_so() -> None:
    rule = Rule(template="response", events=("PaymentReceived", "ItemShipped"))
    assert "never due" in reason(WORKFLOW, rule, Verdict("x", 1, 0, 1, (), FOREVER), AT)


def test_a_vacuous_verdict_names_the_event_that_is_not_there() -> None:
    assert reason(WORKFLOW, PAID, Verdict("x", 0, 0, 0), AT) == "does not apply: no OrderPlaced"


def test_a_satisfied_verdict_says_what_holds() -> None:
    assert reason(WORKFLOW, PAID, Verdict("x", 3, 3, 0), AT) == (
        "satisfied: every OrderPlaced has PaymentReceived later, within 15m (all 3)"
    )


def test_several_violations_are_counted() -> None:
    late = Violation("late", AT, "OrderPlaced", AT, "o")
    assert reason(WORKFLOW, PAID, Verdict("x", 3, 0, 0, (late, late, late)), AT).endswith("(and 2 more)")


def test_instants_have_fractions_only_where_they_need_them_and_never_fail() -> None:
    assert instant(AT) == "2026-11-01 10:00:00Z"
    assert instant(AT + 1_500) == "2026-11-01 10:00:00.0015Z"
    assert instant(-1) == "1969-12-31 23:59:59.999999Z"
    assert instant(FOREVER) == "the end of the log"
    assert instant(FOREVER - 1) == "a time after the year 9999"
    assert instant(-(2**62)) == "a time before the year 1"
    assert iso(AT) == "2026-11-01T10:00:00Z"
    assert iso(FOREVER) is None


@pytest.mark.parametrize(
    ("us", "units", "said"),
    [
        (0, None, "0s"),
        (15 * MINUTE, None, "15m"),
        (51 * 60 * MINUTE + 61_000_001, None, "2d 3h 1m 1.000001s"),
        (51 * 60 * MINUTE + 61_000_001, 2, "2d 3h"),
        (250_000, 2, "0.25s"),
        (-MINUTE, None, "-1m"),
        (MINUTE + 500_000, 2, "1m"),
    ],
)
def test_spans_are_cut_to_their_largest_units(us: int, units: int | None, said: str) -> None:
    assert span(us, units) == said
