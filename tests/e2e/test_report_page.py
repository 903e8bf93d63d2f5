"""The page in a real browser: quiet, offline, usable by keyboard, light and dark, and inert whatever the data holds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

import report_samples as samples
from page_colours import background, faint_texts
from sagacity.report.html import render_html

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MAKERS = {make.__name__: make for make in (samples.realistic, samples.clean, samples.empty, samples.huge, samples.hostile)}

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


class Visit:
    """A page opened from disk, with all that it said and asked for."""

    def __init__(self, browser: Browser, path: Path, **options: Any) -> None:
        self.context = browser.new_context(viewport={"width": options.pop("width", 1280), "height": 900}, **options)
        self.page: Page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: self.said.append(f"dialog {dialog.message}"))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    written = {}
    for name, make in MAKERS.items():
        written[name] = folder / f"{name}.html"
        written[name].write_text(render_html(make()), encoding="utf-8")
    return written


@pytest.fixture
def visit(browser: Browser, pages: dict[str, Path]) -> Iterator[Any]:
    opened: list[Visit] = []

    def open_page(name: str, **options: Any) -> Visit:
        opened.append(Visit(browser, pages[name], **options))
        return opened[-1]

    yield open_page
    for one in opened:
        one.context.close()


def _rows(page: Page) -> int:
    return page.locator("#findings tbody tr").count()


@pytest.mark.parametrize("name", MAKERS)
def test_the_page_is_quiet_and_asks_for_nothing(visit: Any, name: str) -> None:
    opened = visit(name)
    assert opened.said == []
    assert [url for url in opened.asked if not url.startswith(("file:", "data:"))] == []


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("width", [360, 900, 1600])
def test_the_page_never_scrolls_sideways(visit: Any, name: str, width: int) -> None:
    page = visit(name, width=width).page
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_hostile_text_does_nothing(visit: Any) -> None:
    opened = visit("hostile")
    assert "taken" not in opened.page.title().replace(samples.HOSTILE, "")
    assert opened.page.title().startswith("hostile <script>")
    assert opened.page.locator("main script").count() == 0
    assert opened.said == []


def test_searching_narrows_the_findings(visit: Any) -> None:
    page = visit("realistic").page
    assert _rows(page) == 25
    page.get_by_label("Search").fill("InvoiceIssued pay-")
    said = page.locator("[data-said]").inner_text()
    assert "66 matching, out of 366 listed" in said
    page.get_by_role("button", name="Clear").click()
    assert "1 to 25 of 366 listed" in page.locator("[data-said]").inner_text()


def test_filters_combine(visit: Any) -> None:
    page = visit("realistic").page
    page.get_by_label("Severity").select_option("critical")
    page.get_by_label("Kind").select_option("duplicate")
    assert page.locator("[data-said]").inner_text().startswith("1 to 8 of 8 matching")
    assert set(page.locator("#findings tbody td:nth-child(3)").all_inner_texts()) == {"duplicate"}


def test_what_matches_nothing_says_so(visit: Any) -> None:
    page = visit("realistic").page
    page.get_by_label("Search").fill("no such words")
    assert page.locator("#findings tbody").inner_text() == "No finding matches these filters."


def test_sorting_goes_up_then_down_then_back(visit: Any) -> None:
    page = visit("realistic").page
    head = page.locator("th[data-by=case]")
    cases = page.locator("#findings tbody td:nth-child(2)")
    as_found = cases.all_inner_texts()
    head.get_by_role("button").click()
    up = [int(text) for text in cases.all_inner_texts()]
    assert up == sorted(up)
    assert head.get_attribute("aria-sort") == "ascending"
    head.get_by_role("button").click()
    down = [int(text) for text in cases.all_inner_texts()]
    assert down == sorted(down, reverse=True)
    head.get_by_role("button").click()
    assert cases.all_inner_texts() == as_found


def test_pages_turn(visit: Any) -> None:
    page = visit("realistic").page
    assert page.get_by_role("button", name="Previous").is_disabled()
    page.get_by_role("button", name="Next").click()
    assert "26 to 50 of 366" in page.locator("[data-said]").inner_text()


def test_the_number_of_an_expectation_leads_to_its_findings(visit: Any) -> None:
    page = visit("realistic").page
    page.get_by_role("button", name="findings of checked within 24h").click()
    assert "20 matching" in page.locator("[data-said]").inner_text()
    assert page.evaluate("document.activeElement.id") == "findings-title"


def test_a_table_can_be_sorted_by_keyboard_alone(visit: Any) -> None:
    page = visit("realistic").page
    page.locator("th[data-by=since] button").focus()
    page.keyboard.press("Enter")
    assert page.locator("th[data-by=since]").get_attribute("aria-sort") == "ascending"


def test_a_timeline_is_walked_with_the_arrow_keys(visit: Any) -> None:
    page = visit("realistic").page
    first = page.locator("svg.lanes [tabindex='0']").first
    first.focus()
    assert "OrderPlaced, ord-123" in page.locator(".hint").inner_text()
    page.keyboard.press("ArrowRight")
    assert "FraudScoreComputed" in page.locator(".hint").inner_text()
    page.keyboard.press("Escape")
    assert not page.locator(".hint").is_visible()


def test_the_first_tab_leads_past_the_header(visit: Any) -> None:
    page = visit("realistic").page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the findings"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#findings"


def test_the_page_is_dark_where_the_system_is_and_can_be_told_otherwise(visit: Any) -> None:
    light = background(visit("clean", color_scheme="light").page)
    opened = visit("clean", color_scheme="dark")
    dark = background(opened.page)
    assert light != dark
    toggle = opened.page.locator("#theme")
    toggle.click()
    assert background(opened.page) == light
    assert toggle.inner_text() == "Light colours"
    opened.page.reload()
    assert background(opened.page) == light


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(visit: Any, scheme: str) -> None:
    assert faint_texts(visit("realistic", color_scheme=scheme).page) == []


def test_every_control_has_a_name_and_every_section_a_heading(visit: Any) -> None:
    page = visit("realistic").page
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, [tabindex='0']")].filter((e) =>
             !(e.textContent.trim() || e.getAttribute("aria-label") || e.labels?.length)).map((e) => e.outerHTML)"""
    )
    assert nameless == []
    for section in page.locator("main section").all():
        assert page.locator(f"#{section.get_attribute('aria-labelledby')}").inner_text()
    for table in page.locator("section > div table").all():
        assert table.locator("th[scope=col]").count() > 1
    for role in ("main", "navigation", "banner", "contentinfo"):
        assert page.get_by_role(role).count() >= 1


def test_words_in_the_map_do_not_run_out_of_their_boxes(visit: Any) -> None:
    page = visit("realistic").page
    outside = page.evaluate(
        """() => [...document.querySelectorAll(".right svg.map > g")].flatMap((g) => {
             const box = g.querySelector("rect")?.getBoundingClientRect();
             return !box ? [] : [...g.querySelectorAll("text")].filter((t) => {
               const around = t.getBoundingClientRect();
               return around.left < box.left - 1 || around.right > box.right + 1;
             }).map((t) => t.textContent);
           })"""
    )
    assert outside == []
