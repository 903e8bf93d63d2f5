"""Whatever bytes come in: each record is accounted for, with a reason where it is rejected, and nothing ends the server."""

from __future__ import annotations

import string
from collections import Counter
from pathlib import Path
from random import Random

import msgspec
import pytest

from live_records import iso
from live_story import START, Story

REDACTING = """\
workflow: order
keys: [order, payment]
sources:
  orders: {type: type, time: time, id: id, key: {order: order, payment: data.payment}, redact: [data.card.number, pin]}
events: {Placed: {capture: {amount: data.amount as decimal}}, Paid: }
timeout: 1h
expect: {Paid: within 10s of Placed}
"""
SECRET = "4111-1111-2222-3333"


def garbage(random: Random) -> bytes:
    """A random byte string: noise, letters, or an event with something broken in it."""
    kind = random.randrange(8)
    if kind == 0:
        return random.randbytes(random.randrange(200))
    if kind == 1:
        return "".join(random.choices(string.printable, k=random.randrange(100))).encode()
    event = bytearray(msgspec.json.encode({"type": "Placed", "time": iso(START), "order": "1", "data": {"amount": "1"}}))
    if kind in (2, 3, 4):
        for _ in range(random.randrange(1, 4)):
            event[random.randrange(len(event))] = random.randrange(256)
        return bytes(event)
    if kind == 5:
        return bytes(event[: random.randrange(len(event))])
    if kind == 6:
        return random.choice(NASTY)
    values = [
        "1e999999",
        '"\\ud800"',
        '"\\u0000"',
        "-0",
        "{}",
        "[[]]",
        '"' + "9" * 400 + '"',
        "null",
        "true",
        '"1970"',
        "1e-400",
    ]
    field = random.choice(["type", "time", "order", "id"])
    return f'{{"type":"Placed","time":"{iso(START)}","order":"1","{field}":{random.choice(values)}}}'.encode()


NASTY = (
    b"",
    b" ",
    b"\x00",
    b"null",
    b"{}",
    b"[]",
    b'""',
    b"0",
    b"NaN",
    b"\xef\xbb\xbf{}",
    b"\xff\xfe{\x00}\x00",
    b"{" * 5_000,
    b"[" * 100_000,
    b'{"type":' * 20_000,
    b'{"data":' * 600 + b"1" + b"}" * 600,
    b'{"type":"Placed","time":"2026-01-01T00:00:00Z","order":"1"} trailing',
    b'{"type":"Placed","time":"2026-01-01T00:00:00Z","order":"1"}\n{"type":"Placed"}',
    b'{"type":"Placed","time":"9999-12-31T23:59:59.999999Z","order":"1"}',
    b'{"type":"Placed","time":"0001-01-01T00:00:00Z","order":"1"}',
    b'{"type":"Placed","time":"2026-01-01T00:00:00Z","order":"\\ud800"}',
    b'{"type":"Placed","time":"2026-01-01T00:00:00Z","order":"a\\u0000b"}',
    b'{"type":"Placed","time":"2026-01-01T00:00:00Z","order":"1","traceparent":"\\u0000\\ud800","correlationid":[1]}',
    b'{"type":"Placed","type":"Paid","time":"2026-01-01T00:00:00Z","order":"1"}',
    b'{"type":"Placed","time":99999999999999999999999,"order":1e400}',
    b'{"type":{"a":1},"time":[],"order":{},"id":true}',
    b'{"' + b"k" * 70_000 + b'":1}',
)


def test_ten_thousand_random_byte_strings_are_each_accounted_for(tmp_path: Path) -> None:
    random = Random(20261101)
    with Story(tmp_path) as story:
        for start in range(0, 10_000, 2_500):
            story.hand("orders", *(garbage(random) for _ in range(2_500)))
            story.round(1 + start / 2_500)
        account = story.account()
        assert account.records == 10_000
        (state,) = story.ledger.parts()
        assert (state.records, state.rejected, state.position) == (10_000, account.rejected, 10_000)
        assert account.rejected > 5_000
        with story.ledger._store.reading() as reading:
            reasons = reading.execute("SELECT reason, count(*) FROM rejected GROUP BY reason").fetchall()
        assert all(reason for reason, _ in reasons)
        assert len(reasons) > 5
        story.tell("Placed", "after", 5)
        story.round(6)
        assert "after" in story.cases()


