"""A browser that visits the storefront, as a customer would."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, Request, ViewportSize, expect, sync_playwright

__all__ = ["CHROMIUM", "TRACK", "Visit", "chromium", "sees"]

CHROMIUM = shutil.which("chromium")
TRACK = "ol.track > li"
"""The steps of a purchase."""

_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
          "--disable-component-update", "--disable-sync")  # fmt: skip

sees = type(expect)()
"""Playwright's `expect`, for machines that are slow."""
sees.set_options(timeout=30_000)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, while it runs."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_FLAGS))
        try:
            yield started
        finally:
            started.close()


class Visit:
    """A page of one browser, with what it said; `tab` opens another beside it."""

    def __init__(self, browser: Browser, url: str, **options: Any) -> None:
        self.url = url
        size = ViewportSize(width=options.pop("width", 1280), height=900)
        self.context = browser.new_context(viewport=size, locale="en-US", timezone_id="UTC", **options)
        self.said: list[str] = []
        self.elsewhere: list[str] = []
        self.page = self.tab()

    def tab(self, route: str = "#/") -> Page:
        page = self.context.new_page()
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", self._asked)
        page.goto(f"{self.url}/{route}")
        return page

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(self.url):
            self.elsewhere.append(request.url)

    def go(self, route: str) -> Page:
        self.page.goto(f"{self.url}/{route}")
        return self.page

    def put(self, id: int | str, many: int = 1) -> None:
        """Into the basket."""
        page = self.go(f"#/products/{id}")
        page.get_by_label("Quantity").fill(str(many))
        page.get_by_role("button", name="Add to the basket").click()
        sees(page.get_by_role("link", name="your basket")).to_be_visible()

    def bought(self, id: int | str, many: int = 1) -> str:
        """Buy, once logged in, and be where the purchase is watched; its id."""
        self.put(id, many)
        self.go("#/basket").get_by_role("button", name="Buy for").click()
        sees(self.page.locator(TRACK)).to_have_count(3)
        return self.page.url.rpartition("/")[2]
