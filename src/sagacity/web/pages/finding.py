"""One finding: what is wrong, where, since when, and what has happened to it."""

from __future__ import annotations

from collections.abc import Sequence

from sagacity.ledger.live import HistoryEntry, Incident, LiveFinding
from sagacity.report.markup import Child, Markup, tag
from sagacity.report.text import plural
from sagacity.web.pages.actions import buttons, waive_dialog
from sagacity.web.pages.frame import Frame, back_field, document
from sagacity.web.pages.keys import help_dialog
from sagacity.web.pages.links import case_url, inbox_url, workflow_url
from sagacity.web.pages.traces import trace_facts
from sagacity.web.pages.words import card, facts, kind, moment, named, section, severity, state, until
from sagacity.workflow.instants import span

__all__ = ["finding_page", "history_list"]


def finding_page(
    frame: Frame,
    finding: LiveFinding,
    history: Sequence[HistoryEntry],
    definition: str | None,
    incident: Incident | None,
    records: Sequence[str | None] = (),
) -> str:
    """`definition` is what the expectation asks for, in words. `records` are those that may carry a trace, as JSON texts."""
    now = frame.status.now
    about: list[tuple[str, Child]] = [
        ("Case", tag("a", named(finding.case), href=case_url(finding.workflow, finding.case))),
        ("Workflow", tag("a", named(finding.workflow), href=workflow_url(finding.workflow))),
        ("Expectation", (named(finding.expectation, 300),
                         tag("div", tag("bdi", definition), class_="definition") if definition else None)),
        ("Owner", named(finding.owner or "nobody")),
        ("Stands since", moment(finding.since, now)),
        ("Asked for by", _activation(finding, now)),
        ("Found", moment(finding.opened, now)),
        ("Resolved", moment(finding.resolved, now) if finding.resolved is not None else None),
        ("Late by", span(finding.late, 2) if finding.late is not None else None),
        ("Waived until", _waived(finding, now)),
        ("Incident", _incident(incident) if incident is not None and incident.findings > 1 else None),
        *trace_facts(records, shown_at=frame.traces),
        ("Id", tag("code", finding.id)),
    ]  # fmt: skip
    body = (
        tag(
            "div",
            tag("p", tag("a", "Findings", href="/findings"), " / one finding", class_="kicker"),
            tag("h1", tag("bdi", finding.message), class_="sentence"),
            tag("p", state(finding.state), severity(finding.severity), kind(finding), class_="tags"),
            class_="head",
            id="head",
            data_live=True,
        ),
        _actions(frame, finding),
        section("about", "What is known", card(facts(about))),
        section("history", "History", card(history_list(history, now))),
        waive_dialog(frame),
        help_dialog(),
    )
    return document(frame, "findings", "Finding", *body, scripts=("inbox.js",))


def _actions(frame: Frame, finding: LiveFinding) -> Markup:
    fields: Child = None
    if frame.viewer.operator and finding.state != "resolved":
        fields = (
            back_field(frame),
            tag("input", type="hidden", name="id", value=finding.id),
            tag("div", buttons(finding.state), class_="buttons", role="group", aria_label="For this finding"),
        )
    return tag("form", tag("div", fields, id="one-actions", data_live=True), method="post", action="/findings/act", id="one")


def _activation(finding: LiveFinding, now: int) -> Child:
    if finding.type is None:
        return None
    name = (" ", tag("code", named(finding.activation, 80))) if finding.activation else None
    at = (" of ", moment(finding.time, now)) if finding.time is not None else None
    return named(finding.type), name, at


def _waived(finding: LiveFinding, now: int) -> Child:
    if finding.state != "waived":
        return None
    return "for good" if finding.until is None else moment(finding.until, now)


def _incident(incident: Incident) -> Markup:
    said = f"one of {plural(incident.findings, 'finding')}, {incident.open:,} open"
    return tag("a", said, href=inbox_url(incident=incident.id, state="all"))


def history_list(history: Sequence[HistoryEntry], now: int) -> Markup:
    """What happened to a finding, the latest last."""
    if not history:
        return tag("p", "Nothing is noted.", class_="soft")
    items = []
    for entry in history:
        ends = f"until {until(entry.until)}" if entry.until is not None else "for good" if entry.what == "waived" else None
        by = "by a verdict" if entry.by == "sagacity" else ("by ", named(entry.by, 60))
        items.append(
            tag(
                "li",
                tag("span", entry.what, class_=f"tag state {_TONES.get(entry.what, 'idle')}"),
                tag("div", tag("div", moment(entry.at, now), " ", by, f", {ends}" if ends else None),
                    tag("blockquote", tag("bdi", entry.reason)) if entry.reason else None),
            )
        )  # fmt: skip
    return tag("ol", items, class_="history")


_TONES = {"opened": "bad", "reopened": "bad", "changed": "open", "acknowledged": "open", "resolved": "good"}
