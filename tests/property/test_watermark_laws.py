"""The laws of as-of: it never goes back, and is never ahead of the present less the allowed lateness; no idle or absent
source holds it back for ever, and what a source that is away has brought is told rightly."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sagacity.reconcile.watermark import Heard, Patience, outlook

PATIENCE = Patience(lateness=20, idle=5)
NOW = 1_000
_instant = st.none() | st.integers(0, NOW + 50)
_past = st.none() | st.integers(0, NOW)


@st.composite
def _parts(draw: st.DrawFn) -> list[Heard]:
    return [
        Heard(
            source=draw(st.sampled_from(("orders", "payments", "shipments"))),
            part=str(number),
            state=draw(st.sampled_from(("current", "current", "behind", "down"))),
            since=draw(st.integers(NOW - 30, NOW)),
            latest=draw(_instant),
            heard=draw(_past),
            current=draw(_past),
        )
        for number in range(draw(st.integers(0, 4)))
    ]


@given(_parts(), _past)
def test_as_of_never_goes_back(parts: list[Heard], before: int | None) -> None:
    found = outlook(parts, NOW, PATIENCE, before)
    if before is not None:
        assert found is not None
        assert found.as_of >= before


@given(_parts(), _past)
def test_as_of_is_never_ahead_of_the_present_less_the_lateness(parts: list[Heard], before: int | None) -> None:
    found = outlook(parts, NOW, PATIENCE, before)
    if found is not None:
        assert found.as_of <= max(NOW - PATIENCE.lateness, before or 0)


@given(_parts(), st.integers(0, NOW))
def test_a_source_that_is_idle_does_not_hold_it_back(parts: list[Heard], latest: int) -> None:
    """However old its latest event is: what the others allow stands."""
    idle = Heard(source="idle", part="0", state="current", since=0, latest=latest, heard=NOW - PATIENCE.idle, current=NOW)
    without = [part for part in parts if part.state == "current"]
    alone = outlook(without, NOW, PATIENCE, 0)
    beside = outlook([*without, idle], NOW, PATIENCE, 0)
    assert beside is not None
    assert alone is not None
    assert beside.as_of >= alone.as_of


@given(_parts(), st.sampled_from(("behind", "down")), _past, _past)
def test_a_source_that_is_away_for_long_does_not_hold_it_back(
    parts: list[Heard], state: str, latest: int | None, current: int | None
) -> None:
    here = [part for part in parts if part.state == "current"]
    if not here:
        return
    away = Heard(
        source="away", part="0", state=state, since=NOW - PATIENCE.idle, latest=latest, current=current  # type: ignore[arg-type]
    )  # fmt: skip
    alone, beside = outlook(here, NOW, PATIENCE, 0), outlook([*here, away], NOW, PATIENCE, 0)
    assert alone is not None
    assert beside is not None
    assert beside.as_of == alone.as_of


@given(_parts(), st.integers(0, NOW))
def test_a_source_that_gives_events_holds_it_back_to_what_has_come(parts: list[Heard], latest: int) -> None:
    busy = Heard(source="busy", part="0", state="current", since=0, latest=latest, heard=NOW, current=NOW)
    found = outlook([*parts, busy], NOW, PATIENCE, None)
    if found is not None:
        assert found.as_of <= latest - PATIENCE.lateness


@given(_parts(), st.integers(0, NOW))
def test_horizons_are_those_of_the_sources_that_are_not_current(parts: list[Heard], before: int) -> None:
    """Each is what the least of its parts had brought, less the lateness, where that is less than as-of."""
    found = outlook(parts, NOW, PATIENCE, before)
    assert found is not None
    meant: dict[str, int] = {}
    for part in parts:
        if part.state != "current":
            reached = [min(mark, NOW) for mark in (part.latest, part.current) if mark is not None]
            horizon = max(reached) - PATIENCE.lateness if reached else 0
            meant[part.source] = min(horizon, meant.get(part.source, horizon))
    assert found.behind == {source: horizon for source, horizon in meant.items() if horizon < found.as_of}


@given(_parts(), st.integers(0, 40))
def test_as_time_passes_as_of_only_grows(parts: list[Heard], later: int) -> None:
    first = outlook(parts, NOW, PATIENCE, None)
    if first is None:
        return
    then = outlook([replace(part) for part in parts], NOW + later, PATIENCE, first.as_of)
    assert then is not None
    assert then.as_of >= first.as_of


@given(_parts())
def test_of_nothing_that_was_ever_heard_nothing_is_judged(parts: list[Heard]) -> None:
    unknown = [replace(part, state="down", latest=None, current=None) for part in parts]
    assert outlook(unknown, NOW, PATIENCE, None) is None


@settings(max_examples=60)
@given(st.lists(st.tuples(_parts(), st.integers(0, 30)), max_size=12))
def test_whatever_happens_to_sources_as_of_moves_forward_only(steps: list[tuple[list[Heard], int]]) -> None:
    now, before = NOW, None
    for parts, passed in steps:
        now += passed
        found = outlook(parts, now, PATIENCE, before)
        if found is None:
            assert before is None
            continue
        assert before is None or found.as_of >= before
        before = found.as_of
