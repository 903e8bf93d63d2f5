"""The guarantees of the ledger port, of every engine: the same sources, the same accounts, counts and findings."""

from __future__ import annotations

import csv
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from engines import Ground
from known_answers import LOGS, known_answers
from ledger_story import SHORT, STORIES, many_cases, story_lines
from sagacity.errors import RejectedError, UsageError
from sagacity.judge import Judge
from sagacity.ledger.planned import PlannedLedger
from sagacity.ledger.port import Account, Intake
from sagacity.plan.plan import compile_plan
from sagacity.sources.inputs import Files
from sagacity.workflow.language.reader import loads
from sagacity.workflow.model import Implied, Workflow
from sagacity.workflow.trace import FOREVER, Event
from sagacity.workflow.verdict import CaseVerdict, Status
from sagacity.workflow.words.naming import names
from taking_in import NOW, account_adds_up, files, instant, write

AMID = instant("2026-03-05T07:00:00+00:00")

Taken = Callable[..., tuple[PlannedLedger, Intake]]


@pytest.fixture
def taken(ground: Ground, tmp_path: Path) -> Iterator[Taken]:
    """Takes lines in for a workflow's sources, on a ledger of the engine: the ledger, and what became of the lines."""
    opened: list[PlannedLedger] = []

    def take(
        workflow: Workflow, sources: Mapping[str, Sequence[str]], *, as_of: int | None = None, lenient: bool = True
    ) -> tuple[PlannedLedger, Intake]:
        ledger = PlannedLedger(workflow, ground.open())
        opened.append(ledger)
        inputs = {name: _file(tmp_path, name, lines) for name, lines in sources.items()}
        intake = ledger.intake(inputs, as_of=as_of, now=NOW, max_rejected=None if lenient else 0)
        return ledger, intake

    yield take
    for ledger in opened:
        ledger.close()


def _file(folder: Path, name: str, lines: Sequence[str]) -> Files:
    return files(write(folder, f"{name}.jsonl", lines))


def line(type: str, time: str, order: str | None, id: str | None = None, **data: Any) -> str:
    found = {"type": type, "time": time, "id": id, "order": order, **data}
    return json.dumps({name: value for name, value in found.items() if value is not None})


ORDERS = """\
workflow: orders
keys: order
sources: {log: {type: type, time: time, id: id, key: order}}
events:
  Placed: {capture: {amount: {value: amount, type: decimal, currency: currency}}}
  Paid: {capture: {amount: {value: amount, type: decimal, currency: currency}}}
  Shipped:
timeout: 14d
expect:
  Placed: once
  Paid: once, within 1d of Placed, amount = Placed.amount
  Shipped: at most 1 times, after Paid
rules:
  - precedence: [Placed, Paid]
"""


def test_every_record_is_accounted_for_once(taken: Taken) -> None:
    lines = [
        line("Placed", "2026-01-01T00:00:00Z", "1", "a", amount="10.00", currency="EUR"),
        line("Placed", "2026-01-01T00:00:00Z", "1", "a", amount="10.0", currency="EUR"),
        line("Paid", "2026-01-01T01:00:00Z", "1", "b", amount="10", currency="EUR"),
        line("Paid", "2026-02-01T01:00:00Z", "1", "c", amount="10", currency="EUR"),
        line("Placed", "2026-01-01T00:00:00Z", None, "d"),
        line("Cancelled", "2026-01-01T00:00:00Z", "2", "e"),
        line("Placed", "yesterday", "3", "f"),
        "{",
    ]
    ledger, intake = taken(loads(ORDERS), {"log": lines}, as_of=instant("2026-01-10T00:00:00+00:00"))
    (account,) = intake.accounts
    account_adds_up(account)
    assert account == Account(
        source="log", given=account.given, records=8, matched=3, unmatched=1, orphan=1, rejected=2, beyond=1, events=3,
        first=instant("2026-01-01T00:00:00+00:00"), last=instant("2026-01-01T01:00:00+00:00"),
    )  # fmt: skip
    assert [it.line for it in intake.rejected] == [7, 8]
    assert intake.unmatched_types == (("Cancelled", 1),)
    ledger.judge(intake.as_of)
    assert ledger.case_counts() == {"open": 1}
    assert ledger.event_counts() == {"Placed": 1, "Paid": 1, "Shipped": 0}
    assert [(it.type, it.events) for it in ledger.redelivered()] == [("Placed", 1)]
    assert ledger.finding_count() == 0


