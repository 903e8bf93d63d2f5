"""The service that shop/README.md shows is one that runs."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest

from accounts import AccountServer
from running import running_beside
from sagacity.testing.servers.ports import free_ports
from shop.chassis.settings import load


def test_the_service_of_the_readme_greets_whoever_has_a_token(
    project: Path, account: AccountServer, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (project / "shop" / "README.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- tiny -->\n```python\n(.*?)```", text, re.DOTALL)
    assert found is not None
    (tmp_path / "greeter.py").write_text(found[1], encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    greeter: Any = import_module("greeter")
    (port,) = free_ports(1)
    environment = {
        "GREETER_HTTP_PORT": str(port),
        "GREETER_DATABASE_URL": database,
        "GREETER_AUTH_TARGET": account.target,
    }
    settings = load(greeter.Settings, "GREETER", environment)
    token = account.registered()["access_token"]
    with running_beside(lambda: greeter.wire(settings)):
        answer = httpx.get(
            f"http://127.0.0.1:{port}/api/v1/greeting", headers={"Authorization": f"Bearer {token}"}, timeout=60
        )
        ready = httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=60).json()
    assert answer.json()["greeting"].startswith("hello, ")
    assert ready["parts"] == {"database": "ok"}
