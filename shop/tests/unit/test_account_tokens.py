"""Tokens: which are believed, and which are not."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.account import settings
from shop.account.domain import Session, login_name, rule_refresh
from shop.account.keys import Keys, parse_keys
from shop.account.tokens import Tokens
from shop.chassis.access import Answer, Caller
from shop.chassis.settings import Secret

NOW = datetime(2030, 1, 1, tzinfo=UTC)
OLD, NEW = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))
GIVEN = settings.Tokens(keys=Secret("unused"))


def _tokens(keys: str = f"new={NEW},old={OLD}", at: datetime = NOW, given: settings.Tokens = GIVEN) -> Tokens:
    return Tokens(parse_keys(keys), given, clock=lambda: at)


def _ask(tokens: Tokens, token: str) -> Answer | None:
    return asyncio.run(tokens.ask(token))


def _forged(**changed: Any) -> str:
    claims = {"iss": "shop-account", "aud": "shop", "sub": "7", "iat": NOW, "exp": NOW + timedelta(hours=1), "jti": "j"}
    claims |= changed.pop("claims", {})
    header = {"kid": "new", "typ": "at+jwt", **changed.pop("header", {})}
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(kept, changed.get("key", b"\x02" * 32), changed.get("algorithm", "HS256"), headers=header)


def test_an_access_token_says_who_holds_it() -> None:
    token = _tokens().access(7, ("customer", "admin"), "j")
    assert _ask(_tokens(), token) == Answer(Caller(7, frozenset({"customer", "admin"})), expired=False)


@pytest.mark.parametrize(("after", "expired"), [(299, False), (300, True), (10**6, True)])
def test_an_access_token_holds_for_five_minutes(after: int, expired: bool) -> None:
    answer = _ask(_tokens(at=NOW + timedelta(seconds=after)), _tokens().access(7, (), "j"))
    assert answer is not None
    assert answer.expired is expired


def test_a_key_can_be_changed_without_logging_anybody_out() -> None:
    before = _tokens(f"old={OLD}").access(7, (), "j")
    assert _ask(_tokens(f"new={NEW},old={OLD}"), before) is not None
    assert jwt.get_unverified_header(_tokens().access(7, (), "j"))["kid"] == "new"
    assert _ask(_tokens(f"new={NEW}"), before) is None


def test_a_refresh_token_is_no_access_token_and_the_other_way_round() -> None:
    tokens = _tokens()
    assert _ask(tokens, tokens.refresh(7, "s", "j")) is None
    assert tokens.read_refresh(tokens.access(7, (), "j")) is None


def test_a_forged_token_would_be_believed_if_nothing_were_wrong_with_it() -> None:
    assert _ask(_tokens(), _forged()) == Answer(Caller(7, frozenset()), expired=False)


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": b"\x03" * 32},
        {"header": {"kid": "gone"}},
        {"header": {"kid": "old"}},
        {"header": {"typ": "JWT"}},
        {"header": {"typ": "rt+jwt"}},
        {"algorithm": "HS512", "key": b"\x02" * 64},
        {"algorithm": "none", "key": ""},
        {"claims": {"iss": "elsewhere"}},
        {"claims": {"aud": "elsewhere"}},
        {"claims": {"aud": None}},
        {"claims": {"exp": None}},
        {"claims": {"jti": None}},
        {"claims": {"sub": "seven"}},
        {"claims": {"sub": "-1"}},
        {"claims": {"sub": "9" * 30}},
    ],
    ids=str,
)
def test_a_token_with_anything_wrong_is_not_believed(wrong: dict[str, Any]) -> None:
    assert _ask(_tokens(), _forged(**wrong)) is None


def test_a_role_that_there_is_not_is_left_out() -> None:
    assert _ask(_tokens(), _forged(claims={"roles": ["admin", "god"]})) == Answer(Caller(7, frozenset({"admin"})), False)


@pytest.mark.parametrize("claims", [{"roles": None}, {"roles": 5}, {"roles": "admin"}, {"roles": [["admin"]]}])
def test_roles_of_another_form_are_none(claims: dict[str, Any]) -> None:
    answer = _ask(_tokens(), _forged(claims=claims))
    assert answer is not None
    assert answer.caller.roles == frozenset()


@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]{1,40}\.[A-Za-z0-9_-]{1,40}\.[A-Za-z0-9_-]{0,40}", fullmatch=True))
def test_whatever_comes_is_answered(text: str) -> None:
    assert _ask(_tokens(), text) is None
    assert _tokens().read_refresh(text) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "key 1 is not of the form id=base64"),
        ("a", "key 1 is not of the form id=base64"),
        (f"a={OLD},", "key 2 is not of the form id=base64"),
        (f"a={OLD},a={NEW}", "there are two keys 'a'"),
        ("a=!!!", "key 'a' is not base64"),
        ("a=AAAA", "key 'a' has 3 bytes, and needs 32"),
    ],
)
def test_keys_that_cannot_be_used_are_refused_with_a_reason(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_keys(text)


def test_keys_are_never_shown() -> None:
    keys = parse_keys(f"new={NEW}")
    assert repr(keys) == "Keys(new)"
    assert isinstance(keys, Keys)


@pytest.mark.parametrize(
    ("session", "ruling"),
    [
        (None, "refuse"),
        ({}, "rotate"),
        ({"current": "later"}, "revoke"),
        ({"revoked": True}, "refuse"),
        ({"expires_at": NOW}, "refuse"),
        ({"current": "later", "revoked": True}, "refuse"),
    ],
    ids=str,
)
def test_what_becomes_of_a_refresh_token(session: dict[str, Any] | None, ruling: str) -> None:
    base = {"id": "s", "customer_id": 7, "current": "mine", "expires_at": NOW + timedelta(minutes=1), "revoked": False}
    assert rule_refresh(None if session is None else Session(**{**base, **session}), "mine", NOW) == ruling


@pytest.mark.parametrize("other", ["ADA@example.com", " ada@example.com ", "\uff41da@example.com"])
def test_an_address_is_the_same_however_it_is_written(other: str) -> None:
    assert login_name(other) == login_name("ada@example.com")
