"""What can be done by keyboard; `inbox.js` does it."""

from __future__ import annotations

from sagacity.report.markup import Markup, tag

__all__ = ["help_dialog"]

_HELP = (
    ("j, k", "next, previous finding"),
    ("Enter", "open the finding"),
    ("x", "choose it, together with others"),
    ("a", "acknowledge"),
    ("w", "waive, with a reason"),
    ("r", "reopen"),
    ("n", "show what has arrived"),
    ("/", "search"),
    ("?", "this list"),
)


def help_dialog() -> Markup:
    """The keys, in a box."""
    rows = [tag("div", tag("dt", tag("kbd", keys)), tag("dd", words)) for keys, words in _HELP]
    return tag(
        "dialog",
        tag("h2", "Keys", id="help-title"),
        tag("dl", rows, class_="keys"),
        tag("div", tag("button", "Close", type="button", data_close=True), class_="buttons"),
        id="help",
        aria_labelledby="help-title",
    )
