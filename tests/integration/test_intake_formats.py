"""Every format, and the shapes that its files come in."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from sagacity.errors import SourceError, UsageError
from sagacity.sources.inputs import Files, Table
from sagacity.workflow.model import Capture
from taking_in import arrow, files, messages, order, parquet, take, write

HEADER = "type,time,id,order_id,amount"
ROW_OF_TABLE = "SELECT 'Placed' AS type, TIMESTAMPTZ '2026-01-01 00:00:00Z' AS time"
ROW = "Placed,2026-01-01T00:00:00Z,e1,1,4.50"


def test_files_of_different_compression_are_one_source(tmp_path: Path) -> None:
    plain = write(tmp_path, "a.jsonl", [order(id="1")])
    packed = write(tmp_path, "b.jsonl.gz", [order(id="2")])
    zipped = tmp_path / "c.jsonl.zst"
    duckdb.connect().execute(
        f"COPY (SELECT '{order(id='3')}' AS line) TO '{zipped}' "
        "(FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01', COMPRESSION zstd)"
    )
    assert take(messages(), files(plain, packed, zipped)).column("id") == ["1", "2", "3"]


def test_compression_goes_by_what_the_input_says_not_by_the_name(tmp_path: Path) -> None:
    packed = write(tmp_path, "a.gz", [order()]).rename(tmp_path / "a.jsonl")
    plain = write(tmp_path, "b.txt", [order(id="2")]).rename(tmp_path / "b.jsonl.gz")
    given = Files((str(packed), str(plain)), "jsonl", ("gzip", "none"), given="two")
    assert take(messages(), given).column("id") == ["e1", "2"] or take(messages(), given).column("id") == ["2", "e1"]


def test_paths_with_odd_characters_are_read_as_they_are(tmp_path: Path) -> None:
    write(tmp_path, "a1.jsonl", ["{bad"])
    for name in ("a[1].jsonl", "a*.jsonl", "it's.jsonl", "ä b.jsonl", "a{1,2}.jsonl", "a?.jsonl"):
        path = write(tmp_path, name, [order()])
        assert take(messages(), files(path)).account.matched == 1, name
    row = "SELECT 'Placed' AS type, TIMESTAMPTZ '2026-01-01 00:00:00Z' AS time, 'e' AS id, '1' AS order_id"
    odd = parquet(tmp_path / "p.parquet", row).rename(tmp_path / "p[1]'.parquet")
    assert take(messages({}), files(odd, format="parquet")).account.matched == 1
    csv = write(tmp_path, "c[1]'.csv", [HEADER, ROW])
    assert take(messages(), files(csv, format="csv")).account.matched == 1


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_csv_is_read_by_its_header_whatever_its_delimiter_and_line_ends(tmp_path: Path, delimiter: str, end: str) -> None:
    lines = [HEADER, ROW, 'Placed,2026-01-01T00:00:00Z,"e2","1","4.5"', "Other,2026-01-01T00:00:00Z,e3,1,"]
    text = end.join(line.replace(",", delimiter) for line in lines) + end
    outcome = take(messages(), files(write(tmp_path, "a.csv", text), format="csv"))
    assert (outcome.account.matched, outcome.account.unmatched, outcome.account.rejected) == (2, 1, 0)
    assert outcome.column("amount$decimal") == [Decimal("4.5"), Decimal("4.5")]


def test_csv_with_quotes_line_ends_and_nothing_within_values(tmp_path: Path) -> None:
    row = 'Placed,2026-01-01T00:00:00Z,"e\n""1"", x",1,""'
    outcome = take(messages(), files(write(tmp_path, "a.csv", [HEADER, row, ROW]), format="csv"))
    assert outcome.column("id") == ['e\n"1", x', "e1"]
    assert outcome.column("amount$decimal") == [None, Decimal("4.5")]


def test_csv_rows_that_are_not_sound_are_rejected_with_their_lines(tmp_path: Path) -> None:
    lines = [HEADER, ROW, "Placed,2026", 'x,"y\nz",e,1,2,3', ROW.replace("4.50", "many"), b"Placed,\xff\xfe,e1,1,2", ROW]
    outcome = take(messages(), files(write(tmp_path, "a.csv", lines), format="csv"))
    assert (outcome.account.records, outcome.account.matched, outcome.account.rejected) == (6, 2, 4)
    assert list(zip(outcome.lines, outcome.reasons, strict=True)) == [
        (3, "fewer values than the header has columns"),
        (4, "more values than the header has columns"),
        (6, "amount is 'many', not a number"),
        (7, "not UTF-8 text"),
    ]


def test_csv_with_a_quote_that_is_never_closed(tmp_path: Path) -> None:
    outcome = take(messages(), files(write(tmp_path, "a.csv", [HEADER, ROW, 'Placed,"2026,e2,1,3', ROW]), format="csv"))
    assert (outcome.account.matched, outcome.account.rejected, outcome.lines) == (1, 1, [3])
    assert outcome.reasons == ["a quote that is never closed, or text around a quoted value"]


def test_csv_with_mixed_line_ends_is_read_the_careful_way(tmp_path: Path) -> None:
    text = f"{HEADER}\n{ROW}\r\n{ROW}\nPlaced,2026\r\n{ROW.replace('4.50', 'x')}\n"
    for name in ("a.csv", "a.csv.gz"):
        outcome = take(messages(), files(write(tmp_path, name, text), format="csv"))
        assert (outcome.account.matched, outcome.account.rejected, outcome.lines) == (2, 2, [4, 5])


def test_csv_files_whose_columns_differ_are_one_source(tmp_path: Path) -> None:
    first = write(tmp_path, "a.csv", [HEADER, ROW])
    second = write(tmp_path, "b.csv", ["order_id;id;time;type", "2;e2;2026-01-01T00:00:00Z;Placed"])
    outcome = take(messages(), files(first, second, format="csv"))
    assert outcome.column("case_id") == ["1", "2"]
    assert outcome.column("amount$decimal") == [Decimal("4.5"), None]


def test_a_csv_header_that_names_a_column_twice_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", ["type,time,id,id,order_id", "Placed,2026-01-01T00:00:00Z,1,2,3"])
    with pytest.raises(SourceError, match=r"a\.csv:1: the column 'id' stands there twice"):
        take(messages({}), files(path, format="csv"))


def test_a_csv_file_with_a_header_alone_has_no_records(tmp_path: Path) -> None:
    for end in ("", "\n", "\r\n"):
        assert take(messages(), files(write(tmp_path, "a.csv", HEADER + end), format="csv")).account.records == 0


def test_a_flattened_column_is_found_by_its_path(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", ["type,time,id,data.order.id,payload", 'Placed,2026-01-01T00:00:00Z,1,7,"{""n"": 5}"'])
    workflow = messages({"n": Capture("payload.n", "integer")}, keys={"order": "data.order.id"})
    outcome = take(workflow, files(path, format="csv"))
    assert (outcome.column("case_id"), outcome.column("n$integer")) == (["7"], [5])


def test_parquet_files_whose_columns_differ_are_one_source(tmp_path: Path) -> None:
    base = "SELECT 'Placed' AS type, TIMESTAMPTZ '2026-01-01 00:00:00Z' AS time, 'e{0}' AS id, {0} AS order_id"
    extras = [
        ", 4.50::DECIMAL(9,2) AS amount",
        ", 5::BIGINT AS amount, 'x' AS other",
        "",
        ", 12345678901234.5678::DECIMAL(18,4) AS amount",
    ]
    paths = []
    for number, extra in enumerate(extras):
        paths.append(parquet(tmp_path / f"{number}.parquet", f"{base.format(number)}{extra}"))
    outcome = take(messages(), files(*paths, format="parquet"))
    assert outcome.column("amount$decimal") == [Decimal("4.5"), Decimal(5), None, Decimal("12345678901234.5678")]
    assert outcome.column("case_id") == ["0", "1", "2", "3"]


def test_one_of_several_parquet_files_may_lack_a_column_but_not_all(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet(path, "SELECT 'Placed' AS type, now() AS time, '1' AS order_id")
    with pytest.raises(SourceError, match="there is no column 'id'"):
        take(messages({}), files(path, format="parquet"))


def test_a_record_in_parquet_that_is_rejected_is_named_by_its_row(tmp_path: Path) -> None:
    paths = []
    for number in range(3):
        amount = f"CASE WHEN range = 3 AND {number} > 0 THEN 'x' ELSE '1' END AS amount"
        query = f"{ROW_OF_TABLE}, 'e' || range AS id, 'o' AS order_id, {amount} FROM range(5)"
        paths.append(parquet(tmp_path / f"{number}.parquet", query))
    outcome = take(messages(), files(*paths, format="parquet"))
    assert [str(each) for each in outcome.intake.rejected] == [
        f"{path}:4: amount is 'x', not a number" for path in paths[1:]
    ]
    assert (outcome.account.matched, outcome.account.rejected) == (13, 2)
    assert "e3" in outcome.column("id")


SQL = f"{ROW_OF_TABLE}, 'e' || range AS id, range AS order_id, 4.5 AS amount FROM range(3)"


def test_tables_of_every_kind_are_read_in_place() -> None:
    dataset = pytest.importorskip("pyarrow.dataset")
    polars = pytest.importorskip("polars")
    pandas = pytest.importorskip("pandas")
    table = arrow(SQL)
    frame = polars.from_arrow(table)
    tables = [
        table,
        table.to_reader(),
        table.to_batches()[0],
        dataset.dataset(table),
        frame,
        frame.lazy(),
        table.to_pandas(),
        pandas.DataFrame({"type": ["Placed"] * 3, "time": ["2026-01-01T00:00:00Z"] * 3, "id": ["e0", "e1", "e2"],
                          "order_id": [0.0, 1.0, 2.0], "amount": [4.5] * 3}),
    ]  # fmt: skip
    for data in tables:
        for seq in (None, "row"):
            if seq == "row" and type(data).__name__ == "RecordBatchReader":
                continue
            outcome = take(messages(seq=seq), Table(data, "a table"))
            assert outcome.column("case_id") == ["0", "1", "2"], type(data)
            assert outcome.column("amount$decimal") == [Decimal("4.5")] * 3
            assert outcome.account.given == "a table"


def test_a_rejected_row_of_a_table_is_told() -> None:
    table = arrow(SQL.replace("4.5 AS", "4.55555 AS"))
    outcome = take(messages(), Table(table, "orders"))
    assert outcome.account.rejected == 3
    assert str(outcome.intake.rejected[0]).startswith("orders: amount is '4.55555', which has more digits")


def test_what_is_no_table_is_told() -> None:
    with pytest.raises(UsageError, match="source 'orders' cannot be read from a dict"):
        take(messages(), Table({"a": 1}))


def test_no_data_frame_library_is_loaded_for_files(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", [order()])
    script = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent.parent)!r})
from pathlib import Path
from taking_in import files, messages, take
take(messages(), files(Path({str(path)!r})))
print(sorted(name for name in ("pyarrow", "pandas", "polars", "numpy", "sqlglot") if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_key_missing_from_one_of_several_parquet_files_makes_an_orphan(tmp_path: Path) -> None:
    keys = {"whole": ["'1'", "'2'"], "empty": ["''", "'3'"], "absent": ["NULL", "'4'"]}
    paths = [
        parquet(
            tmp_path / f"{name}.parquet",
            "SELECT 'Placed' AS type, TIMESTAMPTZ '2026-03-01' AS time, 'e' AS id, "
            f"unnest([{', '.join(values)}]) AS order_id",
        )
        for name, values in keys.items()
    ]
    orphans = [take(messages({}), files(path, format="parquet")).account.orphan for path in paths]
    assert orphans == [0, 1, 1]
    together = take(messages({}), files(*paths, format="parquet"))
    assert (together.account.matched, together.account.orphan) == (4, 2)
    assert together.column("case_id") == ["1", "2", "3", "4"]
