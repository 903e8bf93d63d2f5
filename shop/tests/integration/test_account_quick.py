from __future__ import annotations

import asyncio
import base64

import httpx

from running import running
from shop.account.settings import Settings
from shop.account.wiring import wire
from shop.chassis.settings import load

KEY = base64.b64encode(bytes(32)).decode()


def test_quick(account_tables: str) -> None:
    async def go() -> None:
        s = load(
            Settings,
            "ACCOUNT",
            {
                "ACCOUNT_DATABASE_URL": account_tables,
                "ACCOUNT_TOKENS_KEYS": f"a={KEY}",
                "ACCOUNT_PASSWORDS_MEMORY": "64",
                "ACCOUNT_ADMIN_EMAIL": "root@shop.example",
                "ACCOUNT_ADMIN_PASSWORD": "change-me-now",
            },
        )
        service = wire(s)
        async with running(service):
            port = dict(service._parts)["http"].port
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as c:

                def show(r):
                    print(r.status_code, dict(r.headers), r.text[:600])

                show(await c.get("/readyz"))
                body = {
                    "email": "Ada@Example.com",
                    "password": "correct horse",
                    "first_name": "Ada",
                    "last_name": "L",
                    "address": "x",
                    "phone_number": "0123456788",
                }
                r = await c.post("/api/v1/account/auth/register", json=body)
                show(r)
                show(await c.post("/api/v1/account/auth/register", json=body))
                show(
                    await c.post(
                        "/api/v1/account/auth/register", json={**body, "email": "x", "password": 3, "first_name": ""}
                    )
                )
                show(await c.post("/api/v1/account/auth/register", json={}))
                show(await c.post("/api/v1/account/auth/register", content=b"{"))
                show(await c.post("/api/v1/account/auth/register", json=[1]))
                show(await c.post("/api/v1/account/auth/register", content=b'{"email":"\\ud800@b.cd"}'))
                show(await c.post("/api/v1/account/auth/register"))
                show(
                    await c.post(
                        "/api/v1/account/auth/login", json={"email": "ada@example.com", "password": "correct horse"}
                    )
                )
                show(await c.post("/api/v1/account/auth/login", json={"email": "ada@example.com", "password": "nope"}))
                pair = r.json()
                h = {"Authorization": "Bearer " + pair["access_token"]}
                show(await c.get("/api/v1/account/customer/personal", headers=h))
                show(await c.get("/api/v1/account/customer/personal"))
                show(await c.get("/api/v1/account/customer/personal", headers={"Authorization": "B"}))
                show(
                    await c.get(
                        "/api/v1/account/customer/personal", headers={"Authorization": "Bearer " + pair["refresh_token"]}
                    )
                )
                show(
                    await c.put(
                        "/api/v1/account/customer/delivery", headers=h, json={"address": "y", "phone_number": "12345"}
                    )
                )
                r2 = await c.post("/api/v1/account/auth/refresh", json={"refresh_token": pair["refresh_token"]})
                show(r2)
                show(await c.post("/api/v1/account/auth/refresh", json={"refresh_token": pair["refresh_token"]}))
                show(await c.post("/api/v1/account/auth/refresh", json={"refresh_token": r2.json()["refresh_token"]}))
                show(await c.get("/nope"))
                show(await c.delete("/api/v1/account/auth/login"))
                show(await c.get("/account/openapi.json"))
                print((await c.get("/metrics")).text[-900:])

    asyncio.run(go())
