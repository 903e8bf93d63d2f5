"""The whole shop as processes behind its edge, bought from by curl as its page shows."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import msgspec
import pytest

from sagacity.testing.servers.traefik import traefik_at_hand
from sagacity.testing.servers.unavailable import UnavailableError
from shop.chassis.rpc import ROUTE
from shop.contracts import topics
from shop.contracts.proto import product_pb2, product_pb2_grpc
from shop.local.assembly import Layout, assemble
from shop.local.catalogue import SHOP
from shop.local.stack import Stack
from storefront_story import bought_on_the_page
from storefront_visit import CHROMIUM

STEPS = ["UPDATE_PRODUCT_INVENTORY", "CREATE_ORDER", "CREATE_PAYMENT"]
_BLOCK = re.compile(r"<!-- buy -->\n```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
_WITHIN = 300.0
_PATIENT = {
    f"{service}_{setting}": "30s"
    for service in ("PRODUCT", "ORDER", "PAYMENT", "PURCHASE")
    for setting in ("AUTH_TIMEOUT", "DATABASE_WAIT")
} | {"ACCOUNT_DATABASE_WAIT": "30s", "PURCHASE_PRODUCT_TIMEOUT": "30s"}
"""On a machine that is slow a service waits for another, where it would answer with 503."""


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """All that the catalogue has, one replica of each; skipped where a program is neither here nor to be had."""
    for name, found in {"curl": shutil.which("curl"), "bash": shutil.which("bash"), "Traefik": traefik_at_hand()}.items():
        if found is None:
            pytest.skip(f"no {name} is at hand")
    folder = Path(tempfile.mkdtemp(prefix="shop-"))
    try:
        folder.chmod(0o755)  # PostgreSQL, started by root, is another user
        catalogue = tuple(msgspec.structs.replace(service, replicas=1) for service in SHOP)
        try:
            assembled = assemble(folder, Layout(catalogue=catalogue, topics=topics.ALL, extra=_PATIENT), lambda _: None)
        except UnavailableError as missing:
            pytest.skip(str(missing))
        with assembled:
            yield assembled
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def bought(stack: Stack, page: str) -> str:
    """What the page's script prints, as it stands there."""
    script = "\n".join(_BLOCK.findall(page))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    (stack.folder / ".curlrc").write_text("retry = 8\nretry-connrefused\n")  # where the edge thinks a slow service is away
    about = {"SHOP_DATA": str(stack.folder), "CURL_HOME": str(stack.folder), "no_proxy": "127.0.0.1"}
    environment = {**os.environ, "PATH": path, **about}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], env=environment, capture_output=True, text=True, timeout=_WITHIN
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def documents(said: str) -> list[dict[str, Any]]:
    """Every answer in JSON, in order."""
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


def events(said: str) -> list[tuple[str, dict[str, Any]]]:
    """Every server-sent event, in order: its type and its data."""
    found = re.findall(r"^event: (\w+)\ndata: (.*)$", said, re.MULTILINE)
    return [(type, json.loads(data)) for type, data in found]


def test_the_quick_start_of_the_page_buys_by_curl_and_asks_by_grpc_through_the_edge(stack: Stack, project: Path) -> None:
    """Register, log in, put a category and two products there, buy 4 and 5 of them, follow it, find the order and the
    payment: every service, every server, every route of the edge, as it is started for people."""
    page = (project / "docs" / "shop-local.md").read_text(encoding="utf-8")
    assert len(_BLOCK.findall(page)) == page.count("<!-- buy -->") > 5
    said = bought(stack, page)
    registered, personal, delivery, category, listed, tea, purchase, order, payment, tea_left, pot_left = documents(said)
    assert {"access_token", "refresh_token"} <= set(registered)
    assert (personal["first_name"], delivery["address"]) == ("Ada", "1 Ockham Park")
    assert category["id"] == tea["category_id"]
    assert [each["name"] for each in listed["products"]] == ["Green tea", "Tea pot"]
    assert (tea["price"], tea["inventory"]) == (450, 1000)

    told = events(said)
    assert [data["step"] for type, data in told if type == "step" and data["result"] == "EXECUTE"] == STEPS
    assert [data["step"] for type, data in told if type == "step" and data["result"] == "SUCCESS"] == STEPS
    assert (told[-1][0], told[-1][1]["result"], told[-1][1]["purchase_id"]) == ("result", "SUCCESS", purchase["id"])
    assert (purchase["status"], purchase["quoted"]) == ("SUCCESS", 7800)

    assert [(each["quantity"], each["price"]) for each in order["items"]] == [(4, 450), (5, 1200)]
    assert (order["purchase_id"], order["amount"], order["status"]) == (purchase["id"], 7800, "CREATED")
    assert (payment["purchase_id"], payment["order_id"]) == (purchase["id"], order["id"])
    assert (payment["amount"], payment["status"]) == (7800, "RECEIVED")
    customers = {each["customer_id"] for each in (purchase, order, payment)}
    assert len(customers) == 1
    assert (tea_left["inventory"], pot_left["inventory"]) == (996, 995)
    assert said.splitlines()[-3:] == [f"{customers.pop()} ['customer'] holds", "996 OK 450", "997 NOT_ENOUGH 450"]

    unrouted(stack)
    if CHROMIUM is not None:
        bought_on_the_page(stack.web, tea["id"])


def unrouted(stack: Stack) -> None:
    """What names no service reaches none."""
    with grpc.insecure_channel(stack.rpc) as channel:
        products = product_pb2_grpc.ProductServiceStub(channel)
        for metadata in ([], [(ROUTE, "orchestrator")]):
            with pytest.raises(grpc.RpcError):
                products.GetProducts(product_pb2.GetProductsRequest(ids=[1]), metadata=metadata, timeout=30)
