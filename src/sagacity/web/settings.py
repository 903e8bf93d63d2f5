"""What whoever runs the web decides about it."""

from __future__ import annotations

import msgspec

from sagacity.web.limits import Rate
from sagacity.web.tokens import Tokens

__all__ = ["Settings"]

_MEGABYTE = 1_000_000


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How the web behaves. The defaults suit a server on loopback.

    `tokens`: who may do what; without any, everybody who reaches the server is the operator `local`. `secret`: what session
    cookies are signed with (32 bytes or more); drawn at start where it is None, so that a restart ends all sessions.
    `hosts`: names, without a port, by which the server may be addressed beside those of loopback; `*` alone lets all pass.
    `secure`: browsers reach the server by HTTPS, so cookies are sent by HTTPS alone. `traces`: the address at
    which a trace is shown, with `{trace}` where its id goes; pages link to it. `session`: how long a login lasts, in
    seconds. `body_most`, `unpacked_most`: bytes of an ingested body as sent, and unpacked; `reading_most`: of all that are
    being read at a time. `answer_within`: seconds that a request waits for the writing thread, `replay_within` for a
    replay. `headers_within`, `body_within`: seconds in which a request's headers and its body have to have come;
    `body_within` is also how long an answer may wait for its reader.
    `heartbeat`: seconds between signs of life of a quiet stream of changes. `watchers`: how many may watch at the same time.
    Rates are per token, or per address where there is no token.
    """

    tokens: Tokens = Tokens()
    secret: bytes | None = None
    hosts: tuple[str, ...] = ()
    secure: bool = False
    traces: str | None = None
    session: float = 12 * 3600.0
    body_most: int = 16 * _MEGABYTE
    unpacked_most: int = 64 * _MEGABYTE
    reading_most: int = 256 * _MEGABYTE
    answer_within: float = 10.0
    replay_within: float = 600.0
    headers_within: float = 15.0
    body_within: float = 60.0
    heartbeat: float = 15.0
    watchers: int = 200
    ingest_rate: Rate = Rate(per_second=2_000.0, burst=4_000)
    api_rate: Rate = Rate(per_second=200.0, burst=400)
    login_rate: Rate = Rate(per_second=0.2, burst=10)
