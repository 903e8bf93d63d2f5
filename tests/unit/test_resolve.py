"""What a user writes for a source, and what it is read as."""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from sagacity.errors import SagacityError, SourceError, UsageError
from sagacity.sources.inputs import Files, Table
from sagacity.sources.resolve import parse_source_option, parse_source_options, resolve
from sagacity.sources.spool import Spool
from sagacity.workflow.model import EventType, Source, Workflow

LINE = b'{"type": "OrderPlaced", "order": 1}\n'


def workflow(**sources: Source) -> Workflow:
    named = sources or {"orders": Source()}
    return Workflow(name="w", sources=named, events={f"Of {name}": EventType(source=name) for name in named})


def files(value: object, source: Source | None = None, *, stdin: bytes = b"") -> Files:
    found = resolve(workflow(orders=source or Source()), {"orders": value}, base=None, stdin=io.BytesIO(stdin))["orders"]
    assert isinstance(found, Files)
    return found


def refused(value: object, source: Source | None = None) -> SagacityError:
    with pytest.raises((SourceError, UsageError)) as caught:
        files(value, source)
    return caught.value


@pytest.fixture
def put(tmp_path: Path) -> Callable[[str, bytes], Path]:
    def write(name: str, content: bytes = LINE) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    return write


Put = Callable[..., Path]


@pytest.mark.parametrize(
    ("name", "content", "format", "compression"),
    [
        ("a.jsonl", LINE, "jsonl", "none"),
        ("a.ndjson.gz", gzip.compress(LINE, mtime=0), "jsonl", "gzip"),
        ("a.json.zst", b"\x28\xb5\x2f\xfd rest", "jsonl", "zstd"),
        ("a.CSV", b"order,time\n", "csv", "none"),
        ("a.tsv", b"order\ttime\n", "csv", "none"),
        ("a.parquet", b"PAR1....PAR1", "parquet", "none"),
        ("a.xes", b"<?xml version='1.0'?><log/>", "xes", "none"),
        ("events.2026.csv", b"order\n", "csv", "none"),
        ("really-packed.jsonl", gzip.compress(LINE, mtime=0), "jsonl", "gzip"),
        ("not-packed.jsonl.gz", LINE, "jsonl", "none"),
        ("no-suffix", LINE, "jsonl", "none"),
        ("no-suffix", b"\xef\xbb\xbf \n" + LINE, "jsonl", "none"),
        ("no-suffix", gzip.compress(b"<log></log>", mtime=0), "xes", "gzip"),
        ("no-suffix", b"PAR1....PAR1", "parquet", "none"),
        ("empty", b"", "jsonl", "none"),
        ("empty.csv", b"", "csv", "none"),
        ("cut.jsonl.gz", gzip.compress(LINE, mtime=0)[:14], "jsonl", "gzip"),
    ],
)
def test_format_and_compression_are_told_by_name_and_bytes(
    put: Put, name: str, content: bytes, format: str, compression: str
) -> None:
    found = files(put(name, content))
    assert (found.format, found.compression) == (format, (compression,))


def test_the_workflow_states_the_format_of_a_file_whose_name_tells_none(put: Put) -> None:
    assert files(put("events.log", b"order;time\n"), Source(format="csv")).format == "csv"


@pytest.mark.parametrize(
    ("name", "content", "stated", "said"),
    [
        ("a.jsonl", b"PAR1....PAR1", None, "holds Parquet, and its name says jsonl"),
        ("a.parquet", b"PAR1....PAR1", "jsonl", "holds Parquet, and the workflow says jsonl"),
        ("a.parquet", LINE, None, "holds JSON, and its name says parquet"),
        ("a.xes", LINE, None, "holds JSON, and its name says xes"),
        ("a.json", b'[{"order": 1}]', None, "holds one JSON array"),
        ("a.dat", b"order;time\n", None, "neither its name nor its first bytes tell"),
        ("a.zip", b"PK\x03\x04...", None, "a zip archive"),
        ("a.jsonl.bz2", b"BZh91AY", None, "compressed by bzip2"),
        ("a.parquet.gz", gzip.compress(b"PAR1....PAR1", mtime=0), None, "compressed within"),
    ],
)
def test_what_cannot_be_read_as_told_is_refused_with_a_way_out(
    put: Put, name: str, content: bytes, stated: str | None, said: str
) -> None:
    error = refused(put(name, content), msgspec.convert({"format": stated}, Source))
    assert isinstance(error, UsageError)
    assert said in error.message
    assert error.hint


