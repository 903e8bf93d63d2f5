"""The storefront's pure modules, in a real browser: steps, events, money, links."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from shop.storefront.page import FOLDER, version
from storefront_site import STEPS, ShopStandIn, served
from storefront_visit import CHROMIUM, chromium

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium() as browser, served(ShopStandIn()) as url:
        opened = browser.new_context(locale="en-US").new_page()
        opened.goto(url)
        yield opened


def of(page: Page, module: str, expression: str, given: Any = None) -> Any:
    """What an expression gives of a module (`m`) and of what is given (`x`)."""
    call = f"async (x) => {{ const m = await import('{FOLDER}/{version()}/{module}.js'); return {expression}; }}"
    return page.evaluate(call, given)


REDUCED = "m.standing(x.reduce((so, [n, type, data]) => m.after(so, n, type, data), m.NOTHING)).map((each) => each.state)"


def told(*results: tuple[int, str] | str) -> list[list[Any]]:
    return [
        [number, "result", {"result": each, "reason": None, "time": number}]
        if isinstance(each, str)
        else [number, "step", {"step": STEPS[each[0]], "result": each[1], "reason": None, "time": number}]
        for number, each in enumerate(results, 1)
    ]


@pytest.mark.parametrize(
    ("results", "states"),
    [
        ((), ["waits", "waits", "waits"]),
        (((0, "EXECUTE"), (0, "SUCCESS"), (1, "EXECUTE")), ["done", "runs", "waits"]),
        (((0, "EXECUTE"), (0, "FAILED")), ["failed", "never", "never"]),
        (((0, "SUCCESS"), (1, "SUCCESS"), (2, "FAILED")), ["undo", "undoing", "failed"]),
        (((0, "SUCCESS"), (1, "SUCCESS"), (2, "FAILED"), (2, "ROLLBACK")), ["undo", "undoing", "undone"]),
        (((0, "SUCCESS"), (1, "SUCCESS"), (2, "FAILED"), (1, "ROLLBACK")), ["undoing", "undone", "failed"]),
        (((0, "SUCCESS"), (1, "SUCCESS"), (2, "FAILED"), (1, "ROLLBACK_FAILED")), ["undo", "stuck", "failed"]),
        (((0, "SUCCESS"), (1, "FAILED"), (0, "ROLLBACK_FAILED"), (0, "ROLLBACK")), ["undone", "failed", "never"]),
        (((0, "SUCCESS"), (1, "SUCCESS"), (2, "SUCCESS"), "SUCCESS"), ["done", "done", "done"]),
        (((0, "SUCCESS"), (0, "EXECUTE")), ["done", "waits", "waits"]),
    ],
)
def test_how_a_purchase_stands_follows_from_what_was_told(page: Page, results: Any, states: list[str]) -> None:
    assert of(page, "steps", REDUCED, told(*results)) == states


def test_in_whatever_order_steps_are_told_they_stand_the_same(page: Page) -> None:
    results = ((0, "EXECUTE"), (0, "SUCCESS"), (1, "EXECUTE"), (1, "FAILED"), (0, "ROLLBACK"))
    orders = [told(*order) for order in itertools.permutations(results)]
    every = of(page, "steps", f"x.map((x) => {REDUCED})", orders)
    assert {tuple(states) for states in every} == {("undone", "failed", "never")}


def test_an_event_that_comes_again_changes_nothing(page: Page) -> None:
    events = told((0, "EXECUTE"), (0, "SUCCESS"))
    assert of(page, "steps", "m.after(x.a, 2, 'step', x.b) === x.a", {"a": {"last": 2}, "b": events[1][2]}) is True


READ = "(async () => { const found = []; for await (const each of m.events(x)) found.push(each); return found; })()"
STREAM = (
    "retry: 1000\n\n: heart-beat\n\nid: 1\nevent: step\ndata: {}\n\n"
    "id: 2\r\ndata: a\r\ndata:b\r\n\r\nid: 3\nevent: result\ndata: x\n"
)


def test_events_are_read_however_they_are_cut_into_pieces(page: Page) -> None:
    wanted = [{"id": "1", "event": "step", "data": "{}"}, {"id": "2", "event": "message", "data": "a\nb"}]
    for size in (1, 2, 3, 7, len(STREAM)):
        pieces = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
        assert of(page, "stream", READ, pieces) == wanted, size


@pytest.mark.parametrize(
    ("written", "microseconds"),
    [
        ("2026-11-23T12:00:00Z", 0),
        ("2026-11-23T12:00:00.5Z", 500_000),
        ("2026-11-23T12:00:00.090001Z", 90_001),
        ("2026-11-23T12:00:00.1234+00:00", 123_400),
    ],
)
def test_a_time_keeps_its_microseconds(page: Page, written: str, microseconds: int) -> None:
    noon = 1_795_435_200_000_000
    assert of(page, "figures", "m.microseconds(x)", written) == noon + microseconds


@pytest.mark.parametrize(
    ("minor", "currency", "written"),
    [
        (450, "USD", "$4.50"),
        (450, "JPY", "¥450"),
        (1_234_567, "EUR", "€12,345.67"),
        (1500, "BHD", "BHD 1.500"),
        (0, "USD", "$0.00"),
    ],
)
def test_money_is_written_by_the_minor_units_of_its_currency(page: Page, minor: int, currency: str, written: str) -> None:
    assert of(page, "figures", "m.money(x[0], x[1])", [minor, currency]).replace("\xa0", " ") == written


def test_a_link_is_there_only_with_all_its_ids_and_these_are_quoted(page: Page) -> None:
    template = "http://x/{trace}?case={purchase}"
    assert of(page, "links", "m.filledIn(x, {trace: 'a/b', purchase: '7'})", template) == "http://x/a%2Fb?case=7"
    assert of(page, "links", "m.filledIn(x, {purchase: '7'})", template) is None
    assert of(page, "links", "m.filledIn('', {purchase: '7'})") is None


@pytest.mark.parametrize("then", [None, "", "https://elsewhere.example", "javascript:alert(1)", "//elsewhere.example"])
def test_one_comes_back_to_this_page_alone(page: Page, then: str | None) -> None:
    assert of(page, "route", "m.back(x)", then) == "#/"


def test_a_route_is_written_as_it_is_read(page: Page) -> None:
    hash = of(page, "route", "m.to(['products', 'a/b c'], {after: '7', category: null})")
    assert hash == "#/products/a%2Fb%20c?after=7"
    assert of(page, "route", "m.parsed(x).parts.concat(m.parsed(x).query.get('after'))", hash) == ["products", "a/b c", "7"]
