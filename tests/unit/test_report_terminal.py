"""The report on the terminal: what it says, that its sums are right, and that nothing in the data drives the terminal."""

from __future__ import annotations

import re
from decimal import Decimal

import msgspec
import pytest
from rich.cells import cell_len

import report_samples as samples
from sagacity.reconcile.result import Explanation
from sagacity.report.case import case_view, values
from sagacity.report.explanation import render_explanation
from sagacity.report.terminal import render
from sagacity.workflow.model import Assert, EventType, Source, Workflow
from sagacity.workflow.trace import FOREVER, Event
from sagacity.workflow.verdict import CaseVerdict, Verdict, Violation
from sagacity.workflow.words.naming import names

ALL = (samples.realistic, samples.clean, samples.empty, samples.huge, samples.hostile)


def test_the_first_lines_say_what_was_judged_and_the_verdict() -> None:
    said = render(samples.realistic(), 100)
    assert said.startswith(
        "order 3, as of 2026-11-16 00:00:00Z\n21,331 events in 3,214 cases, judged in 0.38 s, 55,549 events/s"
    )
    assert "358 of 3,214 cases are violated (11.1 %), with 366 findings." in said


@pytest.mark.parametrize("width", [80, 160])
def test_the_records_of_each_source_add_up_in_the_text(width: int) -> None:
    said = render(samples.realistic(), width)
    heading = next(line for line in said.replace("4\nrejected", "4 rejected").splitlines() if line.startswith("Records: "))
    numbers = [int(number.replace(",", "")) for number in re.findall(r"[\d,]+(?= |$)", heading.removeprefix("Records: "))]
    assert numbers[0] == sum(numbers[1:]) == 21_456
    assert "3,391" in said


def test_findings_stand_worst_severity_first_with_kinds_and_owner() -> None:
    said = render(samples.realistic(), 80)
    order = [said.index(f" {name}\n") for name in ("paid within 15m", "shipped within 3d", "checked within 24h")]
    assert order == sorted(order)
    assert re.search(r"critical, payments: \d+ late, \d+ missing", said)


def test_a_clean_log_has_no_empty_tables() -> None:
    said = render(samples.clean(), 80)
    assert "All 120 cases are complete." in said
    assert "Findings by" not in said
    assert "sagacity show order.workflow.yaml" in said


def test_no_case_at_all_is_said_plainly() -> None:
    assert "There is no case to judge." in render(samples.empty(), 80)


def test_commands_to_go_on_with_are_quoted_for_a_shell() -> None:
    result = samples.clean()
    account = msgspec.structs.replace(result.accounts[0], given="my events/*.jsonl")
    said = render(msgspec.structs.replace(result, accounts=(account,)), 80, workflow_path="my flow.yaml")
    assert "sagacity check 'my flow.yaml' --source 'orders=my events/*.jsonl' --as-of end --html report.html" in said
    assert "--html" not in render(result, 80, html_hint=False)


def test_a_command_to_go_on_with_judges_as_of_the_same_instant() -> None:
    result = samples.realistic()
    assert "--as-of 2026-11-16T00:00:00Z --html report.html" in render(result, 200)


def test_a_command_to_go_on_with_leaves_out_a_source_that_lies_where_the_workflow_says() -> None:
    result = samples.clean()
    account = msgspec.structs.replace(result.accounts[0], given="flows/events/*.jsonl")
    source = Source(path="events/*.jsonl")
    workflow = msgspec.structs.replace(result.workflow, sources={**result.workflow.sources, account.source: source})
    result = msgspec.structs.replace(result, workflow=workflow, accounts=(account,))
    assert "--source" not in render(result, 120, workflow_path="flows/order.yaml")
    assert "--source 'orders=flows/events/*.jsonl'" in render(result, 120, workflow_path="elsewhere/order.yaml")


def test_orphans_are_said_to_lack_a_key_only_where_there_is_one_key() -> None:
    result = samples.realistic()
    one, several = (
        msgspec.structs.replace(result, workflow=msgspec.structs.replace(result.workflow, keys=keys))
        for keys in (("order",), ("order", "payment"))
    )
    assert "no case key" in render(one, 160)
    assert "no case key" not in render(several, 160)
    assert "no key that leads to one case" in render(several, 160)


def test_event_types_that_were_not_counted_are_not_said_to_be_absent() -> None:
    said = " ".join(render(msgspec.structs.replace(samples.realistic(), event_counts={}), 80).split())
    assert "no event at all" not in said


def test_an_expectation_that_never_applied_and_an_absent_event_type_are_pointed_out() -> None:
    result = samples.realistic()
    idle = msgspec.structs.replace(result.tallies[7], satisfied=0, violated=0, pending=0, vacuous=result.cases.total)
    result = msgspec.structs.replace(
        result,
        tallies=(*result.tallies[:7], idle, *result.tallies[8:]),
        event_counts={**result.event_counts, "ItemReserved": 0},
    )
    said = " ".join(render(result, 80).split())
    assert "no event at all of ItemReserved" in said
    assert "1 expectation never applied to any case: alternate_response(ItemReserved, ItemShipped)" in said


