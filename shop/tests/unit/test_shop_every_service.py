"""What holds for each service alike."""

from __future__ import annotations

import asyncio
import re
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute

import shop
from shop.chassis.http import HttpServer
from shop.chassis.settings import Secret, described
from wired_services import Places, part, wired

FOLDER = Path(shop.__file__).parent
SERVICES = sorted(path.parent.name for path in FOLDER.glob("*/settings.py") if path.parent.name not in ("chassis", "local"))


def _settings(service: str) -> Any:
    return import_module(f"shop.{service}.settings").Settings


def test_the_services_are_there() -> None:
    assert "account" in SERVICES


@pytest.mark.parametrize("service", SERVICES)
def test_no_secret_has_a_default(service: str) -> None:
    known = described(_settings(service), service.upper())
    assert [each.variable for each in known if isinstance(each.default, Secret)] == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_password_or_a_key_is_a_secret(service: str) -> None:
    known = described(_settings(service), service.upper())
    telling = [each for each in known if re.search(r"PASSWORD$|SECRET|KEYS?$|DATABASE_URL$", each.variable)]
    assert [each.variable for each in telling if "Secret" not in str(each.kind)] == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_says_what_it_means(service: str) -> None:
    assert [each.variable for each in described(_settings(service), service.upper()) if not each.meaning] == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_started_by_its_name(service: str) -> None:
    assert (FOLDER / service / "__main__.py").exists()


OPEN = {f"/api/v1/account/auth/{name}" for name in ("register", "login", "refresh")}
"""By which tokens are had."""


def _changing(app: Litestar) -> list[tuple[str, str]]:
    """Every route of an application that may change something: its method, and an address of it."""
    return [
        (method, re.sub(r"{[^}]*}", "1", route.path))
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method in route.methods
        if method not in ("GET", "HEAD", "OPTIONS")
    ]


@pytest.mark.parametrize("service", SERVICES)
def test_each_route_that_changes_something_refuses_whoever_has_no_token(service: str) -> None:
    """But for those by which tokens are had: whatever else there is, or will be, is asked without one. Defect 12: products
    could be changed by anybody."""

    async def open_routes() -> set[str]:
        app = part(wired(service, Places(dict.fromkeys(SERVICES, "postgresql://127.0.0.1:1/none"))), HttpServer)._app
        asked = httpx.ASGITransport(cast(Any, app))
        async with httpx.AsyncClient(transport=asked, base_url="http://shop") as client:
            answers = [(path, await client.request(method, path, json={})) for method, path in _changing(app)]
        return {path for path, answer in answers if answer.status_code != 401}

    assert asyncio.run(open_routes()) == (OPEN if service == "account" else set())


def test_the_routes_that_change_something_are_looked_at() -> None:
    found = {
        address
        for name in SERVICES
        for address in _changing(
            part(wired(name, Places(dict.fromkeys(SERVICES, "postgresql://127.0.0.1:1/none"))), HttpServer)._app
        )
    }
    assert {
        ("POST", "/api/v1/purchases"),
        ("PUT", "/api/v1/products/1"),
        ("DELETE", "/api/v1/categories/1"),
        ("PUT", "/faults"),
    } <= found
