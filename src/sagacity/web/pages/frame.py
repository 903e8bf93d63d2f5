"""What stands around every page: head, navigation, state of the server, banners, theme."""

from __future__ import annotations

import msgspec

from sagacity.reconcile.live import Status
from sagacity.report.markup import Child, Markup, tag
from sagacity.web.pages.assets import asset_url
from sagacity.web.pages.banners import banners
from sagacity.web.pages.links import local, url
from sagacity.web.pages.words import named, until
from sagacity.workflow.instants import span

__all__ = ["Frame", "Viewer", "document", "favicon"]

_SECTIONS = (
    ("overview", "Overview", "/"),
    ("findings", "Findings", "/findings"),
    ("cases", "Cases", "/cases"),
    ("workflows", "Workflows", "/workflows"),
    ("sagas", "Sagas", "/sagas"),
    ("sources", "Sources", "/sources"),
    ("audit", "Audit log", "/audit"),
)
_SECOND = 1_000_000


class Viewer(msgspec.Struct, frozen=True, kw_only=True):
    """Who looks. `csrf` goes into every form; `operator` may act; `guest`: nobody had to log in, so nobody can log out."""

    name: str = "local"
    operator: bool = True
    guest: bool = True
    csrf: str = ""


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What every page shows: who looks, how the server does, how many findings are open, and where this page is.

    `address` is the page's own, to come back to. `said` is what has just been done. `sagas`: whether the server shows any.
    `traces`: the address at which a trace is shown, with `{trace}` where its id goes.
    """

    viewer: Viewer
    status: Status
    open: int
    address: str = "/"
    said: str | None = None
    wrong: str | None = None
    sagas: bool = False
    traces: str | None = None


def document(
    frame: Frame, section: str, title: str, *children: Child, scripts: tuple[str, ...] = (), every: int | None = None
) -> str:
    """A whole page. `every`: after so many milliseconds it is read anew, whether the server tells of a change or not."""
    counted = f"({frame.open:,}) " if frame.open else ""
    head = _head(f"{counted}{title} · Sagacity", frame.open, ("live.js", "hints.js", *scripts))
    shown = banners(frame.status)
    said = [
        tag("p", named(frame.said, 400), class_="done", role="status") if frame.said else None,
        tag("p", named(frame.wrong, 600), class_="wrong", role="alert") if frame.wrong else None,
    ]
    body = tag(
        "body",
        tag("a", "Skip to the content", href="#main", class_="skip"),
        _top(frame, section),
        tag("div", tag("div", shown, class_="wrap"), id="banners", data_live=True),
        tag("main", tag("div", tag("div", said, id="said"), children, class_="wrap"), id="main", tabindex="-1"),
        tag("footer", tag("div", tag("span", "Times are UTC."), _keys(), class_="wrap")),
        tag("div", "", id="announce", class_="hidden", role="status", aria_live="polite"),
        data_changes="/api/v1/changes",
        data_every=every,
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def bare(title: str, *children: Child) -> str:
    """A page before one has logged in."""
    body = tag("body", tag("main", children, id="main", class_="bare"))
    return f"<!doctype html>\n{tag('html', _head(f'{title} · Sagacity', 0, ()), body, lang='en')}\n"


def _head(title: str, open_: int, modules: tuple[str, ...]) -> Markup:
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="same-origin"),
        tag("title", title),
        tag("link", rel="icon", type="image/svg+xml", href=url("/favicon.svg", open=min(open_, 100) or None)),
        [
            tag("link", rel="stylesheet", href=asset_url(name))
            for name in ("report.css", "picture.css", "live.css", "sagas.css")
        ],
        tag("script", src=asset_url("theme.js")),
        [tag("script", type="module", src=asset_url(name)) for name in modules],
    )


def _top(frame: Frame, section: str) -> Markup:
    links = []
    for key, name, address in _SECTIONS:
        if key == "sagas" and not frame.sagas:
            continue
        count = None
        if key == "findings" and frame.open:
            count = tag("span", f"{frame.open:,}", tag("span", " open", class_="hidden"), class_="count", id="open-count")
        links.append(tag("li", tag("a", name, " " if count else None, count, href=address,
                                   aria_current="page" if key == section else None)))  # fmt: skip
    who = None
    if not frame.viewer.guest:
        leave = tag("button", "Log out", type="submit", class_="link")
        token = tag("input", type="hidden", name="csrf", value=frame.viewer.csrf)
        form = tag("form", token, leave, method="post", action="/logout")
        who = tag("div", tag("span", named(frame.viewer.name, 24), class_="soft"), form, class_="who")
    return tag(
        "header",
        tag(
            "div",
            tag("a", tag("span", "", class_="logo", aria_hidden="true"), "Sagacity", href="/", class_="brand"),
            tag("nav", tag("ul", links, id="sections", data_live=True), aria_label="Pages"),
            _pulse(frame.status),
            tag("button", "Automatic colours", id="theme", type="button", class_="theme", hidden=True),
            who,
            class_="wrap row",
        ),
        class_="bar",
    )


def _pulse(status: Status) -> Markup:
    """How the server does, in a few words that stand on every page."""
    states = {"running": "good", "starting": "open", "stalled": "bad", "stopped": "bad"}
    if status.as_of is None:
        said: Child = "nothing judged yet"
    else:
        delay = max(status.now - status.as_of, 0)
        said = ("as of ", tag("time", until(status.as_of)[11:]), tag("span", f", {_delay(delay)} ago", class_="wide-only"))
    word = "live" if status.state == "running" else status.state
    return tag(
        "p",
        tag("span", word, class_=f"dot {states[status.state]}", id="pulse-word"),
        tag("span", said, class_="soft"),
        class_="pulse",
        id="pulse",
        data_live=True,
    )


def _delay(us: int) -> str:
    return span(us - us % _SECOND, 2) if us >= 10 * _SECOND else f"{us / _SECOND:.1f}s"


def _keys() -> Markup:
    return tag("button", "Keys: press ?", type="button", class_="link", id="show-keys", hidden=True)


def back_field(frame: Frame) -> Markup:
    """The hidden fields of every form that changes something."""
    fields = (("csrf", frame.viewer.csrf), ("back", local(frame.address)))
    return Markup("".join(tag("input", type="hidden", name=name, value=value) for name, value in fields))


def favicon(open_: int) -> str:
    """The picture in the browser's tab: a tick, or the number of open findings."""
    shown = "99+" if open_ > 99 else str(open_)
    size = {1: 44, 2: 36, 3: 26}[len(shown)]
    ground = tag("rect", width=64, height=64, rx=14, fill="#bd3124" if open_ else "#1a7a55")
    tick = tag("path", d="M17 33l10 11 20-23", fill="none", stroke="#fff", stroke_width=8, stroke_linecap="round",
               stroke_linejoin="round")  # fmt: skip
    number = tag("text", shown, x=32, y=32 + size * 0.36, text_anchor="middle", font_size=size, font_weight=700,
                 font_family="system-ui,Arial,sans-serif", fill="#fff")  # fmt: skip
    return str(tag("svg", ground, number if open_ else tick, xmlns="http://www.w3.org/2000/svg", viewbox="0 0 64 64"))
