"""When things happened and in which order: instants, zones, positions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sagacity.errors import UsageError
from sagacity.sources.inputs import Table
from taking_in import DAY, NOW, arrow, files, instant, messages, order, parquet, take, write

MIDNIGHT = instant("2026-01-01T00:00:00+00:00")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-01-01T00:00:00Z", MIDNIGHT),
        ("2026-01-01 00:00:00Z", MIDNIGHT),
        ("2026-01-01t00:00:00z", MIDNIGHT),
        ("2026-01-01T00:00Z", MIDNIGHT),
        (" 2026-01-01T00:00:00 UTC ", MIDNIGHT),
        ("2026-01-01T01:00:00+01:00", MIDNIGHT),
        ("2026-01-01T01:00:00 +01:00", MIDNIGHT),
        ("2026-01-01T01:00:00+0100", MIDNIGHT),
        ("2026-01-01T01:00:00+01", MIDNIGHT),
        ("2025-12-31T18:30:00-05:30", MIDNIGHT),
        ("2026-01-01T00:00:00.123456Z", MIDNIGHT + 123_456),
        ("2026-01-01T00:00:00.1234569Z", MIDNIGHT + 123_456),
        ("2026-01-01T00:00:00.123456999+00:00", MIDNIGHT + 123_456),
        ("2026-01-01T00:00:00,5Z", MIDNIGHT + 500_000),
        ("1969-12-31T23:59:59.9999999Z", -1),
        ("1900-01-01T00:00:00Z", instant("1900-01-01T00:00:00+00:00")),
        (MIDNIGHT // 1_000_000, MIDNIGHT),
        (MIDNIGHT // 1000, MIDNIGHT),
        (MIDNIGHT, MIDNIGHT),
        (MIDNIGHT * 1000 + 999, MIDNIGHT),
        (1, 1_000_000),
        (-1, -1_000_000),
        (b"1767225600.123456", MIDNIGHT + 123_456),
        (b"1767225600123.9", MIDNIGHT + 123_900),
        (str(MIDNIGHT // 1000), MIDNIGHT),
        ("1767225600.5", MIDNIGHT + 500_000),
    ],
)
def test_a_time_is_an_instant_in_microseconds(tmp_path: Path, written: Any, read: int) -> None:
    outcome = take(messages(), files(write(tmp_path, "a.jsonl", [order(time=written)])))
    assert (outcome.reasons, outcome.column("time")) == ([], [read])


@pytest.mark.parametrize(
    "written",
    [
        "2026-01-01T00:00:00 +02Z",
        "2026-01-01T00:00:00+25",
        "20260101",
        "202601010000",
        "20260101000000",
        "2026-13-01T00:00:00Z",
        "2026-01-01T25:00:00Z",
        "infinity",
        "now",
        "01/02/2026 00:00Z",
        True,
        {"at": 1},
    ],
)
def test_what_is_no_time_is_rejected_rather_than_guessed(tmp_path: Path, written: Any) -> None:
    outcome = take(messages(), files(write(tmp_path, "a.jsonl", [order(time=written)])))
    assert outcome.account.rejected == 1, outcome.column("time")


def test_a_time_without_offset_needs_the_zone_of_its_source(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", [order(time="2026-07-01T12:00:00"), order(time="2026-07-01", id="e2")])
    without = take(messages(), files(path))
    assert without.reasons[0] == "time is '2026-07-01T12:00:00', without an offset; state the source's timezone"
    assert without.account.rejected == 2
    within = take(messages(timezone="Europe/Berlin"), files(path))
    assert within.column("time") == [instant("2026-06-30T22:00:00+00:00"), instant("2026-07-01T10:00:00+00:00")]


def test_the_zone_of_a_source_leaves_times_with_an_offset_alone(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", [order(), order(time=MIDNIGHT // 1000, id="e2")])
    assert take(messages(timezone="Asia/Tokyo"), files(path)).column("time") == [MIDNIGHT, MIDNIGHT]


def test_in_the_gap_of_spring_the_clock_goes_forward_and_in_the_overlap_of_autumn_it_is_the_later_hour(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, "a.jsonl", [order(time="2026-03-29T02:30:00"), order(time="2026-10-25T02:30:00", id="e2")])
    outcome = take(messages(timezone="Europe/Berlin"), files(path), now=NOW + 100 * DAY)
    assert outcome.column("time") == [instant("2026-03-29T03:30:00+02:00"), instant("2026-10-25T02:30:00+01:00")]


@pytest.mark.parametrize(
    "kind", ["TIMESTAMPTZ", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "DATE", "VARCHAR"]
)
def test_times_of_any_column_type_are_read_in_their_zone(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.parquet"
    value = "TIMESTAMPTZ '2026-06-30 22:00:00Z'" if kind == "TIMESTAMPTZ" else f"CAST('2026-07-01' AS {kind})"
    parquet(path, f"SELECT 'Placed' AS type, {value} AS time, 'e' AS id, '1' AS order_id")
    outcome = take(messages({}, timezone="Europe/Berlin"), files(path, format="parquet"))
    assert outcome.column("time") == [instant("2026-06-30T22:00:00+00:00")]
    if kind != "TIMESTAMPTZ":
        assert "without an offset" in take(messages({}), files(path, format="parquet")).reasons[0]


def test_nanoseconds_are_cut_off_towards_the_past(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet(
        path,
        "SELECT 'Placed' AS type, 'e' AS id, '1' AS order_id, unnest([make_timestamp_ns(-1), make_timestamp_ns(1999)]) time",
    )
    assert take(messages({}, timezone="UTC"), files(path, format="parquet")).column("time") == [-1, 1]


def test_a_sequence_number_comes_from_the_record_or_its_row(tmp_path: Path) -> None:
    first = write(tmp_path, "b.jsonl", [order(id="1", n=5), "", order(id="2")])
    second = write(tmp_path, "a.jsonl.gz", [order(id="3", n="7"), "{bad", order(id="4")])
    given = files(first, second)
    assert take(messages(), given).column("seq") == [0, 0, 0, 0]
    assert take(messages(seq="n"), given).column("seq") == [5, 0, 7, 0]
    assert take(messages(seq="row"), given).column("seq") == [0, 1, 2, 4]


def test_rows_are_numbered_across_parquet_files_and_tables(tmp_path: Path) -> None:
    row = "SELECT 'Placed' AS type, TIMESTAMPTZ '2026-01-01 00:00:00Z' AS time, '1' AS order_id"
    paths = []
    for number, extra in enumerate(("", ", 1 AS other", "")):
        query = f"{row}, '{number}' || range AS id{extra} FROM range(2)"
        paths.append(parquet(tmp_path / f"{number}.parquet", query))
    outcome = take(messages({}, seq="row"), files(*paths, format="parquet"))
    assert outcome.column("seq") == [0, 1, 2, 3, 4, 5]
    assert outcome.column("id") == ["00", "01", "10", "11", "20", "21"]
    table = arrow(f"{row}, 'e' || range AS id FROM range(3)")
    assert take(messages({}, seq="row"), Table(table)).column("seq") == [0, 1, 2]


def test_rows_keep_their_numbers_in_a_file_that_several_threads_read(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", (order(id=f"{number:07}", pad="x" * 100) for number in range(400_000)))
    outcome = take(messages({}, seq="row"), files(path, path))
    assert sorted(outcome.column("seq")) == list(range(800_000))
    assert all(row["seq"] % 400_000 == int(row["id"]) for row in outcome.events)


def test_an_orphan_too_tells_how_far_the_log_reaches(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", [order(), order(order_id=None, time="2026-01-03T00:00:00Z")])
    outcome = take(messages(), files(path))
    assert (outcome.intake.as_of, outcome.account.last) == (MIDNIGHT + 2 * DAY, MIDNIGHT)


def test_an_unknown_zone_is_told_as_an_error_of_ours(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", [order(time="2026-01-01")])
    with pytest.raises(UsageError, match="there is no time zone 'Nowhere/Town'"):
        take(messages(timezone="Nowhere/Town"), files(path))


def test_now_is_read_as_the_latest_time_that_is_not_in_the_future(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "a.jsonl",
        [order(), order(id="e2", time="2026-02-01T00:00:00Z"), order(id="e3", time="2100-01-01T00:00:00Z")],
    )
    outcome = take(messages(), files(path), now=NOW)
    assert outcome.intake.as_of == instant("2026-02-01T00:00:00+00:00")
    assert (outcome.account.matched, outcome.account.beyond) == (2, 1)
    assert (outcome.account.first, outcome.account.last) == (MIDNIGHT, MIDNIGHT + 31 * DAY)
