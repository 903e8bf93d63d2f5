"""Logging in with an access token."""

from __future__ import annotations

from sagacity.report.markup import tag
from sagacity.web.pages.frame import bare
from sagacity.web.pages.links import local
from sagacity.web.pages.words import named

__all__ = ["login_page"]


def login_page(back: str, wrong: str | None = None, csrf: str = "") -> str:
    """`back` is where to go afterwards; `wrong` says why it did not work."""
    form = tag(
        "form",
        tag("h1", tag("span", "", class_="logo", aria_hidden="true"), "Sagacity"),
        tag("p", named(wrong, 300), class_="wrong", role="alert", id="login-wrong") if wrong else None,
        tag("input", type="hidden", name="back", value=local(back)),
        tag("input", type="hidden", name="csrf", value=csrf) if csrf else None,
        tag("label", "Access token", tag("input", type="password", name="token", required=True, autofocus=True,
            autocomplete="current-password", aria_describedby="login-wrong" if wrong else "login-help")),
        tag("p", "A viewer's token lets you look, an operator's also act. Whoever runs this server gives them out.",
            class_="soft", id="login-help"),
        tag("button", "Log in", type="submit", class_="primary"),
        method="post", action="/login", class_="card fields",
    )  # fmt: skip
    return bare("Log in", form)
