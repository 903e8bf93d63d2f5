"""What history suggests beyond a workflow that is there, and its file with what was accepted of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sagacity.cli.main import run
from sagacity.discover.accepting import accepted
from sagacity.reconcile.extension import Extension
from sagacity.workflow.language.reader import load, loads, read

WORKFLOW = """\
# Agreed upon in May.
workflow: booking
keys: booking
owner: depot          # Anna answers for it

sources:
  log: {format: jsonl, path: events, key: data.booking}

events:
  Booked: {type: PickupBooked}     # the customer's wish
  Paid: {type: InvoicePaid, owner: billing}
  Taken: {type: ParcelCollected}

begins: Booked
ends: Taken
timeout: 30d

expect:
  Booked: once
  Paid:
    - at most once
    - within 40m of Booked         # promised

rules:
  - name: what is paid is taken
    response: [Paid, Taken]
    within: 3d

accepted:
  Paid at most once: {held: 99, of: 99, by: anna, date: 2026-05-01}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hundred bookings, of which the second hundred are asked for a rating: an event that the workflow does not name."""
    events = tmp_path_factory.mktemp("bookings") / "events"
    events.mkdir()
    start = datetime(2026, 9, 1, tzinfo=UTC)
    with (events / "2026-09.jsonl").open("w", encoding="utf-8") as out:
        for n in range(200):
            steps = [("PickupBooked", 0), ("InvoicePaid", 5 + n % 20), ("ParcelCollected", 300 + 7 * (n % 30))]
            steps += [("RatingAsked", 700 + 3 * (n % 50))] if n >= 100 else []
            for kind, minutes in steps:
                when = start + timedelta(hours=3 * n, minutes=minutes)
                data = {"booking": f"B{n}", **({"price": 10 + n % 9} if kind in ("PickupBooked", "InvoicePaid") else {})}
                out.write(json.dumps({"id": f"{kind}{n}", "type": kind, "time": when.isoformat(), "data": data}) + "\n")
    return events.parent


@pytest.fixture
def workflow(folder: Path, tmp_path: Path) -> Path:
    path = tmp_path / "booking.workflow.yaml"
    path.write_text(WORKFLOW.replace("path: events", f"path: {folder / 'events'}"), encoding="utf-8")
    return path


def test_what_the_file_does_not_say_is_listed_and_nothing_written(
    workflow: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = workflow.read_text(encoding="utf-8")
    assert run(["discover", "--into", str(workflow)]) == 0
    said = capsys.readouterr().out
    assert "RatingAsked at most once" in said
    assert "Taken once" in said
    assert "Paid.price = Booked.price" in said
    assert "Nothing is written yet" in said
    assert "Paid within" not in said
    assert "begins with" not in said
    assert workflow.read_text(encoding="utf-8") == before


def test_what_is_accepted_is_added_and_all_else_stays(workflow: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = workflow.read_text(encoding="utf-8")
    assert run(["discover", "--into", str(workflow), "--accept", "all", "--by", "bea"]) == 0
    assert "new rules, each with where it came from" in capsys.readouterr().out
    after = workflow.read_text(encoding="utf-8")
    gone = set(before.splitlines()) - set(after.splitlines())
    assert all(line.startswith(("  Booked: {", "  Paid: {type")) for line in gone)  # an attribute of each is captured now
    assert "# the customer's wish" in after
    stated, found = loads(before), load(workflow)
    assert set(stated.expectations) < set(found.expectations)
    assert stated.accepted.items() < found.accepted.items()
    assert {origin.by for origin in found.accepted.values()} == {"anna", "bea"}
    assert len(found.accepted) - 1 == len(found.expectations) - len(stated.expectations)
    assert (found.owner, found.events["Paid"].owner) == ("depot", "billing")
    assert "RatingAsked" in found.events
    assert read(after)[1] == ()
    assert run(["check", str(workflow), "--as-of", "end", "--quiet"]) == 0


def test_what_was_added_is_not_proposed_again(workflow: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["discover", "--into", str(workflow), "--accept", "all", "--quiet"]) == 0
    once = workflow.read_text(encoding="utf-8")
    assert run(["discover", "--into", str(workflow)]) == 0
    assert "Nothing is written yet" not in capsys.readouterr().out
    assert run(["discover", "--into", str(workflow), "--accept", "all"]) == 0
    assert "was left as it is" in capsys.readouterr().out
    assert workflow.read_text(encoding="utf-8") == once


def test_each_rule_can_be_accepted_by_itself_and_makes_a_workflow_without_mistakes(workflow: Path) -> None:
    stated = load(workflow)
    with Extension(workflow, {}) as extension:
        proposal = extension.propose()
    assert len(proposal.rules) >= 5
    for place, rule in enumerate(proposal.rules):
        text = accepted(proposal, {place}, by="bea", date="2026-11-23")
        found, problems = read(text)
        assert problems == ()
        assert found is not None
        assert set(found.expectations) == {*stated.expectations, rule.expectation}
        assert found.accepted.keys() - stated.accepted.keys() == {rule.name}


def test_a_rule_is_accepted_by_its_name_and_written_elsewhere(
    workflow: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, out = workflow.read_text(encoding="utf-8"), tmp_path / "other.yaml"
    arguments = ["discover", "--into", str(workflow), "-o", str(out), "--accept"]
    assert run([*arguments, "Taken once"]) == 0
    assert ": Taken once\n" in capsys.readouterr().out
    assert load(out).accepted.keys() == {"Paid at most once", "Taken once"}
    assert workflow.read_text(encoding="utf-8") == before
    assert run([*arguments, "Taken onec", "--force"]) == 2
    assert "did you mean 'Taken once'?" in capsys.readouterr().err


def test_other_files_are_learnt_from_where_they_are_named(
    folder: Path, workflow: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = workflow.read_text(encoding="utf-8").replace(str(folder / "events"), "nowhere")
    workflow.write_text(moved, encoding="utf-8")
    assert run(["discover", "--into", str(workflow)]) == 3
    assert run(["discover", str(folder / "events"), "--into", str(workflow)]) == 0
    assert run(["discover", f"log={folder / 'events'}", "--into", str(workflow)]) == 0
    assert "RatingAsked" in capsys.readouterr().out


def test_the_workflow_says_which_fields_are_read(workflow: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["discover", "--into", str(workflow), "--case", "booking"]) == 2
    assert "the workflow says" in capsys.readouterr().err
    assert run(["discover"]) == 2
    assert run(["discover", "--into", str(workflow.parent / "absent.yaml")]) == 2


def test_what_has_no_place_in_the_file_is_told(workflow: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = workflow.read_text(encoding="utf-8")
    head, _, rest = text.partition("rules:\n")
    flow = "rules: [{response: [Paid, Taken], within: 3d}]\n\n" + rest[rest.index("accepted:") :]
    workflow.write_text(head + flow, encoding="utf-8")
    assert run(["discover", "--into", str(workflow)]) == 0
    said = capsys.readouterr().out
    assert "'rules' stands in brackets" in said
    assert "RatingAsked at most once" in said


def test_a_workflow_in_which_two_keys_link_is_learnt_for_over_both(tmp_path: Path) -> None:
    """Payments know of no order; the request that names both is what ties them to it."""
    start = datetime(2026, 9, 1, tzinfo=UTC)
    with (tmp_path / "events.jsonl").open("w", encoding="utf-8") as out:
        for n in range(120):
            for minutes, kind, keys in (
                (0, "Ordered", {"order": f"O{n}"}),
                (1 + n % 5, "PaymentAsked", {"order": f"O{n}", "payment": f"P{n}"}),
                (9 + n % 7, "Paid", {"payment": f"P{n}"}),
            ):
                when = start + timedelta(hours=n, minutes=minutes)
                out.write(json.dumps({"id": f"{kind}{n}", "type": kind, "time": when.isoformat(), "data": keys}) + "\n")
    path = tmp_path / "order.workflow.yaml"
    path.write_text(
        "workflow: order\nkeys: [order, payment]\nsources:\n"
        "  log: {format: jsonl, path: events.jsonl, key: {order: data.order, payment: data.payment}}\n"
        "events:\n  Ordered:\n  PaymentAsked:\n\nends: Paid\n".replace("ends: Paid\n", "timeout: 1d\n"),
        encoding="utf-8",
    )
    assert run(["discover", "--into", str(path), "--accept", "all", "--quiet"]) == 0
    rules = [*load(path).accepted]
    assert any(name.startswith("Paid within") and name.endswith("of PaymentAsked") for name in rules)
    assert run(["check", str(path), "--as-of", "end", "--quiet"]) == 0


def test_that_a_key_equals_itself_is_no_news(workflow: Path) -> None:
    text = workflow.read_text(encoding="utf-8")
    text = text.replace("{type: PickupBooked}", "{type: PickupBooked, capture: {number: data.booking}}")
    workflow.write_text(
        text.replace("owner: billing}", "owner: billing, capture: {number: data.booking}}"), encoding="utf-8"
    )
    with Extension(workflow, {}) as extension:
        proposal = extension.propose()
    assert proposal.rules
    assert not any("number" in rule.name for rule in proposal.rules)
