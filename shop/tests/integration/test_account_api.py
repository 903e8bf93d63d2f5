"""The account service's API against its own description."""

from __future__ import annotations

import pytest

from accounts import AccountServer
from api_checks import check_api, operations

_AUTH, _CUSTOMER = "/api/v1/account/auth", "/api/v1/account/customer"
OPERATIONS = [
    (f"{_AUTH}/register", "post"),
    (f"{_AUTH}/login", "post"),
    (f"{_AUTH}/refresh", "post"),
    *((f"{_CUSTOMER}/{part}", method) for part in ("personal", "delivery") for method in ("get", "put")),
]
TAKEN = [(f"{_AUTH}/register", "post"), (f"{_CUSTOMER}/personal", "put")]
"""What may be refused since another account has the e-mail address."""


def test_its_description_has_every_call_of_the_api(account: AccountServer) -> None:
    document, described = operations(account.url, "account")
    assert sorted(described) == sorted(OPERATIONS)
    for path, method in described:
        responses = document["paths"][path][method]["responses"]
        assert responses["400"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Error"}
        assert ("401" in responses) == (path != f"{_AUTH}/register")
        assert ("409" in responses) == ((path, method) in TAKEN)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_whatever_is_asked_is_answered_as_described(account: AccountServer, path: str, method: str) -> None:
    document, _ = operations(account.url, "account")
    token = account.registered()["access_token"]
    check_api(account.url, document, path, method, headers={"Authorization": f"Bearer {token}"})
