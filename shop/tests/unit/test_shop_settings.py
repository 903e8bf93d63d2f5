"""Settings from an environment: every mistake at once, each with its variable and how to mend it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import pytest
from msgspec import Meta, Struct

from shop.account.settings import Settings as AccountSettings
from shop.chassis import parts
from shop.chassis.settings import Secret, SettingsError, described, load, printed


class Tuned(Struct, frozen=True, kw_only=True):
    pause: Annotated[timedelta, Meta(description="how long it rests")] = timedelta(seconds=1)
    share: Annotated[float, Meta(ge=0, le=1)] = 0.5


class Settings(Struct, frozen=True, kw_only=True):
    http: parts.Http = parts.Http(port=8000)
    database: parts.Database
    kafka: parts.Kafka = parts.Kafka(servers="127.0.0.1:9092")
    tuned: Tuned = Tuned()
    worker: Annotated[Annotated[int, Meta(ge=0, le=1023)] | None, Meta(description="a number")] = None
    names: tuple[str, ...] = ()
    eager: bool = False


DATABASE = {"STALL_DATABASE_URL": "postgresql://stall:hunter2@db/stall"}


def _loaded(**given: str) -> Settings:
    return load(Settings, "STALL", DATABASE | {f"STALL_{name}": value for name, value in given.items()})


def _mistakes(**given: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as refused:
        _loaded(**given)
    return refused.value.problems


@pytest.mark.parametrize(
    "url",
    [
        "postgresql//stall:hunter2@db/stall",
        "postgresql://stall:hunter2%zz@db/stall",
        "postgresql://stall:hunter2@home@db/stall",
        "postgresql://stall:hunter2/home@db/stall",
        "hunter2",
    ],
)
def test_an_address_that_is_none_is_refused_and_its_password_told_to_nobody(url: str) -> None:
    [mistake] = _mistakes(DATABASE_URL=url)
    assert mistake.startswith("STALL_DATABASE_URL: is no address of a database")
    assert "hunter2" not in mistake


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://stall:hunter2%40home@db/stall",
        "postgres://stall@[::1]:5432,other:5433/stall",
        "host=/var/run/postgresql dbname=stall password='hunter2@home'",
    ],
)
def test_whatever_is_an_address_is_taken_as_it_is(url: str) -> None:
    assert _loaded(DATABASE_URL=url).database.url.reveal() == url


def test_what_is_not_set_is_as_the_service_has_it() -> None:
    settings = _loaded()
    assert (settings.http.port, settings.http.host, settings.worker) == (8000, "127.0.0.1", None)
    assert settings.database.url.reveal() == DATABASE["STALL_DATABASE_URL"]


def test_a_variable_is_the_path_of_its_field() -> None:
    settings = _loaded(HTTP_PORT="80", TUNED_PAUSE="1m30s", TUNED_SHARE="0.25", WORKER="7", NAMES="a, b,", EAGER="true")
    assert (settings.http.port, settings.tuned.pause, settings.tuned.share) == (80, timedelta(seconds=90), 0.25)
    assert (settings.worker, settings.names, settings.eager) == (7, ("a", "b"), True)


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        load(Settings, "STALL", {"STALL_HTTP_PORT": "many", "STALL_TUNED_PAUSE": "soon", "STALL_WORKER": "1024"})
    url, port, pause, worker = sorted(refused.value.problems)
    assert url == "STALL_DATABASE_URL is not set: the service's database, as postgresql://user:password@host:5432/name"
    assert port.startswith("STALL_HTTP_PORT: 'many' cannot be used: ")
    assert pause.startswith("STALL_TUNED_PAUSE: 'soon' cannot be used: ")
    assert pause.endswith("(how long it rests)")
    assert worker.startswith("STALL_WORKER: '1024' cannot be used: ")


@pytest.mark.parametrize(("name", "value"), [("HTTP_PORT", "65536"), ("TUNED_SHARE", "1.1"), ("EAGER", "perhaps")])
def test_a_value_out_of_its_bounds_is_refused(name: str, value: str) -> None:
    (mistake,) = _mistakes(**{name: value})
    assert mistake.startswith(f"STALL_{name}: {value!r} cannot be used: ")


def test_a_variable_that_was_misspelt_is_told_with_the_one_that_was_meant() -> None:
    assert _mistakes(HTP_PORT="80") == ("STALL_HTP_PORT is no setting: did you mean STALL_HTTP_PORT?",)


def test_variables_that_a_cluster_puts_there_are_left_alone() -> None:
    _loaded(SERVICE_HOST="10.0.0.1", SERVICE_PORT="80", PORT="tcp://10.0.0.1:80", PORT_80_TCP="tcp://10.0.0.1:80")


def test_a_variable_that_is_set_to_nothing_is_not_set() -> None:
    assert _loaded(HTTP_PORT=" ").http.port == 8000


def test_secrets_are_shown_nowhere() -> None:
    settings = _loaded()
    shown = printed(settings, "STALL") + repr(settings) + str(settings)
    assert "hunter2" not in shown
    assert "STALL_DATABASE_URL=********" in shown


def test_a_secret_that_cannot_be_used_is_not_shown_either() -> None:
    with pytest.raises(SettingsError) as refused:
        load(
            AccountSettings,
            "ACCOUNT",
            {"ACCOUNT_DATABASE_URL": DATABASE["STALL_DATABASE_URL"], "ACCOUNT_TOKENS_KEYS": "a=c2hvcnQ="},
        )
    assert "c2hvcnQ" not in str(refused.value)
    assert refused.value.problems == ("ACCOUNT_TOKENS_KEYS: key 'a' has 5 bytes, and needs 32: openssl rand -base64 32",)


BROKER = r"sasl.username=stall,sasl.password=hunter2\,=7,ssl.cipher.suites=A\,B"


def test_a_value_of_a_brokers_setting_may_have_a_comma() -> None:
    kafka = _loaded(KAFKA_SETTINGS=BROKER, KAFKA_CONSUMER_SETTINGS="fetch.wait.max.ms=50,").kafka
    expected = {"sasl.username": "stall", "sasl.password": "hunter2,=7", "ssl.cipher.suites": "A,B"}
    assert kafka.for_publisher() == expected
    assert kafka.for_subscriber() == {**expected, "fetch.wait.max.ms": "50"}


def test_a_brokers_password_is_shown_nowhere_and_its_other_settings_are() -> None:
    settings = _loaded(KAFKA_SETTINGS=BROKER + ",ssl.key.pem=hunter2,sasl.oauthbearer.client.secret=hunter2")
    shown = printed(settings, "STALL")
    assert "hunter2" not in shown + repr(settings) + str(settings)
    assert r"STALL_KAFKA_SETTINGS=sasl.username=stall,sasl.password=********,ssl.cipher.suites=A\,B," in shown


@pytest.mark.parametrize("told", ["sasl.password=a,hunter2", "hunter2", "=hunter2", "sasl.password:hunter2"])
def test_a_brokers_settings_that_cannot_be_used_are_not_shown_either(told: str) -> None:
    [mistake] = _mistakes(KAFKA_SETTINGS=told)
    assert mistake.startswith("STALL_KAFKA_SETTINGS: ******** cannot be used: part ")
    assert r"is written \," in mistake
    assert "hunter2" not in mistake


def test_what_is_printed_can_be_set_again() -> None:
    settings = _loaded(TUNED_PAUSE="1m30s", NAMES="a,b", EAGER="true", KAFKA_SETTINGS=r"ssl.cipher.suites=A\,B,a=b")
    lines = [line.split("  # ")[0].split("=", 1) for line in printed(settings, "STALL").splitlines()]
    again = load(Settings, "STALL", {**dict(lines), **DATABASE})
    assert again == settings


def test_no_secret_of_a_service_has_a_default() -> None:
    defaults = [each for each in described(AccountSettings, "ACCOUNT") if isinstance(each.default, Secret)]
    assert defaults == []


def test_every_setting_of_the_account_service_says_what_it_means() -> None:
    assert [each.variable for each in described(AccountSettings, "ACCOUNT") if not each.meaning] == []


def test_an_administrators_address_and_password_are_set_both_or_neither() -> None:
    key = "a=" + "A" * 43
    given = {
        "ACCOUNT_DATABASE_URL": DATABASE["STALL_DATABASE_URL"],
        "ACCOUNT_TOKENS_KEYS": key,
        "ACCOUNT_ADMIN_EMAIL": "root@shop.example",
    }
    with pytest.raises(SettingsError) as refused:
        load(AccountSettings, "ACCOUNT", given)
    (mistake,) = refused.value.problems
    assert mistake.startswith("ACCOUNT_ADMIN_PASSWORD: ")
