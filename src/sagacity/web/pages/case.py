"""The page of one case: its timeline, each expectation with its verdict and the reason, findings, raw events."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from sagacity.ledger.live import HistoryEntry
from sagacity.report.case import CaseView, case_view, values
from sagacity.report.html.lanes import EVENTS_SHOWN, lanes, timeline_table
from sagacity.report.markup import Child, Markup, tag
from sagacity.report.text import plural
from sagacity.web.pages.actions import buttons, waive_dialog
from sagacity.web.pages.finding import history_list
from sagacity.web.pages.findings import table
from sagacity.web.pages.frame import Frame, back_field, document
from sagacity.web.pages.keys import help_dialog
from sagacity.web.pages.links import case_url, cases_url, workflow_url
from sagacity.web.pages.traces import carried, trace_facts
from sagacity.web.pages.words import STATUS_STATES, card, empty, facts, lined, moment, named, section, status
from sagacity.web.timeline import Standing, Timeline
from sagacity.workflow.instants import span
from sagacity.workflow.trace import FOREVER
from sagacity.workflow.verdict import Status
from sagacity.workflow.words.definition import definition

__all__ = ["Shown", "case_page", "no_case_page"]

By = Literal["type", "source"]
_RECORDS = 200


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A case with all that is known of it, and what has happened to each of its findings. `saga` is the address of the saga
    that the case is of, if it is of one that the server shows."""

    timeline: Timeline
    histories: Mapping[str, Sequence[HistoryEntry]] = {}
    saga: str | None = None

    def view(self) -> CaseView | None:
        """What the timeline draws; None before the first verdict."""
        known = self.timeline
        if known.explanation is None or known.row.as_of is None:
            return None
        later = [placed.stored.event for placed in known.events if not placed.judged]
        return case_view(known.workflow, known.explanation, known.row.as_of, later)


def case_page(frame: Frame, shown: Shown, by: By) -> str:
    row, now = shown.timeline.row, frame.status.now
    body = (
        tag("div", _head(frame, shown), class_="head", id="head", data_live=True),
        section("timeline", "Timeline", _timeline(shown, by)),
        _findings(frame, shown),
        section("expectations", "Expectations", _expectations(shown.timeline)),
        section("events", "Events as they came", _events(shown.timeline, now), live=False,
                lead="Every record of the case, copies included, in the order of their times."),
        waive_dialog(frame),
        help_dialog(),
    )  # fmt: skip
    return document(frame, "cases", f"Case {row.case}", *body, scripts=("inbox.js",))


def no_case_page(frame: Frame, workflow: str, case: str) -> str:
    """Where there is no such case."""
    said = (
        "The workflow ", named(workflow, 80), " has no case ", named(case, 80), ". ",
        tag("a", "Search all workflows for it", href=cases_url(text=case)), ".",
    )  # fmt: skip
    return document(frame, "cases", "No such case", tag("div", tag("h1", "No such case"), class_="head"), card(empty(said)))


def _head(frame: Frame, shown: Shown) -> list[Markup]:
    row, now = shown.timeline.row, frame.status.now
    ends = shown.timeline.explanation.verdict.end if shown.timeline.explanation else FOREVER
    ended: Child = None
    if ends != FOREVER:
        ended = ("it ended ", moment(ends, now)) if row.ended else ("at the latest ", moment(ends, now))
    due: Child = None
    if row.due is not None and not row.ended:
        due = moment(row.due, now, never="")
    behind = None
    if row.behind:
        names = ", ".join(row.behind)
        behind = tag("p", tag("strong", "Source behind. "), "What only ", named(names, 120),
                     " could still bring is pending, though it was due.", class_="banner open")  # fmt: skip
    entries: list[tuple[str, Child]] = [
        ("Events", f"{plural(row.events, 'event')} over {span(row.last - row.first, 2)}"),
        ("First", moment(row.first, now)),
        ("Last", moment(row.last, now)),
        ("End", ended),
        ("Judged as of", moment(row.as_of, now, never="not judged yet")),
        ("Judged next", due),
        ("Saga", tag("a", named(row.case, 80), href=shown.saga) if shown.saga else None),
        *trace_facts(carried([placed.stored for placed in shown.timeline.events]), shown_at=frame.traces),
    ]
    return [
        tag("p", tag("a", "Cases", href="/cases"), " / ", tag("a", named(row.workflow, 80), href=workflow_url(row.workflow)),
            class_="kicker"),
        tag("h1", "Case ", tag("bdi", row.case)),
        tag("p", status(row.status.value), tag("span", "archived", class_="tag") if row.archived else None, class_="tags"),
        *([behind] if behind else []),
        card(facts(entries), class_="card columns"),
    ]  # fmt: skip


