"""The pages of a proposal and of a catalogue in a real browser: what is ticked is in the file that the page hands out, and
the table can be searched.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from sagacity.cli.main import run
from sagacity.discover.accepting import accepted
from sagacity.discover.proposal import Proposal
from sagacity.reconcile.catalog import catalog
from sagacity.reconcile.discovery import discover
from sagacity.reconcile.extension import Extension
from sagacity.report.html.catalog import render_catalog
from sagacity.report.html.discovery import render_discovery
from sagacity.workflow.language.reader import load, loads

CHROMIUM = shutil.which("chromium")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

WORKFLOW = """\
# Agreed upon.
workflow: booking
keys: booking
sources: {log: {format: jsonl, path: events.jsonl, key: data.booking}}
events:
  PickupBooked: {}        # the wish
  ParcelCollected:

begins: PickupBooked
ends: ParcelCollected

rules:
  - response: [PickupBooked, ParcelCollected]
"""

ASYNCAPI = """\
asyncapi: 3.0.0
info: {title: bookings, contact: {name: team depot}}
channels: {b: {address: bookings, messages: {PickupBooked: {}, PickupMoved: {summary: It was put off.}}}}
operations: {tell: {action: send, channel: {$ref: '#/channels/b'}}}
"""


class Pages:
    """A folder of bookings with the proposals and pages that are made of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        start = datetime(2026, 9, 1, tzinfo=UTC)
        with (folder / "events.jsonl").open("w", encoding="utf-8") as out:
            for n in range(150):
                for minutes, kind in (
                    (0, "PickupBooked"),
                    (5 + n % 9, "InvoicePaid"),
                    (60 + 4 * (n % 20), "ParcelCollected"),
                ):
                    when = (start + timedelta(hours=3 * n, minutes=minutes)).isoformat()
                    data = {"booking": f"B{n}", **({"price": 10 + n % 7} if kind != "ParcelCollected" else {})}
                    event = {"id": f"{kind}{n}", "source": "/depot", "type": kind, "time": when, "data": data}
                    out.write(json.dumps(event) + "\n")
        (folder / "booking.workflow.yaml").write_text(WORKFLOW, encoding="utf-8")
        (folder / "bookings.yaml").write_text(ASYNCAPI, encoding="utf-8")
        self.proposals: dict[str, Proposal] = {"new": discover([str(folder / "events.jsonl")], "booking", folder=folder)}
        with Extension(folder / "booking.workflow.yaml", {}) as extension:
            self.proposals["into"] = extension.propose()
        for name, proposal in self.proposals.items():
            self.path(name).write_text(render_discovery(proposal), encoding="utf-8")
        self.path("catalog").write_text(render_catalog(catalog([str(folder)])), encoding="utf-8")

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    flags = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    return Pages(tmp_path_factory.mktemp("bookings"))


@pytest.fixture
def visit(browser: Browser, pages: Pages) -> Iterator[Any]:
    """Opens a page, which says nothing and asks for nothing."""
    opened, said = [], []

    def open_page(name: str, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True, **options)
        opened.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: said.append(request.url) if request.url.startswith("http") else None)
        page.goto(pages.path(name).as_uri())
        return page

    yield open_page
    for context in opened:
        context.close()
    assert said == []


