"""What has changed in how a workflow's cases go, and since when."""

from __future__ import annotations

from sagacity.discover.drift import Drift
from sagacity.report.html.drift import drift_sections
from sagacity.report.markup import Child, tag
from sagacity.report.text import plural, shortened
from sagacity.web.drifting import PERIODS
from sagacity.web.pages.frame import Frame, document
from sagacity.web.pages.links import url, workflow_url
from sagacity.web.pages.words import card, empty, named, section

__all__ = ["drift_page"]

_RULES = "In what share of the cases there is no finding of each; those that it does not concern are among them."


def drift_page(frame: Frame, drift: Drift, by: str) -> str:
    """Each series over the periods, and the changes; the width of a period can be chosen."""
    cases = sum(period.cases for period in drift.periods)
    choices = [
        tag("li", tag("a", f"by {each}", href=url("/drift", name=drift.workflow, by=each),
                      aria_current="page" if each == by else None))
        for each in PERIODS
    ]  # fmt: skip
    said = f"{plural(cases, 'case')} that nothing is waited for any more, by the {by} in which they began. "
    about = (
        said
        + "The latest periods are left out until nine in ten of their cases are decided. Looked at anew every half a minute."
    )
    body: list[Child] = [
        tag(
            "div",
            tag("p", tag("a", "Workflows", href="/workflows"), " / ",
                tag("a", named(drift.workflow, 80), href=workflow_url(drift.workflow)), " / drift", class_="kicker"),
            tag("h1", "What has changed"),
            tag("p", about, class_="about"),
            [tag("p", tag("bdi", shortened(note, 400)), class_="about") for note in drift.notes],
            tag("ul", choices, class_="widths"),
            class_="head",
        )
    ]  # fmt: skip
    if not cases:
        body.append(card(empty("No case is decided yet."), flush=True))
        return document(frame, "workflows", f"{drift.workflow}: what has changed", *body)
    for key, title, lead, found in drift_sections(drift, _RULES):
        body.append(section(key, title, found, lead=lead, live=False))
    return document(frame, "workflows", f"{drift.workflow}: what has changed", *body, scripts=("hints.js",))
