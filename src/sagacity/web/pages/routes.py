"""The pages' routes: each reads on a worker thread, renders, and answers. What people do is done by `deeds`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.datastructures import Cookie
from litestar.exceptions import HTTPException
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from sagacity.errors import WorkflowError
from sagacity.ledger.live import Action, LiveFinding
from sagacity.report.markup import tag
from sagacity.web.access import Access, cookie_name
from sagacity.web.context import Here, Served
from sagacity.web.deeds import act_on, adopt
from sagacity.web.logs import log
from sagacity.web.pages import shown
from sagacity.web.pages.actions import SENSIBLE, done_said, until_of, waive_page
from sagacity.web.pages.assets import assets, version
from sagacity.web.pages.errors import error_text
from sagacity.web.pages.frame import Frame, document, favicon
from sagacity.web.pages.links import local, saga_url, url, workflow_url
from sagacity.web.pages.login import login_page
from sagacity.web.pages.saga_routes import SAGA_PAGES
from sagacity.web.pages.shown import Asking
from sagacity.web.pages.words import card, named
from sagacity.web.pages.workflow import Submitted, editor_page
from sagacity.web.problem import Refused, problem_of

__all__ = ["HANDLERS", "error_page"]

_MOST = 500
_FOR_EVER = "public, max-age=31536000, immutable"
_VIEWER = {"need": "viewer"}
_OPERATOR = {"need": "operator"}
_ANYBODY = {"need": None}


def _page(text: str, status: int = 200) -> Response[bytes]:
    return Response(text.encode("utf-8", "replace"), media_type="text/html", status_code=status)


@get("/", opt=_VIEWER, sync_to_thread=True)
def overview(request: Asking, served: Here) -> Response[bytes]:
    return _page(shown.summary(request, served))


@get("/findings", opt=_VIEWER, sync_to_thread=True)
def findings(request: Asking, served: Here) -> Response[bytes]:
    return _page(shown.inbox(request, served))


@get("/findings/{key:str}", opt=_VIEWER, sync_to_thread=True)
def finding(request: Asking, served: Here, key: FromPath[str]) -> Response[bytes]:
    return _page(shown.finding(request, served, key))


@get("/case", opt=_VIEWER)
async def case(
    request: Asking,
    served: Here,
    name: Annotated[str, QueryParameter(name="workflow")],
    key: Annotated[str, QueryParameter(name="case")],
) -> Response[bytes]:
    saga = saga_url(key) if served.sagas is not None and await served.sagas.knows(key) else None
    return _page(*await asyncio.to_thread(shown.case_of, request, served, name, key, saga))


@get("/cases", opt=_VIEWER, sync_to_thread=True)
def cases(request: Asking, served: Here) -> Response[bytes]:
    return _page(shown.cases(request, served))


@get("/workflows", opt=_VIEWER, sync_to_thread=True)
def workflows(request: Asking, served: Here) -> Response[bytes]:
    return _page(shown.workflows(request, served))


@get("/workflow", opt=_VIEWER, sync_to_thread=True)
def workflow(request: Asking, served: Here, name: FromQuery[str]) -> Response[bytes]:
    return _page(shown.workflow(request, served, name))


@get("/drift", opt=_VIEWER, sync_to_thread=True)
def drift(request: Asking, served: Here, name: FromQuery[str]) -> Response[bytes]:
    return _page(shown.drift(request, served, name))


@get("/sources", opt=_VIEWER, sync_to_thread=True)
def sources(request: Asking, served: Here) -> Response[bytes]:
    return _page(shown.sources(request, served))


@get("/audit", opt=_VIEWER, sync_to_thread=True)
def audit(request: Asking, served: Here) -> Response[bytes]:
    return _page(shown.audit(request, served))


@get("/findings/waive", opt=_OPERATOR, sync_to_thread=True)
def waive(request: Asking, served: Here) -> Response[bytes] | Redirect:
    """The form for waiving, where no script opens it in place."""
    ids = [str(id_) for id_ in request.query_params.getall("id", [])][:_MOST]
    back = local(request.query_params.get("back"), "/findings")
    found = [each for each in map(served.ledger.finding, ids) if each is not None]
    if not found:
        return Redirect(back, status_code=303)
    frame = shown.frame_of(request, served)
    return _page(document(_at(frame, back), "findings", "Waive", waive_page(_at(frame, back), found)))


def _at(frame: Frame, address: str) -> Frame:
    return msgspec.structs.replace(frame, address=address)


@post("/findings/act", opt=_OPERATOR, status_code=303)
async def act(request: Asking, served: Here) -> Response[bytes] | Redirect:
    """Acknowledge, waive or reopen what was chosen; then back to where one was."""
    form = await request.form()
    back = local(_field(form.get("back")), "/findings")
    what = _field(form.get("what"))
    ids = list(dict.fromkeys(str(id_) for id_ in form.getall("id", [])))[:_MOST]
    meant = next((known for known in SENSIBLE if known == what), None)
    if meant is None:
        raise Refused(400, "it is not said what is to be done", "acknowledge, waive or reopen")
    until = None
    if what == "waive":
        until = until_of(_field(form.get("term")), _field(form.get("until")), served.now())
        if not _field(form.get("reason")).strip():
            raise Refused(400, "a waiver needs a reason", "say why this may be")
    action = Action(what=meant, by=request.user.name, reason=_field(form.get("reason")).strip() or None, until=until)
    done: list[LiveFinding] = []
    failed: list[str] = []
    for id_ in ids:
        try:
            done.append(await act_on(served, request.user, id_, action))
        except Refused as refused:
            failed.append(refused.problem.detail)
            if refused.problem.status >= 500:
                break
    shown.counting(request, served).again()
    said, wrong = done_said(what, len(done), failed)
    if wrong is None:
        joined = "&" if "?" in back else "?"
        return Redirect(f"{back}{joined}done={what}.{len(done)}" if done else back, status_code=303)
    frame = await asyncio.to_thread(shown.frame_of, request, served)
    told = [tag("p", said) if said else None, tag("p", named(wrong, 600), class_="wrong", role="alert")]
    body = card(told, tag("p", tag("a", "Back", href=back)))
    return _page(document(frame, "findings", "Not done", tag("h1", "Not everything could be done"), body), 409)


def _field(value: object) -> str:
    return value[:1_000_000] if isinstance(value, str) else ""


@post("/workflows", opt=_OPERATOR, status_code=303)
async def submit(request: Asking, served: Here) -> Response[bytes] | Redirect:
    """Judge by the text from now on; where it is not sound, show its problems at their lines."""
    text = _field((await request.form()).get("text")).replace("\r\n", "\n")
    try:
        stored = await adopt(served, request.user, text)
    except WorkflowError as error:
        frame = await asyncio.to_thread(shown.frame_of, request, served)
        return _page(editor_page(_at(frame, "/workflows"), Submitted(text, error.problems)), 422)
    shown.counting(request, served).again()
    return Redirect(workflow_url(stored.name), status_code=303)


@get("/login", opt=_ANYBODY, sync_to_thread=False)
def login(request: Asking) -> Response[bytes] | Redirect:
    back = local(request.query_params.get("back"))
    if request.user.may("viewer"):
        return Redirect(back, status_code=303)
    return _page(login_page(back))


@post("/login", opt=_ANYBODY, status_code=303)
async def log_in(request: Asking, served: Here) -> Response[bytes] | Redirect:
    form = await request.form()
    back = local(_field(form.get("back")))
    access: Access = request.app.state.access
    try:
        access.attempt(request)
    except Refused as refused:
        return _page(login_page(back, f"{refused.problem.detail}: {refused.problem.hint}"), 429)
    known = served.settings.tokens.find(_field(form.get("token")).strip())
    if known is None or not {"viewer", "operator"} & known.roles:
        wrong = "The server does not know this token." if known is None else "This token may hand records in, not look."
        return _page(login_page(back, wrong), 403)
    until = served.now() + int(served.settings.session * 1_000_000)
    value = served.sessions.issue(known, until, os.urandom(16))
    log().info("logged in", name=known.name)
    return Redirect(back, status_code=303, cookies=[_cookie(served, value, int(served.settings.session))])


@post("/logout", opt=_ANYBODY, status_code=303)
async def log_out(served: Here) -> Redirect:
    return Redirect("/login", status_code=303, cookies=[_cookie(served, "", 0)])


def _cookie(served: Served, value: str, seconds: int) -> Cookie:
    settings = served.settings
    return Cookie(key=cookie_name(settings), value=value, path="/", max_age=seconds,
                  httponly=True, samesite="strict", secure=settings.secure)  # fmt: skip


@get("/assets/{hashed:str}/{name:str}", opt=_ANYBODY, sync_to_thread=False)
def asset(hashed: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """A style sheet or a module. What its address names never changes, so that it may be kept for ever."""
    found = assets().get(name)
    if found is None or hashed != version():
        raise Refused(404, "there is no such file", "load the page again")
    kind, content = found
    return Response(content, media_type=kind, headers={"cache-control": _FOR_EVER})


@get("/favicon.svg", opt=_ANYBODY, sync_to_thread=False)
def icon(open_: Annotated[int, QueryParameter(name="open", ge=0, le=1_000_000)] = 0) -> Response[bytes]:
    headers = {"cache-control": "public, max-age=86400"}
    return Response(favicon(open_).encode(), media_type="image/svg+xml", headers=headers)


@get("/favicon.ico", opt=_ANYBODY, sync_to_thread=False)
def old_icon() -> Redirect:
    return Redirect("/favicon.svg", status_code=301)


def error_page(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """What went wrong, as a page; who has not logged in is asked to."""
    problem, headers = problem_of(error)
    if problem.status == 500:
        log().error("unforeseen", method=request.method, path=request.url.path, exc_info=error)
    if problem.status == 401:
        query = f"?{request.url.query}" if request.url.query else ""
        back = local(request.url.path + query) if request.method == "GET" else "/"
        return Redirect(url("/login", back=None if back == "/" else back), status_code=303)
    answer = _page(error_text(problem, told=not isinstance(error, HTTPException)), problem.status)
    answer.headers.update(headers)
    return answer


HANDLERS: Sequence[ControllerRouterHandler] = (
    Router(
        path="/",
        route_handlers=[overview, findings, finding, case, cases, workflows, workflow, drift, sources, audit, waive, act,
                        submit, *SAGA_PAGES, login, log_in, log_out],
        exception_handlers={Exception: error_page},
        include_in_schema=False,
    ),
    asset,
    icon,
    old_icon,
)  # fmt: skip
"""Found by `sagacity.web.app`."""