def test_more_unreadable_records_than_allowed_stop_the_intake(taken: Taken) -> None:
    with pytest.raises(RejectedError, match="1 record"):
        taken(loads(ORDERS), {"log": ["nothing"]}, lenient=False)


def test_a_log_without_a_single_event_is_judged(taken: Taken) -> None:
    ledger, intake = taken(loads(ORDERS), {"log": []})
    ledger.judge(intake.as_of)
    assert (ledger.case_counts(), ledger.finding_count(), list(ledger.findings())) == ({}, 0, [])
    assert [it.violated for it in ledger.expectation_counts()] == [0] * len(ledger.workflow.audited())
    assert ledger.findings_over_time() == (0, [])


def test_a_workflow_that_expects_nothing_has_cases_all_the_same(taken: Taken) -> None:
    workflow = loads(ORDERS.partition("timeout:")[0].replace(", id: id", ""))
    ledger, _ = taken(workflow, {"log": [line("Paid", "2026-01-01T00:00:00Z", "1")]}, as_of=FOREVER)
    ledger.judge(FOREVER)
    assert (sum(ledger.case_counts().values()), ledger.finding_count(), ledger.expectation_counts()) == (1, 0, [])


@pytest.mark.parametrize("part", range(len(STORIES)))
def test_all_templates_with_conditions_and_windows_say_what_the_judge_says(taken: Taken, part: int) -> None:
    as_of = (None, FOREVER, AMID, FOREVER)[part]
    ledger, intake = taken(loads(STORIES[part]), story_lines(), as_of=as_of)
    ledger.judge(intake.as_of)
    _as_the_judge_says(ledger, intake.as_of)


def test_it_is_judged_anew_as_of_another_instant(taken: Taken) -> None:
    workflow = loads(SHORT)
    ledger, _ = taken(workflow, story_lines(), as_of=FOREVER)
    counted = []
    for at in (FOREVER, AMID, FOREVER):
        ledger.judge(at)
        counted.append((ledger.case_counts(), ledger.expectation_counts(), list(ledger.findings())))
    assert counted[0] == counted[2]
    assert counted[0] != counted[1]