@pytest.mark.parametrize(("failing", "named", "rest"), [(16, 16, None), (17, 15, "and 2 expectations more with findings")])
def test_the_table_never_leaves_out_one_expectation_alone(failing: int, named: int, rest: str | None) -> None:
    result = samples.realistic()
    failed = next(tally for tally in result.tallies if tally.findings)
    tallies = tuple(msgspec.structs.replace(failed, name=f"rule number {n}") for n in range(failing))
    said = render(msgspec.structs.replace(result, tallies=tallies), 120)
    rows = [line for line in said.splitlines() if line.startswith("rule number") and "█" in line]
    assert len(rows) == named
    assert ("more with findings" in said) == (rest is not None)
    assert rest is None or rest in said


@pytest.mark.parametrize(
    ("clean", "said"),
    [
        (0, "of 3 expectations, none is without findings"),
        (1, "of 3 expectations, 1 is without findings"),
        (2, "of 3 expectations, 2 are without findings"),
    ],
)
def test_how_many_expectations_have_no_finding_is_said_in_a_sentence(clean: int, said: str) -> None:
    result = samples.realistic()
    failed = next(tally for tally in result.tallies if tally.findings)
    tallies = tuple(msgspec.structs.replace(failed, name=f"r{n}", findings=0 if n < clean else 4) for n in range(3))
    assert said in " ".join(render(msgspec.structs.replace(result, tallies=tallies), 120).split())


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("width", [60, 80, 160])
def test_no_line_is_wider_than_the_terminal_save_for_commands(make: object, width: int) -> None:
    result = make()  # type: ignore[operator]
    said = render(result, width)
    wide = [line for line in said.splitlines() if cell_len(line) > width and not line.startswith("    sagacity ")]
    assert wide == []


@pytest.mark.parametrize("make", ALL)
def test_plain_text_holds_no_control_character(make: object) -> None:
    result = make()  # type: ignore[operator]
    texts = [render(result, 80), *(render_explanation(result.workflow, case, result.as_of, 80) for case in result.worst)]
    for text in texts:
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


def test_colour_brings_only_colours() -> None:
    result = samples.hostile()
    coloured = render(result, 80, color=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured).count("\x1b") == 0


def test_an_explanation_shows_gaps_attributes_ghosts_and_reasons() -> None:
    result = samples.realistic()
    said = render_explanation(result.workflow, result.worst[0], result.as_of, 120)
    assert "case 123 of order is violated" in said
    assert "+1h 32m" in said
    assert "amount 4.50 EUR" in said
    assert "ItemShipped was due (missing)" in said
    assert "it was due by 2026-11-01 10:15:00Z" in " ".join(said.split())
    assert "does not apply: no ItemShipped" in said


@pytest.mark.parametrize(
    ("stored", "shown"),
    [("4.5000", "4.50"), ("4.1250", "4.125"), ("4.0000", "4.00"), ("4.5", "4.5"), ("400", "400"), ("-1E+3", "-1000")],
)
def test_amounts_are_shown_without_the_zeros_that_a_column_adds(stored: str, shown: str) -> None:
    event = Event("OrderPlaced", 0, attributes={"amount": Decimal(stored), "amount.currency": "EUR"})
    assert values(event) == [("amount", f"{shown} EUR")]


def test_the_event_that_broke_an_immediate_assert_is_marked() -> None:
    workflow = Workflow(
        name="w",
        events={name: EventType("s") for name in "AB"},
        expectations=(Assert(predicate="A.x = B.x", immediate=True),),
    )
    (name,) = names(workflow)
    verdict = CaseVerdict((Verdict(name, 1, 0, 0, (Violation("mismatch", 5),)),), False, 0, FOREVER)
    view = case_view(workflow, Explanation("1", (Event("A", 0), Event("B", 5)), verdict), 9)
    assert [entry.involved for entry in view.happened] == [(), ((name, "mismatch"),)]


def test_the_timeline_stands_in_the_order_of_time_ghosts_included() -> None:
    result = samples.realistic()
    said = render_explanation(result.workflow, result.worst[0], result.as_of, 120).split("Expectations")[0]
    times = re.findall(r"^. +(\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ)", said, re.M)
    assert len(times) == 10
    assert times == sorted(times)


def test_a_pending_expectation_says_when_it_is_due() -> None:
    result = samples.realistic()
    said = render_explanation(result.workflow, result.worst[2], result.as_of, 120)
    assert "pending: ItemShipped is due by 2026-11-18 21:08:00Z, in 2d 21h" in said


def test_the_commands_that_are_proposed_call_the_program_as_it_can_be_called() -> None:
    said = render(samples.realistic(), 120, program=".venv/bin/sagacity")
    commands = [line.strip() for line in said.split("\nNext\n")[1].splitlines() if line.startswith("    ")]
    assert commands
    assert all(command.startswith(".venv/bin/sagacity ") for command in commands)
