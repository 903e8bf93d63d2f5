"""Events that are tied together by several fields: by keys that link, by another name in another source or event."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sagacity.cli.main import run
from sagacity.workflow.language.reader import load
from sagacity.workflow.model import Rule

START = datetime(2026, 9, 1, tzinfo=UTC)
CASES = 150


def _jsonl(path: Path, steps: Iterable[tuple[int, str, Mapping[str, str]]]) -> None:
    """Events of each case: minutes after its beginning, a type, and fields, in which # stands for the number of the case."""
    with path.open("w", encoding="utf-8") as out:
        for n in range(CASES):
            for minutes, kind, keys in steps:
                when = (START + timedelta(hours=n, minutes=minutes + n % 7)).isoformat()
                data = {name: text.replace("#", str(n)) for name, text in keys.items()}
                out.write(json.dumps({"id": f"{kind}{n}", "type": kind, "time": when, "data": data}) + "\n")


def _csv(path: Path, head: str, row: str, minutes: int) -> None:
    rows = [head]
    for n in range(CASES):
        when = (START + timedelta(hours=n, minutes=minutes + n % 5)).isoformat()
        rows.append(row.replace("#", str(n)).replace("@", when))
    path.write_text("\n".join(rows), encoding="utf-8")


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    """Payments know of no order; the request that names both is what ties them to it."""
    path = tmp_path / "events.jsonl"
    both = {"order": "O#", "payment": "P#"}
    _jsonl(path, [(0, "Ordered", {"order": "O#"}), (9, "PaymentAsked", both), (20, "Paid", {"payment": "P#"})])
    return path