def _timeline(shown: Shown, by: By) -> Markup:
    row, view = shown.timeline.row, shown.view()
    if view is None:
        return card(empty("The case has not been judged yet: as-of has not come to its first event."), flush=True)
    links = [
        tag("a", words, href=case_url(row.workflow, row.case, lanes=key if key == "source" else None),
            aria_current="true" if key == by else None)
        for key, words in (("type", "by event type"), ("source", "by source"))
    ]  # fmt: skip
    shapes = [
        ("event", "event", "event"),
        ("later", "later", "not judged yet"),
        ("ghost", "ghost", "missed, where it was due"),
        ("awaited", "awaited", "awaited, by when it is due"),
    ]
    present = _shapes(view)
    legend = [
        tag("li", tag("svg", tag("circle", class_=class_, cx=8, cy=8, r=5.5), width=16, height=16, aria_hidden="true",
                      class_="lanes k-missing"), words)
        for key, class_, words in shapes
        if key in present
    ]  # fmt: skip
    cut = (
        f"The first {EVENTS_SHOWN} of {plural(len(view.happened), 'event')}." if len(view.happened) > EVENTS_SHOWN else None
    )
    drawn = lanes(shown.timeline.workflow, view, row.case, by=by, as_of=row.as_of)
    return card(
        tag("div", tag("p", "Lanes ", links[0], " ", links[1], class_="switch"), tag("ul", legend, class_="legend"),
            class_="casehead"),
        tag("div", drawn, class_="scroll", id="lanes-scroll"),
        tag("p", cut, class_="soft") if cut else None,
        tag("details", tag("summary", "As a table"), tag("div", timeline_table(view), class_="scroll"), id="as-table"),
    )  # fmt: skip


def _shapes(view: CaseView) -> set[str]:
    shapes = {"event"} if any(entry.judged for entry in view.happened) else set()
    shapes |= {"later"} if any(not entry.judged for entry in view.happened) else set()
    shapes |= {"ghost"} if view.ghosts else set()
    return shapes | ({"awaited"} if view.awaited else set())


def _expectations(known: Timeline) -> Markup:
    if not known.standings:
        return card(empty("Nothing has been judged yet."), flush=True)
    applying = [each for each in known.standings if each.expected.status != Status.VACUOUS]
    idle = [each for each in known.standings if each.expected.status == Status.VACUOUS]
    folded = None
    if idle:
        said = f"{plural(len(idle), 'expectation')} {'does' if len(idle) == 1 else 'do'} not apply"
        folded = tag("details", tag("summary", said), _listed(known, idle), class_="folded", id="not-applying")
    return card(_listed(known, applying) if applying else None, folded, flush=True)


def _listed(known: Timeline, standings: Sequence[Standing]) -> Markup:
    return tag("ul", [_expected(known, standing) for standing in standings], class_="verdicts")


