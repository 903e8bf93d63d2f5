"""What the local stack tells each service, held against what that service can be told."""

from __future__ import annotations

from importlib import import_module

import pytest

from shop.chassis.settings import described, load, printed
from shop.local.catalogue import SHOP, Service
from shop.local.environment import Addresses, environment
from shop.local.kept import Secrets

SECRETS = Secrets(
    tokens="local=c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlY3JldA==",
    admin="the administrator's",
    faults="of the faults",
    postgres="of the superuser",
    databases={service.name: f"of-{service.name}" for service in SHOP},
)
AT = Addresses(
    kafka="127.0.0.1:9092",
    redis="127.0.0.1:7001,127.0.0.1:7002",
    rpc="127.0.0.1:8081",
    databases={service.name: f"postgresql://{service.name}:of-{service.name}@127.0.0.1:5432/x" for service in SHOP},
    secrets=SECRETS,
    otlp="http://127.0.0.1:4318",
)


@pytest.mark.parametrize("service", SHOP, ids=lambda service: service.name)
def test_each_service_can_start_with_what_it_is_told_and_knows_every_variable(service: Service) -> None:
    told = environment(service, 7, 8001, 9001 if service.rpc else None, AT)
    prefix = service.name.upper()
    settings = import_module(f"shop.{service.name}.settings").Settings
    assert set(told) <= {setting.variable for setting in described(settings, prefix)}
    shown = printed(load(settings, prefix, told), prefix)
    assert f"{prefix}_HTTP_PORT=8001" in shown
    assert not any(secret in shown for secret in (SECRETS.tokens, SECRETS.admin, SECRETS.faults, f"of-{service.name}"))


def test_secrets_are_not_shown() -> None:
    assert "of the" not in repr(AT) + repr(SECRETS)
    assert "c2Vj" not in repr(AT) + repr(SECRETS)
