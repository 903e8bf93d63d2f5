"""The live pages in a real browser: triage by keyboard, findings that arrive, forms, colours, widths, names of controls."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from fakes.live_ledger import MemoryLedger
from fakes.samples import REACHES, record, sample_ledger
from live_site import Site, served
from page_colours import background, faint_texts
from sagacity.ledger.live import FindingFilter
from sagacity.reconcile.clock import SystemClock
from sagacity.web.settings import Settings
from sagacity.web.tokens import Tokens, minted

CHROMIUM = shutil.which("chromium")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip
PAGES = ("overview", "inbox", "finding", "case", "cases", "workflows", "workflow", "sources", "audit", "waive")
NOW = SystemClock().now()

expect.set_options(timeout=30_000)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A site that tests only look at."""
    with served(sample_ledger(NOW, orders=160), reaches=REACHES) as up:
        yield up


@pytest.fixture
def desk() -> Iterator[Site]:
    """A site of its own for a test that acts."""
    with served(sample_ledger(SystemClock().now(), orders=100)) as up:
        yield up


class Visit:
    """A page, with all that it said and asked for."""

    def __init__(self, browser: Browser, url: str, **options: Any) -> None:
        self.context = browser.new_context(viewport={"width": options.pop("width", 1280), "height": 900}, **options)
        self.page: Page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(url)


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    opened: list[Visit] = []

    def open_page(url: str, **options: Any) -> Visit:
        opened.append(Visit(browser, url, **options))
        return opened[-1]

    yield open_page
    for one in opened:
        one.context.close()


def _address(site: Site, page: str) -> str:
    finding = site.ledger.findings(FindingFilter(states=("open",)), limit=1).items[0]
    paths = {
        "overview": "/",
        "inbox": "/findings?state=all",
        "finding": f"/findings/{finding.id}",
        "case": f"/case?workflow={finding.workflow}&case={finding.case}",
        "workflow": "/workflow?name=order",
        "waive": f"/findings/waive?id={finding.id}",
    }
    return site.url + paths.get(page, f"/{page}")


def _rows(page: Page) -> Any:
    return page.locator(".findings tbody tr[data-key]")


def _twice(case: str, now: int) -> list[bytes]:
    """A payment that came twice, which is wrong at once."""
    order = {"order_id": case, "amount": "12.50", "currency": "EUR", "items": 1}
    return [record("PaymentReceived", f"p-{case}-{copy}", now + copy, order) for copy in (1, 2)]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_quiet_and_asks_its_own_server_alone(visit: Any, site: Site, name: str) -> None:
    opened = visit(_address(site, name))
    opened.page.wait_for_load_state("load")
    assert opened.said == []
    assert [url for url in opened.asked if not url.startswith(site.url)] == []


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [360, 760, 1600])
def test_a_page_never_scrolls_sideways(visit: Any, site: Site, name: str, width: int) -> None:
    page = visit(_address(site, name), width=width).page
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("path", ["/findings", "/cases"])
def test_an_id_in_a_table_stands_on_one_line(visit: Any, desk: Site, path: str) -> None:
    case = "250548146956947456-of-a-customer"
    desk.offer("payments", *_twice(case, SystemClock().now()))
    opened = visit(f"{desk.url}{path}", width=900)
    link = opened.page.locator("tbody").get_by_role("link", name=case).first
    expect(link).to_be_visible()
    assert link.locator("bdi").evaluate("(name) => name.getClientRects().length") == 1
    assert opened.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_findings_are_worked_through_by_keyboard_alone(visit: Any, desk: Site) -> None:
    opened = visit(f"{desk.url}/findings")
    page = opened.page
    keys = [row.get_attribute("data-key") for row in _rows(page).all()]
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.closest('tr').dataset.key") == keys[1]
    page.keyboard.press("a")
    expect(page.locator("#said")).to_have_text("1 finding acknowledged.")
    assert desk.ledger.finding(keys[1]).state == "acknowledged"  # type: ignore[union-attr]
    expect(page.locator(f"tr[data-key='{keys[1]}']")).to_have_count(0)
    assert page.evaluate("document.activeElement.closest('tr').dataset.key") == keys[2]
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/findings/{keys[0]}")
    assert opened.said == []


def test_several_findings_are_waived_at_once_with_a_reason(visit: Any, desk: Site) -> None:
    page = visit(f"{desk.url}/findings").page
    keys = [row.get_attribute("data-key") for row in _rows(page).all()][:2]
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("#chosen")).to_have_text("2 chosen")
    page.keyboard.press("w")
    dialog = page.get_by_role("dialog", name="Waive 2 findings")
    dialog.get_by_label("Reason").fill("the carrier is on strike")
    dialog.get_by_label("How long").select_option("7d")
    dialog.get_by_role("button", name="Waive").click()
    expect(page.locator("#said")).to_have_text("2 findings waived.")
    found = [desk.ledger.finding(key) for key in keys]
    assert [(each.state, each.reason) for each in found if each] == [("waived", "the carrier is on strike")] * 2
    assert all(each is not None and each.until is not None for each in found)
    assert desk.ledger.audits(limit=1).items[0][2].startswith("waive finding")