def test_keys_that_link_are_learnt_over_together(linked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "order.workflow.yaml"
    assert run(["discover", str(linked)]) == 0
    assert f"Next: sagacity discover {linked} --case data.order --case data.payment" in capsys.readouterr().out
    assert run(["discover", str(linked), "--case", "data.order", "--case", "payment", "-o", str(out)]) == 0
    assert f"of {CASES} cases" in capsys.readouterr().out
    workflow = load(out)
    assert workflow.keys == ("order", "payment")
    assert workflow.begins == ("Ordered",)
    rules = {(rule.template, rule.events) for rule in workflow.expectations if isinstance(rule, Rule)}
    assert ("response", ("PaymentAsked", "Paid")) in rules
    assert ("exactly", ("Paid",)) in rules
    assert run(["check", str(out), "--as-of", "end", "--quiet"]) == 0


def test_a_key_that_links_nothing_more_is_told(linked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["discover", str(linked), "--case", "order", "--case", "customer"]) == 2
    assert "has no field 'customer'" in capsys.readouterr().err


@pytest.fixture
def services(tmp_path: Path) -> Path:
    """Two services, each with a file of its own, that call the order otherwise."""
    folder = tmp_path / "services"
    folder.mkdir()
    _csv(folder / "orders.csv", "order_id,type,time,channel", "O-#,Ordered,@,web", 0)
    _csv(folder / "bank.csv", "reference,event,at", "O-#,Paid,@", 15)
    return folder


def test_a_source_that_calls_the_key_otherwise_is_known_by_its_values(
    services: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "order.workflow.yaml"
    assert run(["discover", str(services)]) == 0
    assert "100% of the values of reference are values of order_id of 'orders'" in capsys.readouterr().out
    assert run(["discover", str(services), "--case", "order_id", "-o", str(out)]) == 0
    assert "in 'bank', reference is taken for order_id of 'orders'" in capsys.readouterr().out
    workflow = load(out)
    assert {source.keys["order_id"] for source in workflow.sources.values()} == {"order_id", "reference"}
    assert any(rule.events == ("Ordered", "Paid") for rule in workflow.expectations if isinstance(rule, Rule))
    assert run(["check", str(out), "--as-of", "end", "--quiet"]) == 0


def test_small_numbers_in_common_say_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _csv(tmp_path / "orders.csv", "order_id,type,time", "#,Ordered,@", 0)
    _csv(tmp_path / "cats.csv", "cat,event,at", "#,Fed,@", 15)
    assert run(["discover", str(tmp_path)]) == 0
    assert "of the values" not in capsys.readouterr().out
    assert run(["discover", str(tmp_path), "--case", "order_id"]) == 2
    assert "source 'cats' has no field 'order_id'" in capsys.readouterr().err


def test_events_of_one_source_that_call_the_key_otherwise_are_one_case(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, out = tmp_path / "events.jsonl", tmp_path / "order.workflow.yaml"
    _jsonl(
        log,
        [(0, "Ordered", {"order": "O-#"}), (9, "Packed", {"order": "O-#"}), (20, "Paid", {"ref": "O-#"}),
         (30, "Booked", {"ref": "O-#"})],
    )  # fmt: skip
    assert run(["discover", str(log)]) == 0
    said = capsys.readouterr().out
    assert "values of data.ref are values of data.order." in said
    assert "--case data.order --case data.ref" in said
    assert run(["discover", str(log), "--case", "order", "--case", "ref", "-o", str(out)]) == 0
    assert "data.ref is taken for data.order" in capsys.readouterr().out
    workflow = load(out)
    assert workflow.keys == ("order",)
    assert workflow.sources["log"].keys == {"order": "COALESCE(data.order, data.ref)"}
    assert any(rule.events == ("Packed", "Paid") for rule in workflow.expectations if isinstance(rule, Rule))
    assert run(["check", str(out), "--as-of", "end", "--quiet"]) == 0


def test_a_key_that_stands_beside_the_other_links_though_it_has_its_values(tmp_path: Path) -> None:
    """An order that was split: its part names the order that it came of, which is an order as well."""
    log, out = tmp_path / "events.jsonl", tmp_path / "order.workflow.yaml"
    part = {"order": "O-#", "parent": "O-#"}
    _jsonl(log, [(0, "Ordered", {"order": "O-#"}), (9, "Split", part), (20, "PartSent", {"parent": "O-#"})])
    assert run(["discover", str(log), "--case", "order", "--case", "parent", "-o", str(out), "--quiet"]) == 0
    assert load(out).keys == ("order", "parent")


def test_records_that_no_key_leads_to_a_case_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, out = tmp_path / "log.jsonl", tmp_path / "order.workflow.yaml"
    _jsonl(log, [(0, "Ordered", {"order": "O#"}), (9, "Paid", {"order": "O#"}), (20, "Beat", {"host": "h"})])
    assert run(["discover", str(log), "--case", "order", "-o", str(out)]) == 0
    said = (
        f"{CASES} of {3 * CASES} records carry no key that leads to a case, and nothing is learnt from them; among them all"
    )
    assert f"note: {said} of Beat" in capsys.readouterr().out
    text = out.read_text(encoding="utf-8")
    assert f"# Note: {said} of Beat." in text
    assert re.search(r"Beat: +# in no case", text)
    assert run(["discover", "--into", str(out)]) == 0
    assert f"note: {said} of Beat" in capsys.readouterr().out


def test_a_folder_of_several_formats_is_learnt_from_as_its_files_are(services: Path, tmp_path: Path) -> None:
    out = tmp_path / "order.workflow.yaml"
    _jsonl(services / "post.jsonl", [(40, "Sent", {"order_id": "O-#"})])
    assert run(["discover", str(services), "--case", "order_id", "-o", str(out), "--quiet"]) == 0
    workflow = load(out)
    assert set(workflow.events) == {"Ordered", "Paid", "Sent"}
    assert {source.format for source in workflow.sources.values()} == {"csv", "jsonl"}
    assert run(["check", str(out), "--as-of", "end", "--quiet"]) == 0


def test_what_the_file_cannot_name_is_named_in_the_command_that_is_to_follow(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, logs = tmp_path / "order.workflow.yaml", [tmp_path / "a" / "log.jsonl", tmp_path / "b" / "log.jsonl"]
    for log, (minutes, kind) in zip(logs, [(0, "Ordered"), (20, "Paid")], strict=True):
        log.parent.mkdir()
        _jsonl(log, [(minutes, kind, {"order": "O#"})])
    assert run(["discover", *map(str, logs), "--case", "order", "-o", str(out)]) == 0
    command = capsys.readouterr().out.rpartition("then: sagacity ")[2].split()
    assert command == ["check", str(out), "--source", f"log={logs[0]}", "--source", f"log={logs[1]}"]
    assert run([*command, "--as-of", "end", "--quiet"]) == 0


def test_a_file_that_is_given_twice_is_one(linked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "order.workflow.yaml"
    linked.with_name("other.jsonl").touch()
    assert run(["discover", str(linked), str(linked), "--case", "order", "--case", "payment", "-o", str(out)]) == 0
    assert "--source" not in capsys.readouterr().out
    assert run(["check", str(out), "--as-of", "end", "--quiet"]) == 0


def test_a_file_of_which_the_source_is_not_said_is_told_how_to_say_it(
    services: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "order.workflow.yaml"
    logs = [str(services / "bank.csv"), str(services / "orders.csv")]
    assert run(["discover", *logs, "--case", "order_id", "-o", str(out), "--quiet"]) == 0
    assert run(["discover", logs[1], "--into", str(out)]) == 2
    assert f"write orders={logs[1]}" in capsys.readouterr().err


def test_records_that_cannot_be_read_are_told_where_keys_and_event_types_are_listed(
    linked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with linked.open("a", encoding="utf-8") as out:
        out.write('{"id": "cut", "type": "Pa\nno json at all\n')
    assert run(["discover", str(linked)]) == 0
    assert "note: 2 records of 'log' could not be read" in capsys.readouterr().out
    assert run(["catalog", str(linked)]) == 0
    assert "note: 2 of the records of" in " ".join(capsys.readouterr().out.split())


def test_fields_that_are_taken_for_one_key_are_one_list_and_no_values_that_agree(tmp_path: Path) -> None:
    log, out = tmp_path / "log.jsonl", tmp_path / "order.workflow.yaml"
    names = ("order", "reference", "subject_of")
    _jsonl(log, [(9 * n, f"Step{n}", {name: "O-#"}) for n, name in enumerate(names * 2)])
    cases = [word for name in names for word in ("--case", name)]
    assert run(["discover", str(log), *cases, "-o", str(out), "--quiet"]) == 0
    workflow = load(out)
    assert workflow.sources["log"].keys == {"order": "COALESCE(data.order, data.reference, data.subject_of)"}
    assert not any(event.capture for event in workflow.events.values())
    assert all(isinstance(rule, Rule) for rule in workflow.expectations)


@pytest.fixture
def laboratory(tmp_path: Path) -> Path:
    """Three services in one log: each calls the sample otherwise, and one of them knows runs besides."""
    log = tmp_path / "laboratory.jsonl"
    asked = {"sample": "S-#", "run_id": "R-#"}
    steps = [(0, "Drawn", {"barcode": "S-#"}), (9, "RunAsked", asked), (20, "RunEnded", {"run_id": "R-#"})]
    _jsonl(log, [*steps, (30, "Analysed", {"sample": "S-#"}), (50, "Billed", {"ref": "S-#"})])
    return log


def test_all_fields_that_are_one_key_are_listed_with_their_types_and_go_into_the_command_that_follows(
    laboratory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "sample.workflow.yaml"
    assert run(["discover", str(laboratory)]) == 0
    said = capsys.readouterr().out
    for path, types in {"data.barcode": "Drawn", "data.ref": "Billed"}.items():
        lines = said[said.index(f"  {path}\n") :].splitlines()
        assert lines[2].strip() == types
    command = said.rpartition("Next: sagacity ")[2].split()
    assert set(command[3::2]) == {"data.barcode", "data.sample", "data.ref", "data.run_id"}
    assert run([*command, "-o", str(out)]) == 0
    told = capsys.readouterr().out
    assert f"{5 * CASES} events of {CASES} cases" in told
    assert "carry no key" not in told


def test_where_no_field_recurs_it_is_said_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "bills.jsonl"
    _jsonl(log, [(0, "Billed", {"ref": "S-#"})])
    assert run(["discover", str(log)]) == 0
    assert "Name it with --case" in capsys.readouterr().out


def test_services_whose_json_is_not_read_alike_are_sources_of_their_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "services", tmp_path / "order.workflow.yaml"
    folder.mkdir()
    rows = {"log": ("kind", "at", "order_id", "Ordered"), "bank": ("event", "ts", "reference", "Paid")}
    for minute, (name, (kind, time, key, called)) in enumerate(rows.items()):
        lines = [
            {kind: called, time: (START + timedelta(hours=n, minutes=minute)).isoformat(), key: f"O-{n}"}
            for n in range(CASES)
        ]
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    assert run(["discover", str(folder)]) == 0
    assert "values of reference are values of order_id" in capsys.readouterr().out
    assert run(["discover", str(folder), "--case", "order_id", "-o", str(out)]) == 0
    assert f"{2 * CASES} events of {CASES} cases" in capsys.readouterr().out
    assert {source.type for source in load(out).sources.values()} == {"kind", "event"}
    assert run(["check", str(out), "--as-of", "end", "--quiet"]) == 0
