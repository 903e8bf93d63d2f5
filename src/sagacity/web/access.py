"""Who may come in: every request passes here before its route does anything.

In order: the Host it is addressed to (against DNS rebinding), where it comes from (against other sites' pages), who asks
(bearer token, session cookie, or everybody where there are no tokens), how often, whether they may, and for cookies the
CSRF value. A route says what it needs with `opt={"need": ...}`; one that says nothing needs a viewer. `"paced": False` lets
it be asked however often, as whoever watches over the server does.
"""

from __future__ import annotations

import hmac
from math import ceil
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.types import Message, Scope

from sagacity.web.context import Served
from sagacity.web.identity import ANYBODY, LOCAL, Identity, Need
from sagacity.web.limits import Limiter
from sagacity.web.listening import LOOPBACK, is_loopback
from sagacity.web.problem import Refused
from sagacity.web.sessions import COOKIE
from sagacity.web.settings import Settings

__all__ = ["CSRF_FIELD", "CSRF_HEADER", "Access", "cookie_name", "guard", "protect"]

CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf"

_SAFE = ("GET", "HEAD", "OPTIONS")
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_HEADERS = {
    b"content-security-policy": b"default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    b"form-action 'self'; frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
}


class Access:
    """Decides about requests. Belongs to the event loop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ingest = Limiter(settings.ingest_rate)
        self._api = Limiter(settings.api_rate)
        self._login = Limiter(settings.login_rate)

    async def admit(self, request: Request[Any, Any, Any], served: Served, need: Need, *, paced: bool = True) -> Identity:
        """Who asks; as often as they like where the route is not `paced`. Raises Refused: 400, 401, 403, 421 or 429."""
        self._addressed(request)
        self._same_site(request)
        who = self._who(request, served)
        if paced:
            self._pace(request, who, need)
        if not who.may(need):
            raise self._refusal(who, need)
        if who.csrf and request.method not in _SAFE and not await _repeated(request, who.csrf):
            raise Refused(403, "the request does not repeat the session's CSRF value", f"send it as {CSRF_HEADER}")
        return who

    def _pace(self, request: Request[Any, Any, Any], who: Identity, need: Need) -> None:
        asker = f"token {who.name}" if who.roles and not who.guest else f"address {_address(request)}"
        _paced((self._ingest if need == "ingest" else self._api).ask(asker, monotonic()))

    def attempt(self, request: Request[Any, Any, Any]) -> None:
        """Count an attempt to show a token. Raises Refused with 429 where an address makes too many."""
        _paced(self._login.ask(_address(request), monotonic()))

    def _addressed(self, request: Request[Any, Any, Any]) -> None:
        settings = self._settings
        if "*" in settings.hosts or (settings.tokens and not settings.hosts):
            return
        host = _hostname(request.headers.get("host", ""))
        if host not in settings.hosts and not is_loopback(host):
            hint = f"use one of {', '.join(sorted({*LOOPBACK, *settings.hosts}))}, or start the server with this host's name"
            raise Refused(421, "the server does not go by the name in the Host header", hint)

    def _same_site(self, request: Request[Any, Any, Any]) -> None:
        if request.method in _SAFE:
            return
        origin = request.headers.get("origin")
        elsewhere = origin is not None and _netloc(origin) != request.headers.get("host")
        if elsewhere or request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            raise Refused(403, "the request comes from another site's page", "act on this server's own pages")

    def _who(self, request: Request[Any, Any, Any], served: Served) -> Identity:
        if not self._settings.tokens:
            return LOCAL
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            known = self._settings.tokens.find(token.strip())
            if known is None:
                self.attempt(request)
                return ANYBODY
            return Identity(name=known.name, roles=known.roles)
        cookie = request.cookies.get(cookie_name(self._settings))
        return (served.sessions.read(cookie, served.now()) if cookie else None) or ANYBODY

    def _refusal(self, who: Identity, need: Need) -> Refused:
        if not who.roles:
            hint = "send Authorization: Bearer TOKEN, or log in at /login; `sagacity token new` makes tokens"
            return Refused(401, "this needs a token that the server knows", hint, {"WWW-Authenticate": "Bearer"})
        held = ", ".join(sorted(who.roles))
        return Refused(403, f"this needs the role {need}; {who.name} has {held}", f"ask for a token with the role {need}")


async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """The guard of every route. Leaves who asks in `request.user`."""
    state = connection.app.state
    assert isinstance(connection, Request)
    access: Access = state.access
    need, paced = handler.opt.get("need", "viewer"), handler.opt.get("paced", True)
    connection.scope["user"] = await access.admit(connection, state.served, need, paced=paced)


async def protect(message: Message, scope: Scope) -> None:
    """Adds to every response the headers that tell browsers what not to do; what is not said to be kept is not."""
    if scope["type"] != ScopeType.HTTP or message["type"] != "http.response.start":
        return
    there = {name.lower() for name, _ in message["headers"]}
    wanted = _HEADERS | {b"cache-control": b"no-store"}
    message["headers"] = [*message["headers"], *((name, value) for name, value in wanted.items() if name not in there)]


def cookie_name(settings: Settings) -> str:
    """What the session's cookie is called; browsers accept `__Host-` by HTTPS alone, and from this host alone."""
    return f"__Host-{COOKIE}" if settings.secure else COOKIE


def _paced(wait: float) -> None:
    if wait > 0:
        seconds = str(max(ceil(wait), 1))
        raise Refused(429, "too many requests", f"try again in {seconds} s", {"Retry-After": seconds})


async def _repeated(request: Request[Any, Any, Any], csrf: str) -> bool:
    given = request.headers.get(CSRF_HEADER)
    if given is None and request.content_type[0] in _FORMS:
        field = (await request.form()).get(CSRF_FIELD)
        given = field if isinstance(field, str) else None
    return given is not None and hmac.compare_digest(given.encode(), csrf.encode())


def _address(request: Request[Any, Any, Any]) -> str:
    return request.client.host if request.client else "unknown"


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _netloc(origin: str) -> str | None:
    """Host and port of an Origin header; None where it cannot be understood."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None
