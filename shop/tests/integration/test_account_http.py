"""The account service's API, over a real socket and with a real database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
import jwt
import msgspec
import psycopg
import pytest

from accounts import ADMIN, AccountServer, account_server, person

EVERYTHING = ("email", "password", "first_name", "last_name", "address", "phone_number")


def _login(account: AccountServer, email: str, password: str) -> httpx.Response:
    with account.client() as client:
        return client.post("/auth/login", json={"email": email, "password": password})


def _refresh(account: AccountServer, token: str) -> httpx.Response:
    with account.client() as client:
        return client.post("/auth/refresh", json={"refresh_token": token})


def test_whoever_registers_is_logged_in(account: AccountServer) -> None:
    who = person()
    with account.client(account.registered(who)["access_token"]) as client:
        told = client.get("/customer/personal").json()
        where = client.get("/customer/delivery").json()
    assert told == {"first_name": who.first_name, "last_name": who.last_name, "email": who.email}
    assert where == {"address": who.address, "phone_number": who.phone_number}


def test_an_email_address_belongs_to_one_account_however_it_is_written(account: AccountServer) -> None:
    who = person()
    account.registered(who)
    with account.client() as client:
        again = client.post("/auth/register", json={**msgspec.to_builtins(who), "email": who.email.upper()})
    assert again.status_code == 409
    assert again.json() == {"error": "there is an account with this e-mail address", "fields": {"email": "is taken"}}


def test_of_many_who_register_one_address_at_once_one_gets_it(account: AccountServer) -> None:
    body = msgspec.to_builtins(person())
    with account.client() as client, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.post("/auth/register", json=body).status_code, range(8)))
    assert sorted(answers) == [201, *[409] * 7]


def test_every_field_that_is_wrong_is_told_with_why(account: AccountServer) -> None:
    wrong = {
        "email": "nobody",
        "password": "short",
        "first_name": "",
        "last_name": 7,
        "address": "a\x00b",
        "phone_number": "x",
    }
    with account.client() as client:
        answer = client.post("/auth/register", json=wrong)
        nothing = client.post("/auth/register", json={})
    assert answer.status_code == 400
    assert answer.json()["fields"] == {
        "email": "must be an e-mail address",
        "password": "must have at least 8 characters",
        "first_name": "must be a name",
        "last_name": "must be a text, not an integer",
        "address": "must be a postal address on one line",
        "phone_number": "must be a telephone number",
    }
    assert nothing.json()["fields"] == dict.fromkeys(EVERYTHING, "is missing")


@pytest.mark.parametrize("length", [7, 8, 128, 129])
def test_a_password_has_8_to_128_characters(account: AccountServer, length: int) -> None:
    with account.client() as client:
        answer = client.post("/auth/register", json=msgspec.to_builtins(person(password="x" * length)))
    assert answer.status_code == (201 if 8 <= length <= 128 else 400)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"email": "\\ud800@example.com"}', b"\xff"])
def test_a_body_that_is_no_document_is_refused_with_a_reason(account: AccountServer, body: bytes) -> None:
    with account.client() as client:
        answer = client.post("/auth/login", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_the_right_password_logs_in(account: AccountServer) -> None:
    who = person()
    account.registered(who)
    answer = _login(account, who.email.upper(), who.password)
    assert answer.status_code == 200
    assert set(answer.json()) == {"access_token", "refresh_token"}


def test_an_unknown_account_and_a_wrong_password_are_answered_alike(account: AccountServer) -> None:
    who = person()
    account.registered(who)
    wrong, unknown = _login(account, who.email, "wrong horse"), _login(account, person().email, who.password)
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.content == unknown.content
    assert {name: wrong.headers[name] for name in wrong.headers if name not in ("date", "x-correlation-id")} == {
        name: unknown.headers[name] for name in unknown.headers if name not in ("date", "x-correlation-id")
    }


def test_an_unknown_account_costs_as_much_work_as_a_wrong_password(account_tables: str) -> None:
    who = person()
    with account_server(account_tables) as account, httpx.Client(base_url=account.url, timeout=60) as client:
        account.registered(who)

        def work(email: str) -> float:
            before = _measured(client, 'shop_counted_total{name="passwords_computed"')
            _login(account, email, "wrong horse")
            return _measured(client, 'shop_counted_total{name="passwords_computed"') - before

        assert work(who.email) == work(person().email) == 1


def _measured(client: httpx.Client, name: str) -> float:
    lines = client.get("/metrics").text.splitlines()
    return next(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


def test_a_token_says_who_it_is_from_for_whom_by_which_key_and_for_how_long(account: AccountServer) -> None:
    pair = account.registered()
    access = jwt.decode(pair["access_token"], options={"verify_signature": False})
    refresh = jwt.decode(pair["refresh_token"], options={"verify_signature": False})
    assert jwt.get_unverified_header(pair["access_token"]) == {"alg": "HS256", "kid": "tests", "typ": "at+jwt"}
    assert (access["iss"], access["aud"], access["roles"]) == ("shop-account", "shop", ["customer"])
    assert access["exp"] - access["iat"] == 300
    assert refresh["exp"] - refresh["iat"] == 900
    assert access["sub"] == refresh["sub"]


def test_a_refresh_token_is_good_once(account: AccountServer) -> None:
    first = account.registered()
    second = _refresh(account, first["refresh_token"]).json()
    third = _refresh(account, second["refresh_token"])
    assert third.status_code == 200
    with account.client(third.json()["access_token"]) as client:
        assert client.get("/customer/personal").status_code == 200


def test_a_refresh_token_that_comes_again_ends_what_came_of_it(account: AccountServer) -> None:
    first = account.registered()
    second = _refresh(account, first["refresh_token"]).json()
    stolen = _refresh(account, first["refresh_token"])
    assert stolen.status_code == 401
    assert _refresh(account, second["refresh_token"]).status_code == 401


def test_a_session_that_ends_leaves_the_others_of_the_account(account: AccountServer) -> None:
    who = person()
    here = account.registered(who)
    there = _login(account, who.email, who.password).json()
    _refresh(account, here["refresh_token"])
    _refresh(account, here["refresh_token"])
    assert _refresh(account, there["refresh_token"]).status_code == 200


def test_of_many_refreshes_with_one_token_at_once_one_succeeds_at_most(account: AccountServer) -> None:
    with account.client() as client, ThreadPoolExecutor(8) as pool:

        def refreshed(token: str) -> int:
            return client.post("/auth/refresh", json={"refresh_token": token}).status_code

        for _ in range(5):
            answers = list(pool.map(refreshed, [account.registered()["refresh_token"]] * 8))
            assert sorted(answers) == [200, *[401] * 7]


def test_an_access_token_refreshes_nothing(account: AccountServer) -> None:
    assert _refresh(account, account.registered()["access_token"]).status_code == 401


def test_a_customer_changes_who_they_are(account: AccountServer) -> None:
    changed = {"first_name": "Augusta", "last_name": "King", "email": person().email}
    with account.client(account.registered()["access_token"]) as client:
        assert client.put("/customer/personal", json=changed).json() == changed
        assert client.get("/customer/personal").json() == changed
    assert _login(account, changed["email"], "correct horse").status_code == 200


def test_nobody_takes_the_address_of_another(account: AccountServer) -> None:
    other = person()
    account.registered(other)
    with account.client(account.registered()["access_token"]) as client:
        answer = client.put("/customer/personal", json={"first_name": "A", "last_name": "B", "email": other.email})
    assert answer.status_code == 409
    assert answer.json()["fields"] == {"email": "is taken"}


def test_a_customer_changes_where_they_live(account: AccountServer) -> None:
    moved = {"address": "Horsley Towers", "phone_number": "+44 20 7946 0000"}
    with account.client(account.registered()["access_token"]) as client:
        assert client.put("/customer/delivery", json=moved).json() == moved
        assert client.get("/customer/delivery").json() == moved
        refused = client.put("/customer/delivery", json={**moved, "phone_number": "call me"})
    assert refused.status_code == 400
    assert refused.json()["fields"] == {"phone_number": "must be a telephone number"}


def test_too_many_attempts_at_an_account_are_refused_whether_it_is_there_or_not(account_tables: str) -> None:
    who = person()
    with account_server(account_tables, ACCOUNT_LOGIN_ATTEMPTS=3) as account:
        account.registered(who)
        there = [_login(account, who.email, "wrong horse").status_code for _ in range(4)]
        right = _login(account, who.email, who.password)
        unknown = [_login(account, "nobody@example.org", "wrong horse").status_code for _ in range(4)]
    assert there == unknown == [401, 401, 401, 429]
    assert right.status_code == 429
    assert 0 < int(right.headers["retry-after"]) <= 900


def test_whoever_has_logged_in_may_err_again(account_tables: str) -> None:
    who = person()
    with account_server(account_tables, ACCOUNT_LOGIN_ATTEMPTS=2) as account:
        account.registered(who)
        tried = [_login(account, who.email, each).status_code for each in ("wrong horse", who.password) * 3]
    assert tried == [401, 200] * 3


def test_behind_a_proxy_each_address_has_attempts_of_its_own(account_tables: str) -> None:
    body = {"email": person().email, "password": "wrong horse"}
    proxied = {"ACCOUNT_LOGIN_ATTEMPTS": 1, "ACCOUNT_LOGIN_BEHIND_PROXY": "true"}
    with account_server(account_tables, **proxied) as account, account.client() as client:
        tried = [
            client.post("/auth/login", json=body, headers={"X-Forwarded-For": f"10.9.9.9, {address}"}).status_code
            for address in ("10.0.0.1", "10.0.0.1", "10.0.0.2")
        ]
    assert tried == [401, 429, 401]


def test_passwords_and_tokens_are_kept_by_nobody(account: AccountServer, account_tables: str) -> None:
    who = person(password="a password to look for")
    pair = account.registered(who)
    with psycopg.connect(account_tables) as connection:
        kept = str(connection.execute("select * from accounts").fetchall()) + str(
            connection.execute("select * from sessions").fetchall()
        )
    assert "$argon2id$" in kept
    assert who.password not in kept
    assert pair["refresh_token"] not in kept


def test_the_first_administrator_comes_from_the_environment(account: AccountServer) -> None:
    access = jwt.decode(_login(account, *ADMIN).json()["access_token"], options={"verify_signature": False})
    assert access["roles"] == ["admin", "customer"]


def test_pages_of_other_origins_may_ask_only_if_they_are_named(account_tables: str, account: AccountServer) -> None:
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    with account_server(account_tables, ACCOUNT_HTTP_CORS_ORIGINS="https://shop.example") as named, named.client() as client:
        assert client.options("/auth/login", headers=asked).headers["access-control-allow-origin"] == "https://shop.example"
        other = client.options("/auth/login", headers={**asked, "Origin": "https://else.example"})
        assert "access-control-allow-origin" not in other.headers
    with account.client() as client:
        assert "access-control-allow-origin" not in client.options("/auth/login", headers=asked).headers


def test_it_tells_what_it_offers_whether_it_is_ready_and_what_it_has_measured(account: AccountServer) -> None:
    account.registered()
    with httpx.Client(base_url=account.url, timeout=60) as client:
        offered = client.get("/account/openapi.json").json()
        assert "/api/v1/account/auth/register" in offered["paths"]
        assert client.get("/healthz").json() == {"status": "ok"}
        assert client.get("/readyz").json() == {"state": "ready", "ready": True, "parts": {"database": "ok"}}
        assert 'route="/api/v1/account/auth/register"' in client.get("/metrics").text
        unknown = client.get("/api/v1/nothing/here")
    assert (unknown.status_code, unknown.json()) == (404, {"error": "not found"})
