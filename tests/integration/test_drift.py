"""What has changed in a log in which something was changed."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

import msgspec
import pytest
from bench.planted import TRUE, Log, planted

from sagacity.cli.main import run
from sagacity.discover.drift import Change, Drift, Period, Series
from sagacity.reconcile.drift import drift
from sagacity.report.html.drift import render_drift
from sagacity.workflow.instants import instant
from sagacity.workflow.language.reader import loads

_CHANGED = 3 / 5


@pytest.fixture(scope="module")
def log() -> Log:
    return planted(1_800, seed=9, per_day=50)


def _written(log: Log, path: Path, *, changed: bool) -> Path:
    """The log; `changed`, without every sixth InvoiceSent and with a new event type from three fifths of the time on."""
    cut = log.split(_CHANGED)
    with path.open("wb") as out:
        for _, case, event in log.events:
            kept: list[dict[str, Any]] = [event]
            if changed and log.began[case] >= cut and event["type"] == "InvoiceSent":
                kept = [] if int(case[1:]) % 6 == 0 else [event, {**event, "id": f"n{event['id']}", "type": "LetterSent"}]
            out.writelines(msgspec.json.encode(each) + b"\n" for each in kept)
    return path


def _changes(path: Path) -> list[Change]:
    return list(drift(loads(TRUE), {"log": str(path)}, by="week", as_of="end").changes)


def test_a_log_in_which_nothing_changed_is_quiet(log: Log, tmp_path: Path) -> None:
    assert _changes(_written(log, tmp_path / "same.jsonl", changed=False)) == []


def test_what_changed_is_told_with_the_week_since_when(log: Log, tmp_path: Path) -> None:
    found = _changes(_written(log, tmp_path / "changed.jsonl", changed=True))
    told = {(change.what, change.name) for change in found}
    assert ("new type", "LetterSent") in told
    assert ("type", "InvoiceSent") in told
    assert ("rule", "InvoiceSent within 10m of PaymentReceived") in told
    assert not any("ItemShipped" in name for what, name in told if what in ("rule", "type", "delay"))
    cut = log.split(_CHANGED) * 1e6
    week = 7 * 86_400 * 1e6
    assert all(abs(change.since - cut) <= week for change in found), [instant(change.since) for change in found]


def test_the_command_exits_with_1_where_something_changed(
    log: Log, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workflow = tmp_path / "order.workflow.yaml"
    workflow.write_text(TRUE, encoding="utf-8")
    changed = str(_written(log, tmp_path / "changed.jsonl", changed=True))
    assert run(["drift", str(workflow), "--source", changed, "--as-of", "end"]) == 1
    assert "the event type LetterSent is new" in " ".join(capsys.readouterr().out.split())
    assert run(["drift", str(workflow), "--source", changed, "--by", "soon"]) == 2


def test_the_page_shows_each_series_and_since_when_it_is_otherwise(log: Log, tmp_path: Path) -> None:
    workflow, page = tmp_path / "order.workflow.yaml", tmp_path / "drift.html"
    workflow.write_text(TRUE, encoding="utf-8")
    changed = str(_written(log, tmp_path / "changed.jsonl", changed=True))
    arguments = ["drift", str(workflow), "--source", changed, "--as-of", "end", "--quiet"]
    assert run([*arguments, "--report", str(page)]) == 1
    found = drift(loads(TRUE), {"log": changed}, by="week", as_of="end")
    text = page.read_text(encoding="utf-8")
    assert all(escape(change.name, quote=False) in text for change in found.changes)
    assert text.count('class="due"') == len(found.changes)
    assert "http" not in text.replace("http-equiv", "")
    assert run([*arguments, "--report", str(tmp_path / "no" / "drift.html")]) == 2


def test_a_page_of_names_that_are_markup_and_of_periods_without_cases_is_sound() -> None:
    periods = (Period(0, 5), Period(7, 0), Period(14, 3))
    series = (
        Series("rule", "<script>alert(1)</script>", (5, 0, 2), (5, 0, 3), (9, 10)),
        Series("delay", "from a to b", (0, 0, 3_000_000), (1, 0, 2)),
        Series("variant", "nothing", (0, 0, 0), (0, 0, 0)),
    )
    page = render_drift(Drift("<b>", 7, periods, series, ()))
    assert "<script>alert" not in page
    assert "<b>" not in page
    assert "Nothing changed that is more than chance." in page
    assert "nothing" not in page
