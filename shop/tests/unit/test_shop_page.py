"""docs/shop.md says which test shows what: every test that it names is there, and nothing of the shop is left out."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from litestar.routes import HTTPRoute

from shop.chassis.http import HttpServer
from shop.contracts import topics
from shop.local.catalogue import SHOP
from shop.local.routes import routes
from wired_services import SERVICES, Places, part, wired

_NAMED = re.compile(r"`(\w+)::(\w+)`")
_WITHOUT_TOKEN = ("/healthz", "/readyz", "/metrics")
DEFECTS = range(1, 16)


@pytest.fixture(scope="module")
def page(project: Path) -> str:
    return (project / "docs" / "shop.md").read_text(encoding="utf-8")


@cache
def _tests(project: Path, module: str) -> frozenset[str]:
    """The tests of a module, by name; none where there is no such module."""
    return frozenset(
        node.name
        for folder in ("tests", "shop/tests")
        for path in (project / folder).rglob(f"{module}.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def _rows(section: str) -> list[str]:
    """The rows of a section's table, without its head."""
    return [line for line in section.splitlines() if line.startswith("| ")][1:]


def test_every_test_that_is_named_is_there(page: str, project: Path) -> None:
    named = _NAMED.findall(page)
    assert len(named) > 100
    assert [f"{module}::{test}" for module, test in named if test not in _tests(project, module)] == []


def test_every_row_names_a_test(page: str) -> None:
    rows = [row for section in page.split("\n## ")[1:] for row in _rows(section)]
    assert len(rows) > 60
    assert [row for row in rows if not _NAMED.search(row)] == []


def test_every_defect_has_a_row(page: str) -> None:
    told = page.split("\n## Defects that are not here")[1].split("\n## ")[0]
    assert [int(row.split("|")[1]) for row in told.splitlines() if re.match(r"\| \d", row)] == list(DEFECTS)


def test_every_route_has_a_row(page: str) -> None:
    def methods(path: str) -> set[str]:
        said: set[str] = set()
        for row in page.splitlines():
            for names, paths in re.findall(
                r"((?:GET|POST|PUT|DELETE)(?:, (?:GET|POST|PUT|DELETE))*) (`[^`]*`(?:, `[^`]*`)*)", row
            ):
                if f"`{path}`" in paths:
                    said |= set(names.split(", "))
        return said

    for service in SERVICES:
        app = part(wired(service, Places(dict.fromkeys(SERVICES, "postgresql://127.0.0.1:1/none"))), HttpServer)._app
        for route in app.routes:
            path = route.path.replace(":str}", "}")
            if isinstance(route, HTTPRoute) and path not in _WITHOUT_TOKEN and not path.startswith(f"/{service}"):
                assert set(route.methods) - {"OPTIONS", "HEAD"} == methods(path), path


def test_every_topic_is_named(page: str) -> None:
    assert [topic for topic in topics.ALL if f"`{topic}`" not in page] == []


def test_the_page_says_whose_descriptions_are_behind_the_edge_and_whose_are_not(page: str) -> None:
    said = re.search(r"behind the edge (.+?) do; (.+?), which\b", page, re.DOTALL)
    assert said is not None
    behind, apart = ({*re.findall(r"\w+", names)} - {"and"} for names in said.groups())
    at = {each.name: [f"{each.name}:8000"] for each in SHOP}
    ruled = "".join(router["rule"] for router in routes(SHOP, at, at)["http"]["routers"].values())
    assert behind == {*re.findall(r"Path\(`/(\w+)/openapi.json`\)", ruled)}
    assert apart == {each.name for each in SHOP} - behind
