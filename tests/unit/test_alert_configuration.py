"""What the configuration of alerts may say, and what is said of its mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sagacity.alerts.config import LogChannel, SlackChannel, WebhookChannel
from sagacity.alerts.reading import load, read
from sagacity.errors import UsageError

WHOLE = """
listen: 127.0.0.1:8080
alerts:
  public_url: https://sagacity.example.org/
  channels:
    payments-slack:
      kind: slack
      url_env: PAYMENTS_SLACK_URL
      quiet_hours: {from: 22:00, to: 07:00, timezone: Europe/Berlin, days: [mon, tue], severity: critical}
    on-call: {kind: webhook, url: "https://hooks.example.org/sagacity", secret_file: /run/secrets/on-call, timeout: 5s}
    journal: {kind: log}
  routes:
    - owner: payments*
      severity: error
      channels: [payments-slack]
      escalate:
        - {after: 30m, channels: [on-call]}
  default: {channels: journal}
  retries: {tries: 5, first: 2s, longest: 5m, give_up_after: 6h}
"""


def small(**sections: Any) -> dict[str, Any]:
    return {"channels": {"journal": {"kind": "log"}}, "default": {"channels": ["journal"]}, **sections}


def channel(**values: Any) -> dict[str, Any]:
    whole = {"kind": "webhook", "url": "https://example.org", "secret_env": "S", **values}
    return small(channels={"journal": {"kind": "log"}, "hook": {k: v for k, v in whole.items() if v is not None}})


def test_a_configuration_is_read_from_under_its_key(tmp_path: Path) -> None:
    path = tmp_path / "server.yaml"
    path.write_text(WHOLE, encoding="utf-8")
    alerts = load(path)
    slack, hook = alerts.channels["payments-slack"], alerts.channels["on-call"]
    assert isinstance(slack, SlackChannel)
    assert slack.quiet_hours is not None
    assert (slack.quiet_hours.begins, slack.quiet_hours.ends) == (22 * 60, 7 * 60)
    assert isinstance(hook, WebhookChannel)
    assert (hook.timeout, hook.secret_file) == (5_000_000, "/run/secrets/on-call")
    assert alerts.channels["journal"] == LogChannel()
    assert alerts.public_url == "https://sagacity.example.org"
    assert alerts.routes[0].escalate[0].after == 1_800_000_000
    assert alerts.retries.tries == 5


QUIET = {"from": "22:00", "to": "07:00", "timezone": "UTC"}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (None, "is empty"),
        ([], "is not a mapping"),
        ({"channels": {}}, "has no default"),
        (small(rutes=[]), "has the unknown key 'rutes'; did you mean 'routes'?"),
        (small(default={"channels": ["jornal"]}), "default: there is no channel 'jornal'; did you mean 'journal'?"),
        (small(routes=[{"channels": ["x"]}]), "routes[0]: there is no channel 'x'; there are journal"),
        (small(routes={}), "routes: is not a list of routes"),
        (small(routes=[{"channels": [], "severity": "bad"}]), "routes[0].severity: 'bad' is none of info, warning"),
        (small(routes=[{"channels": [], "kinds": ["open"]}]), "routes[0].kinds: 'open' is none of opened"),
        (small(default={"channels": [], "owner": "x"}), "default: has the unknown key 'owner'"),
        (small(channels={"a": {"kind": "mail"}}), "channels.a: has the unknown kind 'mail': use one of webhook, slack, log"),
        (small(channels={"a/b": {"kind": "log"}}), "'a/b' cannot be a channel's name"),
        (small(public_url="ftp://x"), "public_url: 'ftp://x' is not the address of this server"),
        (small(retries={"tries": 0}), "retries.tries: 0 is not a whole number from 1 to 100"),
        (small(retries={"first": "soon"}), "retries.first: 'soon' is not a duration"),
        (channel(url="example.org"), "channels.hook.url: is not a URL that begins with https://"),
        (channel(url="https://exa mple.org"), "is not a URL: it has spaces"),
        (channel(url="https://[::1"), "is not a URL"),
        (channel(url="http://example.org"), "channels.hook.url: is not https"),
        (channel(url="http://127.0.0.1.example.org"), "is not https"),
        (channel(url="https://a:b@example.org"), "has a name or password in it"),
        (channel(url=None), "must say where to send to once, with url or url_env or url_file"),
        (channel(secret_file="f"), "must say where its secret is once, with secret_env or secret_file"),
        (channel(secret="whsec_x"), "has the unknown key 'secret'"),
        (channel(timeout="0s"), "channels.hook.timeout: must be longer than nothing"),
        (channel(timeout="1000d"), "channels.hook.timeout: must not be longer than 366d"),
        (channel(quiet_hours={**QUIET, "timezone": "Berlin"}), "timezone: 'Berlin' is no time zone"),
        (channel(quiet_hours={**QUIET, "timezone": "../../etc/passwd"}), "is no time zone"),
        (channel(quiet_hours={**QUIET, "from": "24:00"}), "'24:00' is not a time of day"),
        (channel(quiet_hours={**QUIET, "to": "22:00"}), "from and to are the same"),
        (
            small(default={"channels": [], "escalate": [{"after": "1h", "channels": []}, {"after": "1h", "channels": []}]}),
            "default.escalate: each step must come after a longer time",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(document: Any, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        read(document)
    assert said in str(raised.value)


def test_every_mistake_is_said_at_once() -> None:
    with pytest.raises(UsageError) as raised:
        read(small(routes=[{"channels": [], "severity": "bad"}], public_url="x", more=1))
    assert len(str(raised.value).splitlines()) == 3


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x", "http://localhost/x", "http://[::1]:9/x"])
def test_this_machine_needs_no_https(url: str) -> None:
    assert read(channel(url=url))


def test_http_beyond_this_machine_has_to_be_asked_for() -> None:
    assert read(channel(url="http://receiver.internal/x", insecure=True))


@pytest.mark.parametrize("text", ["a: [", "\x00"])
def test_what_is_not_yaml_is_said_so(text: str, tmp_path: Path) -> None:
    path = tmp_path / "server.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match="is not YAML"):
        load(path)