def _expected(known: Timeline, standing: Standing) -> Markup:
    entry = standing.expected
    said = list(entry.messages[:6]) or [entry.reason.removeprefix(f"{_WORDS[entry.status]}: ")]
    more = len(entry.messages) - len(said)
    asks = definition(known.workflow, standing.expectation) if entry.status in _ASKED else None
    return tag(
        "li",
        tag("span", tag("span", _WORDS[entry.status], class_=f"tag state {STATUS_STATES[entry.status]}")),
        tag(
            "div",
            tag("h3", named(entry.name, 300)),
            [tag("p", tag("bdi", text)) for text in said],
            tag("p", f"and {more:,} more", class_="soft") if entry.messages and more > 0 else None,
            tag("p", "Asked: ", tag("bdi", asks), class_="soft") if asks and asks not in said else None,
        ),
        class_="quiet" if entry.status in (Status.SATISFIED, Status.VACUOUS) else None,
        data_key=entry.name,
    )


_WORDS = {
    Status.VIOLATED: "violated",
    Status.PENDING: "pending",
    Status.SATISFIED: "satisfied",
    Status.VACUOUS: "does not apply",
}
_ASKED = frozenset((Status.VIOLATED, Status.PENDING))


def _findings(frame: Frame, shown: Shown) -> Markup:
    if not shown.timeline.findings:
        return section("found", "Findings", card(empty("The case has no finding."), flush=True))
    bar: Child = None
    if frame.viewer.operator:
        bar = tag("div", back_field(frame), tag("span", "", id="chosen", class_="soft", role="status"),
                  tag("div", buttons(), class_="buttons", role="group", aria_label="For the chosen findings"),
                  class_="actions")  # fmt: skip
    listed = tag(
        "div", table(frame, shown.timeline.findings, "Findings of this case", case=False), id="inbox-table", data_live=True
    )
    form = tag("form", bar, listed, method="post", action="/findings/act", id="inbox", class_="card flush")
    told = [
        tag("details", tag("summary", "History: ", named(finding.message, 120)),
            history_list(shown.histories[finding.id], frame.status.now), id=f"history-{finding.id}")
        for finding in shown.timeline.findings
        if len(shown.histories.get(finding.id, ())) > 1
    ]  # fmt: skip
    return section("found", "Findings", form, tag("div", told, id="histories", class_="told", data_live=True), live=False)


def _events(known: Timeline, now: int) -> Markup:
    items = []
    for place, placed in enumerate(known.events[:_RECORDS]):
        stored, event = placed.stored, placed.stored.event
        notes = []
        if placed.copy:
            notes.append(tag("span", "further copy", class_="tag"))
        if not placed.judged:
            notes.append(tag("span", "not judged yet", class_="tag state open"))
        if event.type not in known.workflow.events:
            notes.append(tag("span", "not named by the workflow", class_="tag"))
        summary = tag("summary", tag("span", tag("strong", named(event.type, 80)), notes, class_="what"),
                      tag("span", named(event.id or "", 60), class_="soft mono"), moment(event.time, now))  # fmt: skip
        captured = [(name, tag("bdi", value)) for name, value in values(event)]
        about: list[tuple[str, Child]] = [
            ("Source", (named(stored.source, 60), ", ", tag("code", named(stored.part, 80)), f" at {stored.position:,}")),
            ("Arrived", (moment(stored.arrived, now), f", {span(max(stored.arrived - event.time, 0), 2)} after its time")),
            *captured,
        ]
        body = (
            facts(about),
            tag("pre", tag("code", lined(_pretty(stored.record))), tabindex="0", aria_label="The record as JSON"),
        )
        items.append(tag("li", tag("details", summary, body, id=f"event-{place}")))
    more = len(known.events) - len(items)
    rest = tag("p", f"and {more:,} more", class_="soft note") if more > 0 else None
    return card(tag("ol", items, class_="records"), rest, flush=True)


def _pretty(record: str | None) -> str:
    """The record with an indent, as it is where it is no JSON. Line ends survive as such."""
    if record is None:
        return "(not kept)"
    try:
        return json.dumps(json.loads(record), ensure_ascii=False, indent=2)
    except ValueError:
        return record
