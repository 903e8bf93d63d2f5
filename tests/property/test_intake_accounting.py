"""Laws of the accounting: every raw record is accounted for once, whatever stands around it, on either way of reading."""

from __future__ import annotations

import csv
import io
import tempfile
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagacity.workflow.model import Capture
from taking_in import Outcome, files, instant, messages, order, take, write

MARK = b"\xef\xbb\xbf"
AS_OF = instant("2026-06-01T00:00:00+00:00")
LAWS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

_good = st.builds(
    lambda n, amount, gap: order(id=f"e{n}", order_id=n, amount=amount).replace('":', '":' + gap).encode(),
    st.integers(0, 5),
    st.one_of(st.decimals(-999, 999, places=2).map(str), st.integers(-999, 999), st.none()),
    st.sampled_from(["", " ", "\t"]),
)
_broken = st.sampled_from(
    [
        b"{",
        b"}",
        b"[]",
        b"[{}]",
        b"1",
        b"null",
        b'"x"',
        b'{"type"',
        b'{"type":"Placed"',
        b"\x00",
        b"a\x00b",
        b"\xff",
        b"nope",
        b"//",
        b'{"type":"Placed"}{"type":"Placed"}',
        b'{"type":"Placed"} x',
        b"{'type':'Placed'}",
        b'{"type":"Pl\xc3aced"}',
        b'{"a":"\\ud800"}',
        b'{"a":"\x01"}',
        b"\xc2\xa0",
        order().encode()[:-1],
        order().encode()[5:],
    ]
)
_unread = st.sampled_from(
    [{"amount": "x"}, {"amount": b"0.00001"}, {"time": None}, {"time": "then"}, {"time": "2026-01-01"}]
)
_kinds = st.one_of(
    st.tuples(st.just("matched"), _good),
    st.tuples(st.just("rejected"), _broken),
    st.tuples(st.just("rejected"), _unread.map(lambda fields: order(**fields).encode())),  # type: ignore[arg-type]
    st.tuples(st.just("orphan"), st.sampled_from([None, ""]).map(lambda key: order(order_id=key).encode())),
    st.tuples(
        st.just("unmatched"), st.sampled_from([order(type="Lost"), order(type=None), "{}", '{"type":{}}']).map(str.encode)
    ),
    st.tuples(st.just("beyond"), st.just(order(time="2026-06-01T00:00:00.000001Z").encode())),
    st.tuples(st.just("blank"), st.sampled_from([b"", b" ", b"\t", b"  \t "])),
)


def _taken(content: bytes, names: tuple[str, ...] = ("a.jsonl",), **options: Any) -> list[Outcome]:
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            path = write(Path(folder), name, content)
            outcomes.append(take(messages(), files(path), as_of=AS_OF, **options))
    return outcomes


@LAWS
@given(st.lists(_kinds, max_size=40), st.sampled_from([b"\n", b"\r\n"]), st.booleans(), st.booleans())
def test_each_line_ends_as_what_it_is(lines: list[tuple[str, bytes]], end: bytes, last_end: bool, marked: bool) -> None:
    content = end.join(line for _, line in lines) + (end if last_end else b"")
    if marked:
        content = MARK + content
    (plain, packed) = _taken(content, ("a.jsonl", "a.jsonl.gz"))
    expected = Counter(kind for kind, _ in lines if kind != "blank")
    for outcome in (plain, packed):
        account = outcome.account
        found = {name: getattr(account, name) for name in ("matched", "rejected", "orphan", "unmatched", "beyond")}
        assert found == {name: expected[name] for name in found}
        assert account.records == expected.total()
        assert account.events == len(outcome.events) == expected["matched"]
        rejected = [number for number, (kind, _) in enumerate(lines, start=1) if kind == "rejected"]
        assert outcome.lines == rejected[:20]
        assert all(each.reason for each in outcome.intake.rejected)


@LAWS
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=30),
            _good,
            _broken,
            _good.flatmap(lambda line: st.integers(0, len(line)).map(lambda n: line[:n])),
        )
    )
)
def test_garbage_is_accounted_for_alike_on_both_ways(lines: list[bytes]) -> None:
    content = b"\n".join(line.replace(b"\n", b"") for line in lines)
    if content.startswith((b"\xff\xfe", b"\xfe\xff", MARK)):
        content = b"\n" + content
    (fast,) = _taken(content)
    (careful,) = _taken(MARK + content)
    records = [line for line in content.split(b"\n") if line.strip(b" \t\r\x0b\x0c")]
    assert fast.account.records == len(records)
    assert _told(fast) == _told(careful)


