"""What has changed in a log in which something was changed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from html import escape
from itertools import islice, permutations
from pathlib import Path
from typing import Any

import msgspec
import pytest
from bench.planted import TRUE, Log, planted

from sagacity.cli.main import run
from sagacity.discover.drift import Change, Drift, Period, Series
from sagacity.errors import UsageError
from sagacity.reconcile.drift import drift
from sagacity.reconcile.history import check
from sagacity.report.html.drift import render_drift
from sagacity.workflow.instants import instant
from sagacity.workflow.language.reader import loads

_CHANGED = 3 / 5

FEW = (
    TRUE[: TRUE.index("expect:")]
    + """\
expect:
  StockReserved: [once, within 5m of OrderPlaced]
  PaymentReceived: [at most once, after StockReserved]
  InvoiceSent: [at most once, within 10m of PaymentReceived]
  ParcelDelivered: [at most once, within 5d of ItemShipped]
"""
)
"""The same events with few rules: soon judged."""


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


def _changes(path: Path, workflow: str = TRUE) -> list[Change]:
    return list(_drift(path, workflow).changes)


def _drift(path: Path, workflow: str = FEW) -> Drift:
    return drift(loads(workflow), {"log": str(path)}, by="week", as_of="end")


def _made(path: Path, events: Iterable[dict[str, Any]]) -> Path:
    path.write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in events))
    return path


def test_a_log_in_which_nothing_changed_is_quiet(log: Log, tmp_path: Path) -> None:
    assert _changes(_written(log, tmp_path / "same.jsonl", changed=False)) == []


@pytest.mark.parametrize(("workflow", "as_of"), [(TRUE, "end"), (FEW, None)], ids=["end", "now"])
def test_cases_that_are_on_their_way_when_the_log_ends_are_no_change(
    log: Log, tmp_path: Path, workflow: str, as_of: str | None
) -> None:
    first, last = log.events[0][0], log.events[-1][0]
    cut = _made(tmp_path / "cut.jsonl", (event for time, _, event in log.events if time <= first + 0.9 * (last - first)))
    found = drift(loads(workflow), {"log": str(cut)}, by="week", as_of=as_of)
    assert found.changes == ()
    (note,) = found.notes
    assert re.fullmatch(
        r"Left aside: 1\d\d cases that began after 2026-10-0\d \d\d:\d\d, too near the end of the log to be over.", note
    )
    assert sum(period.cases for period in found.periods) > 1_300
    assert [period.whole for period in found.periods] == [False, True, True, True, False]


@pytest.mark.parametrize("year", ["1970", "2099"])
def test_an_event_with_a_wild_time_is_left_aside_and_said(log: Log, tmp_path: Path, year: str) -> None:
    wild = {**log.events[0][2], "id": "wild", "time": f"{year}-01-01T00:00:00Z", "data": {"order_id": "W1", "amount": 1}}
    found = _drift(_made(tmp_path / "wild.jsonl", [wild, *(event for _, _, event in log.events)]))
    assert found.changes == ()
    assert found.notes[0] == "Left aside: 1 case whose time lies far from that of all others."
    assert len(found.periods) == 6


def test_a_wild_time_does_not_hide_where_the_log_ends(log: Log, tmp_path: Path) -> None:
    first, last = log.events[0][0], log.events[-1][0]
    kept = [event for time, _, event in log.events if time <= first + 0.9 * (last - first)]
    wild = {**kept[0], "id": "wild", "type": "InvoiceSent", "time": "2099-01-01T00:00:00Z"}
    found = _drift(_made(tmp_path / "wild.jsonl", [*kept, wild]))
    assert found.changes == ()
    assert ["too near the end" in note for note in found.notes] == [True]


def test_a_log_of_more_periods_than_can_be_compared_is_refused(tmp_path: Path) -> None:
    orders = [
        {
            "id": str(n),
            "type": "OrderPlaced",
            "time": f"2026-01-{1 + n // 24:02}T{n % 24:02}:00:00Z",
            "data": {"order_id": f"{n}"},
        }
        for n in range(200)
    ]
    with pytest.raises(UsageError, match="200 periods are too many"):
        drift(loads(FEW), {"log": str(_made(tmp_path / "long.jsonl", orders))}, by="hour")


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


def test_what_takes_longest_is_told_although_the_middle_is_as_it_was_and_no_deadline_broken(
    log: Log, tmp_path: Path
) -> None:
    cut = log.split(_CHANGED)

    def slower(case: str, event: dict[str, Any]) -> dict[str, Any]:
        if log.began[case] < cut or event["type"] != "StockReserved" or int(case[1:]) % 9:
            return event
        late = datetime.fromisoformat(event["time"]) + timedelta(minutes=2)
        return {**event, "time": late.isoformat()}

    path = _made(tmp_path / "tail.jsonl", (slower(case, event) for _, case, event in log.events))
    (change,) = [each for each in _changes(path, FEW) if each.what == "delay" and "to StockReserved" in each.name]
    assert re.search(
        r"from OrderPlaced to StockReserved one in (ten|twenty) takes longer than \dm.*; before, than", change.sentence
    )
    assert abs(change.since - cut * 1e6) <= 7 * 86_400 * 1e6


def test_an_event_that_is_sent_again_and_again_is_told(log: Log, tmp_path: Path) -> None:
    cut = log.split(_CHANGED)

    def sent(case: str, event: dict[str, Any]) -> list[dict[str, Any]]:
        again = log.began[case] >= cut and event["type"] == "InvoiceSent" and int(case[1:]) % 10 == 0
        return [event, *({**event, "id": f"{event['id']}-{n}"} for n in range(9 * again))]

    path = _made(tmp_path / "again.jsonl", (each for _, case, event in log.events for each in sent(case, event)))
    (change,) = [each for each in _changes(path, FEW) if each.what == "events"]
    assert re.search(r"a case with InvoiceSent has it 1.\d times on average; before, 1.0.", change.sentence)


def test_each_period_is_judged_as_a_log_of_its_cases_alone_would_be(log: Log, tmp_path: Path) -> None:
    workflow = loads(TRUE)
    until = "2026-10-12T00:00:00Z"
    found = drift(workflow, {"log": str(log.write(tmp_path / "log.jsonl"))}, by="week", as_of=until)
    rules = [series for series in found.series if series.what == "rule"]
    start = found.periods[3].start / 1e6
    cases = [case for case, began in log.began.items() if start <= began < start + found.width / 1e6]
    alone = check(workflow, {"log": str(log.write(tmp_path / "week.jsonl", cases))}, as_of=until)
    judged = {tally.name: (tally.satisfied, tally.satisfied + tally.violated) for tally in alone.tallies}
    assert {each.name: (each.held[3], each.of[3]) for each in rules} == judged
    assert any(each.held[3] < each.of[3] for each in rules)


def test_a_new_way_among_many_is_found(tmp_path: Path) -> None:
    """Of four hundred ways, each gone by two cases early in the log, and one that is gone by ten cases at its end."""
    steps = ("StockReserved", "PaymentReceived", "InvoiceSent", "ComplianceCheckDone", "ItemShipped", "ParcelDelivered")
    ways = list(islice(permutations(steps), 401))
    new = ways.pop()
    gone = [*(way for way in ways for _ in range(3)), *(way for n in range(300) for way in [new if n % 3 else ways[n]])]
    start = datetime(2026, 6, 1, tzinfo=UTC)
    events = [
        {
            "id": f"{n}-{kind}",
            "type": kind,
            "time": (start + timedelta(hours=n, seconds=i)).isoformat(),
            "data": {"order_id": f"{n}"},
        }
        for n, way in enumerate(gone)
        for i, kind in enumerate(("OrderPlaced", *way))
    ]
    told = [change.sentence for change in _changes(_made(tmp_path / "ways.jsonl", events), FEW) if change.what == "variant"]
    assert any(f"of the cases go OrderPlaced → {' → '.join(new)}" in sentence for sentence in told), told


def test_the_command_exits_with_1_where_something_changed(
    log: Log, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workflow = tmp_path / "order.workflow.yaml"
    workflow.write_text(FEW, encoding="utf-8")
    changed = str(_written(log, tmp_path / "changed.jsonl", changed=True))
    assert run(["drift", str(workflow), "--source", changed, "--as-of", "end"]) == 1
    assert "the event type LetterSent is new" in " ".join(capsys.readouterr().out.split())
    assert run(["drift", str(workflow), "--source", changed, "--by", "soon"]) == 2


def test_of_one_period_it_is_said_that_nothing_was_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = [
        {"id": kind, "type": kind, "time": f"2026-09-01T0{hour}:00:00Z", "data": {"order_id": "1"}}
        for hour, kind in enumerate(("OrderPlaced", "PaymentReceived"))
    ]
    workflow = tmp_path / "order.workflow.yaml"
    workflow.write_text(FEW, encoding="utf-8")
    log = _made(tmp_path / "one.jsonl", events)
    assert run(["drift", str(workflow), "--source", str(log), "--as-of", "end"]) == 0
    said = capsys.readouterr().out
    assert "1 case in 1 period of" in said
    assert "there is nothing to compare" in said
    assert "Nothing changed" not in said
    assert "nothing to compare" in render_drift(_drift(log)).partition('class="empty"')[2][:80]


def test_names_from_events_cannot_drive_the_terminal(log: Log, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workflow = tmp_path / "order.workflow.yaml"
    workflow.write_text(FEW, encoding="utf-8")
    cut = log.split(_CHANGED)
    strays = (
        {**event, "id": f"s{event['id']}", "type": "\x1b]0;owned\x07"}
        for _, case, event in log.events
        if log.began[case] >= cut and event["type"] == "InvoiceSent"
    )
    path = _made(tmp_path / "strays.jsonl", [*(event for _, _, event in log.events), *strays])
    assert run(["drift", str(workflow), "--source", str(path), "--as-of", "end"]) == 1
    printed = capsys.readouterr().out
    assert "owned" in printed
    assert "\x1b" not in printed
    assert "\x07" not in printed


def test_the_page_shows_each_series_and_since_when_it_is_otherwise(log: Log, tmp_path: Path) -> None:
    workflow, page = tmp_path / "order.workflow.yaml", tmp_path / "drift.html"
    workflow.write_text(FEW, encoding="utf-8")
    changed = str(_written(log, tmp_path / "changed.jsonl", changed=True))
    arguments = ["drift", str(workflow), "--source", changed, "--as-of", "end", "--quiet"]
    assert run([*arguments, "--report", str(page)]) == 1
    found = drift(loads(FEW), {"log": changed}, by="week", as_of="end")
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
