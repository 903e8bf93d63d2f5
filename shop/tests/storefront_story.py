"""A customer at the whole shop's page, through its edge: registers, buys, watches, and finds the order with its payment."""

from __future__ import annotations

import time

from storefront_visit import Visit, chromium, sees

__all__ = ["bought_on_the_page"]


def bought_on_the_page(web: str, product: str) -> None:
    """Buy two of a product, whose stock is 996 at 4.50 USD."""
    with chromium() as browser:
        visit = Visit(browser, web)
        page = visit.go("#/register")
        written = {
            "First name": "Grace", "Last name": "Hopper", "E-mail address": f"grace{time.time_ns()}@example.com",
            "Password": "correct horse", "Address": "1 Harbour Road", "Telephone number": "0123456788",
        }  # fmt: skip
        for label, value in written.items():
            page.get_by_role("textbox", name=label, exact=True).fill(value)
        page.get_by_role("button", name="Open the account").click()
        sees(page.get_by_role("button", name="Log out")).to_be_visible()
        visit.go(f"#/products/{product}")
        sees(page.locator(".stock")).to_have_text("996 in stock")
        visit.bought(product, 2)
        sees(page.locator("h1")).to_have_text("It is yours")
        sees(page.locator(".outcome")).to_contain_text("You paid $9.00.")
        sees(page.locator(".log li")).to_have_count(7)
        page.get_by_role("link", name="See your orders").click()
        sees(page.locator(".order")).to_contain_text("$9.00 paid on")
        wrong = [said for said in visit.said if not said.startswith("Failed to load resource")]  # which is asked for again
        assert (wrong, visit.elsewhere) == ([], [])
