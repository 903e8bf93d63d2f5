"""The storefront in a real browser, on a stand-in for the shop's API: buying, watching, errors, tabs, a shop away."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from storefront_site import ShopStandIn, Ware, served
from storefront_visit import CHROMIUM, TRACK, Visit, chromium, sees

REASON = "450 USD (minor units) is above the limit of 300 USD (minor units)"
DECLINED = "$4.50 is above the limit of $3.00."
BY_HAND = """() => {
    const later = window.setTimeout;
    window.overdue = [];
    window.setTimeout = (work, wait) => (wait < 30000 ? later(work, wait) : void overdue.push(work));
}"""
"""What is to be done after half a minute or more is done when it is said."""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def stocked() -> ShopStandIn:
    shop = ShopStandIn()
    shop.categories = [{"id": "1", "name": "Tea", "description": "Leaves."}, {"id": "2", "name": "Cups", "description": ""}]
    for number in range(14):
        id = 11 + number
        shop.wares[str(id)] = Ware(id, f"Tea {id}", 450 + number, 100, category_id="1")
    shop.wares["40"] = Ware(40, "Cup", 900, 3, category_id="2")
    shop.wares["41"] = Ware(41, "Saucer", 1800, 5, category_id="2", currency="JPY")
    shop.wares["42"] = Ware(42, "Pot", 6400, 0, category_id="2")
    return shop


class Looked(Visit):
    """A visit to the stand-in."""

    def __init__(self, browser: Browser, url: str, shop: ShopStandIn, **options: Any) -> None:
        self.shop = shop
        super().__init__(browser, url, **options)

    def log_in(self) -> None:
        page = self.go("#/login")
        page.get_by_label("E-mail address").fill("ada@example.com")
        page.get_by_label("Password").fill("correct horse")
        page.keyboard.press("Enter")
        sees(page.get_by_role("button", name="Log out")).to_be_visible()

    def bought(self, id: int | str = 11, many: int = 1) -> str:
        """The same, of somebody who logs in first."""
        self.log_in()
        return super().bought(id, many)


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Looked]]:
    opened: list[Looked] = []
    sites: list[Any] = []

    def open_page(shop: ShopStandIn | None = None, site: dict[str, Any] | None = None, **options: Any) -> Looked:
        shop = shop or stocked()
        sites.append(served(shop, **(site or {})))
        opened.append(Looked(browser, sites[-1].__enter__(), shop, **options))
        return opened[-1]

    yield open_page
    for one in opened:
        one.context.close()
        one.shop.cut()
    for one in sites:
        one.__exit__(None, None, None)


def states(page: Page) -> list[str | None]:
    return [each.get_attribute("data-state") for each in page.locator(TRACK).all()]


def sees_states(page: Page, *wanted: str) -> None:
    for number, state in enumerate(wanted):
        sees(page.locator(TRACK).nth(number)).to_have_attribute("data-state", state)


def test_products_are_found_by_category_and_page_by_page(visit: Any) -> None:
    page = visit().page
    sees(page.locator(".ware")).to_have_count(12)
    page.get_by_role("link", name="More").click()
    sees(page.locator(".ware")).to_have_count(5)
    sees(page.locator("h1")).to_be_focused()
    page.get_by_role("link", name="Back").click()
    sees(page.locator(".ware")).to_have_count(12)
    page.get_by_role("link", name="Cups").click()
    sees(page.locator("h1")).to_have_text("Cups")
    assert page.title() == "Cups · The shop"
    sees(page.locator(".foot")).to_have_text(["$9.00Only 3 left", "¥1,800Only 5 left", "$64.00Sold out"])
    page.get_by_role("link", name="Cup", exact=True).click()
    sees(page.locator("h1")).to_have_text("Cup")
    page.go_back()
    sees(page.locator("h1")).to_have_text("Cups")


def test_a_purchase_is_watched_step_by_step_and_leads_to_its_case_its_trace_and_its_order(visit: Any) -> None:
    opened = visit()
    id = opened.bought(11, 4)
    page = opened.page
    sees_states(page, "waits", "waits", "waits")
    opened.shop.tell(id, (0, "EXECUTE"))
    sees_states(page, "runs", "waits", "waits")
    opened.shop.tell(id, (0, "SUCCESS"), (1, "EXECUTE"))
    sees_states(page, "done", "runs", "waits")
    opened.shop.has(id, 1800)
    opened.shop.tell(id, (1, "SUCCESS"), (2, "EXECUTE"), (2, "SUCCESS"), "SUCCESS")
    sees_states(page, "done", "done", "done")
    sees(page.locator("h1")).to_have_text("It is yours")
    sees(page.locator(".outcome")).to_contain_text("You paid $18.00.")
    said = page.locator("#said p").all_text_contents()
    assert [each for each in said if each.startswith(("Stock", "Order", "Payment", "The purchase"))] == [
        "Stock: under way.", "Stock: The units are set aside for you.", "Order: under way.", "Order: Your order is written.",
        "Payment: under way.", "Payment: The payment is taken.", "The purchase is done.",
    ]  # fmt: skip
    case = page.get_by_role("link", name="Its case in Sagacity").get_attribute("href")
    assert case == f"http://sagacity.example/case?workflow=shop&case={id}"
    trace = page.get_by_role("link", name="Its trace").get_attribute("href")
    assert trace == f"http://traces.example/trace/{opened.shop.traces[0].split('-')[1]}"
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", opened.shop.traces[0])
    page.get_by_role("link", name="See your orders").click()
    sees(page.locator(".order")).to_contain_text("$18.00 paid on")
    sees(page.locator(".order")).to_contain_text("Tea 11 4 × $4.50")
    page.get_by_role("link", name="How it went").click()
    sees(page.locator("h1")).to_have_text("It is yours")
    assert (opened.said, opened.elsewhere) == ([], [])


def test_a_purchase_that_fails_is_seen_to_turn_back_the_last_step_first(visit: Any) -> None:
    opened = visit()
    id = opened.bought()
    page = opened.page
    opened.shop.tell(id, (0, "EXECUTE"), (0, "SUCCESS"), (1, "EXECUTE"), (1, "SUCCESS"), (2, "EXECUTE"))
    opened.shop.tell(id, (2, "FAILED"), reason=REASON)
    sees_states(page, "undo", "undoing", "failed")
    sees(page.locator("h1")).to_have_text("Your purchase turns back")
    sees(page.locator(".why").nth(2)).to_have_text(DECLINED)
    opened.shop.tell(id, (1, "ROLLBACK"))
    sees_states(page, "undoing", "undone", "failed")
    opened.shop.has(id, 450, refunded=True)
    opened.shop.tell(id, (0, "ROLLBACK"), "FAILED", reason=f"CREATE_PAYMENT: {REASON}")
    sees_states(page, "undone", "undone", "failed")
    sees(page.locator("h1")).to_have_text("Nothing was bought")
    sees(page.locator(".outcome")).to_have_text(f"{DECLINED} Whatever had been done was undone, the last of it first.")
    page.reload()
    sees(page.locator("h1")).to_have_text("Nothing was bought")
    sees_states(page, "undone", "undone", "failed")
    sees(page.locator(".log li")).to_have_count(9)
    opened.go("#/orders")
    sees(page.locator(".order")).to_contain_text("refunded on")
    assert opened.said == []


def test_what_could_not_be_undone_is_said_and_nothing_more_is_promised(visit: Any) -> None:
    opened = visit()
    id = opened.bought()
    opened.shop.tell(
        id, (0, "EXECUTE"), (0, "SUCCESS"), (1, "EXECUTE"), (1, "FAILED"), (0, "ROLLBACK_FAILED"), reason="no answer"
    )
    sees_states(opened.page, "stuck", "failed", "never")
    opened.shop.tell(id, "ROLLBACK_FAILED", reason="an operator ended it")
    sees(opened.page.locator("h1")).to_have_text("Not all of it could be undone")


def test_links_are_not_there_where_nobody_has_said_where_they_lead(visit: Any) -> None:
    opened = visit(site={"case_url": None, "trace_url": None})
    opened.bought()
    assert opened.page.locator(".elsewhere").count() == 0


def test_a_doubled_click_buys_once_and_so_does_a_purchase_whose_answer_is_lost(visit: Any) -> None:
    opened = visit()
    opened.log_in()
    opened.put(11)
    opened.shop.lose_answers_to_purchases = 1
    opened.go("#/basket").get_by_role("button", name="Buy for").dblclick()
    sees(opened.page.locator(TRACK)).to_have_count(3)
    assert opened.shop.asked.count(("POST", "/purchases")) == 2
    assert len(opened.shop.purchases) == 1
    assert len({trace.split("-")[1] for trace in opened.shop.traces}) == 1
    sees(opened.page.locator("#basket-count")).to_be_hidden()
    opened.put(11)
    opened.shop.lose_answers_to_purchases = 1
    opened.go("#/basket").get_by_role("button", name="Buy for").click()
    sees(opened.page.get_by_text("asking again")).to_be_visible()
    opened.page.reload()
    opened.page.get_by_role("button", name="Buy for").click()
    sees(opened.page.locator(TRACK)).to_have_count(3)
    assert len(opened.shop.purchases) == 2, "another basket is another purchase, and a reload is none"


def test_a_stream_that_breaks_off_goes_on_after_the_last_event(visit: Any) -> None:
    opened = visit()
    id = opened.bought()
    opened.shop.tell(id, (0, "EXECUTE"), (0, "SUCCESS"))
    sees_states(opened.page, "done", "waits", "waits")
    opened.shop.away = True
    opened.shop.cut()
    sees(opened.page.locator(".watch > .banner")).to_contain_text("away for a moment")
    opened.shop.expire()
    opened.shop.away = False
    opened.shop.tell(id, (1, "EXECUTE"), (1, "SUCCESS"))
    sees_states(opened.page, "done", "done", "waits")
    sees(opened.page.locator(".watch > .banner")).to_be_hidden()
    assert (opened.shop.resumed, opened.shop.refreshes) == (["", "2"], 1)
    sees(opened.page.locator(".log li")).to_have_count(4)


def test_what_the_shop_could_not_answer_comes_once_it_is_back(visit: Any) -> None:
    shop = stocked()
    shop.away = True
    opened = visit(shop)
    sees(opened.page.get_by_role("status").first).to_contain_text("The shop cannot be reached")
    shop.away = False
    sees(opened.page.locator(".ware")).to_have_count(12)
    sees(opened.page.locator("#away .banner")).to_have_count(0)


def test_tabs_share_a_login_and_renew_it_once_for_all_and_end_it_together(visit: Any) -> None:
    opened = visit()
    opened.log_in()
    second = opened.tab("#/orders")
    sees(second.get_by_role("button", name="Log out")).to_be_visible()
    sees(second.locator("h1")).to_have_text("Your orders")
    third = opened.tab()
    for times in (1, 2, 3):
        opened.shop.expire()
        for page in (opened.page, second, third):
            page.evaluate("location.hash = '#/orders?after=' + Math.random()")
        for page in (opened.page, second, third):
            sees(page.locator("p.card")).to_contain_text("none before these")
            page.evaluate("location.hash = '#/basket'")
            sees(page.locator("h1")).to_have_text("Your basket")
        assert (opened.shop.refreshes, opened.shop.revoked) == (times, False)
    assert "access-" not in opened.page.evaluate("JSON.stringify(localStorage)")
    second.get_by_role("button", name="Log out").click()
    sees(opened.page.get_by_role("link", name="Log in")).to_be_visible()
    assert "access-" not in opened.page.evaluate("JSON.stringify(sessionStorage)")


def test_a_renewal_that_is_never_answered_ends_and_another_tab_renews(visit: Any) -> None:
    """A replica hangs, with its connection open."""
    opened = visit()
    opened.log_in()
    second = opened.tab()
    sees(second.get_by_role("button", name="Log out")).to_be_visible()
    opened.shop.expire()
    opened.page.evaluate(BY_HAND)  # a browser's clock is that of all its tabs
    with opened.page.expect_request("**/auth/refresh"):
        opened.page.route("**/auth/refresh", lambda _: None)
        opened.page.evaluate("location.hash = '#/orders'")
    second.evaluate("location.hash = '#/orders'")
    second.wait_for_function("async () => (await navigator.locks.query()).pending.length > 0")
    opened.page.evaluate("overdue.forEach((work) => work())")
    sees(second.locator("p.card")).to_contain_text("You have not ordered anything yet.")
    assert opened.shop.refreshes == 1


def test_logging_in_that_is_never_answered_is_said_to_have_failed(visit: Any) -> None:
    opened = visit()
    page = opened.go("#/login")
    page.clock.install()
    page.route("**/auth/login", lambda _: None)
    page.get_by_label("E-mail address").fill("ada@example.com")
    page.get_by_label("Password").fill("correct horse")
    with page.expect_request("**/auth/login"):
        page.keyboard.press("Enter")
    page.clock.fast_forward(31_000)
    sees(page.get_by_role("alert").filter(visible=True)).to_contain_text("cannot be reached just now")


def test_whoever_was_away_too_long_logs_in_and_is_where_they_were(visit: Any) -> None:
    opened = visit()
    opened.log_in()
    opened.shop.expire()
    opened.shop._refresh.clear()
    page = opened.go("#/orders")
    sees(page.locator(".banner.open")).to_contain_text("you were logged out")
    page.get_by_label("E-mail address").fill("ada@example.com")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Log in").click()
    sees(page.locator("h1")).to_have_text("Your orders")


def test_what_is_wrong_is_said_at_the_field_and_what_was_written_is_kept(visit: Any) -> None:
    opened = visit()
    page = opened.go("#/register")
    page.get_by_role("button", name="Open the account").click()
    sees(page.get_by_label("First name")).to_be_focused()
    sees(page.get_by_label("First name")).to_have_accessible_description("First name is missing.")
    written = {
        "First name": "Ada", "Last name": "Lovelace", "E-mail address": "ada@example.com", "Password": "correct horse",
        "Address": "12 St James's Square", "Telephone number": "0123456788",
    }  # fmt: skip
    for label, value in written.items():
        page.get_by_role("textbox", name=label, exact=True).fill(value)
    page.get_by_role("button", name="Open the account").click()
    email = page.get_by_label("E-mail address")
    sees(email).to_have_accessible_description("E-mail address is taken.")
    sees(email).to_be_focused()
    sees(page.get_by_label("First name")).to_have_accessible_description("")
    email.fill("grace@example.com")
    page.keyboard.press("Enter")
    sees(page.get_by_role("button", name="Log out")).to_be_visible()


def test_what_cannot_be_bought_is_said_at_its_line_of_the_basket(visit: Any) -> None:
    opened = visit()
    opened.log_in()
    opened.put(11)
    opened.put(40, 3)
    opened.shop.refuse(422, "there is not enough", items__1__quantity="there are not 3 of it left")
    page = opened.go("#/basket")
    page.get_by_role("button", name="Buy for $31.50").click()
    cups = page.get_by_label("Quantity of Cup")
    sees(cups).to_have_accessible_description("There are not 3 of it left.")
    sees(cups).to_be_focused()
    sees(page.get_by_role("alert")).to_have_text("There is not enough.")
    opened.shop.refuse_purchases = None
    cups.fill("2")
    page.get_by_role("button", name="Buy for $22.50").click()
    sees(page.locator(TRACK)).to_have_count(3)


def test_a_basket_of_two_currencies_is_two_purchases(visit: Any) -> None:
    opened = visit()
    opened.log_in()
    opened.put(40)
    opened.put(41)
    page = opened.go("#/basket")
    page.get_by_role("button", name="Buy for ¥1,800").click()
    sees(page.locator(TRACK)).to_have_count(3)
    opened.go("#/basket")
    sees(page.locator(".line")).to_have_count(1)
    sees(page.get_by_role("button", name="Buy for $9.00")).to_be_visible()


def test_everything_can_be_done_by_keyboard(visit: Any) -> None:
    opened = visit()
    page = opened.page
    sees(page.locator(".ware")).to_have_count(12)
    page.keyboard.press("Tab")
    sees(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(4):  # All, Cups, Tea, the first product
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    sees(page.locator("h1")).to_have_text("Tea 11")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    sees(page.get_by_role("link", name="your basket")).to_be_visible()
    page.get_by_role("link", name="your basket").focus()
    page.keyboard.press("Enter")
    sees(page.locator("h1")).to_be_focused()
    page.get_by_label("Quantity of Tea 11").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**#/login**")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_view_scrolls_sideways_or_has_a_control_without_a_name(visit: Any, scheme: str) -> None:
    opened = visit(color_scheme=scheme, width=375)
    opened.shop.wares["11"].name = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
    id = opened.bought()
    opened.shop.has(id, 450)
    opened.put(11)
    for route in ("#/", "#/products/11", "#/basket", f"#/purchases/{id}", "#/orders", "#/nowhere", "#/login", "#/register"):
        if route == "#/login":
            opened.page.get_by_role("button", name="Log out").click()
            sees(opened.page.get_by_role("link", name="Log in").first).to_be_visible()
        page = opened.go(route)
        sees(page.locator("h1")).to_be_visible()
        assert page.locator("h1").count() == 1
        for width in (375, 768, 1440):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), route
        nameless = page.evaluate(
            """() => [...document.querySelectorAll('button, input, select, textarea, a')]
                .filter((each) => !(each.innerText?.trim() || each.labels?.length || each.getAttribute('aria-label')))
                .map((each) => each.outerHTML)"""
        )
        assert nameless == [], route
    dark = "rgb(20, 23, 27)"
    assert (page.evaluate("getComputedStyle(document.body).backgroundColor") == dark) == (scheme == "dark")


def test_colours_are_chosen_and_kept(visit: Any) -> None:
    page = visit(color_scheme="light").page
    for _ in range(2):
        page.get_by_role("button", name="colours").click()
    page.reload()
    sees(page.get_by_role("button", name="Dark colours")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 27)"
