"""What went wrong, in the words of who looks at pages. What programs are told is in `sagacity.web.problem`."""

from __future__ import annotations

from collections.abc import Mapping

from sagacity.report.markup import tag
from sagacity.web.pages.frame import bare
from sagacity.web.pages.words import card, named
from sagacity.web.problem import Problem

__all__ = ["error_text"]

_TITLES: Mapping[int, str] = {
    400: "That does not work",
    403: "You may not do that",
    404: "There is no such page",
    405: "That is no page to look at",
    409: "That cannot be done now",
    413: "That is too large",
    422: "That has mistakes",
    429: "Too much at once",
    503: "Not at hand for now",
}
_OTHERWISE = "Something went wrong here"
_SAID: Mapping[int, tuple[str, str]] = {
    400: ("The address, or what was filled in, lacks something or holds something that is not understood.",
          "Go back, and try it from the page itself."),
    404: ("Nothing is found at this address.", "It may be misspelt, or what it showed is no longer there."),
    405: ("This address takes what a form sends.", "Go back, and press its button."),
}  # fmt: skip
"""What is said where the reason is not one that was written for people."""


def error_text(problem: Problem, *, told: bool) -> str:
    """A page that says what went wrong. `told`: whether the problem's own words are for people; else the status says it."""
    detail, hint = (problem.detail, problem.hint) if told else _SAID.get(problem.status, (problem.detail, problem.hint))
    if hint and hint.startswith(("GET ", "POST ")):  # how a program asks
        hint = None
    title = _TITLES.get(problem.status, _OTHERWISE)
    body = card(
        tag("h1", title),
        tag("p", named(_sentence(detail), 800), class_="wrong", role="alert"),
        tag("p", named(_sentence(hint), 400)) if hint else None,
        tag("p", tag("a", "Overview", href="/")),
    )
    return bare(title, body)


def _sentence(text: str) -> str:
    whole = f"{text[:1].upper()}{text[1:]}"
    return whole if whole.endswith((".", "?", "!")) else f"{whole}."
