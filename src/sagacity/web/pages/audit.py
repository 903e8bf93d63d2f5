"""The audit log: who did what, and when."""

from __future__ import annotations

from collections.abc import Sequence

from sagacity.ledger.live import Page
from sagacity.report.markup import Child, tag
from sagacity.web.pages.frame import Frame, document
from sagacity.web.pages.links import url
from sagacity.web.pages.words import card, empty, grid, moment, named

__all__ = ["audit_page"]


def audit_page(frame: Frame, entries: Page[tuple[int, str, str]], cursor: str | None) -> str:
    now = frame.status.now
    rows: list[tuple[str | None, Sequence[Child]]] = [
        (None, [moment(at, now), named(by, 60), tag("bdi", what)]) for at, by, what in entries.items
    ]
    back = tag("a", "Back to the newest", href="/audit") if cursor else tag("span", "")
    on = tag("a", "Older entries", href=url("/audit", cursor=entries.cursor)) if entries.cursor else tag("span", "")
    pager = tag("div", back, on, class_="pager") if cursor or entries.cursor else None
    heads = [("When", None), ("Who", None), ("What", None)]
    listed = grid("Audit log", heads, rows) if rows else empty("Nobody has done anything yet.")
    body = (
        tag("div", tag("h1", "Audit log"),
            tag("p", "What people and programs have done through this server, the latest first.", class_="about"),
            class_="head"),
        tag("div", card(listed, pager, flush=True), id="log", class_="audit", data_live=None if cursor else True),
    )  # fmt: skip
    return document(frame, "audit", "Audit log", *body)
