"""Who may do what: tokens, sessions, other sites' pages, and how often."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from sagacity.ledger.live import FindingFilter
from sagacity.web.api import API
from sagacity.web.limits import Rate
from sagacity.web.settings import Settings
from serving import Serving, client_of, serving, tokens_of

TOKENS, (INGEST, VIEWER, OPERATOR) = tokens_of()
SETTINGS = Settings(tokens=TOKENS)


@pytest.fixture
def world() -> Iterator[Serving]:
    with serving(SETTINGS) as made:
        yield made


@pytest.fixture
def client(world: Serving) -> Iterator[TestClient[Litestar]]:
    with client_of(world.app) as made:
        yield made


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _first(world: Serving) -> str:
    return world.ledger.findings(FindingFilter(states=("open",))).items[0].id


@pytest.mark.parametrize(
    ("token", "read", "hand_in", "act"),
    [
        (INGEST, 403, 202, 403),
        (VIEWER, 200, 403, 403),
        (OPERATOR, 200, 403, 200),
        (None, 401, 401, 401),
        ("x", 401, 401, 401),
    ],
)
def test_a_role_allows_what_it_is_for_and_no_more(
    world: Serving, client: TestClient[Litestar], token: str | None, read: int, hand_in: int, act: int
) -> None:
    headers = _bearer(token) if token else {}
    for path in ("/api/v1/findings", "/metrics", "/api/v1/status", "/api/v1/audit"):
        assert client.get(path, headers=headers).status_code == read, path
    assert client.post("/ingest/orders", content=b"{}", headers=headers).status_code == hand_in
    acknowledged = client.post(f"/api/v1/findings/{_first(world)}/acknowledge", headers=headers)
    assert acknowledged.status_code == act
    if act == 200:
        assert acknowledged.json()["by"] == "operator"
        assert world.ledger.audits(limit=1).items[0][1] == "operator"


def test_a_token_may_have_several_roles() -> None:
    tokens, (both,) = tokens_of(["ingest", "viewer"])
    with serving(Settings(tokens=tokens)) as world, client_of(world.app, both) as client:
        assert client.get("/api/v1/status").status_code == 200
        assert client.post("/ingest/orders", content=b"{}").status_code == 202


def test_every_route_that_says_nothing_needs_a_viewer(client: TestClient[Litestar]) -> None:
    open_to_all = [str(handler) for handler in API if getattr(handler, "opt", {}).get("need", "") is None]
    assert len(open_to_all) == 2
    for path in ("/healthz", "/readyz", "/api/v1/openapi.json"):
        assert client.get(path).status_code == 200, path
    for path in ("/api/v1/workflows", "/api/v1/cases/1", "/api/v1/changes", "/api/v1/notices/dead-letters"):
        response = client.get(path)
        assert response.status_code == 401, path
        assert response.headers["www-authenticate"] == "Bearer"


def test_without_tokens_everybody_on_this_machine_is_the_operator_local() -> None:
    with serving() as world, client_of(world.app) as client:
        assert client.post(f"/api/v1/findings/{_first(world)}/acknowledge").json()["by"] == "local"


def _log_in(client: TestClient[Litestar], token: str) -> None:
    assert client.post("/login", data={"token": token}, follow_redirects=False).status_code == 303


def test_a_login_gives_a_cookie_that_scripts_and_other_sites_do_not_get(client: TestClient[Litestar]) -> None:
    response = client.post("/login", data={"token": OPERATOR}, follow_redirects=False)
    said = response.headers["set-cookie"].lower()
    assert "httponly" in said
    assert "samesite=strict" in said
    assert OPERATOR not in said
    assert client.get("/api/v1/status").status_code == 200


def test_a_token_that_is_not_known_or_may_only_hand_in_cannot_log_in(client: TestClient[Litestar]) -> None:
    for token in ("nope", INGEST, ""):
        response = client.post("/login", data={"token": token}, follow_redirects=False)
        assert response.status_code == 403
        assert "set-cookie" not in response.headers


def test_a_session_changes_something_only_where_it_repeats_its_csrf_value(
    world: Serving, client: TestClient[Litestar]
) -> None:
    _log_in(client, OPERATOR)
    path = f"/api/v1/findings/{_first(world)}/acknowledge"
    assert client.post(path).status_code == 403
    assert client.post(path, headers={"X-CSRF-Token": "wrong"}).status_code == 403
    cookie = client.cookies["sagacity_session"]
    who = world.app.state.served.sessions.read(cookie, world.clock.now())
    assert client.post(path, headers={"X-CSRF-Token": who.csrf}).status_code == 200


def test_a_form_may_repeat_the_csrf_value_in_a_field(world: Serving, client: TestClient[Litestar]) -> None:
    _log_in(client, OPERATOR)
    who = world.app.state.served.sessions.read(client.cookies["sagacity_session"], world.clock.now())
    assert client.post("/logout", data={}, follow_redirects=False).status_code == 403
    assert client.post("/logout", data={"csrf": who.csrf}, follow_redirects=False).status_code == 303
    assert client.get("/api/v1/status").status_code == 401


def test_a_session_ends_when_its_time_is_up(world: Serving, client: TestClient[Litestar]) -> None:
    _log_in(client, VIEWER)
    world.clock.at += int(SETTINGS.session * 1_000_000) - 1
    assert client.get("/api/v1/status").status_code == 200
    world.clock.at += 1
    assert client.get("/api/v1/status").status_code == 401


def test_a_viewers_session_does_not_act(world: Serving, client: TestClient[Litestar]) -> None:
    _log_in(client, VIEWER)
    who = world.app.state.served.sessions.read(client.cookies["sagacity_session"], world.clock.now())
    path = f"/api/v1/findings/{_first(world)}/acknowledge"
    assert client.post(path, headers={"X-CSRF-Token": who.csrf}).status_code == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "evil.example:8420"}, 421),
        ({"Host": "127.0.0.1.evil.example"}, 421),
        ({"Host": ""}, 421),
        ({"Host": "127.0.0.1:8420"}, 200),
        ({"Host": "[::1]:8420"}, 200),
        ({"Host": "sagacity.localhost"}, 200),
        ({"Host": "sagacity.internal"}, 200),
    ],
)
def test_on_loopback_the_host_must_be_one_of_ours(headers: dict[str, str], status: int) -> None:
    with serving(Settings(hosts=("sagacity.internal",))) as world, client_of(world.app) as client:
        assert client.get("/api/v1/status", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:1"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
def test_another_sites_page_changes_nothing(headers: dict[str, str], status: int) -> None:
    with serving() as world, client_of(world.app) as client:
        response = client.post(f"/api/v1/findings/{_first(world)}/acknowledge", headers=headers)
        assert response.status_code == status


@pytest.mark.parametrize("path", ["/", "/login", "/api/v1/status", "/api/v1/nope", "/healthz", "/ingest", "/metrics"])
def test_every_answer_tells_browsers_what_not_to_do(path: str) -> None:
    with serving() as world, client_of(world.app) as client:
        headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


def test_whoever_asks_too_often_is_told_when_to_come_again() -> None:
    settings = Settings(tokens=TOKENS, api_rate=Rate(per_second=0.01, burst=3))
    with serving(settings) as world, client_of(world.app) as client:
        answers = [client.get("/api/v1/status", headers=_bearer(VIEWER)) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        watched = [client.get(path).status_code for path in ("/healthz", "/readyz") * 4]
        assert watched == [200] * 8  # whoever watches over the server is answered, however often
        assert 1 <= int(answers[3].headers["retry-after"]) <= 100
        assert client.get("/api/v1/status", headers=_bearer(OPERATOR)).status_code == 200


def test_guessing_tokens_is_slowed_down() -> None:
    settings = Settings(tokens=TOKENS, login_rate=Rate(per_second=0.01, burst=2))
    with serving(settings) as world, client_of(world.app) as client:
        guesses = [client.get("/api/v1/status", headers=_bearer(f"guess {n}")).status_code for n in range(4)]
        assert guesses == [401, 401, 429, 429]
        assert client.post("/login", data={"token": OPERATOR}).status_code == 429
        assert client.get("/api/v1/status", headers=_bearer(VIEWER)).status_code == 200


def test_no_answer_repeats_a_token(client: TestClient[Litestar]) -> None:
    for path in ("/api/v1/status", "/api/v1/findings/x", "/nope"):
        response = client.get(path, headers=_bearer("sgc_secret"))
        assert "sgc_secret" not in response.text + str(response.headers)