def test_a_format_that_nothing_tells_names_the_known_ones(put: Put) -> None:
    assert "jsonl, csv, parquet or xes" in str(refused(put("a.dat", b"order;time\n")))


def test_a_folder_is_every_file_of_its_one_format_below_it_in_order(put: Put, tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.jsonl.gz", "deep/er/c.ndjson", ".hidden.jsonl", "_logs/d.jsonl", "README.md", "_SUCCESS"):
        put(name)
    assert [Path(path).relative_to(tmp_path).as_posix() for path in files(tmp_path).paths] == [
        "a.jsonl.gz",
        "b.jsonl",
        "deep/er/c.ndjson",
    ]


def test_a_folder_that_mixes_formats_asks_for_a_glob(put: Put, tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl", "c.csv"):
        put(name)
    error = refused(tmp_path)
    assert "mixes formats: 2 jsonl, 1 csv" in error.message
    assert error.hint is not None
    assert "*.jsonl" in error.hint
    assert len(files(tmp_path, Source(format="csv")).paths) == 1


def test_a_folder_without_a_known_format_says_what_it_holds(put: Put, tmp_path: Path) -> None:
    put("notes.md")
    error = refused(tmp_path)
    assert "holds no file of a known format" in error.message
    assert "notes.md" in str(error.hint)


def test_a_glob_goes_into_folders_and_takes_files_only(put: Put, tmp_path: Path) -> None:
    for name in ("a.jsonl", "deep/b.jsonl", "deep/er.jsonl/c.jsonl"):
        put(name)
    assert len(files(f"{tmp_path}/**/*.jsonl").paths) == 3
    assert len(files(f"{tmp_path}/*.jsonl").paths) == 1


def test_a_glob_that_matches_nothing_says_what_is_there(put: Put, tmp_path: Path) -> None:
    put("a.csv")
    error = refused(f"{tmp_path}/*.jsonl")
    assert isinstance(error, SourceError)
    assert "a.csv" in str(error.hint)
    assert "there is no folder" in str(refused(f"{tmp_path}/nowhere/*.jsonl").hint)


def test_a_file_whose_name_looks_like_a_glob_is_that_file(put: Put) -> None:
    path = put("a[1].jsonl")
    assert files(path).paths == (str(path),)


def test_a_comma_is_part_of_a_name(put: Put) -> None:
    assert len(files(put("a,b.jsonl")).paths) == 1


def test_a_list_is_read_in_its_order_and_no_file_twice(put: Put, tmp_path: Path) -> None:
    b, a = put("b.jsonl"), put("a.jsonl")
    assert files([b, str(tmp_path / "*.jsonl")]).paths == (str(b), str(a))


def test_a_missing_file_suggests_the_nearest_name(put: Put, tmp_path: Path) -> None:
    put("orders.jsonl")
    error = refused(tmp_path / "order.jsonl")
    assert isinstance(error, SourceError)
    assert "did you mean" in str(error.hint)
    assert "orders.jsonl" in str(error.hint)
    assert "there is no folder" in str(refused(tmp_path / "nowhere" / "a.jsonl").hint)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_says_so(put: Put) -> None:
    path = put("a.jsonl")
    path.chmod(0)
    assert "permission" in str(refused(path)).lower()


@pytest.mark.parametrize(
    "value", ["", "a\0b", "s3://bucket/events.parquet", "x" * 5000, 7, None, {"order": 1}, [1], [{}, "a"]]
)
def test_nonsense_is_refused_without_a_traceback(value: object) -> None:
    assert refused(value).message


def test_a_source_that_the_workflow_does_not_name_suggests_the_one_meant() -> None:
    with pytest.raises(UsageError, match="did you mean 'orders'"):
        resolve(workflow(), {"order": "x"}, base=None)


def test_every_source_that_is_not_given_is_named_at_once() -> None:
    flow = workflow(orders=Source(), payments=Source(), items=Source(path="items.csv"))
    with pytest.raises(UsageError, match="orders and payments") as caught:
        resolve(flow, {}, base=None)
    assert caught.value.hint == "--source orders=PATH --source payments=PATH"


def test_a_source_that_only_an_event_type_names_is_a_source_too(put: Put) -> None:
    flow = Workflow(name="w", events={"A": EventType(source="orders")})
    assert list(resolve(flow, {"orders": put("a.jsonl")}, base=None)) == ["orders"]


def test_a_default_path_is_relative_to_the_workflows_folder_and_may_be_overridden(put: Put, tmp_path: Path) -> None:
    default, other = put("data/orders.jsonl"), put("other.jsonl")
    flow = workflow(orders=Source(path="data/orders.jsonl"))
    found = resolve(flow, {}, base=tmp_path)["orders"]
    given = resolve(flow, {"orders": other}, base=tmp_path)["orders"]
    assert isinstance(found, Files)
    assert isinstance(given, Files)
    assert (found.paths, given.paths) == ((str(default),), (str(other),))


def test_a_default_glob_is_one_within_the_workflows_folder_only(put: Put, tmp_path: Path) -> None:
    wanted = put("days [1]/events/a.jsonl")
    found = resolve(workflow(orders=Source(path="events/*.jsonl*")), {}, base=tmp_path / "days [1]")["orders"]
    assert isinstance(found, Files)
    assert found.paths == (str(wanted),)


def test_standard_input_is_kept_privately_and_removed_with_its_spool() -> None:
    with Spool() as spool:
        found = resolve(workflow(), {"orders": "-"}, base=None, spool=spool, stdin=io.BytesIO(gzip.compress(LINE, mtime=0)))[
            "orders"
        ]
        assert isinstance(found, Files)
        path = Path(found.paths[0])
        assert (found.format, found.compression, found.given, found.name(0)) == ("jsonl", ("gzip",), "-", "stdin")
        assert gzip.decompress(path.read_bytes()) == LINE
        assert path.parent.stat().st_mode & 0o077 == 0
    assert not path.parent.exists()


def test_a_spool_of_its_own_lives_as_long_as_the_input() -> None:
    found = files("-", stdin=LINE)
    path = Path(found.paths[0])
    assert path.exists()
    del found
    assert not path.exists()


def test_standard_input_serves_one_source_only() -> None:
    with pytest.raises(UsageError, match="both 'a' and 'b'"):
        resolve(workflow(a=Source(), b=Source()), {"a": "-", "b": "-"}, base=None, stdin=io.BytesIO(LINE))


def test_a_pipe_is_read_once_and_kept() -> None:
    read, write = os.pipe()
    os.write(write, LINE)
    os.close(write)
    found = files(f"/dev/fd/{read}")
    os.close(read)
    assert Path(found.paths[0]).read_bytes() == LINE
    assert found.name(0) == f"/dev/fd/{read}"


def test_rows_in_memory_become_lines_with_exact_amounts() -> None:
    found = files([{"order": 1, "amount": Decimal("4.50")}, {"order": 2, "amount": None}])
    lines = Path(found.paths[0]).read_bytes().splitlines()
    assert [msgspec.json.decode(line) for line in lines] == [{"order": 1, "amount": "4.50"}, {"order": 2, "amount": None}]
    assert found.given == "2 rows in memory"


def test_a_table_in_memory_is_handed_on_as_it_is() -> None:
    class Frame:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            raise AssertionError("not to be read yet")

    frame = Frame()
    found = resolve(workflow(orders=Source(format="table")), {"orders": frame}, base=None)["orders"]
    assert isinstance(found, Table)
    assert found.data is frame
    assert "in memory" in refused("a.jsonl", Source(format="table")).message


def test_a_source_option_is_a_name_and_a_path() -> None:
    assert parse_source_option("orders=events/*.jsonl.gz") == ("orders", "events/*.jsonl.gz")
    assert parse_source_option("orders=day=1/a.jsonl") == ("orders", "day=1/a.jsonl")
    assert parse_source_options(["a=1", "b=2", "a=3"]) == {"a": ["1", "3"], "b": ["2"]}


def test_with_one_source_its_name_may_be_left_out() -> None:
    one = workflow()
    assert parse_source_option("events.jsonl", one) == ("orders", "events.jsonl")
    assert parse_source_option("data/day=1/a.jsonl", one) == ("orders", "data/day=1/a.jsonl")
    assert parse_source_option("-", one) == ("orders", "-")
    assert parse_source_option("ordres=a.jsonl", one) == ("ordres", "a.jsonl")


@pytest.mark.parametrize("text", ["events.jsonl", "=events.jsonl", "orders=", "", "  =x"])
def test_an_option_without_a_name_or_a_path_shows_how_to_write_it(text: str) -> None:
    with pytest.raises(UsageError, match="write --source"):
        parse_source_option(text, workflow(orders=Source(), payments=Source()))
