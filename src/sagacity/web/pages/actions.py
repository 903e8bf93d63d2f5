"""Acting on findings: the forms, and what they say in words. They work without scripts; `inbox.js` makes them quicker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from sagacity.errors import UsageError
from sagacity.ledger.live import FindingState, LiveFinding
from sagacity.report.markup import Markup, tag
from sagacity.report.text import plural
from sagacity.web.pages.frame import Frame, back_field
from sagacity.web.pages.links import local
from sagacity.web.pages.words import card, named, severity

__all__ = ["SENSIBLE", "buttons", "done_said", "until_of", "waive_dialog", "waive_page"]

Deed: TypeAlias = Literal["acknowledge", "waive", "reopen"]

SENSIBLE: dict[Deed, tuple[FindingState, ...]] = {
    "acknowledge": ("open",),
    "waive": ("open", "acknowledged"),
    "reopen": ("acknowledged", "waived"),
}
"""In which states of a finding each action makes sense."""

_BUTTONS: dict[Deed, Markup] = {
    "acknowledge": tag("button", "Acknowledge", type="submit", name="what", value="acknowledge", data_act="acknowledge",
                       aria_keyshortcuts="a"),
    "waive": tag("button", "Waive…", type="submit", data_act="waive", aria_keyshortcuts="w", formaction="/findings/waive",
                 formmethod="get"),
    "reopen": tag("button", "Reopen", type="submit", name="what", value="reopen", data_act="reopen", aria_keyshortcuts="r"),
}  # fmt: skip
_TERMS = (("", "for good"), ("1h", "for an hour"), ("1d", "for a day"), ("7d", "for 7 days"), ("30d", "for 30 days"))
_LONG = {"1h": 3_600, "1d": 86_400, "7d": 7 * 86_400, "30d": 30 * 86_400}
_DONE = {"acknowledge": "acknowledged", "waive": "waived", "reopen": "reopened"}


def buttons(state: FindingState | None = None) -> Markup:
    """The buttons within a form of findings; those that make no sense in the state are left out."""
    return Markup("".join(button for what, button in _BUTTONS.items() if state is None or state in SENSIBLE[what]))


def waive_dialog(frame: Frame) -> Markup | None:
    """The form for waiving, for the script to open with the findings that were chosen."""
    if not frame.viewer.operator:
        return None
    close = tag("button", "Cancel", type="button", data_close=True)
    form = _waive_form(frame, (), close)
    return tag("dialog", tag("h2", "Waive", id="waive-title"), form, id="waive", aria_labelledby="waive-title")


def waive_page(frame: Frame, findings: Sequence[LiveFinding]) -> Markup:
    """The same form as a page of its own."""
    listed = [
        tag("li", severity(finding.severity), " ", tag("bdi", finding.message), tag("span", " in case ", class_="soft"),
            named(finding.case, 60))
        for finding in findings
    ]  # fmt: skip
    cancel = tag("a", "Cancel", href=local(frame.address, "/findings"))
    form = _waive_form(frame, tuple(finding.id for finding in findings), cancel)
    title = tag("div", tag("h1", f"Waive {plural(len(findings), 'finding')}"), class_="head")
    return tag("div", title, card(tag("ul", listed, class_="chosen-list"), form))


def _waive_form(frame: Frame, ids: Sequence[str], cancel: Markup) -> Markup:
    terms = [tag("option", words, value=value) for value, words in _TERMS]
    return tag(
        "form",
        tag("p", "A waived finding is not counted as open, and nobody is told about it again. It stays in the ledger.",
            class_="soft"),
        back_field(frame),
        tag("div", [tag("input", type="hidden", name="id", value=id_) for id_ in ids], data_ids=True),
        tag("label", "Reason", tag("textarea", "", name="reason", rows=3, required=True, maxlength=1000)),
        tag(
            "div",
            tag("label", "How long", tag("select", terms, name="term")),
            tag("label", "or until (UTC)", tag("input", type="datetime-local", name="until")),
            class_="pair",
        ),
        tag("div", tag("button", "Waive", type="submit", name="what", value="waive", class_="primary"), cancel,
            class_="buttons"),
        method="post",
        action="/findings/act",
        class_="fields",
    )  # fmt: skip


def until_of(term: str, until: str, now: int) -> int | None:
    """The instant until which a waiver holds, None for good. Raises UsageError where it makes no sense."""
    if until.strip():
        try:
            given = datetime.fromisoformat(until.strip())
        except ValueError:
            raise UsageError(f"{until.strip()[:40]!r} is not a date and time", hint="such as 2026-11-30T18:00") from None
        at = int((given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp()) * 1_000_000
        if at <= now:
            raise UsageError("a waiver cannot end in the past", hint="leave the end away to waive for good")
        return at
    if not term:
        return None
    if term not in _LONG:
        raise UsageError(f"{term[:40]!r} is not how long a waiver can hold", hint=f"one of {', '.join(_LONG)}")
    return now + _LONG[term] * 1_000_000


def done_said(what: str, count: int, failed: Sequence[str]) -> tuple[str | None, str | None]:
    """What has been done, and what could not be."""
    said = f"{plural(count, 'finding')} {_DONE[what]}." if count else None
    if not failed:
        return said, None
    more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    return said, f"{failed[0]}{more}"
