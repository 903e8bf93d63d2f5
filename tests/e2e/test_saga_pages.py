"""The pages of sagas in a real browser: what is parked, orders with a reason, pages that renew themselves, widths."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from test_live_pages import CHROMIUM, FLAGS, Visit

from fakes.samples import sample_ledger
from live_site import Site, served
from saga_samples import filled
from sagacity.saga.postgres.operations import Operations
from sagacity.testing.servers.postgres import PostgreSQL

NOW = time.time_ns() // 1000
PAGES = {
    "sagas": "/sagas",
    "filtered": "/sagas?state=parked",
    "parked": "/saga?saga=purchase-3",
    "pivot": "/saga?saga=purchase-2",
    "running": "/saga?saga=purchase-6",
    "ended": "/saga?saga=purchase-1",
    "quarantine": "/saga?saga=booking%2F9",
}

expect.set_options(timeout=30_000)
pytestmark = pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(postgres: PostgreSQL) -> Iterator[Site]:
    """A site that tests only look at."""
    with postgres.database() as dsn:
        filled(dsn, NOW, extra=60)
        with served(sample_ledger(NOW, orders=20), sagas=Operations(dsn)) as up:
            yield up


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    opened: list[Visit] = []

    def open_page(url: str, **options: Any) -> Visit:
        opened.append(Visit(browser, url, **options))
        return opened[-1]

    yield open_page
    for one in opened:
        one.context.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_quiet_and_never_scrolls_sideways(visit: Any, site: Site, name: str) -> None:
    for width in (360, 760, 1600):
        opened = visit(site.url + PAGES[name], width=width)
        opened.page.wait_for_load_state("load")
        assert opened.said == []
        assert [url for url in opened.asked if not url.startswith(site.url)] == []
        assert opened.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), width


@pytest.mark.parametrize("name", PAGES)
def test_every_control_has_a_name(visit: Any, site: Site, name: str) -> None:
    page = visit(site.url + PAGES[name]).page
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('button, input:not([type=hidden]), select, textarea, a')]
            .filter((each) => !(each.innerText?.trim() || each.labels?.length || each.getAttribute('aria-label')))
            .map((each) => each.outerHTML)"""
    )
    assert nameless == []


def test_the_longest_parked_saga_comes_first_and_leads_to_its_page_by_keyboard(visit: Any, site: Site) -> None:
    page = visit(site.url + PAGES["sagas"]).page
    rows = page.locator("#parked tbody tr")
    assert [row.get_attribute("data-key") for row in rows.all()] == ["purchase-2", "purchase-3", "booking/9"]
    expect(rows.first).to_contain_text("no answer in time")
    rows.first.get_by_role("link").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/saga?saga=purchase-2")
    expect(page.get_by_role("img", name="The steps of the saga").first).to_be_visible()
    assert page.locator("#stepbox .right desc").text_content().startswith("reserve-stock is done; hold-courier is done")
    expect(page.locator("nav [aria-current]")).to_have_text("Sagas")


def test_a_saga_that_has_turned_back_shows_in_which_direction_it_is_undone(visit: Any, site: Site) -> None:
    page = visit(site.url + PAGES["parked"]).page
    expect(page.locator("#steps .lead")).to_contain_text("dashed arrows lead from what failed to what is undone")
    assert page.locator("#stepbox .right .never").count() > 0
    assert "turned back: " in page.locator("#stepbox .right desc").text_content()
    forward = visit(site.url + PAGES["pivot"]).page
    assert forward.locator("#stepbox .never").count() == 0


def test_sagas_are_searched_and_paged(visit: Any, site: Site) -> None:
    page = visit(site.url + PAGES["sagas"]).page
    page.get_by_role("link", name="More sagas").click()
    page.wait_for_url("**cursor=**")
    expect(page.locator("#found tbody tr").last).to_contain_text("purchase-1")
    page.get_by_role("combobox", name="Status").select_option("waiting")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**state=waiting**")
    expect(page.locator("#found tbody tr")).to_have_count(1)
    page.get_by_role("searchbox", name="Saga").fill("booking/9")
    page.keyboard.press("Enter")
    page.wait_for_url("**/saga?saga=booking%2F9")


