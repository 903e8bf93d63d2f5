"""What holds for each service alike."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import shop
from shop.chassis.settings import Secret, described

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


@pytest.mark.parametrize("service", SERVICES)
def test_each_route_that_changes_something_asks_for_a_token(service: str) -> None:
    """But for those by which tokens are had."""
    path = FOLDER / service / "http.py"
    if not path.exists():
        pytest.skip(f"{service} has no API")
    open_routes = [
        route.args[0].value
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)
        for route in node.decorator_list
        if isinstance(route, ast.Call)
        and isinstance(route.func, ast.Name)
        and route.func.id in ("post", "put", "patch", "delete")
        if not any(keyword.arg == "guards" for keyword in route.keywords) and isinstance(route.args[0], ast.Constant)
    ]
    allowed = [f"/api/v1/account/auth/{name}" for name in ("register", "login", "refresh")] if service == "account" else []
    assert open_routes == allowed
