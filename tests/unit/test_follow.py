"""Following files: each complete line once, whatever happens to the file."""

from __future__ import annotations

import gzip
import json
import os
import resource
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest

from sagacity.errors import UsageError
from sagacity.sources.follow import FollowStream
from sagacity.sources.follow.identity import identify, part_name, read_part_name
from sagacity.sources.stream import Part


class Ledger:
    """Keeps what a stream gives as a ledger would: records and positions, and nothing else."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.places: defaultdict[Part, list[int]] = defaultdict(list)
        self.positions: dict[Part, int] = {}

    def follow(self, *paths: Path | str, most: int = 1000) -> list[bytes]:
        """Start, read what is there, and stop; what was new."""
        with closing(FollowStream({"orders": [str(path) for path in paths]}, look_every=0)) as stream:
            stream.start(self.positions)
            return self.read(stream, most)

    def read(self, stream: FollowStream, most: int = 1000) -> list[bytes]:
        before = len(self.bodies)
        limit = time.monotonic() + 30
        quiet = 0
        while quiet < 2:
            assert time.monotonic() < limit
            batches = stream.poll(most, 0)
            assert sum(len(batch.bodies) for batch in batches) <= most
            quiet = quiet + 1 if not batches and all(reach.state != "behind" for reach in stream.reaches()) else 0
            for batch in batches:
                assert batch.resume is not None
                self.bodies += batch.bodies
                self.places[batch.source, batch.part] += batch.positions
                self.positions[batch.source, batch.part] = batch.resume
        return self.bodies[before:]


def write(path: Path, lines: Iterable[bytes], mode: str = "ab") -> Path:
    with path.open(mode) as file:
        file.write(b"".join(line + b"\n" for line in lines))
    return path


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def test_lines_are_read_once_over_restarts(tmp_path: Path, ledger: Ledger) -> None:
    log = write(tmp_path / "orders.log", [b"{}", b'{"n":1}'])
    assert ledger.follow(log) == [b"{}", b'{"n":1}']
    assert ledger.follow(log) == []
    write(log, [b'{"n":2}'])
    assert ledger.follow(log) == [b'{"n":2}']
    ((part, places),) = ledger.places.items()
    assert part[1].startswith(f"{log}#")
    assert places == [0, 3, 11]


def test_no_more_is_given_than_was_asked_for(tmp_path: Path, ledger: Ledger) -> None:
    for name in "abc":
        write(tmp_path / f"{name}.jsonl", [f'{{"{name}":{number}}}'.encode() for number in range(100)])
    assert len(ledger.follow(tmp_path, most=7)) == 300
    assert len(set(ledger.bodies)) == 300


def test_a_line_without_its_end_waits(tmp_path: Path, ledger: Ledger) -> None:
    log = write(tmp_path / "orders.log", [b"{}"])
    with log.open("ab") as file:
        file.write(b'{"n":')
        file.flush()
        assert ledger.follow(log) == [b"{}"]
        file.write(b"1}\n")
    assert ledger.follow(log) == [b'{"n":1}']


def test_blank_lines_are_no_records_and_a_byte_order_mark_is_no_text(tmp_path: Path, ledger: Ledger) -> None:
    log = write(tmp_path / "orders.log", [b'\xef\xbb\xbf{"n":1}', b"", b" \r", b'{"n":2}\r'])
    assert ledger.follow(log) == [b'{"n":1}', b'{"n":2}\r']
    assert ledger.follow(log) == []


def test_a_renamed_file_is_read_to_its_end_and_the_new_one_from_its_beginning(tmp_path: Path, ledger: Ledger) -> None:
    log = write(tmp_path / "orders.log", [b'{"n":1}'])
    with closing(FollowStream({"orders": [str(log)]}, look_every=0)) as stream:
        stream.start({})
        assert ledger.read(stream) == [b'{"n":1}']
        log.rename(tmp_path / "orders.log.1")
        write(tmp_path / "orders.log.1", [b'{"n":2}'])
        write(log, [b'{"n":3}'])
        assert sorted(ledger.read(stream)) == [b'{"n":2}', b'{"n":3}']
    assert len(ledger.places) == 2


@pytest.mark.parametrize("pattern", ["orders.log", "orders.log*"])
def test_a_file_that_was_renamed_while_nobody_looked_is_read_on(tmp_path: Path, ledger: Ledger, pattern: str) -> None:
    log = write(tmp_path / "orders.log", [b'{"n":1}', b'{"n":2}'])
    ledger.follow(tmp_path / pattern)
    write(log, [b'{"n":3}'])
    log.rename(tmp_path / "orders.log.1")
    write(log, [b'{"n":1}', b'{"n":4}'])
    assert sorted(ledger.follow(tmp_path / pattern)) == [b'{"n":1}', b'{"n":3}', b'{"n":4}']
    assert ledger.follow(tmp_path / pattern) == []


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("anew", [[b'{"n":1}'], [b'{"n":8}', b'{"n":9}', b'{"n":10}', b'{"n":11}']])
def test_a_file_that_is_cut_off_and_written_anew_is_another(
    tmp_path: Path, ledger: Ledger, restarted: bool, anew: list[bytes]
) -> None:
    """Shorter than it was with the same first line, or longer with another."""
    log = write(tmp_path / "orders.log", [b'{"n":1}', b'{"n":2}'])
    with closing(FollowStream({"orders": [str(log)]}, look_every=0)) as stream:
        stream.start({})
        ledger.read(stream)
        write(log, anew, "wb")
        assert (ledger.follow(log) if restarted else ledger.read(stream)) == anew
    assert ledger.follow(log) == []
    assert len(ledger.places) == 2


@pytest.mark.parametrize("restarted", [False, True])
def test_a_file_that_is_cut_off_to_its_first_line_is_another(tmp_path: Path, ledger: Ledger, restarted: bool) -> None:
    """It begins as it did, and is only shorter than what was read of it."""
    log = write(tmp_path / "orders.log", [b'{"n":1}'])
    ledger.follow(log)
    write(log, [b'{"n":2}'])
    with closing(FollowStream({"orders": [str(log)]}, look_every=0)) as stream:
        stream.start(ledger.positions)
        assert ledger.read(stream) == [b'{"n":2}']
        write(log, [b'{"n":1}'], "wb")
        assert (ledger.follow(log) if restarted else ledger.read(stream)) == [b'{"n":1}']
        write(log, [b'{"n":3}'])
    assert ledger.follow(log) == [b'{"n":3}']
    assert sorted(part.count(".") for _, part in ledger.places) == [3, 4]


def test_a_deleted_file_is_read_to_its_end_while_it_is_followed(tmp_path: Path, ledger: Ledger) -> None:
    log = write(tmp_path / "orders.log", [b'{"n":1}'])
    with closing(FollowStream({"orders": [str(log)]}, look_every=0)) as stream:
        stream.start({})
        ledger.read(stream)
        write(log, [b'{"n":2}'])
        log.unlink()
        assert ledger.read(stream) == [b'{"n":2}']
        assert any("there is no such file" in (reach.error or "") for reach in stream.reaches())


def test_a_file_whose_name_is_no_text_is_read_and_named_so_that_it_can_be_told(tmp_path: Path, ledger: Ledger) -> None:
    (tmp_path / os.fsdecode(b"odd\xff.jsonl")).write_bytes(b'{"n":1}\n')
    assert ledger.follow(tmp_path) == [b'{"n":1}']
    ((_, part),) = ledger.positions
    assert "odd\\xff.jsonl#" in part
    part.encode()


def test_files_that_come_into_a_folder_are_read(tmp_path: Path, ledger: Ledger) -> None:
    with closing(FollowStream({"orders": [str(tmp_path)]}, look_every=0)) as stream:
        stream.start({})
        assert ledger.read(stream) == []
        assert [(reach.state, reach.error) for reach in stream.reaches()] == [("current", "no file is there yet")]
        (tmp_path / "below").mkdir()
        write(tmp_path / "below" / "a.jsonl", [b'{"n":1}'])
        write(tmp_path / "_half.jsonl", [b'{"n":2}'])
        write(tmp_path / "notes.txt", [b'{"n":3}'])
        assert ledger.read(stream) == [b'{"n":1}']


def test_compressed_files_are_read_once_and_in_the_middle_after_a_restart(tmp_path: Path, ledger: Ledger) -> None:
    lines = [b'{"n":%d}' % number for number in range(1000)]
    packed = b"".join(gzip.compress(b"\n".join(lines[start : start + 100]) + b"\n") for start in range(0, 1000, 100))
    (tmp_path / "orders.jsonl.gz").write_bytes(packed)
    with closing(FollowStream({"orders": [str(tmp_path)]})) as stream:
        stream.start({})
        batches = stream.poll(333, 0)
    ledger.positions = {(batch.source, batch.part): batch.resume or 0 for batch in batches}
    some = [body for batch in batches for body in batch.bodies]
    assert len(some) == 333
    assert [*some, *ledger.follow(tmp_path)] == lines
    assert ledger.follow(tmp_path) == []


def test_a_compressed_file_that_is_still_being_written_waits_for_the_rest(tmp_path: Path, ledger: Ledger) -> None:
    lines = [os.urandom(30).hex().encode() for _ in range(5000)]
    packed = gzip.compress(b"\n".join(lines))
    path = tmp_path / "orders.jsonl.gz"
    path.write_bytes(packed[: len(packed) // 2])
    with closing(FollowStream({"orders": [str(tmp_path)]}, look_every=0)) as stream:
        stream.start({})
        some = ledger.read(stream)
        assert 0 < len(some) < 5000
        assert [reach.error for reach in stream.reaches()] == ["it is not complete yet, and is read on when it grows"]
        with path.open("ab") as file:
            file.write(packed[len(packed) // 2 :])
        ledger.read(stream)
    assert ledger.bodies == lines  # the last one has no end, and the file is complete


def test_a_compressed_file_that_is_damaged_is_down_and_others_are_read(tmp_path: Path, ledger: Ledger) -> None:
    damaged = bytearray(gzip.compress(b"\n".join(b'{"n":%d}' % number for number in range(100_000))))
    damaged[len(damaged) // 2] ^= 255
    (tmp_path / "bad.jsonl.gz").write_bytes(damaged)
    write(tmp_path / "good.jsonl", [b"{}"])
    with closing(FollowStream({"orders": [str(tmp_path)]}, look_every=0)) as stream:
        stream.start({})
        assert b"{}" in ledger.read(stream)
        (down,) = [reach for reach in stream.reaches() if reach.state == "down"]
    assert "no sound gzip file" in (down.error or "")


@pytest.mark.parametrize("packed", [False, True])
def test_a_line_of_a_hundred_megabytes_is_shortened_and_holds_no_such_memory(
    tmp_path: Path, ledger: Ledger, packed: bool
) -> None:
    path = tmp_path / ("orders.jsonl.gz" if packed else "orders.jsonl")
    with gzip.open(path, "wb", 1) if packed else path.open("wb") as file:
        file.write(b'{"n":1}\n{"long":"')
        for _ in range(100):
            file.write(b"x" * 1_000_000)
        file.write(b'"}\n{"n":2}\n')
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    first, long, last = ledger.follow(tmp_path)
    assert (first, last) == (b'{"n":1}', b'{"n":2}')
    assert long.startswith(b'{"long":"xxx')
    assert b"a line of 100000011 bytes" in long
    assert len(long) < 2000
    with pytest.raises(json.JSONDecodeError):
        json.loads(long)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 90_000  # kilobytes


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_down_and_read_once_it_may(tmp_path: Path, ledger: Ledger) -> None:
    log = write(tmp_path / "orders.log", [b"{}"])
    log.chmod(0)
    with closing(FollowStream({"orders": [str(log)]}, look_every=0)) as stream:
        stream.start({})
        assert ledger.read(stream) == []
        assert [reach.state for reach in stream.reaches()] == ["down"]
        log.chmod(0o600)
        assert ledger.read(stream) == [b"{}"]


def test_a_file_that_cannot_be_opened_is_down_and_read_once_it_can(tmp_path: Path, ledger: Ledger) -> None:
    loop = tmp_path / "orders.log"
    loop.symlink_to(loop)
    with closing(FollowStream({"orders": [str(loop)]}, look_every=0)) as stream:
        stream.start({})
        assert ledger.read(stream) == []
        (reach,) = stream.reaches()
        assert (reach.state, "cannot be read" in (reach.error or "")) == ("down", True)
        loop.unlink()
        write(loop, [b"{}"])
        assert ledger.read(stream) == [b"{}"]


def test_more_files_than_a_process_may_hold_open(tmp_path: Path, ledger: Ledger) -> None:
    paths = [write(tmp_path / f"{number}.jsonl", [b'{"n":%d}' % number]) for number in range(700)]
    with closing(FollowStream({"orders": [str(tmp_path)]}, look_every=0)) as stream:
        stream.start({})
        assert len(ledger.read(stream)) == 700
        for path in paths:
            path.rename(path.with_suffix(".json"))
            write(path.with_suffix(".json"), [path.name.encode()])
        assert sorted(ledger.read(stream)) == sorted(path.name.encode() for path in paths)


def test_several_sources_follow_one_file_each_on_its_own(tmp_path: Path) -> None:
    log = write(tmp_path / "orders.log", [b"{}"])
    with closing(FollowStream({"a": [str(log)], "b": [str(log)]})) as stream:
        stream.start({})
        taken = sorted((batch.source, list(batch.bodies)) for batch in stream.poll(10, 0))
    assert taken == [("a", [b"{}"]), ("b", [b"{}"])]


def test_a_part_is_named_by_what_tells_a_file_from_others() -> None:
    identity = identify(7, b'{"n":1}\n{"n":2}\n{"n"')
    assert identity is not None
    assert (identity.inode, identity.length) == (7, 16)
    assert read_part_name(part_name("a#b/c", identity)) == ("a#b/c", identity)
    assert read_part_name(part_name("x", identity.next())) == ("x", identity.next())
    assert identity.holds(7, b'{"n":1}\n{"n":2}\nmore')
    assert not identity.holds(7, b'{"n":1}\n{"n":3}\n')
    assert not identity.holds(8, b'{"n":1}\n{"n":2}\n')
    assert identify(7, b'{"n":1}') is None
    assert read_part_name("orders/3") is None


@pytest.mark.parametrize("given", [{"orders": []}, {"orders": "orders.log"}, {"orders": [""]}])
def test_files_that_make_no_sense_are_turned_down(given: dict[str, list[str]]) -> None:
    with pytest.raises(UsageError):
        FollowStream(given)
