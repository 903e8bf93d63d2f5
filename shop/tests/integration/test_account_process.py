"""The account service as a process: how it is set up, what it can be told, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import jwt
import msgspec
import psycopg

from accounts import account_environment, person
from shop.account.wiring import REVISIONS
from shop.chassis.migrating import migrate_now

_UP_WITHIN = 120.0


def _command(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "shop.account", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=_UP_WITHIN,
    )


@contextmanager
def _process(environment: Mapping[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running service, and where it answers."""
    process = subprocess.Popen(
        [sys.executable, "-m", "shop.account"], env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True
    )
    url = f"http://127.0.0.1:{environment['ACCOUNT_HTTP_PORT']}"
    limit = time.monotonic() + _UP_WITHIN
    try:
        while process.poll() is None and time.monotonic() < limit:
            try:
                if httpx.get(f"{url}/readyz", timeout=60).status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.05)
        if process.poll() is not None or time.monotonic() >= limit:
            process.kill()
            raise RuntimeError(f"the service did not become ready:\n{process.communicate()[1]}")
        yield process, url
    finally:
        process.kill()
        process.communicate()


def test_what_is_not_set_up_is_told_all_at_once() -> None:
    done = _command({"ACCOUNT_HTTP_PORT": "many"})
    assert done.returncode == 2
    for variable in ("ACCOUNT_DATABASE_URL is not set", "ACCOUNT_TOKENS_KEYS is not set", "ACCOUNT_HTTP_PORT: 'many'"):
        assert variable in done.stderr


def test_settings_are_printed_without_secrets() -> None:
    environment = account_environment("postgresql://account:hunter2@db/account")
    done = _command(environment, "--print-config")
    assert done.returncode == 0
    assert f"ACCOUNT_HTTP_PORT={environment['ACCOUNT_HTTP_PORT']}" in done.stdout
    assert "hunter2" not in done.stdout
    assert environment["ACCOUNT_TOKENS_KEYS"].partition("=")[2] not in done.stdout
    assert environment["ACCOUNT_ADMIN_PASSWORD"] not in done.stdout


def test_the_database_is_brought_up_to_date_once_however_many_do_it(database: str) -> None:
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: migrate_now(database, REVISIONS), range(3)))
    assert _command(account_environment(database), "migrate").stdout == "the database is up to date\n"
    with psycopg.connect(database) as connection:
        assert connection.execute("select count(*) from accounts").fetchone() == (0,)


def test_an_account_becomes_an_administrators_by_command(database: str) -> None:
    environment = account_environment(database, ACCOUNT_MIGRATE_ON_START="true")
    who = person()
    with _process(environment) as (_, url), httpx.Client(base_url=f"{url}/api/v1/account/auth", timeout=60) as client:
        pair = client.post("/register", json=msgspec.to_builtins(who)).json()
        assert _command(environment, "grant-admin", who.email).returncode == 0
        renewed = client.post("/refresh", json={"refresh_token": pair["refresh_token"]}).json()
        unknown = _command(environment, "grant-admin", "nobody@example.com")
    assert jwt.decode(renewed["access_token"], options={"verify_signature": False})["roles"] == ["admin", "customer"]
    assert unknown.returncode == 1
    assert "there is no account 'nobody@example.com'" in unknown.stderr


def test_told_to_end_it_answers_what_is_under_way_and_ends_well(account_tables: str) -> None:
    # Hashing at this cost takes long enough to be still under way when the signal comes.
    environment = account_environment(account_tables, ACCOUNT_PASSWORDS_MEMORY=65536, ACCOUNT_PASSWORDS_PASSES=8)
    with _process(environment) as (process, url):
        answers: list[int] = []

        def register() -> None:
            answers.append(
                httpx.post(f"{url}/api/v1/account/auth/register", json=msgspec.to_builtins(person()), timeout=60).status_code
            )

        asking = threading.Thread(target=register)
        asking.start()
        _wait_until_computing(url)
        process.send_signal(signal.SIGTERM)
        asking.join(60)
        _, said = process.communicate(timeout=60)
    assert answers == [201]
    assert process.returncode == 0, said
    lines = [msgspec.json.decode(line) for line in said.splitlines()]
    told = [each["event"] for each in lines if each["logger"] == "shop.account"]
    assert sorted(told) == ["draining", "ended", "ready", "registered"]
    assert told[-1] == "ended"
    assert all({"at", "level", "service"} <= set(each) for each in lines)


def test_a_port_that_is_taken_ends_it_with_its_reason(account_tables: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = _command(account_environment(account_tables, ACCOUNT_HTTP_PORT=taken.getsockname()[1]))
    assert done.returncode == 1
    assert "ddress already in use" in done.stderr


def test_without_its_database_it_waits_and_then_ends_with_its_reason() -> None:
    nowhere = account_environment("host=127.0.0.1 port=1 user=x dbname=x", ACCOUNT_DATABASE_WAIT_ON_START="1s")
    done = _command(nowhere)
    assert done.returncode == 1
    assert "127.0.0.1" in done.stderr


def _wait_until_computing(url: str) -> None:
    """Wait until a second password is being computed; the first is nobody's, and the administrator's the next."""
    limit = time.monotonic() + _UP_WITHIN
    while time.monotonic() < limit:
        for line in httpx.get(f"{url}/metrics", timeout=60).text.splitlines():
            if line.startswith('shop_counted_total{name="passwords_computed"') and float(line.rsplit(" ", 1)[1]) >= 3:
                return
        time.sleep(0.01)
    raise AssertionError("no password was computed")