def test_light_and_dark_differ_and_narrow_shows_the_steps_from_top_to_bottom(visit: Any, site: Site) -> None:
    grounds = {
        scheme: visit(site.url + PAGES["parked"], color_scheme=scheme).page.evaluate(
            "getComputedStyle(document.querySelector('#stepbox')).backgroundColor"
        )
        for scheme in ("light", "dark")
    }
    assert grounds["light"] != grounds["dark"]
    page = visit(site.url + PAGES["parked"], width=390).page
    expect(page.locator("#stepbox .down svg")).to_be_visible()
    expect(page.locator("#stepbox .right svg")).to_be_hidden()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_an_order_is_given_with_a_reason_and_the_page_says_what_became_of_it(
    visit: Any, database: str, scripts: bool
) -> None:
    filled(database, NOW)
    with served(sample_ledger(NOW, orders=5), sagas=Operations(database)) as site:
        page = visit(site.url + PAGES["parked"], java_script_enabled=scripts).page
        page.get_by_role("button", name="Skip reserve-stock").click()
        assert page.url.endswith("/saga?saga=purchase-3"), "an order without a reason is not given"
        page.get_by_label("Reason").fill("put back by hand")
        page.get_by_role("button", name="Skip reserve-stock").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Skip reserve-stock: are you sure?", timeout=30_000)
        assert "skip" not in site.ledger.audits(limit=1).items[0][2], "it is asked before it is done"
        assert page.get_by_label("Reason").input_value() == "put back by hand"
        page.get_by_role("button", name="Skip reserve-stock").click()
        expect(page.locator("#said")).to_contain_text("skip reserve-stock, is kept", timeout=15_000)
        row = page.locator("#orders tbody tr").first
        expect(row).to_contain_text("put back by hand")
        expect(row).to_contain_text("waits for an orchestrator")
        told = site.ledger.audits(limit=1).items[0][2]
        assert told == "order skip reserve-stock of saga purchase-3: put back by hand"


def test_an_open_page_shows_what_happens_and_keeps_what_is_being_written(visit: Any, database: str) -> None:
    filled(database, NOW)

    with served(sample_ledger(NOW, orders=5), sagas=Operations(database)) as site:
        page = visit(site.url + PAGES["parked"]).page
        page.get_by_label("Reason").fill("looking at it")
        with psycopg.connect(database) as connection:
            connection.execute("update sagacity.sagas set status = 'abandoned', ended = changed where id = 'purchase-3'")
        expect(page.locator("#head .tags")).to_have_text("abandoned", timeout=15_000)
        expect(page.locator("#choices")).to_contain_text("nothing can be ordered of it any more")
        assert page.get_by_label("Reason").input_value() == "looking at it"


def test_an_open_page_says_that_the_database_is_away_and_goes_on_once_it_is_back(visit: Any, postgres: PostgreSQL) -> None:
    with postgres.database() as dsn:
        filled(dsn, NOW)
        with served(sample_ledger(NOW, orders=5), sagas=Operations(dsn, within=2.0)) as site:
            opened = visit(site.url + PAGES["parked"])
            postgres.stop()
            try:
                expect(opened.page.locator("#away .banner")).to_contain_text("cannot be shown now", timeout=20_000)
                expect(opened.page.locator("#steps")).to_be_visible()
                fresh = visit(site.url + PAGES["sagas"])
                expect(fresh.page.locator("#missing")).to_be_visible()
            finally:
                postgres.start()
            expect(opened.page.locator("#away .banner")).to_have_count(0, timeout=20_000)
            expect(fresh.page.locator("#parked tbody tr")).to_have_count(3, timeout=20_000)
            assert opened.said == []
