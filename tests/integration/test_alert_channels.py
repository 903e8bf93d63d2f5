"""Channels against a real receiver: what is sent, how it is signed, and what each answer leads to."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
import random
import re
import resource
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Event
from typing import Any

import msgspec
import pytest

from fakes.alerts import NOON, FakeClock, FakeOutbox, alerts_of, finding, notice
from fakes.receiver import Answer, Receiver, answering, receiver
from sagacity.alerts.channel import Again, Message, Outcome, Refused, Sent, message_of
from sagacity.alerts.channels import made, senders
from sagacity.alerts.config import Alerts, SlackChannel, WebhookChannel
from sagacity.alerts.delivery import Deliverer
from sagacity.alerts.post import outcome
from sagacity.alerts.slack import blocks
from sagacity.alerts.trial import send_test
from sagacity.errors import UsageError
from sagacity.workflow.trace import FOREVER

SECRET = b"a secret of enough bytes for this"
WRITTEN = "whsec_" + base64.b64encode(SECRET).decode()
ENVIRONMENT = {"SECRET": WRITTEN}
MESSAGE = message_of(notice(), "hook", 0, "https://sagacity.example.org")
SECOND = 1_000_000


def webhook(url: str, timeout: int = 10 * SECOND) -> WebhookChannel:
    return WebhookChannel(url=url, secret_env="SECRET", timeout=timeout)


def sent(to: Receiver, message: Message = MESSAGE, timeout: int = 10 * SECOND) -> Outcome:
    async def send() -> Outcome:
        sender = made("hook", webhook(to.url, timeout), ENVIRONMENT, "https://sagacity.example.org")
        try:
            return await sender.send(message, NOON)
        finally:
            await sender.close()

    return asyncio.run(send())


def test_a_finding_comes_as_a_signed_cloud_event() -> None:
    with receiver() as to:
        assert sent(to) == Sent()
    ((path, headers, body),) = to.received
    assert path == "/in/secret-path"
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-timestamp"] == str(NOON // SECOND)
    assert headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    event = msgspec.json.decode(body)
    assert event["id"] == headers["webhook-id"]
    assert (event["type"], event["source"], event["time"]) == (
        "org.sagacity.finding.opened", "https://sagacity.example.org", "2026-09-25T12:00:00Z",
    )  # fmt: skip
    assert event["data"]["finding"]["message"] == "PaymentReceived, and no ItemShipped"
    assert event["data"]["finding"]["opened"] == "2026-09-25T12:00:00Z"
    assert event["data"]["links"]["case"] == "https://sagacity.example.org/case?workflow=orders&case=123"


def test_each_of_several_secrets_signs() -> None:
    with receiver() as to:
        both = {"SECRET": f"{WRITTEN}\nanother-secret-of-enough-bytes"}
        asyncio.run(made("hook", webhook(to.url), both).send(MESSAGE, NOON))
    assert len(to.received[0][1]["webhook-signature"].split()) == 2


def test_the_documentation_s_own_code_verifies_it(project: Path) -> None:
    page = (project / "docs" / "alerts.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    shown: dict[str, Any] = {}
    exec(code, shown)
    verified = shown["verified"]
    with receiver() as to:
        sent(to)
    ((_, headers, body),) = to.received
    now = NOON / SECOND
    assert verified(headers, body, WRITTEN, now)
    assert not verified(headers, body + b" ", WRITTEN, now)
    assert not verified({**headers, "webhook-id": "msg_other"}, body, WRITTEN, now)
    assert not verified(headers, body, WRITTEN, now + 3600)


def test_what_a_case_holds_cannot_break_the_event() -> None:
    odd = msgspec.structs.replace(finding("f/../x\r\ny"), case="a\r\nwebhook-id: 1\x00<&>", since=FOREVER)
    with receiver() as to:
        assert sent(to, message_of(notice(of=odd), "hook", 0, "https://s.example")) == Sent()
    event = msgspec.json.decode(to.received[0][2])
    assert event["data"]["finding"]["case"] == odd.case
    assert event["data"]["finding"]["since"] is None
    assert event["data"]["links"]["finding"] == "https://s.example/findings/f%2F..%2Fx%0D%0Ay"


def hang(_handler: BaseHTTPRequestHandler, over: Event) -> None:
    over.wait(30)


def drip(handler: BaseHTTPRequestHandler, over: Event) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while not over.wait(0.02):
        handler.wfile.write(b"x: y\r\n")


def cut(handler: BaseHTTPRequestHandler, _over: Event) -> None:
    handler.connection.close()


def nonsense(handler: BaseHTTPRequestHandler, _over: Event) -> None:
    handler.wfile.write(b"\x00\xff nonsense\r\n\r\n")
    handler.connection.close()


def endless(handler: BaseHTTPRequestHandler, over: Event) -> None:
    handler.send_response(500)
    handler.end_headers()
    while not over.is_set():
        handler.wfile.write(b"x" * 65536)


@pytest.mark.parametrize(
    ("answer", "kind", "why"),
    [
        (answering(200, b"ok"), Sent, ""),
        (answering(202), Sent, ""),
        (answering(400, b"what\nis\x00this"), Refused, "answered 400: what is this"),
        (answering(404), Refused, "answered 404"),
        (answering(410), Refused, "answered 410"),
        (answering(408), Again, "answered 408"),
        (answering(500), Again, "answered 500"),
        (answering(503), Again, "answered 503"),
        (hang, Again, "did not answer within 500ms"),
        (drip, Again, "did not answer within 500ms"),
        (cut, Again, "cannot be reached: RemoteProtocolError"),
        (nonsense, Again, "cannot be reached: RemoteProtocolError"),
        (endless, Again, "answered 500: xxx"),
    ],
)
def test_an_answer_means(answer: Answer, kind: type[Any], why: str) -> None:
    with receiver([answer]) as to:
        found = sent(to, timeout=SECOND // 2 if answer in (hang, drip) else 30 * SECOND)
    assert type(found) is kind
    assert why in getattr(found, "why", "")
    assert "secret-path" not in getattr(found, "why", "")


def test_a_redirect_is_not_followed() -> None:
    with receiver() as other, receiver([answering(307, location=other.url)]) as to:
        found = sent(to)
    assert isinstance(found, Refused)
    assert "redirects are not followed" in found.why
    assert other.received == []


def test_of_a_huge_answer_only_the_beginning_is_read() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with receiver([endless]) as to:
        found = sent(to)
    assert isinstance(found, Again)
    assert len(found.why) < 250
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


@pytest.mark.parametrize(
    ("said", "after"),
    [
        ("7", 7 * SECOND),
        ("99999999", 3600 * SECOND),
        ("Fri, 25 Sep 2026 12:00:30 GMT", 30 * SECOND),
        ("Fri, 25 Sep 2026 11:00:00 GMT", 0),
        ("soon", None),
        ("-1", None),
        ("9" * 50, None),
        (None, None),
    ],
)
def test_a_receiver_that_says_when_to_come_again_is_heard(said: str | None, after: int | None) -> None:
    assert outcome(429, said, "", NOON) == Again("answered 429", after)


def test_nobody_listens() -> None:
    with receiver() as to:
        pass
    found = sent(to)
    assert isinstance(found, Again)
    assert "cannot be reached: ConnectError" in found.why


def test_neither_secret_nor_path_is_ever_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with receiver([answering(500), answering(200)]) as to:
        sent(to)
        sent(to)
    assert "POST" in caplog.text
    assert "secret-path" not in caplog.text
    assert WRITTEN[6:] not in caplog.text


def test_a_restart_in_the_middle_repeats_the_same_id_and_loses_nothing() -> None:
    alerts = alerts_of(
        channels={"hook": {"kind": "webhook", "url": "http://127.0.0.1:9/", "secret_env": "SECRET"}},
        default={"channels": ["hook"]},
    )
    outbox, clock = FakeOutbox(), FakeClock()
    for number in range(20):
        outbox.add(notice(number, of=finding(f"f{number}")))
    answers: Sequence[Answer] = [
        *(answering(503 if n % 3 else 200) for n in range(12)),
        cut,
        answering(429, retry_after="2"),
    ]

    async def life(url: str, rounds: int) -> None:
        channels = {"hook": made("hook", webhook(url), ENVIRONMENT)}
        worker = Deliverer(alerts, channels, outbox.notices, outbox.ask, clock=clock, chance=random.Random(2))
        for _ in range(rounds):
            clock.at = max(clock.at, outbox.earliest() or 0)
            await worker.round()
            await worker.idle()
        await worker.close()

    with receiver(answers) as to:
        for rounds in (1, 2, 1, 400):
            # What was under way is lost with the process: its last note never reached the ledger.
            full = iter([False] * 5 + [True])
            outbox.full = lambda full=full: next(full, False)  # type: ignore[misc]
            asyncio.run(life(to.url, rounds))
    assert outbox.earliest() is None
    assert outbox.dead_letters().items == ()
    received = {msgspec.json.decode(body)["data"]["finding"]["id"] for _, _, body in to.received}
    assert received == {f"f{number}" for number in range(20)}
    assert len({headers["webhook-id"] for _, headers, _ in to.received}) == 20


def test_a_slack_message_is_plain_and_escaped() -> None:
    odd = msgspec.structs.replace(
        finding(owner="<!channel>"), message="paid *twice* & <@U1> `x`\nnever shipped", case="<https://evil|1>"
    )
    message = message_of(notice(of=odd, findings=250), "team", 0, "https://s.example")
    with receiver() as to:
        sender = made("team", SlackChannel(url_env="URL"), {"URL": to.url})
        assert asyncio.run(sender.send(message, NOON)) == Sent()
    body = msgspec.json.decode(to.received[0][2])
    assert body["text"] == "Error in orders: paid orders are shipped (250 findings)"
    section, context = body["blocks"]
    text = section["text"]["text"]
    assert "<!channel>" not in str(body["blocks"])
    assert "<@U1>" not in text
    assert "*twice*" not in text
    assert "|case &lt;https://evil|1&gt;>" in text
    assert "And 249 more of the same cause." in text
    assert "Owner: &lt;!channel&gt;" in context["elements"][0]["text"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": "resolved", "resolved": NOON, "late": 90_000_000}, "Resolved 2026-09-25 12:00:00Z. It was 1m 30s late."),
        ({"state": "acknowledged", "by": "kim"}, "Acknowledged by kim."),
        ({"state": "waived"}, "Waived by somebody."),
    ],
)
def test_a_message_says_how_the_finding_stands(changes: dict[str, Any], said: str) -> None:
    now = msgspec.structs.replace(finding(), **changes)
    assert said in blocks(message_of(notice(of=now), "team", 0, None))[0]["text"]["text"]


def test_a_line_of_the_log_has_the_finding() -> None:
    from structlog.testing import capture_logs

    alerts = alerts_of()
    with capture_logs() as lines:
        asyncio.run(senders(alerts, {})["journal"].send(message_of(notice(), "journal", 0, None), NOON))
        asyncio.run(senders(alerts, {})["journal"].send(message_of(notice(kind="resolved"), "journal", 0, None), NOON))
    assert [(line["event"], line["log_level"]) for line in lines] == [
        ("finding opened", "error"),
        ("finding resolved", "info"),
    ]
    assert lines[0]["owner"] == "payments"


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "the environment variable SECRET is not set"),
        ({"SECRET": " "}, "the environment variable SECRET is not set"),
        ({"SECRET": "short-word"}, "shorter than 24 bytes"),
        ({"SECRET": "whsec_not base64!"}, "is not base64"),
    ],
)
def test_a_secret_that_makes_no_sense_is_refused_and_not_repeated(environment: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        made("hook", webhook("https://example.org"), environment)
    assert said in str(raised.value)
    assert all(word not in str(raised.value) for word in ("short-word", "whsec_not"))


def test_a_secret_may_be_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    channel = WebhookChannel(url="https://example.org", secret_file=str(path))
    with pytest.raises(UsageError, match="No such file"):
        made("hook", channel, {})
    path.write_text("")
    with pytest.raises(UsageError, match="holds nothing"):
        made("hook", channel, {})
    path.write_text(f"{WRITTEN}\n")
    assert made("hook", channel, {})


def test_an_address_from_the_environment_is_held_to_the_same_rules() -> None:
    with pytest.raises(UsageError, match="is not https") as raised:
        made("team", SlackChannel(url_env="URL"), {"URL": "http://example.org/T000/B000"})
    assert "T000" not in str(raised.value)


def test_a_test_message_says_that_it_is_one() -> None:
    with receiver() as to:
        alerts = Alerts(channels={"hook": webhook(to.url)}, default=alerts_of().default)
        assert asyncio.run(send_test(alerts, "hook", ENVIRONMENT, NOON)) == Sent()
    assert msgspec.json.decode(to.received[0][2])["type"] == "org.sagacity.test"
