"""`sagacity discover` as a command: files in, a workflow and a page out."""

from __future__ import annotations

import csv
import html
import re
from pathlib import Path

import pytest
from bench.planted import planted

from sagacity.cli.main import run
from sagacity.workflow.language.reader import load

_ORDERS = 400


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return planted(_ORDERS, seed=3).write(tmp_path_factory.mktemp("log") / "events.jsonl")


def test_a_workflow_and_a_page_are_written(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, page = tmp_path / "order.workflow.yaml", tmp_path / "page.html"
    assert run(["discover", str(log), "--case", "order_id", "-o", str(out), "--report", str(page)]) == 0
    assert f"of {_ORDERS} cases" in capsys.readouterr().out
    assert load(out).begins == ("OrderPlaced",)
    assert run(["check", str(out), "--as-of", "end", "--quiet"]) in (0, 1)
    text = page.read_text(encoding="utf-8")
    assert "What each threshold gives" in text
    assert "exclusive_choice(PaymentReceived, OrderCancelled)" in text
    assert "http" not in text.replace("http-equiv", "")
    shown = html.unescape(re.sub(r"<[^>]+>", "", text[text.index("<pre>") : text.index("</pre>")]))
    assert shown.startswith(out.read_text(encoding="utf-8"))


def test_the_numbers_of_summary_file_page_and_check_fit_together(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, page = tmp_path / "order.workflow.yaml", tmp_path / "page.html"
    assert run(["discover", str(log), "--case", "order_id", "-o", str(out), "--report", str(page)]) == 0
    said = capsys.readouterr().out
    stated, audited = len(load(out).expectations), len(load(out).audited())
    assert f": {stated} rules and how cases begin, about" in said
    assert f"judges by {audited} expectations" in said
    text = page.read_text(encoding="utf-8")
    assert f"{stated} rules and how cases begin" in text
    charts = re.findall(r"<h3><bdi>(.*?)</bdi></h3>", text)
    assert len(charts) == len(set(charts)) > 0
    assert not re.search(r"<text[^>]*>\d+\.\d{3,}s</text>", text)
    run(["check", str(out), "--as-of", "end"])
    assert f"; of {audited} expectations, " in capsys.readouterr().out


def test_an_end_before_all_events_is_told_as_that(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["discover", str(log), "--case", "order_id", "--until", "2001-01-01T00:00Z"]) == 2
    said = capsys.readouterr().err
    assert "records are of events after --until" in said
    assert "--case" not in said


def test_a_workflow_that_is_there_is_not_overwritten_unasked(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "order.workflow.yaml"
    out.write_text("mine", encoding="utf-8")
    assert run(["discover", str(log), "--case", "order_id", "-o", str(out)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert out.read_text(encoding="utf-8") == "mine"
    assert run(["discover", str(log), "--case", "order_id", "-o", str(out), "--force", "--quiet"]) == 0
    assert load(out).begins == ("OrderPlaced",)


def test_without_a_file_the_workflow_goes_to_standard_output(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["discover", str(log), "--case", "data.order_id"]) == 0
    assert "\nbegins: OrderPlaced" in capsys.readouterr().out


def test_without_a_key_candidates_are_listed(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["discover", str(log)]) == 0
    said = capsys.readouterr().out
    assert "data.order_id" in said.splitlines()[2]
    assert f"sagacity discover {log} --case data.order_id" in said


def test_a_key_that_no_record_has_is_told(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["discover", str(log), "--case", "customer"]) == 2
    said = capsys.readouterr().err
    assert "has no field 'customer'" in said
    assert "data.order_id" in said


def test_a_file_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["discover", str(tmp_path / "absent.jsonl"), "--case", "x"]) == 3
    assert "no such file" in capsys.readouterr().err


def test_names_and_values_that_mean_something_else_do_no_harm(tmp_path: Path) -> None:
    log, out, page = tmp_path / "odd.csv", tmp_path / "odd.workflow.yaml", tmp_path / "odd.html"
    odd = ['say "hi"', "yes: no # really", "<script>alert(1)</script>", "{a, b}"]
    with log.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["case id", "what", "when"])
        for case in range(60):
            for hour, name in enumerate(odd):
                writer.writerow([f"c{case}", name, f"2026-0{1 + case // 28}-{1 + case % 28:02}T0{hour}:{case:02}:00Z"])
    arguments = ["--case", "case id", "--type", "what", "--time", "when", "-o", str(out), "--report", str(page)]
    assert run(["discover", str(log), *arguments]) == 0
    workflow = load(out)
    assert set(workflow.events) == set(odd)
    assert len(workflow.expectations) >= len(odd)
    assert "<script>alert" not in page.read_text(encoding="utf-8")
    assert run(["check", str(out), "--as-of", "end", "--quiet"]) == 0


def test_a_control_character_in_the_data_does_no_harm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the id of a case against a rule, in an event's name, and in the log's own."""
    log, out = tmp_path / "odd\x7f.csv", tmp_path / "odd.workflow.yaml"
    rows = ["booking,what,when"]
    for case in range(60):
        called = f"c\x1b]0;{case}\x7f\u202e"
        rows += [f"{called},Made\x9b,2026-09-0{1 + case % 9}T01:{case:02}:00Z"]
        rows += [f"{called},Paid,2026-09-0{1 + case % 9}T02:{case:02}:00Z"] if case else []
    log.write_text("\n".join(rows), encoding="utf-8")
    arguments = ["discover", str(log), "--case", "booking", "--type", "what", "--time", "when"]
    assert run([*arguments, "-o", str(out), "--accept", "all", "--quiet"]) == 0
    assert set(load(out).events) == {"Made\x9b", "Paid"}
    assert "not c\\x1b]0;0\\x7f" in out.read_text(encoding="utf-8")
    assert run(arguments) == 0
    assert capsys.readouterr().out.replace("\n", "").isprintable()
    assert run(["check", str(out), "--source", f"log={log}", "--as-of", "end", "--quiet"]) == 1


def _booked(path: Path, cases: range, more: str = "") -> None:
    rows = [f"booking,type,time{',' + more if more else ''}"]
    for case in cases:
        for hour, kind in enumerate(("Made", "Paid")):
            rows.append(f"B{case},{kind},2026-09-{1 + case % 28:02}T0{hour}:00:00Z{',x' if more else ''}")
    path.write_text("\n".join(rows), encoding="utf-8")


@pytest.mark.parametrize("folder", [True, False])
@pytest.mark.parametrize("files", [2, 26])
def test_files_of_one_log_that_differ_by_a_column_are_one_source(files: int, folder: bool, tmp_path: Path) -> None:
    out = tmp_path / "workflows" / "booking.workflow.yaml"
    out.parent.mkdir()
    log = tmp_path / "log"
    log.mkdir()
    for number in range(files):
        _booked(log / f"m{number:02}.csv", range(60 * number, 60 * number + 60), "channel" if number == 1 else "")
    given = [str(log)] if folder else sorted(map(str, log.iterdir()))
    assert run(["discover", *given, "--case", "booking", "-o", str(out), "--quiet"]) == 0
    workflow = load(out)
    assert set(workflow.events) == {"Made", "Paid"}
    assert len(workflow.sources) == 1
    assert run(["check", str(out), "--as-of", "end", "--quiet"]) == 0


def test_files_of_a_folder_that_are_read_otherwise_are_sources_of_their_own(tmp_path: Path) -> None:
    log, out = tmp_path / "log", tmp_path / "booking.workflow.yaml"
    log.mkdir()
    _booked(log / "booked.csv", range(60))
    rows = [f"B{case},Sent,2026-09-{1 + case % 28:02}T05:00:00Z" for case in range(60)]
    (log / "sent.csv").write_text("\n".join(["Booking,event,at", *rows]), encoding="utf-8")
    assert run(["discover", str(log), "--case", "booking", "-o", str(out), "--quiet"]) == 0
    assert set(load(out).sources) == {"booked", "sent"}
    assert set(load(out).events) == {"Made", "Paid", "Sent"}
    assert run(["check", str(out), "--as-of", "end", "--quiet"]) == 0


def test_of_too_few_cases_nothing_is_learnt_and_it_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, out = tmp_path / "log.csv", tmp_path / "booking.workflow.yaml"
    _booked(log, range(1))
    assert run(["discover", str(log), "--case", "booking", "-o", str(out)]) == 0
    said = capsys.readouterr().out
    assert "2 events of 1 case;" in said
    assert "note: nothing is learnt from fewer than 5 cases" in said
    workflow = load(out)
    assert (workflow.expectations, workflow.begins, workflow.ends, workflow.timeout) == ((), (), (), None)
    _booked(log, range(5))
    assert run(["discover", str(log), "--case", "booking", "-o", str(out), "--force", "--quiet"]) == 0
    assert load(out).begins == ("Made",)
