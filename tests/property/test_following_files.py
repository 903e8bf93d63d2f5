"""The law of followed files: every complete line once, in its file's order, whatever is done to the files."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from sagacity.sources.follow import FollowStream
from sagacity.sources.follow.identity import read_part_name
from sagacity.sources.stream import Part

PADDING = st.sampled_from([0, 0, 1, 30, 5000, 70_000, 1_100_000])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), PADDING),
        st.tuples(st.just("append half"), PADDING),
        st.tuples(st.just("poll"), st.integers(1, 4)),
        st.tuples(st.sampled_from(["rename", "renamed away", "cut", "pack", "restart", "crash"]), st.just(0)),
    ),
    max_size=40,
)


class Writer:
    """An application that logs, and what rotates its log. Each line is another, the first ones of files included."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "app.jsonl"
        self.half = b""
        self.written: list[bytes] = []
        self.files = 0

    def line(self, padding: int) -> bytes:
        return b'{"n":%d,"p":"%b"}' % (len(self.written), b"x" * padding)

    def append(self, padding: int) -> None:
        """A line, or the end of the one that was begun."""
        line, there = self.half or self.line(padding), len(self.half)
        with self.log.open("ab") as file:
            file.write(line[there:] + b"\n")
        self.written.append(line)
        self.half = b""

    def append_half(self, padding: int) -> None:
        if not self.half:
            self.half = self.line(padding)[:-2]
            with self.log.open("ab") as file:
                file.write(self.half)

    def rename(self, ending: str) -> None:
        if self.log.exists() and not self.half:
            self.files += 1
            self.log.rename(self.folder / f"app.{self.files}.{ending}")

    def cut(self) -> None:
        """What was read of the log is thrown away, and it begins anew."""
        if self.log.exists() and not self.half:
            self.log.write_bytes(b"")

    def pack(self) -> None:
        """A file that was compressed elsewhere is put into the folder."""
        if not self.half:
            self.files += 1
            line = self.line(10)
            (self.folder / f"app.{self.files}.jsonl.gz").write_bytes(gzip.compress(line + b"\n"))
            self.written.append(line)


class Reader:
    """Sagacity: a stream, and what the ledger keeps of it: records and positions, in one transaction."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kept: list[bytes] = []
        self.positions: dict[Part, int] = {}
        self.stream = self._start()

    def _start(self) -> FollowStream:
        stream = FollowStream({"app": [str(self.folder)]}, look_every=0)
        stream.start(self.positions)
        return stream

    def poll(self, most: int, keep: bool = True) -> bool:
        batches = self.stream.poll(most, 0)
        assert sum(len(batch.bodies) for batch in batches) <= most
        for batch in batches if keep else ():
            assert list(batch.positions) == sorted(batch.positions)
            assert batch.resume is not None
            self.kept += batch.bodies
            self.positions[batch.source, batch.part] = batch.resume
        return bool(batches) or any(reach.state == "behind" for reach in self.stream.reaches())

    def restart(self) -> None:
        self.stream.close()
        self.stream = self._start()

    def read_some_of(self, path: Path) -> None:
        if path.exists() and b"\n" in (head := path.read_bytes()):
            assert any(self._knows(path.stat().st_ino, head) or not self.poll(1) for _ in range(10_000))

    def _knows(self, inode: int, head: bytes) -> bool:
        return any(read[1].holds(inode, head) for _, part in self.positions if (read := read_part_name(part)))

    def read_all(self) -> None:
        assert any(not self.poll(1000) and not self.poll(1000) for _ in range(200))


def steps_done(writer: Writer, reader: Reader, steps: list[tuple[str, int]]) -> Iterator[None]:
    for what, number in steps:
        match what:
            case "append":
                writer.append(number)
            case "append half":
                writer.append_half(number)
            case "poll":
                reader.poll(number)
            case "rename":
                writer.rename("jsonl")
            case "renamed away":
                reader.read_some_of(writer.log)  # to where it is not followed: it has to be known by then
                writer.rename("old")
            case "cut":
                reader.read_all()  # what is cut off before it was read is lost to everybody
                writer.cut()
            case "pack":
                writer.pack()
            case "restart":
                reader.restart()
            case "crash":  # polled, and not kept
                reader.poll(3, keep=False)
                reader.restart()
        yield


@settings(deadline=None, max_examples=120)
@given(STEPS)
def test_every_complete_line_is_read_once_whatever_is_done_to_the_files(steps: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        writer, reader = Writer(Path(folder)), Reader(Path(folder))
        with closing(reader.stream):
            for _ in steps_done(writer, reader, steps):
                pass
            reader.read_all()
            reader.restart()
            reader.read_all()
            reader.stream.close()
        assert sorted(reader.kept) == sorted(writer.written)
