"""What a file holds, by its name and by its first bytes."""

from __future__ import annotations

import zlib
from pathlib import Path

import msgspec

from sagacity.errors import SourceError, UsageError
from sagacity.sources.inputs import Compression, Format

__all__ = ["KNOWN", "Sniffed", "format_of", "named_format", "sniff", "unreadable"]

KNOWN = "jsonl, csv, parquet or xes"

_HEAD = 4096
_SUFFIXES: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".xes": "xes",
}
_PACKED = (".gz", ".zst")
_COMPRESSION: tuple[tuple[bytes, Compression], ...] = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"))
_FOREIGN = ((b"PK\x03\x04", "a zip archive"), (b"BZh", "compressed by bzip2"), (b"\xfd7zXZ\x00", "compressed by xz"))
_CONTENT: tuple[tuple[bytes, Format], ...] = ((b"PAR1", "parquet"), (b"<", "xes"), (b"{", "jsonl"))
_TITLES = {"jsonl": "JSON", "csv": "CSV", "parquet": "Parquet", "xes": "XML"}


class Sniffed(msgspec.Struct, frozen=True):
    """What the first bytes of a file tell. `format` is None where they tell nothing, as of CSV."""

    compression: Compression
    format: Format | None
    empty: bool = False
    array: bool = False


def sniff(path: str, name: str) -> Sniffed:
    """Look at the first bytes of a file; `name` is what messages call it.

    Raises SourceError where it cannot be opened, UsageError where it is of a kind that has to be unpacked first.
    """
    try:
        with Path(path).open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise unreadable(name, error) from error
    for magic, kind in _FOREIGN:
        if head.startswith(magic):
            raise UsageError(f"{name} is {kind}, which is not read directly", hint="unpack it, or pack it as .gz or .zst")
    compression: Compression = next((kind for magic, kind in _COMPRESSION if head.startswith(magic)), "none")
    text = _unpacked(head, compression).removeprefix(b"\xef\xbb\xbf").lstrip()
    found = next((kind for magic, kind in _CONTENT if text.startswith(magic)), None)
    return Sniffed(compression, found, empty=not head, array=text.startswith(b"["))


def named_format(name: str) -> Format | None:
    """The format that a file's name tells: `.jsonl .ndjson .json .csv .tsv .parquet .xes`, each also with .gz or .zst."""
    suffixes = [suffix.lower() for suffix in Path(name).suffixes[-2:]]
    if suffixes and suffixes[-1] in _PACKED:
        suffixes.pop()
    return _SUFFIXES.get(suffixes[-1]) if suffixes else None


def format_of(name: str, sniffed: Sniffed, stated: Format | None = None) -> Format:
    """The format to read a file as: what the workflow states, else what its name tells, else what its first bytes tell.

    Raises UsageError where they contradict each other, or none tells anything.
    """
    told = stated or named_format(name)
    if told == "jsonl" and sniffed.array:
        raise UsageError(
            f"{name} holds one JSON array; one JSON object a line is read",
            hint=f"jq -c '.[]' {name} > events.jsonl",
        )
    if told is None:
        found = "jsonl" if sniffed.empty else sniffed.format
        if found is None:
            raise UsageError(
                f"{name}: neither its name nor its first bytes tell its format",
                hint=f"state format: {KNOWN} at the source in the workflow",
            )
        return found
    if _contradict(told, sniffed.format):
        by = "the workflow" if stated else "its name"
        mend = "leave `format` out of the workflow" if stated else f"rename it, or state `format: {sniffed.format}`"
        raise UsageError(f"{name} holds {_TITLES[sniffed.format or told]}, and {by} says {told}", hint=mend)
    if told == "parquet" and sniffed.compression != "none":
        raise UsageError(f"{name}: a Parquet file is compressed within, never as a whole", hint="unpack it")
    return told


def _contradict(told: Format, found: Format | None) -> bool:
    """Whether bytes prove a name wrong. CSV and damaged lines of JSON may begin with anything."""
    if found is None or found == told:
        return False
    return found == "parquet" or told in ("parquet", "xes") or (found == "xes" and told == "jsonl")


def _unpacked(head: bytes, compression: Compression) -> bytes:
    if compression != "gzip":
        return b"" if compression == "zstd" else head
    try:
        return zlib.decompressobj(wbits=31).decompress(head, _HEAD)
    except zlib.error:
        return b""


def unreadable(name: str, error: OSError) -> SourceError:
    """The error of a file that the operating system does not let us read."""
    hint = "give yourself the permission to read it" if isinstance(error, PermissionError) else None
    return SourceError(f"cannot read {name}: {error.strerror or error}", hint=hint)