def _told(outcome: Outcome) -> tuple[Any, ...]:
    account = outcome.account
    counts = [
        getattr(account, name) for name in ("records", "matched", "rejected", "orphan", "unmatched", "beyond", "events")
    ]
    return (counts, outcome.events, outcome.lines, outcome.reasons)


_cells = st.one_of(
    st.sampled_from(["", "Placed", "2026-01-01T00:00:00Z", "4.50", 'a"b', "a,b", "a\nb", "a\r\nb", '"', " ", "ä"]),
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=5),
)
_rows = st.one_of(
    st.tuples(
        st.just("Placed"),
        st.just("2026-01-01T00:00:00Z"),
        _cells,
        st.sampled_from(["1", "2", ""]),
        st.sampled_from(["4.5", "x"]),
    ),
    st.lists(_cells, min_size=1, max_size=7).map(tuple),
)


@LAWS
@given(st.lists(_rows, max_size=25), st.sampled_from(["\n", "\r\n"]), st.sampled_from([",", ";", "\t"]))
def test_each_row_of_csv_ends_as_what_it_is(rows: list[tuple[str, ...]], end: str, delimiter: str) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    text.write(delimiter.join(("type", "time", "id", "order_id", "amount")) + end)
    lines: list[int] = []
    for row in rows:
        lines.append(text.getvalue().replace("\r\n", "\n").count("\n") + 1)
        writer.writerow(row)
    expected = [_csv_kind(row) for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        outcome = take(messages(), files(write(Path(folder), "a.csv", text.getvalue()), format="csv"), as_of=AS_OF)
    account = outcome.account
    counts = Counter(expected)
    found = {name: getattr(account, name) for name in ("matched", "rejected", "orphan", "unmatched")}
    assert found == {name: counts[name] for name in found}
    assert outcome.lines == [line for line, kind in zip(lines, expected, strict=True) if kind == "rejected"][:20]


def _csv_kind(row: tuple[str, ...]) -> str:
    if len(row) < 5 or any(row[5:]):  # empty values beyond the last column are let pass
        return "rejected"
    if row[0] not in ("Placed", "Paid"):
        return "unmatched"
    if row[1] != "2026-01-01T00:00:00Z" or row[4] not in ("4.5", "4.50", ""):
        return "rejected"
    return "matched" if row[3] else "orphan"


@LAWS
@given(
    st.lists(
        st.decimals(
            allow_nan=False, allow_infinity=False, places=4, min_value=Decimal(-10) ** 13, max_value=Decimal(10) ** 13
        )
    )
)
def test_every_decimal_that_fits_is_read_exactly(amounts: list[Decimal]) -> None:
    lines = [order(id=f"{number:04}", amount=f"{amount:f}".encode()) for number, amount in enumerate(amounts)]
    with tempfile.TemporaryDirectory() as folder:
        outcome = take(messages(), files(write(Path(folder), "a.jsonl", lines)))
    assert outcome.column("amount$decimal") == amounts


@LAWS
@given(
    st.lists(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**6), max_value=10**6), max_size=10),
    st.integers(0, 18),
)
def test_a_decimal_is_read_exactly_or_rejected(amounts: list[Decimal], scale: int) -> None:
    """But for a float's noise: an excess that a float of that size cannot hold is none."""
    lines = [
        order(id=f"{number:04}", amount=str(amount).replace("E", "e").encode()) for number, amount in enumerate(amounts)
    ]
    capture = {"amount": Capture("amount", "decimal", digits=38, scale=scale)}
    with tempfile.TemporaryDirectory() as folder:
        outcome = take(messages(capture), files(write(Path(folder), "a.jsonl", lines)))
    (name,) = [name for name in (outcome.events or [{"amount$": 0}])[0] if name.startswith("amount$")]
    read = {int(row["id"]): row[name] for row in outcome.events}
    for number, amount in enumerate(amounts):
        if number in read:
            assert read[number] == amount or float(read[number]) == float(amount)
        else:
            assert amount != round(amount, scale)
