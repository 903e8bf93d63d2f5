"""The pictures of the README, taken of a demonstration that runs: start `python -m shop.demo` on a terminal, wait until it
says that the pages stay open, and run `python scripts/pictures.py --shop http://127.0.0.1:8080 --pages http://127.0.0.1:PORT`.

Each is taken for light and for dark. A new customer of the shop is registered, and buys.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from playwright.sync_api import Page, ViewportSize, sync_playwright

__all__ = ["main"]

_FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"
_SIZE = ViewportSize(width=1200, height=820)
_PATIENCE = 60_000
_PERSON = {
    "First name": "Grace", "Last name": "Hopper", "Password": "correct horse", "Address": "1 Harbour Road",
    "Telephone number": "0123456788",
}  # fmt: skip


def _case(pages: str) -> Callable[[Page], None]:
    """The case of a finding of something that never happened, if there is one."""
    with httpx.Client(base_url=pages, trust_env=False, timeout=60) as client:
        found: list[dict[str, Any]] = client.get("/api/v1/findings", params={"limit": 200}).json()["items"]
    chosen = next((each for each in found if each["kind"] == "missing"), found[0])

    def visit(page: Page) -> None:
        page.goto(f"{pages}/case?workflow={quote(chosen['workflow'])}&case={quote(chosen['case'])}")

    return visit


def _findings(pages: str) -> Callable[[Page], None]:
    return lambda page: _gone(page, f"{pages}/findings")


def _gone(page: Page, url: str) -> None:
    page.goto(url)


def _purchase(shop: str) -> Callable[[Page], None]:
    def visit(page: Page) -> None:
        page.goto(f"{shop}/#/register")
        for label, value in {**_PERSON, "E-mail address": f"grace{time.time_ns()}@example.com"}.items():
            page.get_by_role("textbox", name=label, exact=True).fill(value)
        page.get_by_role("button", name="Open the account").click()
        page.get_by_role("button", name="Log out").wait_for()
        page.goto(f"{shop}/#/")
        page.locator("a[href^='#/products/']").first.click()
        page.get_by_role("button", name="Add to the basket").click()
        page.get_by_role("link", name="your basket").wait_for()
        page.goto(f"{shop}/#/basket")
        page.get_by_role("button", name="Buy for").click()
        page.get_by_role("heading", name="It is yours").wait_for()

    return visit


def main() -> None:
    parser = argparse.ArgumentParser(description="Takes the README's pictures of a demonstration that runs.")
    parser.add_argument("--shop", required=True, metavar="URL", help="where the storefront is")
    parser.add_argument("--pages", required=True, metavar="URL", help="where Sagacity's pages are")
    given = parser.parse_args()
    shots = {"case": _case(given.pages), "findings": _findings(given.pages), "purchase": _purchase(given.shop)}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for scheme in ("light", "dark"):
            for name, visit in shots.items():
                context = browser.new_context(viewport=_SIZE, color_scheme=scheme, locale="en-US", timezone_id="UTC")
                context.set_default_timeout(_PATIENCE)
                page = context.new_page()
                visit(page)
                page.wait_for_load_state("networkidle") if name != "purchase" else page.wait_for_timeout(500)
                page.screenshot(path=_FOLDER / f"{name}-{scheme}.png")
                context.close()
        browser.close()


if __name__ == "__main__":
    main()
