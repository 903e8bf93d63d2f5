"""Tokens, sessions, and where a server may listen."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagacity.errors import UsageError
from sagacity.web.identity import Identity
from sagacity.web.listening import check_listening, is_loopback
from sagacity.web.sessions import Sessions
from sagacity.web.tokens import Tokens, minted, parse_tokens, tokens_from

TOKEN, KNOWN = minted(b"r" * 32, "maria", ["operator"])
TOKENS = Tokens((KNOWN,))
SECRET = b"s" * 32


def test_a_token_is_known_by_its_hash_alone() -> None:
    assert TOKENS.find(TOKEN) == KNOWN
    assert TOKENS.find(TOKEN[:-1]) is None
    assert TOKENS.find("") is None
    assert TOKENS.find("\udcff") is None
    assert TOKEN not in repr(TOKENS)


def test_the_line_of_a_token_is_read_back() -> None:
    text = f"# who may do what\n\n{KNOWN.line()}  # on call\n"
    assert parse_tokens(text, "tokens") == TOKENS
    other = minted(b"t" * 32, "orders-service", ["ingest", "viewer"])[1]
    assert other.line().startswith("orders-service:ingest+viewer:sha256:")
    assert parse_tokens(f"{KNOWN.line()},{other.line()}", "SAGACITY_TOKENS") == Tokens((KNOWN, other))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (TOKEN, "entry 1 is not a token's line"),
        (f"maria:operator:{TOKEN}", "entry 1 is not a token's line"),
        (KNOWN.line().replace("operator", "boss"), "there is no role 'boss'"),
        (f"{KNOWN.line()}\n{KNOWN.line()}", "two tokens called 'maria'"),
    ],
)
def test_a_line_that_makes_no_sense_is_refused_without_repeating_what_could_be_a_secret(line: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        parse_tokens(line, "tokens.txt")
    assert TOKEN not in str(refused.value)


def test_tokens_come_from_a_file_and_the_environment_together(tmp_path: Path) -> None:
    other = minted(b"t" * 32, "orders-service", ["ingest"])[1]
    file = tmp_path / "tokens"
    file.write_text(KNOWN.line() + "\n", encoding="utf-8")
    assert tokens_from(None, {}) == Tokens()
    assert tokens_from(file, {"SAGACITY_TOKENS": other.line()}) == Tokens((KNOWN, other))
    with pytest.raises(UsageError, match="in the tokens file and in SAGACITY_TOKENS"):
        tokens_from(file, {"SAGACITY_TOKENS": KNOWN.line()})
    for unreadable in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(UsageError, match="cannot read the tokens"):
            tokens_from(unreadable, {})


def test_a_token_needs_enough_chance() -> None:
    with pytest.raises(ValueError, match="32"):
        minted(b"short", "x", ["viewer"])


def test_a_session_is_who_logged_in_until_it_ends() -> None:
    sessions = Sessions(SECRET, TOKENS)
    cookie = sessions.issue(KNOWN, 1_000, b"salt")
    who = sessions.read(cookie, 999)
    assert who is not None
    assert (who.name, who.roles) == ("maria", KNOWN.roles)
    assert who.csrf
    assert who.csrf not in cookie
    assert sessions.read(cookie, 1_000) is None


def test_a_cookie_that_was_tampered_with_or_signed_elsewhere_is_nothing() -> None:
    sessions = Sessions(SECRET, TOKENS)
    cookie = sessions.issue(KNOWN, 1_000, b"salt")
    payload, _, signature = cookie.partition(".")
    for wrong in (
        "",
        ".",
        payload,
        f"{payload}.",
        f".{signature}",
        f"{payload[:-2]}AA.{signature}",
        f"{payload}.{signature[:-2]}AA",
        "é.é",
        Sessions(b"t" * 32, TOKENS).issue(KNOWN, 1_000, b"salt"),
    ):
        assert sessions.read(wrong, 1) is None


def test_a_session_ends_with_its_token() -> None:
    cookie = Sessions(SECRET, TOKENS).issue(KNOWN, 1_000, b"salt")
    assert Sessions(SECRET, Tokens()).read(cookie, 1) is None
    renewed = minted(b"n" * 32, "maria", ["operator"])[1]
    assert Sessions(SECRET, Tokens((renewed,))).read(cookie, 1) is None


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="32"):
        Sessions(b"short", TOKENS)


@pytest.mark.parametrize(
    ("roles", "ingest", "viewer", "operator"),
    [(["ingest"], True, False, False), (["viewer"], False, True, False), (["operator"], False, True, True),
     ([], False, False, False)],
)  # fmt: skip
def test_roles_cover_what_they_say(roles: list[str], ingest: bool, viewer: bool, operator: bool) -> None:
    who = Identity(name="x", roles=frozenset(roles))  # type: ignore[arg-type]
    assert (who.may("ingest"), who.may("viewer"), who.may("operator"), who.may(None)) == (ingest, viewer, operator, True)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "[::1]", "localhost", "LOCALHOST", "x.localhost"])
def test_loopback_needs_no_tokens(host: str) -> None:
    assert is_loopback(host)
    check_listening(host, Tokens())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "10.0.0.1", "example.org", "127.0.0.1.example.org", "localhost.evil"])
def test_beyond_loopback_a_server_without_tokens_is_refused(host: str) -> None:
    with pytest.raises(UsageError, match="without tokens") as refused:
        check_listening(host, Tokens())
    assert "sagacity token new" in str(refused.value.hint)
    check_listening(host, TOKENS)