@pytest.mark.parametrize("body", NASTY, ids=[f"{body[:16]!r} {len(body)}" for body in NASTY])
def test_each_nasty_record_is_accounted_for_beside_a_good_one(shared: Story, body: bytes) -> None:
    before = shared.account().records
    good = shared.clock.now()
    shared.hand(
        "orders", body, msgspec.json.encode({"type": "Placed", "time": iso(START), "order": f"good {good}", "id": "x"})
    )
    shared.round((good - START) / 1e6 + 0.001)
    assert shared.account().records == before + 2
    assert f"good {good}" in shared.cases(text=f"good {good}")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    with Story(tmp_path_factory.mktemp("nasty")) as story:
        yield story


def test_a_record_of_100_megabytes_is_rejected_and_the_others_stand(tmp_path: Path) -> None:
    with Story(tmp_path) as story:
        story.hand("orders", b'{"type":"Placed","fill":"' + b"x" * 100_000_000 + b'"}')
        story.tell("Placed", "1", 0)
        story.round(1)
        assert (story.account().rejected, story.account().matched) == (1, 1)
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < 20_000_000


def test_redacted_values_never_reach_the_disk(tmp_path: Path) -> None:
    """Neither those of events, nor of records that are rejected or garbage; also not by way of pages of rejected ones."""
    event = {"type": "Placed", "time": iso(START), "order": "1", "id": "a", "data": {"amount": "1"}, "pin": SECRET}
    event["data"] = {"amount": "1", "card": {"number": SECRET, "kind": "visa-kind"}}
    bodies = [
        msgspec.json.encode(event),
        msgspec.json.encode({**event, "time": "no time", "id": "b"}),
        msgspec.json.encode({**event, "type": "Painted"}),
        msgspec.json.encode({**event, "order": None}),
        msgspec.json.encode({**event, "data": {"card": [{"number": SECRET}, [{"number": SECRET}]]}}),
        msgspec.json.encode({**event, "data": f'{{"card": "{SECRET}"}}'}),
        msgspec.json.encode(event)[:-5],
        b"\xff" + SECRET.encode(),
        f'"{SECRET}"'.encode(),
        f'["{SECRET}"]'.encode(),
        SECRET.encode() * 3_000,
        b'{"pin": "' + SECRET.encode() + b'", "x": ' + b"[" * 50_000,
    ]
    with Story(tmp_path, REDACTING) as story:
        for body in bodies:
            story.hand("orders", body)
            story.round()
        story.hand("orders", *bodies)
        story.round(1)
        story.round(30)
        assert story.account().records == 2 * len(bodies)
        assert on_disk(tmp_path, "visa-kind")
        assert not on_disk(tmp_path, SECRET)
        story.ledger._store.writer.execute("CHECKPOINT")
        assert on_disk(tmp_path, "Placed")
        assert not on_disk(tmp_path, SECRET)
        assert not any(SECRET in (stored.record or "") for stored in story.ledger.events("order", "1"))
    assert not on_disk(tmp_path, SECRET)


def on_disk(folder: Path, text: str) -> bool:
    return any(text.encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_what_is_rejected_is_kept_with_its_reason_the_latest_thousand(tmp_path: Path) -> None:
    with Story(tmp_path) as story:
        for turn in range(15):
            story.hand("orders", *(f"garbage {turn} {number}".encode() for number in range(150)))
            story.round(turn)
        with story.ledger._store.reading() as reading:
            kept = reading.execute("SELECT shown FROM rejected").fetchall()
        turns = Counter(shown.split()[1] for (shown,) in kept)
        assert turns == {str(turn): 100 for turn in range(5, 15)}