def test_a_waiver_works_without_scripts(visit: Any, desk: Site) -> None:
    page = visit(f"{desk.url}/findings", java_script_enabled=False).page
    key = _rows(page).first.get_attribute("data-key")
    _rows(page).first.get_by_role("checkbox").check()
    page.get_by_role("button", name="Waive").click()
    page.get_by_label("Reason").fill("a test order")
    page.get_by_role("button", name="Waive").click()
    assert page.locator(".done").inner_text() == "1 finding waived."
    found = desk.ledger.finding(key)
    assert found is not None
    assert (found.state, found.until) == ("waived", None)


def test_a_waived_finding_is_reopened_from_its_own_page(visit: Any, desk: Site) -> None:
    waived = desk.ledger.findings(FindingFilter(states=("waived",)), limit=1).items[0]
    page = visit(f"{desk.url}/findings/{waived.id}").page
    page.keyboard.press("r")
    expect(page.locator("#head .state")).to_have_text("open")
    expect(page.locator("#history li").last).to_contain_text("reopened")


def test_a_finding_that_arrives_is_announced_and_does_not_shift_what_is_read(visit: Any, desk: Site) -> None:
    opened = visit(f"{desk.url}/findings")
    page = opened.page
    before = [row.get_attribute("data-key") for row in _rows(page).all()]
    page.keyboard.press("j")
    page.keyboard.press("j")
    top = page.evaluate("document.activeElement.getBoundingClientRect().top")
    desk.offer("payments", *_twice("777001", SystemClock().now()))
    button = page.get_by_role("button", name="arrived: show")
    expect(button).to_be_visible(timeout=15_000)
    assert [row.get_attribute("data-key") for row in _rows(page).all()] == before
    assert page.evaluate("document.activeElement.closest('tr').dataset.key") == before[1]
    assert abs(page.evaluate("document.activeElement.getBoundingClientRect().top") - top) < 1
    expect(page.locator("#announce")).to_contain_text("arrived")
    page.keyboard.press("n")
    expect(_rows(page).filter(has_text="777001").first).to_be_visible()
    assert opened.said == []


def test_the_overview_counts_by_itself_in_title_and_icon(visit: Any, desk: Site) -> None:
    page = visit(desk.url).page
    title = page.title()
    icon = page.locator("link[rel=icon]").get_attribute("href")
    desk.offer("payments", *_twice("777002", SystemClock().now()))
    expect(page).not_to_have_title(title, timeout=15_000)
    assert page.locator("link[rel=icon]").get_attribute("href") != icon
    expect(page.locator("#newest")).to_contain_text("777002")


def test_what_the_reader_has_opened_and_typed_stays_as_it_is(visit: Any, desk: Site) -> None:
    page = visit(_address(desk, "case")).page
    page.locator("#as-table summary").click()
    page.locator("#events details").first.locator("summary").click()
    desk.offer("payments", *_twice("777003", SystemClock().now()))
    page.evaluate("new Promise((done) => document.addEventListener('renewed', () => done(true), { once: true }))")
    assert page.locator("#as-table").get_attribute("open") is not None
    assert page.locator("#events details").first.get_attribute("open") is not None


def test_filters_stand_in_the_address(visit: Any, site: Site) -> None:
    page = visit(f"{site.url}/findings?state=all").page
    page.get_by_label("Severity").select_option("critical")
    page.wait_for_url("**/findings?*severity=critical*")
    assert set(page.locator(".findings tbody .sev").all_inner_texts()) == {"critical"}
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.type("ItemShipped")
    page.keyboard.press("Enter")
    page.wait_for_url("**text=ItemShipped*")
    assert all("ItemShipped" in text for text in page.locator(".say").all_inner_texts())


def test_a_workflow_that_is_not_sound_is_refused_with_its_problems_at_their_lines(visit: Any, desk: Site) -> None:
    opened = visit(f"{desk.url}/workflow?name=refund")
    page = opened.page
    page.get_by_text("Edit the text").click()
    text = page.locator("#yaml").input_value()
    assert text == next(each.text for each in desk.ledger.workflows() if each.name == "refund")
    page.locator("#yaml").fill(text.replace("within: 1d", "within: 1 fortnight"))
    page.get_by_role("button", name="Check and adopt").click()
    expect(page.locator("h1")).to_have_text("Not adopted")
    line = text.split("\n").index("    within: 1d") + 1
    assert page.locator(f"#line-{line} + tr .remark").count() == 1
    page.get_by_role("link", name=f"line {line},").click()
    assert page.evaluate("getSelection().toString()").strip() == "within: 1 fortnight"
    page.locator("#yaml").fill(text.replace("within: 1d", "within: 2d"))
    page.get_by_role("button", name="Check and adopt").click()
    page.wait_for_url("**/workflow?name=refund")
    assert next(each.revision for each in desk.ledger.workflows() if each.name == "refund") == 2


