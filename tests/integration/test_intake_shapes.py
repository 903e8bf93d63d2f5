"""How records become events: messages, wide rows, unexpected types, several keys, and the account of it all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from sagacity.errors import LedgerError, UsageError
from sagacity.ledger.duckdb.connection import connect, discard, folder_of
from sagacity.ledger.duckdb.intake import take_in
from sagacity.sources.inputs import Files
from sagacity.workflow.model import Capture, EventType, Source, Workflow
from taking_in import DAY, files, instant, messages, order, take, workflow_of, write

JAN = instant("2026-01-01T00:00:00+00:00")


def test_a_record_is_the_first_event_type_that_it_fits(tmp_path: Path) -> None:
    events = {
        "Big": EventType(source="orders", type="Placed", where="amount > 100"),
        "Placed": EventType(source="orders", where="amount IS NOT NULL"),
        "Settled": EventType(source="orders", type="Paid"),
    }
    lines = [
        order(id="1", amount=500),
        order(id="2"),
        order(id="3", amount=None),
        order(id="4", type="Paid"),
        order(type="Settled"),
    ]
    outcome = take(messages(events=events), files(write(tmp_path, "a.jsonl", lines)))
    assert outcome.column("type") == [0, 1, 2]
    assert outcome.account.unmatched == 2
    assert outcome.intake.unmatched_types == (("Placed", 1), ("Settled", 1))


def test_types_that_nobody_named_are_counted_most_frequent_first(tmp_path: Path) -> None:
    lines = [order(type=f"T{number}") for number in range(30) for _ in range(number)] + [order(type=None)]
    outcome = take(messages(), files(write(tmp_path, "a.jsonl", lines)))
    assert outcome.intake.unmatched_types == tuple((f"T{number}", number) for number in range(29, 9, -1))
    assert outcome.account.unmatched == len(lines)


def test_where_unnamed_types_are_forbidden_they_become_events(tmp_path: Path) -> None:
    lines = [order(id="1"), order(id="2", type="Lost"), order(id="3", type=None), order(id="4", type="Lost", order_id=None),
             order(id="5", type="Lost", time="?")]  # fmt: skip
    outcome = take(messages(unexpected="forbid"), files(write(tmp_path, "a.jsonl", lines)))
    assert [(row["type"], row["other"], row["id"]) for row in outcome.events] == [(0, None, "1"), (-1, "Lost", "2")]
    account = outcome.account
    assert (account.matched, account.unmatched, account.orphan, account.rejected) == (2, 1, 1, 1)


def test_an_event_type_overrides_what_its_source_says(tmp_path: Path) -> None:
    events = {
        "Placed": EventType(source="orders"),
        "Paid": EventType(source="orders", time="paid_at", id="payment", keys={"order": "ref.order"}, seq="n"),
    }
    lines = [
        order(),
        order(type="Paid", order_id=None, time=None, paid_at="2026-01-02T00:00:00Z", payment="p1", ref={"order": 1}, n=7),
    ]
    outcome = take(messages(events=events), files(write(tmp_path, "a.jsonl", lines)))
    assert [(row["case_id"], row["time"], row["id"], row["seq"]) for row in outcome.events] == [
        ("1", JAN, "e1", 0),
        ("1", JAN + DAY, "p1", 7),
    ]


def test_attributes_of_one_name_and_type_share_a_column_and_others_do_not(tmp_path: Path) -> None:
    events = {
        "Placed": EventType(source="orders", capture={"amount": Capture("amount", "decimal")}),
        "Paid": EventType(source="orders", capture={"amount": Capture("paid", "decimal"), "note": Capture("amount")}),
    }
    lines = [order(id="1"), order(id="2", type="Paid", paid=5)]
    outcome = take(messages(events=events), files(write(tmp_path, "a.jsonl", lines)))
    assert [(float(row["amount$decimal"]), row["note$text"]) for row in outcome.events] == [(4.5, None), (5.0, "4.50")]


def _table(keys: dict[str, str] | None = None, **events: EventType) -> Workflow:
    source = Source(id="id", keys=keys or {"order": "id"}, timezone="UTC")
    found = events or {
        "Placed": EventType(source="orders", time="placed_at", capture={"amount": Capture("amount", "decimal")}),
        "Shipped": EventType(source="orders", time="shipped_at"),
        "Delivered": EventType(source="orders", time="delivered_at", where="carrier <> 'pickup'"),
    }
    return workflow_of(source, events=found, keys=tuple(keys or {"order": "id"}))


ROWS = """SELECT * FROM (VALUES
    (1, TIMESTAMP '2026-01-01', TIMESTAMP '2026-01-02', TIMESTAMP '2026-01-03', 'dhl', 4.5),
    (2, TIMESTAMP '2026-01-01', NULL, NULL, 'dhl', 1.0),
    (3, NULL, NULL, TIMESTAMP '2026-01-03', 'pickup', 1.0),
    (NULL, TIMESTAMP '2026-01-01', TIMESTAMP '2026-01-02', NULL, 'dhl', 1.0),
    (5, TIMESTAMP '2026-01-01', TIMESTAMP '2026-02-02', NULL, NULL, 1.0),
    (6, TIMESTAMP '2026-02-01', TIMESTAMP '2026-02-02', NULL, NULL, 1.0),
    (7, TIMESTAMP '2026-01-01', TIMESTAMP '0001-01-01', NULL, NULL, 1.0)
) AS t(id, placed_at, shipped_at, delivered_at, carrier, amount)"""


@pytest.mark.parametrize("format", ["parquet", "jsonl", "csv"])
def test_a_wide_row_holds_an_event_for_each_of_its_times(tmp_path: Path, format: Any) -> None:
    path = tmp_path / "a"
    duckdb.connect().execute(f"COPY ({ROWS}) TO '{path}' (FORMAT {'json' if format == 'jsonl' else format})")
    outcome = take(_table(), files(path, format=format), as_of=instant("2026-01-31T00:00:00+00:00"))
    assert sorted((row["case_id"], row["type"]) for row in outcome.events) == [
        ("1", 0),
        ("1", 1),
        ("1", 2),
        ("2", 0),
        ("5", 0),
    ]
    account = outcome.account
    assert (account.matched, account.unmatched, account.orphan, account.beyond, account.rejected) == (3, 1, 1, 1, 1)
    assert (account.events, account.first, account.last) == (5, JAN, JAN + 2 * DAY)
    assert outcome.reasons[0].startswith("time (shipped_at) is '0001-01-01")
    assert outcome.lines == [8 if format == "csv" else 7]


def test_ids_of_wide_rows_are_those_of_the_row(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    duckdb.connect().execute(f"COPY ({ROWS}) TO '{path}'")
    outcome = take(_table(), files(path, format="parquet"))
    assert outcome.column("id")[:2] == ["1", "2"]


LINKS = [
    order(id="1", order_id="A", payment="p1"),
    order(id="2", order_id=None, payment="p1", type="Paid"),
    order(id="3", order_id=None, payment="p2", type="Paid"),
    order(id="4", order_id=None, payment=None),
    order(id="5", order_id=None, payment="p3", type="Paid"),
    order(id="6", order_id="B", payment="p3", time="2026-03-01T00:00:00Z"),
    order(id="7", order_id="C", payment="p4", type="Lost"),
]


def test_an_event_that_carries_another_key_finds_its_case(tmp_path: Path) -> None:
    source = Source(type="type", time="time", id="id", keys={"order": "order_id", "payment": "payment"})
    workflow = workflow_of(source, keys=("order", "payment"))
    path = write(tmp_path, "a.jsonl", LINKS)
    early = take(workflow, files(path), as_of=JAN)
    assert [(row["id"], row["case_id"]) for row in early.events] == [("1", "A"), ("2", "A")]
    account = early.account
    assert (account.matched, account.orphan, account.beyond, account.unmatched, account.events) == (2, 3, 1, 1, 2)
    later = take(workflow, files(path))
    assert [(row["id"], row["case_id"]) for row in later.events] == [("1", "A"), ("2", "A"), ("5", "B"), ("6", "B")]
    assert (later.account.matched, later.account.orphan, later.account.last) == (4, 2, instant("2026-03-01T00:00:00+00:00"))


@pytest.mark.parametrize("format", ["parquet", "jsonl"])
def test_a_wide_row_is_an_orphan_when_none_of_its_events_has_a_case(tmp_path: Path, format: Any) -> None:
    path = tmp_path / "a"
    rows = """SELECT * FROM (VALUES ('A', 'p1', TIMESTAMP '2026-01-01', TIMESTAMP '2026-01-02'),
        (NULL, 'p1', TIMESTAMP '2026-01-01', NULL), (NULL, 'p2', TIMESTAMP '2026-01-01', TIMESTAMP '2026-01-02'))
        AS t(id, payment, placed_at, paid_at)"""
    duckdb.connect().execute(f"COPY ({rows}) TO '{path}' (FORMAT {'json' if format == 'jsonl' else format})")
    workflow = _table(
        {"order": "id", "payment": "payment"},
        Placed=EventType(source="orders", time="placed_at"),
        Paid=EventType(source="orders", time="paid_at"),
    )
    outcome = take(workflow, files(path, format=format))
    assert (outcome.account.matched, outcome.account.orphan, outcome.account.events) == (2, 1, 3)
    assert outcome.column("case_id") == ["A", "A", "A"]


def test_several_sources_make_one_relation(tmp_path: Path) -> None:
    payments = tmp_path / "p.parquet"
    duckdb.connect().execute(
        f"COPY (SELECT 'x' || range AS id, TIMESTAMP '2026-01-02' AS at, range AS order_id FROM range(2)) TO '{payments}'"
    )
    workflow = Workflow(
        name="two",
        keys=("order",),
        sources={
            "orders": Source(type="type", time="time", id="id", keys={"order": "order_id"}),
            "payments": Source(id="id", keys={"order": "order_id"}, timezone="UTC"),
        },
        events={"Paid": EventType(source="payments", time="at"), "Placed": EventType(source="orders")},
    )
    lines = write(tmp_path, "o.jsonl", [order(), order(id="e2", time="2026-01-05T00:00:00Z")])
    outcome = take(workflow, {"payments": files(payments, format="parquet"), "orders": files(lines)})
    assert [(row["case_id"], row["type"]) for row in outcome.events] == [("1", 1), ("0", 0), ("1", 0), ("1", 1)]
    assert {account.source: account.matched for account in outcome.intake.accounts} == {"orders": 2, "payments": 2}
    assert outcome.intake.as_of == JAN + 4 * DAY


def test_as_of_cuts_what_is_later_and_counts_it_as_beyond(tmp_path: Path) -> None:
    lines = [order(id=str(day), time=JAN // 1000 + day * 86_400_000) for day in range(10)]
    for name, format in (("a.jsonl", "jsonl"),):
        outcome = take(messages(), files(write(tmp_path, name, lines), format=format), as_of=JAN + 3 * DAY)  # type: ignore[arg-type]
        assert (outcome.account.matched, outcome.account.beyond) == (4, 6)
        assert outcome.intake.as_of == JAN + 3 * DAY


def test_taking_in_twice_replaces_what_was_taken_in(tmp_path: Path) -> None:
    connection = connect()
    try:
        for count in (3, 2):
            path = write(tmp_path, "a.csv", ["type,time,id,order_id", *["Placed,2026-01-01T00:00:00Z,e,1"] * count, "x"])
            take_in(connection, messages({}), {"orders": files(path, format="csv")}, as_of=None, now=JAN, max_rejected=1)
            assert connection.execute("SELECT count(*) FROM events").fetchone() == (count,)
    finally:
        discard(connection)


def test_progress_is_told_as_a_share_that_grows(tmp_path: Path) -> None:
    seen: list[tuple[str, float]] = []
    take(
        messages(),
        files(write(tmp_path, "a.jsonl", [order()] * 1000)),
        progress=lambda what, share: seen.append((what, share)),
    )
    assert seen[0] == ("reading orders", 0.0)
    assert seen[-1] == ("reading orders", 1.0)
    assert [share for _, share in seen] == sorted(share for _, share in seen)


def test_the_folder_for_what_does_not_fit_is_private_and_removed(tmp_path: Path) -> None:
    connection = connect(memory="100MB", folder=str(tmp_path))
    folder = folder_of(connection)
    assert folder.stat().st_mode & 0o077 == 0
    connection.execute("CREATE TEMP TABLE t AS SELECT range AS n, range || 'abcdefghijklmnop' AS s FROM range(3_000_000)")
    assert any(folder.rglob("*"))
    discard(connection)
    discard(connection)
    assert not folder.exists()


def test_a_connection_never_fetches_an_extension() -> None:
    connection = connect()
    names = ("autoinstall_known_extensions", "autoload_known_extensions")
    for name in names:
        assert connection.execute(f"SELECT current_setting('{name}')").fetchone() == (False,)
    discard(connection)


@pytest.mark.parametrize("memory", ["much", "0", "1MB", "-1GB"])
def test_an_amount_of_memory_that_makes_no_sense_is_told(memory: str) -> None:
    with pytest.raises(UsageError, match="memory"):
        connect(memory=memory)


def test_running_out_of_memory_is_told_with_what_helps(tmp_path: Path) -> None:
    lines = write(tmp_path, "a.jsonl", [order(amount=None, note="x" * 1000)] * 200_000)
    connection = connect(memory="64MB")
    connection.execute("SET temp_directory = ''")
    try:
        with pytest.raises(LedgerError, match="memory limit") as caught:
            take_in(
                connection,
                messages({"note": Capture("note")}),
                {"orders": files(lines)},
                as_of=None,
                now=JAN,
                max_rejected=0,
            )
        assert "--memory" in (caught.value.hint or "")
    finally:
        discard(connection)


def test_a_workflow_that_says_not_where_a_time_stands_is_told() -> None:
    with pytest.raises(UsageError, match="nothing says where the time of Placed stands"):
        take(workflow_of(Source(type="type")), Files((), "jsonl", ()))


def test_hundreds_of_event_types_are_told_apart(tmp_path: Path) -> None:
    events = {
        f"T{number}": EventType(source="orders", capture={f"a{number % 50}": Capture(f"data.a{number % 50}")})
        for number in range(300)
    }
    lines = [order(id=f"{number:03}", type=f"T{number}", data={f"a{number % 50}": number}) for number in range(300)]
    outcome = take(messages(events=events), files(write(tmp_path, "a.jsonl", lines)))
    assert outcome.column("type") == list(range(300))
    assert outcome.events[299]["a49$text"] == "299"