def _taken(page: Page, to: Path) -> Path:
    """The file that a page hands out."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download the file").click()
    path = to / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def _leave_out(page: Page, *names: str) -> None:
    for name in names:
        page.get_by_label(f"Accept {name}", exact=True).uncheck()


@pytest.mark.parametrize("who", ["anna", 'Zoë "o\'" : {x} # \\', ""])
def test_what_is_ticked_is_in_the_file_that_the_page_hands_out(who: str, visit: Any, pages: Pages, tmp_path: Path) -> None:
    page, rules = visit("new"), pages.proposals["new"].rules
    left_out = [rules[0].name, rules[-1].name]
    _leave_out(page, *left_out)
    page.get_by_label("Your name").fill(who)
    assert page.locator("#file [data-said]").inner_text() == f"{len(rules) - 2} of {len(rules)} rules are accepted"
    path = _taken(page, tmp_path)
    assert path.name == "booking.workflow.yaml"
    found = load(path)
    assert set(found.accepted) == {rule.name for rule in rules} - set(left_out)
    assert {origin.by for origin in found.accepted.values()} == {who or None}
    assert run(["validate", str(path)]) == 0
    kept = {place for place, rule in enumerate(rules) if rule.name not in left_out}
    (date,) = {origin.date for origin in found.accepted.values()}
    assert found == loads(accepted(pages.proposals["new"], kept, by=who or None, date=date or ""))


def test_nothing_ticked_is_a_workflow_that_expects_nothing(visit: Any, pages: Pages, tmp_path: Path) -> None:
    page = visit("new")
    _leave_out(page, *(rule.name for rule in pages.proposals["new"].rules))
    found = load(_taken(page, tmp_path))
    assert (found.expectations, found.accepted, found.begins) == ((), {}, ())


def test_a_rule_that_is_ticked_again_is_there_again(visit: Any, pages: Pages, tmp_path: Path) -> None:
    page, name = visit("new"), pages.proposals["new"].rules[0].name
    _leave_out(page, name)
    page.get_by_label(f"Accept {name}", exact=True).check()
    assert name in load(_taken(page, tmp_path)).accepted


def test_the_page_for_a_workflow_that_is_there_hands_out_its_file(visit: Any, pages: Pages, tmp_path: Path) -> None:
    page, rules = visit("into"), pages.proposals["into"].rules
    assert f"{len(rules)} rules that booking.workflow.yaml does not have" in page.locator("header").inner_text()
    assert any("price" in rule.name for rule in rules)
    _leave_out(page, *(rule.name for rule in rules if "price" in rule.name))
    path = _taken(page, tmp_path)
    text = path.read_text(encoding="utf-8")
    assert path.name == "booking.workflow.yaml"
    assert "  PickupBooked: {}        # the wish" in text
    assert "# Agreed upon." in text
    assert "capture" not in text
    assert set(loads(text).accepted) == {rule.name for rule in rules if "price" not in rule.name}
    assert run(["validate", str(path)]) == 0
    for rule in rules:
        page.get_by_label(f"Accept {rule.name}", exact=True).check()
    text = _taken(page, tmp_path).read_text(encoding="utf-8")
    assert "  PickupBooked: {capture: {price: data.price as integer}}        # the wish" in text
    assert set(loads(text).accepted) == {rule.name for rule in rules}


def test_without_scripts_the_whole_file_is_shown(visit: Any, pages: Pages) -> None:
    page = visit("new", java_script_enabled=False)
    assert page.locator("#file code").inner_text().strip() == pages.proposals["new"].text.strip()
    assert page.get_by_role("button", name="Download the file").count() == 0
    assert page.get_by_role("checkbox").count() == 0


def _types(page: Page) -> list[str]:
    return [row.locator("th bdi").first.inner_text() for row in page.locator("#types tbody tr:visible").all()]


def test_event_types_are_found_by_words_and_by_what_is_amiss(visit: Any) -> None:
    page = visit("catalog")
    every = ["InvoicePaid", "ParcelCollected", "PickupBooked", "PickupMoved"]
    assert _types(page) == every
    assert page.locator("#types [data-said]").inner_text() == "4 event types"
    page.get_by_label("Search").fill("put OFF")
    assert _types(page) == ["PickupMoved"]
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("combobox", name="What is amiss").select_option("not declared")
    assert _types(page) == ["InvoicePaid", "ParcelCollected"]
    assert page.locator("#types [data-said]").inner_text() == "2 of 4 event types"
    page.get_by_label("Search").fill("invoice")
    assert _types(page) == ["InvoicePaid"]


def test_a_link_leads_to_an_event_type_that_the_filter_hides(visit: Any) -> None:
    page = visit("catalog")
    page.get_by_label("Search").fill("invoice")
    page.locator("#gaps").get_by_role("link", name="PickupMoved").first.click()
    page.locator("#types tbody tr", has_text="PickupMoved").wait_for(state="visible")
    assert len(_types(page)) == 4
    assert page.get_by_label("Search").input_value() == ""