def test_an_empty_server_says_how_to_send_the_first_event_and_that_line_works(visit: Any) -> None:
    ledger = MemoryLedger()
    sample = {each.name: each for each in sample_ledger(NOW, orders=10).workflows()}["order"]
    from sagacity.workflow.language.reader import loads

    ledger.adopt(loads(sample.text), sample.text, by="test", now=NOW)
    with served(ledger) as site:
        page = visit(site.url).page
        line = page.locator("#first-line").inner_text()
        assert line.startswith(f"curl -X POST {site.url}/ingest/orders ")
        body = line[line.index("-d '") + 4 : -1]
        answer = page.request.post(f"{site.url}/ingest/orders", data=body, headers={"content-type": "application/json"})
        assert answer.status == 202
        expect(page.locator("#tiles .tile").first).to_be_visible(timeout=15_000)
        assert ledger.case("order", "123") is not None


def test_whoever_has_no_token_logs_in_and_a_viewer_cannot_act(visit: Any) -> None:
    token, known = minted(b"v" * 32, "vera", ["viewer"])
    with served(sample_ledger(NOW, orders=40), settings=Settings(tokens=Tokens((known,)))) as site:
        opened = visit(f"{site.url}/findings?state=all")
        page = opened.page
        page.wait_for_url("**/login?back=*")
        page.get_by_label("Access token").fill("sgc_wrong")
        page.get_by_role("button", name="Log in").click()
        assert "does not know" in page.get_by_role("alert").inner_text()
        page.get_by_label("Access token").fill(token)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/findings?state=all")
        assert page.locator("[data-act]").count() == 0
        key = _rows(page).first.get_attribute("data-key")
        csrf = page.locator("form[action='/logout'] input[name=csrf]").get_attribute("value")
        answer = page.request.post(f"{site.url}/findings/act", form={"what": "acknowledge", "id": key, "csrf": csrf})
        assert answer.status == 403
        page.get_by_role("button", name="Log out").click()
        page.wait_for_url("**/login")


def test_on_a_narrow_screen_a_lane_is_named_above_it_and_the_first_mark_is_in_sight(visit: Any, site: Site) -> None:
    page = visit(f"{site.url}/case?workflow=order&case=123", width=390).page
    assert all(box["x"] >= 0 for box in (each.bounding_box() for each in page.locator("svg.lanes:not([role])").all()))
    name, lane = page.locator(".lanes .name").first.bounding_box(), page.locator(".lanes .lane").first.bounding_box()
    assert name["y"] + name["height"] <= lane["y"] + 1
    assert 0 <= name["x"] <= 60
    first = min(box["x"] for box in (mark.bounding_box() for mark in page.locator(".lanes [data-hint]").all()))
    assert 0 <= first <= 120
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("path", ["/nowhere", "/workflow"])
def test_a_page_without_the_bar_runs_without_an_error(visit: Any, site: Site, path: str) -> None:
    opened = visit(f"{site.url}{path}")
    expect(opened.page.get_by_role("link", name="Overview")).to_be_visible()
    assert [text for text in opened.said if "Failed to load resource" not in text] == []


def test_dark_follows_the_system_and_the_choice_is_remembered(visit: Any, site: Site) -> None:
    light = background(visit(site.url, color_scheme="light").page)
    page = visit(site.url, color_scheme="dark").page
    assert background(page) != light
    page.get_by_role("button", name="Automatic colours").click()
    assert background(page) == light
    page.goto(f"{site.url}/sources")
    assert background(page) == light


_NAMELESS = """() => [...document.querySelectorAll("button, input:not([type=hidden]), select, textarea, a, [tabindex='0']")]
  .filter((e) => e.checkVisibility() && !(e.textContent.trim() || e.getAttribute("aria-label") || e.labels?.length))
  .map((e) => e.outerHTML.slice(0, 120))"""

_HEADINGS = """() => [...document.querySelectorAll("h1, h2, h3")].filter((h) => !h.closest("dialog"))
  .map((h) => Number(h.tagName[1]))"""


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(visit: Any, site: Site, name: str, scheme: str) -> None:
    assert faint_texts(visit(_address(site, name), color_scheme=scheme).page) == []


@pytest.mark.parametrize("name", PAGES)
def test_everything_has_a_name_and_stands_under_a_heading(visit: Any, site: Site, name: str) -> None:
    page = visit(_address(site, name)).page
    assert page.evaluate(_NAMELESS) == []
    levels = page.evaluate(_HEADINGS)
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert page.evaluate("[...document.querySelectorAll('table')].filter((t) => !t.caption && t.rows.length).length") <= 1
    for role in ("main", "navigation", "banner", "contentinfo"):
        assert page.get_by_role(role).count() == 1
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.getAttribute('id'))")
    assert len(ids) == len(set(ids))


def test_the_first_tab_leads_past_the_navigation(visit: Any, site: Site) -> None:
    page = visit(site.url).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