def test_arrival_order_and_redeliveries_change_nothing(taken: Taken) -> None:
    workflow = loads(SHORT)
    sources = story_lines()
    ledger, _ = taken(workflow, sources, as_of=FOREVER)
    ledger.judge(FOREVER)
    plain = _but_for_copies(ledger)
    chance = random.Random(3)
    again = {name: [*lines, *chance.sample(lines, len(lines) // 3)] for name, lines in sources.items()}
    for lines in again.values():
        chance.shuffle(lines)
    ledger, _ = taken(workflow, again, as_of=FOREVER)
    ledger.judge(FOREVER)
    assert plain == _but_for_copies(ledger)


def _but_for_copies(ledger: PlannedLedger) -> tuple[object, ...]:
    """All that is said of a log but how many identities came twice."""
    counts = [
        told
        for it, told in zip(ledger.workflow.audited(), ledger.expectation_counts(), strict=True)
        if not (isinstance(it, Implied) and it.rule == "identity")
    ]
    return ledger.case_counts(), counts, list(ledger.findings()), ledger.event_counts()


LINKED = """\
workflow: linked
keys: [order, payment]
sources:
  orders: {type: type, time: time, id: id, key: {order: order, payment: payment}}
  bank: {type: type, time: time, id: id, key: {payment: payment}}
events:
  Placed: {source: orders}
  Booked: {source: bank}
expect:
  Placed: once
  Booked: once, after Placed
"""


def test_events_of_several_sources_meet_in_a_case_by_linked_keys(taken: Taken) -> None:
    orders = [
        line("Placed", f"2026-01-01T0{n}:00:00Z", str(n), f"o{n}", payment=f"p{n}" if n < 3 else None) for n in range(4)
    ]
    bank = [line("Booked", f"2026-01-02T0{n}:00:00Z", None, f"b{n}", payment=f"p{n}") for n in (0, 2, 7)]
    ledger, intake = taken(loads(LINKED), {"orders": orders, "bank": bank}, as_of=FOREVER)
    assert [(it.matched, it.orphan) for it in intake.accounts] == [(4, 0), (2, 1)]
    ledger.judge(FOREVER)
    assert [(it.case, it.kind) for it in ledger.findings()] == [("1", "missing"), ("3", "missing")]
    assert [event.type for event in ledger.events(["2"])["2"]] == ["Placed", "Booked"]


def test_findings_come_worst_first_and_are_the_same_in_part(taken: Taken) -> None:
    ledger, _ = taken(loads(SHORT), story_lines(), as_of=FOREVER)
    ledger.judge(FOREVER)
    found = list(ledger.findings())
    severity = {x: it.severity for x, it in enumerate(ledger.workflow.audited())}
    rank = ["critical", "error", "warning", "info"]
    order = [(rank.index(severity[it.x]), it.since, it.case, it.x) for it in found]
    assert order == sorted(order)
    assert len({it.id for it in found}) == len(found) == ledger.finding_count()
    assert list(ledger.findings(5)) == found[:5]
    firsts = {x: [it for it in found if it.x == x][:2] for x in {it.x for it in found}}
    assert sorted(ledger.examples(2), key=found.index) == sorted(
        (it for of_x in firsts.values() for it in of_x), key=found.index
    )
    worst = ledger.worst_cases(3)
    assert len(worst) == 3
    assert worst[0] == min({it.case for it in found}, key=lambda case: _badness(found, case, rank, severity))
    width, periods = ledger.findings_over_time()
    dated = [it for it in found if it.since < FOREVER]
    assert sum(n for _, _, n in periods) == len(dated)
    assert all(start % width == 0 for start, _, _ in periods)


def _badness(found: Sequence[Any], case: str, rank: Sequence[str], severity: Mapping[int, str]) -> tuple[Any, ...]:
    own = [it for it in found if it.case == case]
    return min(rank.index(severity[it.x]) for it in own), -len(own), min(it.since for it in own), case


def test_written_files_hold_every_finding_and_every_case(taken: Taken, tmp_path: Path) -> None:
    ledger, _ = taken(loads(SHORT), story_lines(), as_of=FOREVER)
    ledger.judge(FOREVER)
    ledger.write_findings(tmp_path / "findings.csv")
    with (tmp_path / "findings.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["id"], row["case"]) for row in rows] == [(it.id, it.case) for it in ledger.findings()]
    assert {row["since"][-3:] for row in rows if row["since"]} == {"+00"}
    ledger.write_cases(tmp_path / "cases.jsonl")
    cases = [json.loads(text) for text in (tmp_path / "cases.jsonl").read_text().splitlines()]
    assert Counter(case["status"] for case in cases) == Counter(ledger.case_counts())
    assert [case["case"] for case in cases] == sorted(case["case"] for case in cases)
    with pytest.raises(UsageError, match="format"):
        ledger.write_cases(tmp_path / "cases.docx")


ODD = [
    "it's",
    'a "b"',
    "back\\slash",
    "\\N",
    "tab\there",
    "two\nlines",
    "cr\r",
    "ünï",
    "Z",
    "a",
    "B",
    "ß",
    "ﬀ",
    "%_",
    "🙂",
    "\\.",
]


def test_odd_texts_stay_what_they_are_and_are_ordered_by_code_points(taken: Taken) -> None:
    lines = [line("Paid", f"2026-01-01T00:00:{n:02}Z", case, id=case) for n, case in enumerate(ODD)]
    ledger, _ = taken(loads(ORDERS), {"log": lines}, as_of=FOREVER)
    ledger.judge(FOREVER)
    assert {case: [it.id for it in events] for case, events in ledger.events(ODD).items()} == {case: [case] for case in ODD}
    lines = [line("Paid", "2026-01-01T00:00:00Z", case, id=case) for case in ODD]
    ledger, _ = taken(loads(ORDERS), {"log": lines}, as_of=FOREVER)
    ledger.judge(FOREVER)
    for x in range(len(ledger.workflow.audited())):
        found = [it.case for it in ledger.findings() if it.x == x]
        assert found in ([], sorted(ODD))
    assert {it.activation for it in ledger.findings() if it.activation} == set(ODD)


def test_cases_that_look_alike_are_told_nearest_first(taken: Taken) -> None:
    lines = [line("Paid", "2026-01-01T00:00:00Z", case, id=case) for case in ("order-1234", "order-1334", "invoice-7", "x")]
    ledger, _ = taken(loads(ORDERS), {"log": lines}, as_of=FOREVER)
    assert ledger.similar_cases("order-1235", 2) == ["order-1234", "order-1334"]
    assert ledger.similar_cases("ordre-1234", 1) == ["order-1234"]
    assert ledger.events(["no such"]) == {"no such": []}


WIDE = "_".join(["attribute"] * 9)

LONG_NAMES = f"""\
workflow: long
keys: order
sources: {{log: {{type: type, time: time, id: id, key: order}}}}
events:
  A: {{capture: {{{WIDE}_a: {{value: a, type: integer}}, {WIDE}_b: {{value: b, type: integer}}}}}}
  B:
rules:
  - response: [A, B]
    when: {WIDE}_a = 1 AND {WIDE}_b = 2
  - absence: A
    n: 2
    when: {WIDE}_a = 1 AND {WIDE}_b = 3
"""


def test_names_that_begin_alike_are_not_taken_for_each_other(taken: Taken) -> None:
    lines = [
        line("A", "2026-01-01T00:00:00Z", "1", "a", a=1, b=2),
        line("A", "2026-01-01T00:00:01Z", "2", "b", a=2, b=1),
        line("A", "2026-01-01T00:00:01Z", "3", "c", a=1, b=3),
        line("A", "2026-01-01T00:00:02Z", "3", "d", a=1, b=3),
    ]
    ledger, _ = taken(loads(LONG_NAMES), {"log": lines}, as_of=FOREVER)
    ledger.judge(FOREVER)
    assert {(it.case, it.x) for it in ledger.findings() if it.x < 2} == {("1", 0), ("3", 1)}
    _as_the_judge_says(ledger, FOREVER)


EXACTLY = "{n: {value: n, type: integer}, d: {value: d, type: decimal, digits: 38, scale: 9}, m: {value: m, type: decimal}}"

EXACT = f"""\
workflow: exact
keys: order
sources: {{log: {{type: type, time: time, id: id, key: order}}}}
events:
  A: {{capture: {EXACTLY}}}
  B: {{capture: {EXACTLY}}}
rules:
  - response: [A, B]
    where: a.n = b.n AND a.d = b.d AND a.m * 3 = b.m
    within: 1us
"""


def test_numbers_and_times_are_exact_to_the_last_digit(taken: Taken) -> None:
    large, fine = 2**63 - 1, "12345678901234567890123456789.000000001"
    lines = []
    for case, n, d, m, second in (
        ("same", large, fine, "0.3", "00.000001"),
        ("another integer", large - 1, fine, "0.3", "00.000001"),
        ("another digit", large, fine[:-1] + "2", "0.3", "00.000001"),
        ("another product", large, fine, "0.3001", "00.000001"),
        ("a microsecond later", large, fine, "0.3", "00.000002"),
    ):
        lines += [
            line("A", "2199-01-01T00:00:00Z", case, f"{case} a", n=large, d=fine, m="0.1"),
            line("B", f"2199-01-01T00:00:{second}Z", case, f"{case} b", n=n, d=d, m=m),
        ]
    ledger, _ = taken(loads(EXACT), {"log": lines}, as_of=FOREVER)
    ledger.judge(FOREVER)
    assert [it.case for it in ledger.findings() if it.x == 0] == sorted(
        ["another integer", "another digit", "another product", "a microsecond later"]
    )
    _as_the_judge_says(ledger, FOREVER)


def test_two_ledgers_on_one_engine_do_not_see_each_other(taken: Taken) -> None:
    one, _ = taken(loads(ORDERS), {"log": [line("Placed", "2026-01-01T00:00:00Z", "1", "a")]}, as_of=FOREVER)
    other, _ = taken(loads(ORDERS), {"log": [line("Paid", "2026-01-01T00:00:00Z", "2", "a")]}, as_of=FOREVER)
    other.judge(FOREVER)
    one.judge(FOREVER)
    assert {it.case for it in one.findings()} == {"1"}
    assert {it.case for it in other.findings()} == {"2"}


def test_thousands_of_cases_are_counted_as_the_judge_counts_them(taken: Taken) -> None:
    ledger, _ = taken(loads(SHORT), many_cases(700), as_of=FOREVER)
    ledger.judge(FOREVER)
    _as_the_judge_says(ledger, FOREVER, [f"c{n}" for n in range(700)])


@pytest.mark.parametrize("log", LOGS)
def test_the_known_verdicts(ground: Ground, log: str) -> None:
    answers = known_answers(log)
    rows = [(case, event) for case, events in answers.cases.items() for event in events]
    found = ground.verdicts(compile_plan(answers.workflow, FOREVER), rows)
    wrong = [
        f"{case}: {verdict.expectation} is {verdict.status}"
        for case, satisfied in answers.satisfied.items()
        for verdict, expected in zip(found[case].verdicts, satisfied, strict=True)
        if expected != (verdict.status in (Status.SATISFIED, Status.VACUOUS))
    ]
    assert wrong[:10] == []


def _as_the_judge_says(ledger: PlannedLedger, as_of: int, cases: Sequence[str] = ()) -> None:
    """All that the ledger counts and lists is what the reference judge says of the events that the ledger has."""
    workflow = ledger.workflow
    traces: dict[str, list[Event]] = ledger.events(cases or [f"c{n}" for n in range(60)] + list("123") + _EXACT_CASES)
    judge = Judge(workflow)
    meant: dict[str, CaseVerdict] = {case: judge.judge(events, as_of) for case, events in traces.items() if events}
    assert meant
    assert ledger.case_counts() == dict(Counter(str(verdict.status) for verdict in meant.values()))
    listed = {(it.case, it.x, it.kind, it.since, it.type, it.time, it.activation): it.id for it in ledger.findings()}
    assert set(listed) == {
        (case, x, it.kind, it.since, it.type, it.time, it.activation)
        for case, verdict in meant.items()
        for x, of_x in enumerate(verdict.verdicts)
        for it in of_x.violations
    }
    assert len(set(listed.values())) == ledger.finding_count()
    for x, (name, counts) in enumerate(zip(names(workflow), ledger.expectation_counts(), strict=True)):
        of_x = [verdict.verdicts[x] for verdict in meant.values()]
        by_status = Counter(str(it.status) for it in of_x)
        told = {
            "satisfied": counts.satisfied,
            "vacuous": counts.vacuous,
            "pending": counts.pending,
            "violated": counts.violated,
        }
        assert +Counter(told) == by_status, name
        assert counts.activations == sum(it.activations for it in of_x), name
        assert counts.fulfilled == sum(it.fulfilled for it in of_x), name
        assert counts.pending_activations == sum(it.pending for it in of_x), name
        assert counts.findings == sum(len(it.violations) for it in of_x) == sum(counts.kinds.values()), name
    named = [(case, it) for case, events in traces.items() for it in events if it.type in workflow.events]
    identities = {(case, it.type, it.id or it) for case, it in named}
    assert sum(ledger.event_counts().values()) == len(identities)


_EXACT_CASES = ["same", "another integer", "another digit", "another product", "a microsecond later"]
