"""Bad input: each gets a clear message with file and line, is counted as rejected, or stops the run; never a traceback."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import duckdb
import pytest

from sagacity.errors import RejectedError, SourceError, UsageError
from sagacity.sources.inputs import Files
from taking_in import NOW, files, messages, order, take, write


def test_a_truncated_last_line_is_rejected_and_the_rest_taken(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", order() + "\n" + order(id="e2")[:-20])
    outcome = take(messages(), files(path))
    assert (outcome.account.matched, outcome.account.rejected) == (1, 1)
    assert str(outcome.intake.rejected[0]) == f"{path}:2: the JSON is cut short"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"type": "Placed"', "the JSON is cut short"),
        (b'{"type": "Placed"} {"type": "Paid"}', "not JSON: trailing characters"),
        (b"[1, 2]", "an array, not a JSON object"),
        (b"5", "a number, not a JSON object"),
        (b'"text"', "a string, not a JSON object"),
        (b"null", "null, not a JSON object"),
        (b"not json at all", "not JSON: "),
        (b'{"type": "Pl\x00aced"}', "not JSON: a NUL byte at byte 13"),
        (b"\x00\x00\x00", "not JSON: a NUL byte at byte 1"),
        (b'{"type": "Pl\xff\xfeaced"}', "not UTF-8 text from byte 13 on"),
    ],
)
def test_a_line_that_is_no_object_is_rejected_with_its_reason(tmp_path: Path, line: bytes, reason: str) -> None:
    path = write(tmp_path, "a.jsonl", [order(), b"", line, order(id="e2")])
    outcome = take(messages(), files(path))
    assert (outcome.account.records, outcome.account.matched, outcome.account.rejected) == (3, 2, 1)
    assert outcome.lines == [3], "a blank line is no record, but a line"
    assert outcome.reasons[0].startswith(reason)


@pytest.mark.parametrize(
    ("amount", "reason"),
    [
        ("many", "amount is 'many', not a number"),
        (True, "amount is 'true', not a number"),
        ([1], "amount is '[1]', not a number"),
        (b"4.50001", "amount is '4.50001', which has more digits than the 18 (of them 4 after the point) that are kept"),
        ("4.50001", "amount is '4.50001', which has more digits"),
        (b"123456789012345", "amount is '123456789012345', which has more digits"),
        ("x" * 500, "amount is 'xxxxx"),
    ],
)
def test_a_value_of_the_wrong_type_is_rejected_with_field_and_value(tmp_path: Path, amount: object, reason: str) -> None:
    outcome = take(messages(), files(write(tmp_path, "a.jsonl", [order(), order(amount=amount)])))
    assert (outcome.account.matched, outcome.account.rejected, outcome.lines) == (1, 1, [2])
    assert outcome.reasons[0].startswith(reason)
    assert len(outcome.reasons[0]) < 200


def test_a_record_without_its_key_is_an_orphan(tmp_path: Path) -> None:
    lines = [order(), order(order_id=None), order(order_id=""), order(order_id=b"null")]
    outcome = take(messages(), files(write(tmp_path, "a.jsonl", lines)))
    assert (outcome.account.matched, outcome.account.orphan, outcome.account.rejected) == (1, 3, 0)


@pytest.mark.parametrize(
    "time", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1899-12-31T23:59:59.999999Z", 99999999999]
)
def test_an_absurd_time_is_rejected(tmp_path: Path, time: object) -> None:
    outcome = take(messages(), files(write(tmp_path, "a.jsonl", [order(time=time)])))
    assert outcome.reasons == [f"time is '{time}', which is no time between 1900 and 2200"]


def test_a_record_without_a_time_is_rejected(tmp_path: Path) -> None:
    lines = [order(time=None), order(time=""), order(time="soon"), order(time="2026-02-30T00:00:00Z")]
    outcome = take(messages(), files(write(tmp_path, "a.jsonl", lines)))
    assert outcome.reasons[:3] == ["it has no time", "it has no time", "time is 'soon', not a time"]
    assert outcome.account.rejected == 4


def test_duplicated_ids_are_kept_for_the_judge_to_tell_apart(tmp_path: Path) -> None:
    outcome = take(messages(), files(write(tmp_path, "a.jsonl", [order(), order(), order(amount="5")])))
    assert outcome.column("id") == ["e1", "e1", "e1"]


def test_a_line_of_100_megabytes_is_rejected_and_the_lines_around_it_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with path.open("wb") as out:
        out.write(order().encode() + b'\n\n{"type": "Placed", "junk": "')
        for _ in range(100):
            out.write(b"x" * 1_000_000)
        out.write(b'"}\n' + order(id="e2").encode() + b"\n{broken\n")
    outcome = take(messages(), files(path))
    assert (outcome.account.matched, outcome.account.rejected, outcome.lines) == (2, 2, [3, 5])
    assert outcome.reasons[0].startswith("a line of 100.0 MB; at most 16.8 MB make a record")


def test_a_line_just_over_the_limit_is_rejected_on_the_fast_way_too(tmp_path: Path) -> None:
    line = b'{"type": "Placed", "junk": "' + b"x" * (16 * 2**20) + b'"}'
    outcome = take(messages(), files(write(tmp_path, "a.jsonl", [order(), line, order(id="e2")])))
    assert (outcome.account.matched, outcome.account.rejected, outcome.lines) == (2, 1, [2])
    assert outcome.reasons[0].startswith("a line of 16.8 MB")


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
@pytest.mark.parametrize("content", [b"", b"\n\n  \n"])
def test_an_empty_file_is_no_record_and_no_error(tmp_path: Path, name: str, content: bytes) -> None:
    outcome = take(messages(), files(write(tmp_path, name, content)))
    assert (outcome.account.records, outcome.events, outcome.intake.as_of) == (0, [], NOW)


def test_a_file_of_no_bytes_is_empty_whatever_its_format(tmp_path: Path) -> None:
    for name, format in (("a.csv", "csv"), ("a.parquet", "parquet"), ("a.jsonl.gz", "jsonl")):
        path = tmp_path / name
        path.touch()
        assert take(messages(), files(path, format=format)).account.records == 0  # type: ignore[arg-type]


def test_a_missing_column_is_said_with_what_columns_there_are(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    duckdb.connect().execute(f"COPY (SELECT 'Placed' AS type, now() AS tme, '1' AS order_id, 'e' AS id) TO '{path}'")
    with pytest.raises(SourceError, match=r"there is no column 'time'(?s:.)*did you mean tme\?"):
        take(messages({}), files(path, format="parquet"))
    csv = write(tmp_path, "a.csv", ["type,when,order,id", "Placed,2026-01-01T00:00:00Z,1,e1"])
    with pytest.raises(SourceError, match=r"there is no column 'time'(?s:.)*there is type, when, order, id"):
        take(messages({}), files(csv, format="csv"))


def test_a_parquet_file_cut_short_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    duckdb.connect().execute(f"COPY (SELECT range AS n FROM range(1000)) TO '{path}'")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(SourceError, match=r"a\.parquet: is not a Parquet file, or one that was cut short"):
        take(messages(), files(path, format="parquet"))
    path.write_bytes(b"not parquet at all, but long enough")
    with pytest.raises(SourceError, match="is not a Parquet file"):
        take(messages(), files(path, format="parquet"))


def test_a_gzip_file_cut_short_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(order(id=str(n)) for n in range(10_000)).encode())[:-3000])
    with pytest.raises(SourceError, match=r"a\.jsonl\.gz: the compressed data is damaged or cut short"):
        take(messages(), files(path))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"gone\.jsonl: No such file"):
        take(messages(), files(tmp_path / "gone.jsonl"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", [order()])
    path.chmod(0)
    with pytest.raises(SourceError, match=r"a\.jsonl: Permission denied"):
        take(messages(), files(path))


def test_text_in_utf_16_is_named_as_such(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", order().encode("utf-16"))
    with pytest.raises(SourceError, match="is UTF-16 text"):
        take(messages(), files(path))


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    for name in ("a.jsonl", "a.jsonl.gz"):
        outcome = take(messages(), files(write(tmp_path, name, b"\xef\xbb\xbf" + order().encode() + b"\r\n{bad\r\n")))
        assert (outcome.account.matched, outcome.account.rejected, outcome.lines) == (1, 1, [2])
    csv = write(tmp_path, "a.csv", b"\xef\xbb\xbftype,time,id,order_id\r\nPlaced,2026-01-01T00:00:00Z,e1,1\r\n")
    assert take(messages({}), files(csv, format="csv")).account.matched == 1


def test_a_source_that_is_not_given_is_named() -> None:
    with pytest.raises(UsageError, match=r"1 source is named in the workflow and not given: orders"):
        take(messages(), {})
    with pytest.raises(UsageError, match=r"the workflow names no source 'order'(?s:.)*it names orders"):
        take(messages(), {"orders": files(), "order": files()})


def test_the_run_stops_at_more_rejected_records_than_allowed_and_lists_the_first_ten(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", [order(), *["{bad"] * 12])
    with pytest.raises(RejectedError) as caught:
        take(messages(), files(path), max_rejected=0)
    assert caught.value.rejected == tuple(
        f"{path}:{line}: not JSON: object keys must be strings (byte 1)" for line in range(2, 12)
    )
    assert "12 records cannot be read" in caught.value.message
    assert "--max-rejected 12" in (caught.value.hint or "")
    with pytest.raises(RejectedError):
        take(messages(), files(path), max_rejected=11)
    assert take(messages(), files(path), max_rejected=12).account.rejected == 12


def test_rejected_records_are_found_in_the_right_file(tmp_path: Path) -> None:
    first = write(tmp_path, "b.jsonl", [order(), "", "{bad", order()])
    second = write(tmp_path, "a.jsonl.gz", ["", order(time=None), order()])
    third = write(tmp_path, "c.jsonl", [order(amount="x")])
    outcome = take(messages(), files(first, second, third))
    assert [(each.file, each.line) for each in outcome.intake.rejected] == [
        (str(first), 3),
        (str(second), 2),
        (str(third), 1),
    ]


def test_a_file_is_called_by_the_name_that_its_reader_knows(tmp_path: Path) -> None:
    path = write(tmp_path, "spooled", ["{bad"])
    outcome = take(messages(), Files((str(path),), "jsonl", ("none",), given="-", names=("stdin",)))
    assert outcome.intake.rejected[0].file == "stdin"


def test_json_that_is_broken_over_many_lines_is_rejected_line_by_line(tmp_path: Path) -> None:
    outcome = take(messages(), files(write(tmp_path, "a.jsonl", '[\n  {\n    "type": "Placed"\n  }\n]\n')))
    assert (outcome.account.records, outcome.account.rejected) == (5, 5)


def test_a_document_nested_deep_breaks_nothing(tmp_path: Path) -> None:
    deep = b'{"type": "Placed", "amount": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    outcome = take(messages(), files(write(tmp_path, "a.jsonl", [order(), deep])))
    assert (outcome.account.matched, outcome.account.rejected) == (1, 1)
