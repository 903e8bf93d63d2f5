"""How a saga goes on: what may be ordered of it, as buttons; the question before what cannot be taken back; and what
became of an order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sagacity.report.markup import Child, Markup, tag
from sagacity.web.pages.frame import Frame, back_field, document
from sagacity.web.pages.links import saga_url
from sagacity.web.pages.words import card, empty, named, section

if TYPE_CHECKING:
    from sagacity.saga.decide.allowed import Allowed
    from sagacity.saga.postgres.listing import Shown
    from sagacity.saga.postgres.orders import Placed

__all__ = ["GRAVE", "order_said", "ordering", "sure_page"]

GRAVE = frozenset(("skip", "compensate", "abandon"))
"""Orders that cannot be taken back: it is asked again before they are given."""

_WORDS = {
    "retry": ("Retry", "gives its command again"),
    "skip": ("Skip", "goes on as if it had succeeded; only if you know that it was done, or need not be"),
    "compensate": ("Compensate", "turns the saga back: what was done is undone"),
    "abandon": ("Abandon", "ends the saga as it stands; what is left is yours to put right"),
    "resume": ("Resume", "retries all that is parked, and lifts a quarantine"),
}


def ordering(frame: Frame, shown: Shown) -> Markup | None:
    """What may be ordered, each a button; what is written as the reason stays while the page renews itself."""
    if shown.line.ended is not None:
        over = tag("li", empty("It has ended: nothing can be ordered of it any more."), data_key="over")
        return tag("div", tag("ul", over, class_="choices", id="choices", data_live=True), hidden=True)
    if not frame.viewer.operator:
        said = empty("An operator may order how it goes on; you may look.")
        return section("ordering", "How it goes on", card(said, flush=True), live=False)
    first = next((each for wanted in ("retry", "resume") for each in shown.allowed if each.order == wanted), None)
    choices = [_choice(each, first=each.order == (first.order if first else None)) for each in shown.allowed]
    nothing = empty("Nothing can be ordered of it now.")
    form = tag(
        "form",
        back_field(frame),
        tag("input", type="hidden", name="saga", value=shown.line.id),
        tag("label", "Reason", tag("textarea", "", name="reason", rows=2, required=True, maxlength=1000,
            aria_describedby="reason-help")),
        tag("p", "It is kept with the order, and with your name.", class_="soft", id="reason-help"),
        tag("ul", choices or tag("li", nothing, data_key="nothing"), class_="choices", id="choices", data_live=True),
        method="post", action="/saga/order", class_="card fields", id="order",
    )  # fmt: skip
    lead = "It needs you." if shown.line.status == "parked" else "It goes on by itself; you may step in."
    return section("ordering", "How it goes on", form, lead=lead, live=False)


def _choice(each: Allowed, *, first: bool) -> Markup:
    key = f"{each.order}-{each.step or ''}"
    kind = "grave" if each.order in GRAVE else "primary" if first else None
    more = "…" if each.order in GRAVE else ""
    return tag(
        "li",
        tag("button", f"{_called(each)}{more}", type="submit", name="what", value=_what(each), class_=kind,
            aria_describedby=f"does-{key}"),
        tag("p", _does(each), class_="soft", id=f"does-{key}"),
        data_key=key,
    )  # fmt: skip


def sure_page(frame: Frame, id: str, each: Allowed, reason: str) -> str:
    """Asks again before an order is given that cannot be taken back; with the reason as it was given, to be changed."""
    form = tag(
        "form",
        back_field(frame),
        tag("input", type="hidden", name="saga", value=id),
        tag("input", type="hidden", name="sure", value="yes"),
        tag("p", _does(each), " ", tag("strong", "This cannot be taken back.")),
        tag("label", "Reason", tag("textarea", reason, name="reason", rows=2, required=True, maxlength=1000)),
        tag("div", tag("button", _called(each), type="submit", name="what", value=_what(each), class_="grave"),
            tag("a", "Back to the saga", href=saga_url(id)), class_="buttons"),
        method="post", action="/saga/order", class_="card fields", id="order",
    )  # fmt: skip
    title = tag("h1", f"{_called(each)}: are you sure?")
    kicker = tag("p", "Saga ", tag("bdi", id), class_="kicker")
    return document(frame, "sagas", "Are you sure?", tag("div", kicker, title, class_="head"), form)


def _called(each: Allowed) -> str:
    word, _ = _WORDS[each.order]
    return f"{word} {each.step}" if each.step else word


def _what(each: Allowed) -> str:
    return f"{each.order} {each.step or ''}".strip()


def _does(each: Allowed) -> list[Child]:
    """What follows from an order."""
    _, does = _WORDS[each.order]
    sends: Child = None
    if each.sends:
        sends = (" It sends ", tag("code", named(", ".join(each.sends[:3]), 240)), ".")
    return [f"{does[0].upper()}{does[1:]}.", sends, " Then it is ", tag("strong", each.status), "."]


def order_said(placed: Placed) -> tuple[str | None, str | None]:
    """What is to be said of an order that was just given: what is well, and what is not."""
    what = f"Order {placed.id}, {placed.order}{f' {placed.step}' if placed.step else ''}, "
    if placed.outcome is None:
        return f"{what}is kept. An orchestrator carries it out as soon as one runs.", None
    return (f"{what}is carried out.", None) if placed.outcome == "done" else (None, f"{what}was refused: {placed.outcome}")
