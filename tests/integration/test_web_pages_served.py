"""How the pages are answered: their content type, and what whoever goes astray is shown."""

from __future__ import annotations

import pytest

from sagacity.web.pages.assets import asset_url
from serving import client_of, serving

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/workflow", "text/html"),
        ("/nowhere", "text/html"),
        (asset_url("live.css"), "text/css"),
        (asset_url("live.js"), "text/javascript"),
    ],
)
def test_a_content_type_names_its_charset_once(path: str, kind: str) -> None:
    with serving() as world, client_of(world.app) as client:
        assert client.get(path, headers=BROWSER).headers["content-type"] == f"{kind}; charset=utf-8"


def test_a_browser_at_an_unknown_address_sees_a_page_and_a_program_a_problem() -> None:
    with serving() as world, client_of(world.app) as client:
        page = client.get("/nowhere", headers=BROWSER)
        assert page.status_code == 404
        assert 'href="/"' in page.text
        for path, headers in (("/nowhere", {"Accept": "*/*"}), ("/api/v1/nowhere", BROWSER)):
            answer = client.get(path, headers=headers)
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.status_code == 404
