"""The storefront's service: what it sends, and what the page that it sends may do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from shop.chassis import parts
from shop.chassis.http import create_app
from shop.chassis.service import Service
from shop.chassis.settings import SettingsError, load
from shop.local.catalogue import SHOP
from shop.local.routes import routes
from shop.storefront.http import ROUTES, Page
from shop.storefront.page import assets, document, version
from shop.storefront.settings import Settings

CASE = "http://127.0.0.1:8420/case?workflow=shop&case={purchase}"


@pytest.fixture
def client() -> Iterator[TestClient[Litestar]]:
    page = Page(document(CASE, None))
    app = create_app(Service("storefront"), ROUTES, settings=parts.Http(), dependencies={"page": page})
    with TestClient(app) as opened:
        yield opened


def test_the_page_may_load_and_ask_its_own_origin_alone_and_has_nothing_inline(client: Any) -> None:
    answer = client.get("/")
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "connect-src", "img-src")} == {"'self'"}
    assert {policy[name] for name in ("base-uri", "form-action", "frame-ancestors")} == {"'none'"}
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"].startswith("text/html")
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", answer.text)


def test_what_the_page_names_is_there_and_is_kept_for_ever(client: Any) -> None:
    named = set(re.findall(r'(?:href|src)="(/[^"]+)"', client.get("/").text))
    assert {path.rpartition("/")[2] for path in named} == set(assets())
    for path in named:
        answer = client.get(path)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_modules_import_what_is_there() -> None:
    for name, (_, content) in assets().items():
        for imported in re.findall(r'from "\./([^"]+)"', content.decode()) if name.endswith(".js") else ():
            assert imported in assets(), f"{name} imports {imported}"


def test_a_file_of_another_version_is_not_taken_for_one_of_this(client: Any) -> None:
    answer = client.get(f"/storefront/{'0' * 16}/main.js")
    assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-store")
    assert client.get(f"/storefront/{version()}/index.html").status_code == 404


def test_the_page_is_asked_for_each_time_and_sent_where_it_has_changed(client: Any) -> None:
    first = client.get("/")
    assert first.headers["cache-control"] == "no-cache"
    again = client.get("/", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["content-security-policy"] == first.headers["content-security-policy"]


def test_links_stand_in_the_page_as_text_and_are_empty_where_there_are_none() -> None:
    page = document('http://x/?a=1&b="><script>{purchase}', None).decode()
    assert '<meta name="case-url" content="http://x/?a=1&amp;b=&quot;&gt;&lt;script&gt;{purchase}">' in page
    assert '<meta name="trace-url" content="">' in page


@pytest.mark.parametrize(
    ("variable", "template"),
    [
        ("STOREFRONT_CASE_URL", "http://127.0.0.1:8420/case"),
        ("STOREFRONT_CASE_URL", "http://127.0.0.1:8420/case?case={trace}"),
        ("STOREFRONT_TRACE_URL", "http://127.0.0.1/trace/{trace}/{span}"),
        ("STOREFRONT_TRACE_URL", "javascript:alert({trace})"),
        ("STOREFRONT_TRACE_URL", "//elsewhere/{trace}"),
        ("STOREFRONT_TRACE_URL", "http://{trace}/"),
    ],
)
def test_a_template_that_leads_nowhere_is_told_at_the_start(variable: str, template: str) -> None:
    with pytest.raises(SettingsError, match=f"{variable}: "):
        load(Settings, "STOREFRONT", {variable: template})


@pytest.mark.parametrize("template", [CASE, "/sagacity/case?case={purchase}", "https://sagacity.example/{purchase}"])
def test_templates_lead_to_http_or_to_the_same_origin(template: str) -> None:
    assert load(Settings, "STOREFRONT", {"STOREFRONT_CASE_URL": template}).case_url == template


def test_at_the_edge_the_page_is_asked_last_and_at_its_own_paths_alone() -> None:
    addresses = {each.name: [f"{each.name}:8000"] for each in SHOP}
    routers = routes(SHOP, addresses, addresses)["http"]["routers"]
    rule = routers["storefront"]["rule"].split(" || ")
    assert "Path(`/`)" in rule
    assert [part for part in rule if part.startswith("PathPrefix")] == ["PathPrefix(`/storefront/`)"]
    assert [name for name, each in routers.items() if "priority" in each] == ["storefront"]
