"""Which records were rejected, and why: found when there are any, by a second look at them alone."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator, Sequence

import duckdb
import msgspec

from sagacity.ledger.duckdb.careful import TOO_LONG, lines_of, opened
from sagacity.ledger.duckdb.fields import identifier
from sagacity.ledger.duckdb.jsonl import LONGEST_LINE
from sagacity.ledger.duckdb.normalise import BAD, Check
from sagacity.ledger.duckdb.scan import Part
from sagacity.ledger.duckdb.staging import Taken
from sagacity.ledger.port import Rejected

__all__ = ["first_rejected", "malformed_line", "reason_of"]

_BLANK = b" \t\r\n\x0b\x0c"
_SHORT = 60


class _Place(msgspec.Struct, frozen=True, order=True):
    """Where a record stands: its file's place among the part's, its line there, and its text where that tells more."""

    file: int
    line: int | None
    text: bytes = b""


def first_rejected(connection: duckdb.DuckDBPyConnection, taken: Taken, most: int) -> list[Rejected]:
    """The first rejected records of a part, at most so many."""
    part = taken.normal.part
    reasons, ordinals = _reasons(connection, taken, most)
    rows = [row for _, row in ordinals]
    if part.format == "csv":
        found = _in_rows(connection, part, rows, reasons, most)
    else:
        if part.file_row is not None:
            places = [_Place(file, row + 1) for file, row in ordinals]
        elif part.format == "jsonl":
            places = _in_lines(part, rows)
        else:
            places = [_Place(0, None)] * len(reasons)
        found = [(place, reason or malformed_line(place.text)) for place, reason in zip(places, reasons, strict=True)]
    return [Rejected(part.name, part.files[place.file][1], place.line, reason) for place, reason in found[:most]]


def _reasons(
    connection: duckdb.DuckDBPyConnection, taken: Taken, most: int
) -> tuple[list[str | None], list[tuple[int, int]]]:
    """Why records were rejected (None: malformed), and where they stand, in the order of the source."""
    normal, part = taken.normal, taken.normal.part
    checks = normal.checks
    flags = [sql for check in checks for sql in (f"coalesce({check.unread}, FALSE)", f"left({check.shown}, 200)")]
    place = ['"$file"' if part.file else "0", '"$file_row"' if part.file_row else "0"]
    columns = ", ".join(['"$malformed"', *place, *flags])
    connection.execute("SET preserve_insertion_order = true")
    try:
        rows = connection.execute(f"SELECT {columns} FROM ({normal.checked}) WHERE {BAD} LIMIT {most}").fetchall()
        if part.file_row is None and part.costly:
            staged = f"SELECT rowid FROM {taken.relation} WHERE {BAD} ORDER BY rowid LIMIT {most}"
            ordinals = [(0, int(row)) for (row,) in connection.execute(staged).fetchall()]
        else:
            ordinals = [(int(file), int(row)) for _, file, row, *_ in rows]
    finally:
        connection.execute("SET preserve_insertion_order = false")
    return [_reason(checks, malformed, rest) for malformed, _, _, *rest in rows], ordinals


def _reason(checks: Sequence[Check], malformed: bool, found: Sequence[object]) -> str | None:
    return None if malformed else reason_of(checks, found)


def reason_of(checks: Sequence[Check], found: Sequence[object]) -> str:
    """Why a record was rejected: `found` has, for each check, whether it failed, and what stands there."""
    for number, check in enumerate(checks):
        if found[2 * number]:
            return _unread(check, str(found[2 * number + 1] or "").strip())
    return "cannot be read"


def _unread(check: Check, shown: str) -> str:
    if check.to == "time":
        return _no_time(check, shown)
    value = _shortened(shown)
    if found := re.fullmatch(r"decimal\((\d+),(\d+)\)", check.to):
        if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", shown):
            return (
                f"{check.what} is {value}, which has more digits than the {found[1]} (of them {found[2]} after the point) "
                f"that are kept; state its type as decimal(p,s)"
            )
        return f"{check.what} is {value}, not a number"
    if check.to == "integer" and re.fullmatch(r"[+-]?\d+", shown):
        return f"{check.what} is {value}: more than 64 bits hold; state its type as decimal(38,0) or text"
    return f"{check.what} is {value}, not {_A.get(check.to, check.to)}"


def _no_time(check: Check, shown: str) -> str:
    if not shown:
        return f"it has no {check.what}"
    value = _shortened(shown)
    if re.match(r"\d{4}-\d\d-\d\d([T ][\d:.,]+)?$", shown) and "1900" <= shown[:4] < "2201":
        return f"{check.what} is {value}, without an offset; state the source's timezone"
    if re.match(r"[+-]?\d{4,}-\d\d-\d\d|-?\d+(\.\d+)?$", shown):
        return f"{check.what} is {value}, which is no time between 1900 and 2200"
    return f"{check.what} is {value}, not a time"


_A = {"integer": "an integer", "boolean": "a boolean", "time": "a time", "text": "text"}


def _shortened(text: str) -> str:
    return repr(text if len(text) <= _SHORT else text[: _SHORT - 3] + "...")


def malformed_line(line: bytes) -> str:
    """What is wrong with a line that is not a JSON object."""
    if line.startswith(TOO_LONG):
        size = int(line[len(TOO_LONG) :])
        return f"a line of {size / 1e6:,.1f} MB; at most {LONGEST_LINE / 1e6:,.1f} MB make a record"
    if len(line) > LONGEST_LINE:
        return f"a line of {len(line) / 1e6:,.1f} MB; at most {LONGEST_LINE / 1e6:,.1f} MB make a record"
    if b"\0" in line:
        return f"not JSON: a NUL byte at byte {line.index(0) + 1}"
    try:
        line.decode()
    except UnicodeDecodeError as error:
        return f"not UTF-8 text from byte {error.start + 1} on"
    try:
        found = msgspec.json.decode(line)
    except msgspec.DecodeError as error:
        text = str(error).removeprefix("JSON is malformed: ")
        return "the JSON is cut short" if "truncated" in text else f"not JSON: {text}"
    except RecursionError:
        return "not JSON: nested too deep"
    kinds = {list: "an array", str: "a string", type(None): "null", bool: "a boolean"}
    return f"{kinds.get(type(found), 'a number')}, not a JSON object" if not isinstance(found, dict) else "not JSON"


def _in_lines(part: Part, ordinals: Sequence[int]) -> list[_Place]:
    """The lines on which records stand, by their place in the part; blank lines are no records."""
    wanted = iter(ordinals)
    target = next(wanted, None)
    places: list[_Place] = []
    record = 0
    for file, number, line in _numbered(part):
        if target is None:
            break
        if not line.strip(_BLANK):
            continue
        if record == target:
            places.append(_Place(file, _line_of_log(part.files[file][1], line) or number, line.strip(_BLANK)))
            target = next(wanted, None)
        record += 1
    return places + [_Place(0, None)] * (len(ordinals) - len(places))


def _line_of_log(shown: str, line: bytes) -> int | None:
    """The line of the event log that a line of JSON was made from: XES is turned into JSON lines that say so."""
    if ".xes" not in shown.lower():
        return None
    found = re.search(rb'"_line":(\d+)', line)
    return int(found[1]) if found else None


def _numbered(part: Part) -> Iterator[tuple[int, int, bytes]]:
    for file, (path, shown) in enumerate(part.files):
        with opened(path, part.compression, shown) as stream:
            for number, line in enumerate(lines_of(stream, 2 * LONGEST_LINE), start=1):
                yield file, number, line


def _left_out(connection: duckdb.DuckDBPyConnection, part: Part) -> dict[tuple[int, int], str]:
    """What the CSV reader could make no record of: reasons by file and row, counted from 1, header and blank rows too."""
    scans = identifier(f"{part.rejects}_scan")
    rows = connection.execute(
        f"""SELECT s.file_path, r.line, min(r.error_type) FROM {identifier(part.rejects or "")} AS r
        JOIN {scans} AS s USING (scan_id, file_id) GROUP BY s.file_path, r.line"""
    ).fetchall()
    numbers = {path: number for number, (path, _) in enumerate(part.files)}
    return {(numbers.get(path, 0), int(row)): _CSV.get(str(kind), str(kind).lower()) for path, row, kind in rows}


_CSV = {
    "MISSING COLUMNS": "fewer values than the header has columns",
    "TOO MANY COLUMNS": "more values than the header has columns",
    "UNQUOTED VALUE": "a quote that is never closed, or text around a quoted value",
    "LINE SIZE OVER MAXIMUM": "a row of more than 2 MB",
    "INVALID ENCODING": "not UTF-8 text",
}


def _in_rows(
    connection: duckdb.DuckDBPyConnection, part: Part, ordinals: Sequence[int], reasons: Sequence[str | None], most: int
) -> list[tuple[_Place, str]]:
    """The lines on which CSV records begin that are rejected: those left out, and those of these places among the rest."""
    left_out = _left_out(connection, part)
    unread = dict(zip(ordinals, reasons, strict=True))
    found: list[tuple[_Place, str]] = []
    sound = 0
    limit = csv.field_size_limit(sys.maxsize)
    try:
        for file, row, line, blank in _rows(part):
            if len(found) == most or len(found) == len(left_out) + len(unread):
                break
            if reason := left_out.get((file, row)):
                found.append((_Place(file, line), reason))
            elif not blank:
                if sound in unread:
                    found.append((_Place(file, line), unread[sound] or "cannot be read"))
                sound += 1
    finally:
        csv.field_size_limit(limit)
    return found


def _rows(part: Part) -> Iterator[tuple[int, int, int, bool]]:
    """Each row after the header: its file, its number (header and blank rows count), its first line, and if it is blank."""
    for file, (path, shown) in enumerate(part.files):
        with opened(path, part.compression, shown) as stream:
            text = (line.decode("utf-8", "replace") + "\n" for line in lines_of(stream, sys.maxsize))
            reader = csv.reader(text, delimiter=part.delimiter)
            line = 1
            for row, values in enumerate(reader, start=1):
                if row > 1:
                    yield file, row, line, not values
                line = reader.line_num + 1
