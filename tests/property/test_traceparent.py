"""Reading the W3C trace context: what is written is read back, and what is not well-formed is never carried on."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sagacity import correlation
from sagacity.correlation import TraceParent
from sagacity.correlation.traceparent import tracestate

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{PARENT}-01"

hexadecimal = "0123456789abcdef"
traces = st.text(hexadecimal, min_size=32, max_size=32).filter(lambda text: set(text) != {"0"})
parents = st.text(hexadecimal, min_size=16, max_size=16).filter(lambda text: set(text) != {"0"})
parsed = st.builds(TraceParent, traces, parents, st.integers(0, 255))


@given(parsed)
def test_what_is_written_is_read_back(parent: TraceParent) -> None:
    assert TraceParent.parse(str(parent)) == parent
    assert len(str(parent)) == 55


@given(parsed, st.integers(1, 254), st.sampled_from(["", "-", "-what-comes-then", "-x y"]))
def test_a_later_version_is_read_as_far_as_it_is_known(parent: TraceParent, version: int, rest: str) -> None:
    found = TraceParent.parse(f"{version:02x}{str(parent)[2:]}{rest}")
    assert found == TraceParent(parent.trace_id, parent.parent_id, parent.flags & 1)


@given(st.one_of(st.text(), st.from_regex(r"[0-9a-fA-F]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}.{0,3}", fullmatch=True)))
@example(GOOD + "\n")
@example(GOOD.replace("0", "\uff10"))
def test_only_what_is_well_formed_is_carried(text: str) -> None:
    found = TraceParent.parse(text)
    if found is not None:
        assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", str(found))
        assert text.startswith((str(found)[:53], text[:2] + str(found)[2:53]))


@pytest.mark.parametrize(
    "text",
    [
        "", GOOD.upper(), f"ff-{TRACE}-{PARENT}-01", f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE}-{'0' * 16}-01",
        GOOD + "-", GOOD + "-extra", GOOD + "0", f" {GOOD}", GOOD[:-1], GOOD.replace("-", "_"), f"01-{TRACE}-{PARENT}-01x",
        f"01-{TRACE}-{PARENT}-01-{'x' * 300}", f"01-{TRACE}-{PARENT}-01-\n", f"0g-{TRACE}-{PARENT}-01",
    ],
)  # fmt: skip
def test_what_the_recommendation_has_ignored_is(text: str) -> None:
    assert TraceParent.parse(text) is None


def test_a_new_trace_is_never_all_zero() -> None:
    given = iter(["0" * 32, "1" * 16, "2" * 32, "0" * 16, "a" * 32, "b" * 16])
    assert str(TraceParent.generate(lambda _: next(given))) == f"00-{'a' * 32}-{'b' * 16}-01"


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"], "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
        (["rojo=1", "congo=2"], "rojo=1,congo=2"),
        (["rojo=1 ,\t congo=a b"], "rojo=1,congo=a b"),
        (["rojo=1,,congo=2,"], "rojo=1,congo=2"),
        (["fw529a3039@dt=FfAxx", "a*/-_=x"], "fw529a3039@dt=FfAxx,a*/-_=x"),
        ([","], None),
        ([], None),
        (["rojo=1,rojo=2"], None),
        (["Rojo=1"], None),
        (["rojo"], None),
        (["rojo=a=b"], None),
        (["rojo=1\r\nset-cookie: x"], None),
        (["rojo=é"], None),
        ([",".join(f"k{n}=1" for n in range(33))], None),
        (["k=" + "x" * 256, "l=" + "x" * 250], "k=" + "x" * 256 + ",l=" + "x" * 250),
        (["k=" + "x" * 257], None),
        ([",".join(f"k{n}={'x' * 100}" for n in range(6))], None),
    ],
)
def test_a_tracestate_is_carried_as_a_whole_or_not_at_all(values: list[str], found: str | None) -> None:
    assert tracestate(values) == found


names = st.sampled_from(["x-correlation-id", "X-Correlation-ID", "traceparent", "tracestate", "ce_correlationid", "other"])
sound = st.sampled_from([GOOD, GOOD.encode(), "a=1", "order-1", None])
hostile = st.one_of(st.text(max_size=200), st.binary(max_size=200), sound)


@given(st.lists(st.tuples(names, hostile), max_size=6))
def test_whatever_comes_in_nothing_hostile_goes_out(headers: list[tuple[str, object]]) -> None:
    with correlation.bound(correlation.extract(headers, new_id=lambda: "new")):
        out = correlation.headers()
    assert re.fullmatch(r"[A-Za-z0-9._~:/+=@|#-]{1,128}", out["x-correlation-id"])
    assert all(value.isascii() and value.isprintable() and len(value) <= 512 for value in out.values())
    assert "tracestate" not in out or "traceparent" in out


@given(parsed, st.text("abcXYZ019.-_", min_size=1, max_size=128))
def test_what_is_bound_arrives(parent: TraceParent, id: str) -> None:
    with correlation.bound(id, traceparent=str(parent), tracestate="rojo=1") as bound:
        assert correlation.extract(correlation.headers()) == bound
        assert correlation.extract(correlation.attributes()) == bound
