"""Results made by hand, for reports to be looked at and tested: realistic, clean, huge, hostile."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

import msgspec

from report_cases import worst_cases
from report_workflows import DAY, HOUR, MINUTE, SECOND, START, large_workflow, order_workflow, small_workflow
from sagacity.ledger.port import Account, Rejected
from sagacity.reconcile.result import Cases, Delays, Explanation, Finding, FindingsOverTime, Result, Tally
from sagacity.workflow.model import Assert, Audited, EventType, Expectation, Rule, Workflow
from sagacity.workflow.trace import FOREVER, Event
from sagacity.workflow.verdict import CaseVerdict, FindingKind, Verdict, Violation
from sagacity.workflow.words.naming import names, owner_of
from sagacity.workflow.words.wording import message

__all__ = [
    "DAY", "HOSTILE", "HOUR", "MINUTE", "START",
    "clean", "empty", "hostile", "huge", "large_workflow", "order_workflow", "realistic", "small_workflow", "worst_cases",
]  # fmt: skip

HOSTILE = '<script>document.title="taken"</script>'
RIGHT_TO_LEFT = "\u05d4\u05d6\u05de\u05e0\u05d4 \u05d4\u05ea\u05e7\u05d1\u05dc\u05d4"
EMOJI = "\U0001f4e6 \u5305\u88f9\u5df2\u53d1\u8d27 \U0001f469\u200d\U0001f680"
LONG = "AnEventWhoseNameWasMadeByAToolThatKnewNoRestraintWhatsoever_" * 3


class SampleFindings:
    """Findings made when they are read, so that there can be any number of them."""

    def __init__(self, size: int, patterns: tuple[Finding, ...]) -> None:
        self.size = size
        self.patterns = patterns

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[Finding]:
        for place in range(self.size):
            pattern = self.patterns[place % len(self.patterns)]
            copy = place // len(self.patterns)
            yield pattern if not copy else msgspec.structs.replace(pattern, id=f"{pattern.id}-{copy}")

    def head(self, n: int) -> list[Finding]:
        return [finding for finding, _ in zip(self, range(n), strict=False)]


_VIOLATIONS: dict[str, tuple[tuple[FindingKind, str | None, int, int], ...]] = {
    # expectation: kind, type of the activation, offset of the activation, offset of since
    "one order placed": (("duplicate", None, 0, 2 * MINUTE),),
    "paid within 15m": (
        ("missing", "OrderPlaced", 0, 15 * MINUTE),
        ("late", "OrderPlaced", 0, 15 * MINUTE),
        ("late", "OrderPlaced", 3 * HOUR, 3 * HOUR + 15 * MINUTE),
    ),
    "paid what was ordered": (("mismatch", "PaymentReceived", 9 * MINUTE, 30 * DAY),),
    "never paid twice": (("duplicate", None, 0, 11 * MINUTE),),
    "shipped only when paid": (("out_of_order", "ItemShipped", 2 * HOUR, 2 * HOUR),),
    "shipped within 3d": (
        ("missing", "PaymentReceived", 9 * MINUTE, 3 * DAY + 9 * MINUTE),
        ("late", "PaymentReceived", 9 * MINUTE, 3 * DAY + 9 * MINUTE),
    ),
    "checked within 24h": (("missing", "PaymentReceived", 9 * MINUTE, DAY + 9 * MINUTE),),
    "alternate_response(ItemReserved, ItemShipped)": (("out_of_order", "ItemReserved", 4 * HOUR, 5 * HOUR),),
    "nothing shipped when cancelled": (("unexpected", "ItemShipped", DAY, DAY + HOUR),),
    "each payment has its invoice": (("missing", None, 9 * MINUTE, 7 * DAY), ("mismatch", None, 9 * MINUTE, DAY)),
    "no unexpected event": (("unexpected", "FraudScoreComputed", 5 * MINUTE, 5 * MINUTE),),
    "one content per event id": (("conflict", "OrderPlaced", 0, 0),),
}


def _findings(workflow: Workflow, spread: int, seed: int = 7) -> tuple[Finding, ...]:
    rng = random.Random(seed)
    made: list[Finding] = []
    named = dict(zip(names(workflow), workflow.audited(), strict=True))
    for name, patterns in _VIOLATIONS.items():
        expectation = named[name]
        for kind, event_type, at, since in patterns:
            for _ in range(rng.randint(3, 40)):
                began = START + int(spread * rng.random() ** 1.7) // SECOND * SECOND
                number = rng.randint(1, 9_999)
                activation = f"{(event_type or 'pay')[:3].lower()}-{number}" if event_type or "payment" in name else None
                time = began + at if event_type else None
                violation = Violation(kind, began + since, event_type, time, activation)
                made.append(
                    Finding(
                        id=f"{number:04x}{len(made):08x}",
                        case=str(number),
                        expectation=name,
                        kind=kind,
                        severity=getattr(expectation, "severity", "error"),
                        owner=owner_of(workflow, expectation),
                        since=began + since,
                        type=event_type,
                        time=time,
                        activation=activation,
                        message=message(workflow, expectation, violation),
                    )
                )
    worst_first = ("critical", "error", "warning", "info")
    made.sort(key=lambda finding: (worst_first.index(finding.severity), finding.since, finding.case, finding.expectation))
    return tuple(made)


def _tallies(workflow: Workflow, findings: tuple[Finding, ...], cases: int) -> tuple[Tally, ...]:
    tallies = []
    for place, (name, expectation) in enumerate(zip(names(workflow), workflow.audited(), strict=True)):
        own = [finding for finding in findings if finding.expectation == name]
        violated = min(cases, len({finding.case for finding in own}))
        vacuous = cases // 9 if place % 3 == 1 else 0
        pending = min(cases - violated - vacuous, cases // 31 if place in (1, 5, 6) else 0)
        activations = cases - vacuous
        within = getattr(expectation, "within", None)
        tallies.append(
            Tally(
                expectation=expectation,
                name=name,
                owner=owner_of(workflow, expectation),
                severity=getattr(expectation, "severity", "error"),
                satisfied=cases - violated - vacuous - pending,
                vacuous=vacuous,
                pending=pending,
                violated=violated,
                activations=activations,
                fulfilled=activations - len(own) - pending if activations else 0,
                pending_activations=pending,
                findings=len(own),
                kinds=dict(Counter(finding.kind for finding in own)),
                examples=tuple(own[:3]),
                delays=_delays(within, cases, place) if isinstance(expectation, Rule) and within and cases else None,
            )
        )
    return tuple(tallies)


def _delays(within: int, cases: int, seed: int) -> Delays:
    rng = random.Random(seed)
    edges = tuple(within * step // 10 for step in range(1, 16))
    weights = [rng.random() * 2.0 ** -abs(step - 3) + 0.002 for step in range(16)]
    return Delays(edges, tuple(int(cases * weight / sum(weights)) for weight in weights), within)


def _over_time(findings: tuple[Finding, ...], periods: int = 28) -> FindingsOverTime:
    dated = [finding for finding in findings if finding.since != FOREVER]
    if not dated:
        return FindingsOverTime((), DAY, {})
    first = min(finding.since for finding in dated) // DAY * DAY
    width = max(DAY, (max(finding.since for finding in dated) - first) // periods // DAY * DAY)
    size = (max(finding.since for finding in dated) - first) // width + 1
    counts: dict[FindingKind, list[int]] = {}
    for finding in dated:
        counts.setdefault(finding.kind, [0] * size)[(finding.since - first) // width] += 1
    starts = tuple(first + width * place for place in range(size))
    return FindingsOverTime(starts, width, {kind: tuple(row) for kind, row in counts.items()})


def realistic() -> Result:
    """A fortnight of orders, 3,214 of them, with about 300 findings of every kind."""
    workflow = order_workflow()
    findings = _findings(workflow, 14 * DAY)
    violated = len({finding.case for finding in findings})
    total = 3_214
    return Result(
        workflow=workflow,
        as_of=START + 15 * DAY,
        accounts=(
            Account(
                source="orders", given="events/orders-*.jsonl.gz", records=3_391, matched=3_301, redelivered=41,
                unmatched=22, orphan=3, rejected=4,
                beyond=20, events=3_342, redelivered_events=41, first=START, last=START + 15 * DAY,
            ),
            Account(
                source="payments", given="payments.parquet", records=6_204, matched=6_180, redelivered=24, unmatched=0,
                orphan=0, rejected=0, beyond=0, events=6_204,
                redelivered_events=24, first=START + MINUTE, last=START + 14 * DAY,
            ),
            Account(
                source="warehouse", given="warehouse/", records=8_811, matched=8_800, unmatched=0, orphan=11, rejected=0,
                beyond=0, events=8_800, first=START + HOUR, last=START + 15 * DAY,
            ),
            Account(
                source="compliance", given="-", records=3_050, matched=3_050, unmatched=0, orphan=0, rejected=0, beyond=0,
                events=3_050, first=START + HOUR, last=START + 15 * DAY,
            ),
        ),
        rejected=(
            Rejected("orders", "events/orders-02.jsonl.gz", 881, "not JSON: unexpected end of data"),
            Rejected("orders", "events/orders-02.jsonl.gz", 1_204, "time: 'yesterday' is not a time"),
            Rejected("orders", "events/orders-05.jsonl.gz", 17, "amount: 'four fifty' is not a decimal"),
            Rejected("orders", "events/orders-05.jsonl.gz", None, "time: naive, and the source states no timezone"),
        ),
        unmatched_types=(("BasketAbandoned", 17), ("NewsletterSent", 5)),
        cases=Cases(total, total - violated - 107, 107, violated),
        tallies=_tallies(workflow, findings, total),
        event_counts={
            "OrderPlaced": 3_260, "PaymentReceived": 3_102, "ComplianceCheckDone": 3_050, "ItemReserved": 2_990,
            "ItemShipped": 2_941, "ItemDelivered": 2_869, "InvoiceIssued": 3_078, "OrderCancelled": 41,
        },
        over_time=_over_time(findings),
        worst=worst_cases(workflow),
        findings=SampleFindings(len(findings), findings),
        elapsed=0.384,
    )  # fmt: skip


def clean() -> Result:
    """A log with nothing wrong, declared complete."""
    workflow = order_workflow()
    tallies = _tallies(workflow, (), 120)
    return Result(
        workflow=workflow,
        as_of=FOREVER,
        accounts=(Account(source="orders", given="orders.jsonl", records=800, matched=800, unmatched=0, orphan=0, rejected=0,
                          beyond=0, events=800, first=START, last=START + DAY),),
        rejected=(),
        unmatched_types=(),
        cases=Cases(120, 120, 0, 0),
        tallies=tallies,
        event_counts=dict.fromkeys(workflow.events, 100),
        over_time=FindingsOverTime((), DAY, {}),
        worst=(),
        findings=SampleFindings(0, ()),
        elapsed=0.041,
    )  # fmt: skip


def empty() -> Result:
    """No event at all."""
    workflow = order_workflow()
    nothing = Account(
        source="orders", given="none.jsonl", records=0, matched=0, unmatched=0, orphan=0, rejected=0, beyond=0, events=0
    )
    tallies = _tallies(workflow, (), 0)
    return msgspec.structs.replace(
        clean(), accounts=(nothing,), cases=Cases(0, 0, 0, 0), tallies=tallies, event_counts={}, elapsed=0.01
    )


def huge() -> Result:
    """2.2 million cases and 812,345 findings."""
    result = realistic()
    patterns = tuple(result.findings.head(len(result.findings)))
    factor = 2_600
    tallies = tuple(
        msgspec.structs.replace(
            tally,
            satisfied=tally.satisfied * factor,
            vacuous=tally.vacuous * factor,
            pending=tally.pending * factor,
            violated=tally.violated * factor,
            findings=tally.findings * factor,
            kinds={kind: count * factor for kind, count in tally.kinds.items()},
        )
        for tally in result.tallies
    )
    counts = {kind: tuple(n * factor for n in row) for kind, row in result.over_time.counts.items()}
    return msgspec.structs.replace(
        result,
        accounts=tuple(
            msgspec.structs.replace(account, records=account.records * factor, matched=account.matched * factor,
                                    redelivered=account.redelivered * factor, unmatched=account.unmatched * factor,
                                    orphan=account.orphan * factor, rejected=account.rejected * factor,
                                    beyond=account.beyond * factor, events=account.events * factor,
                                    redelivered_events=account.redelivered_events * factor)
            for account in result.accounts
        ),
        cases=Cases(2_214_000, 1_402_655, 107_000, 704_345),
        tallies=tallies,
        event_counts={name: count * factor for name, count in result.event_counts.items()},
        over_time=FindingsOverTime(result.over_time.starts, result.over_time.width, counts),
        findings=SampleFindings(812_345, patterns),
        elapsed=14.2,
    )  # fmt: skip


def hostile() -> Result:
    """Names and values that try to break out of every format."""
    texts = (
        HOSTILE,
        RIGHT_TO_LEFT,
        EMOJI,
        LONG,
        "quotes \" ' & ]]> -->",
        "controls \x00\x1b[31m\x07\u202egnp.exe",
        "{braces} {0}",
    )
    event_types = {text: EventType(f"source {place} {text}") for place, text in enumerate(texts)}
    expectations: list[Expectation] = [
        Rule(
            template="response",
            events=(texts[place], texts[place + 1]),
            within=HOUR,
            name=f"rule {texts[place]}",
            owner=text,
        )
        for place, text in enumerate(texts[1:])
    ]
    expectations.append(Assert(predicate=f"X.a <> '{HOSTILE}'", name="\x1b]0;title\x07 assert"))
    workflow = Workflow(
        name=f"hostile {HOSTILE}", description=HOSTILE, owner=HOSTILE, events=event_types, expectations=tuple(expectations)
    )
    made = []
    for place, (name, expectation) in enumerate(zip(names(workflow), workflow.audited(), strict=True)):
        event_type = texts[place % len(texts)] if isinstance(expectation, Rule) else None
        time = START if event_type else None
        violation = Violation("missing" if event_type else "mismatch", START + HOUR, event_type, time, HOSTILE)
        made.append(_hostile_finding(workflow, name, expectation, violation, texts[place % len(texts)]))
    findings = tuple(made)
    events = tuple(
        Event(text, START + place * HOUR, id=text, attributes={text: text, "amount": Decimal("1")})
        for place, text in enumerate((*texts, "</svg><script>alert(1)</script>"))
    )
    verdicts = tuple(
        Verdict(name, 1, 0, 0, tuple(
            Violation(finding.kind, finding.since, finding.type, finding.time, finding.activation)
            for finding in findings if finding.expectation == name
        ))
        for name in names(workflow)
    )  # fmt: skip
    return Result(
        workflow=workflow,
        as_of=START + 5 * HOUR,
        accounts=(
            Account(
                source=HOSTILE, given=HOSTILE, records=10, matched=7, unmatched=1, orphan=1, rejected=1, beyond=0, events=7
            ),
        ),
        rejected=(Rejected(HOSTILE, f"{HOSTILE}.jsonl", 3, "\x1b[2J " + HOSTILE),),
        unmatched_types=((HOSTILE, 1),),
        cases=Cases(4, 1, 1, 2),
        tallies=_tallies(workflow, findings, 4),
        event_counts=dict.fromkeys(texts, 1),
        over_time=_over_time(findings),
        worst=(Explanation(HOSTILE, events, CaseVerdict(verdicts, True, START, FOREVER)),),
        findings=SampleFindings(len(findings), findings),
        elapsed=0.001,
    )


def _hostile_finding(workflow: Workflow, name: str, expectation: Audited, violation: Violation, text: str) -> Finding:
    return Finding(
        id=f"id-{text}",
        case=text,
        expectation=name,
        kind=violation.kind,
        severity="error",
        owner=owner_of(workflow, expectation),
        since=violation.since,
        type=violation.type,
        time=violation.time,
        activation=violation.activation,
        message=message(workflow, expectation, violation),
    )
