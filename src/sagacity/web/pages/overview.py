"""The overview: how the workflows stand, what is open and whose it is, and whether the server hears its sources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from sagacity.ledger.live import Counts, Incident, LiveFinding, StoredWorkflow
from sagacity.reconcile.live import Status
from sagacity.report.html.charts import share_bar
from sagacity.report.markup import Child, Markup, tag
from sagacity.report.summary import BY_SEVERITY
from sagacity.report.text import percent, plural, shortened
from sagacity.web.pages.findings import incidents_list
from sagacity.web.pages.first import first_event
from sagacity.web.pages.frame import Frame, document
from sagacity.web.pages.links import case_url, cases_url, finding_url, inbox_url, workflow_url
from sagacity.web.pages.sources import health_list
from sagacity.web.pages.words import ago, card, empty, kind, named, section, severity
from sagacity.workflow.instants import span
from sagacity.workflow.model import Workflow

__all__ = ["Glance", "cases_bar", "overview_page"]

_SECOND = 1_000_000
_INCIDENTS = 5
_MEANINGS = (
    ("complete", "good", "ended, with nothing wrong"),
    ("open", "open", "still waiting for something"),
    ("violated", "bad", "at least one expectation failed"),
)


class Glance(msgspec.Struct, frozen=True):
    """A workflow with its counts; `severities` holds open findings by the severity of their expectation."""

    stored: StoredWorkflow
    workflow: Workflow
    counts: Counts
    severities: Mapping[str, int] = {}


def overview_page(
    frame: Frame,
    glances: Sequence[Glance],
    newest: Sequence[LiveFinding],
    incidents: Sequence[Incident],
    origin: str,
    rejected: Mapping[str, int] | None = None,
) -> str:
    """`origin` is where this server is reached, for the line that sends a first event; `rejected` counts the records that
    could not be read, by source."""
    status = frame.status
    empty_ = not status.records and not any(sum(glance.counts.events.values()) for glance in glances)
    body = (
        tag("div", tag("h1", "Overview"), class_="head"),
        tag("div", first_event([glance.workflow for glance in glances], origin, status.now, sagas=frame.sagas)
            if empty_
            else _tiles(frame, glances), id="tiles", data_live=True),
        section(
            "workflows",
            "Workflows",
            tag("div", [_workflow(glance) for glance in glances], class_="grid2")
            if glances
            else card(empty("No workflow is judged yet."), flush=True),
            lead="The cases of each by verdict.",
        ),
        tag(
            "div",
            section("newest", "Newest findings", card(_newest(newest, status.now), flush=True)),
            tag(
                "div",
                section("owners", "Open by owner", card(_owners(glances), flush=True)),
                section("severities", "Open by severity", card(_severities(glances), flush=True)),
            ),
            class_="split",
        ),
        section("incidents", "Incidents", card(
            incidents_list(incidents, status.now, _INCIDENTS) if incidents else empty("No storm of findings is going on."),
            flush=True),
            lead="Findings of one expectation that came close together, and so most likely have one cause."),
        section("sources", "Sources", card(health_list(status, rejected), flush=True)),
    )  # fmt: skip
    return document(frame, "overview", "Overview", *body, scripts=("editor.js",))


def _tiles(frame: Frame, glances: Sequence[Glance]) -> Markup:
    status = frame.status
    cases: Counter[str] = Counter()
    for glance in glances:
        cases.update(glance.counts.cases)
    total = sum(cases.values())
    delay, behind = _delay(status)
    tiles: list[tuple[str, Child, Child]] = [
        ("bad" if frame.open else "good", frame.open,
         tag("a", "findings open" if frame.open != 1 else "finding open", href="/findings")),
        ("bad" if cases["violated"] else "good", cases["violated"],
         (tag("a", "cases violated", href=cases_url(status="violated")), f", {percent(cases['violated'], total)}")),
        ("open", cases["open"], (tag("a", "cases open", href=cases_url(status="open")), " and waiting")),
        ("plain", _rate(status.rate),
         f"records a second; {status.records:,} since the start, {ago(status.started, status.now)}"),
        ("open" if behind else "plain", delay, "from an event to its verdict: as-of against the clock"),
    ]  # fmt: skip
    return tag(
        "div",
        [tag("div", tag("b", number), tag("span", words), class_=f"tile {tone}") for tone, number, words in tiles],
        class_="tiles card",
    )


def _rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 or rate == 0 else f"{rate:.1f}"


def _delay(status: Status) -> tuple[str, bool]:
    if status.as_of is None:
        return "–", False
    us = max(status.now - status.as_of, 0)
    return (span(us - us % _SECOND, 2) if us >= 10 * _SECOND else f"{us / _SECOND:.1f}s"), us > 60 * _SECOND


def _workflow(glance: Glance) -> Markup:
    counts, stored = glance.counts, glance.stored
    found = counts.findings.get("open", 0)
    told = counts.findings.get("acknowledged", 0)
    links = [tag("a", f"{plural(found, 'finding')} open", href=inbox_url(workflow=stored.name))]
    if told:
        links.append(tag("a", f"{told:,} acknowledged", href=inbox_url(workflow=stored.name, state="acknowledged")))
    judged = None
    if stored.progress < 1:
        judged = tag("p", f"Revision {stored.revision} is being judged: {stored.progress:.0%} done.", class_="soft")
    return tag(
        "article",
        tag("h3", tag("a", named(stored.name, 80), href=workflow_url(stored.name)),
            tag("span", f" revision {stored.revision}", class_="soft light")),
        cases_bar(counts, stored.name),
        tag("p", [link if place == 0 else (", ", link) for place, link in enumerate(links)],
            f"; {plural(sum(counts.events.values()), 'event')}."),
        judged,
        class_="card",
    )  # fmt: skip


def cases_bar(counts: Counts, workflow: str) -> Markup:
    """The cases by verdict as a bar, with the numbers beneath."""
    cases = [(name, counts.cases.get(name, 0), tone) for name, tone, _ in _MEANINGS]
    total = sum(count for _, count, _ in cases)
    said = ", ".join(f"{count:,} {name} ({percent(count, total)})" for name, count, _ in cases)
    numbers = [
        tag("li", tag("a", tag("b", count), f" {name}", href=cases_url(workflow=workflow, status=name)),
            tag("span", f" {percent(count, total)}", class_="soft"), class_=tone, title=meaning)
        for (name, count, tone), (_, _, meaning) in zip(cases, _MEANINGS, strict=True)
    ]  # fmt: skip
    return tag("div", share_bar(cases, "bar", f"Cases: {said}"), tag("ul", numbers, class_="numbers"))


def _newest(findings: Sequence[LiveFinding], now: int) -> Markup:
    if not findings:
        return empty("Nothing is open.")
    items = [
        tag(
            "li",
            severity(finding.severity),
            tag("div", tag("a", tag("bdi", shortened(finding.message, 200)), href=finding_url(finding.id)),
                tag("div", kind(finding), tag("span", "case ", tag("a", named(finding.case, 40),
                    href=case_url(finding.workflow, finding.case))), tag("span", named(finding.owner or "nobody", 40)),
                    class_="under")),
            tag("span", ago(finding.opened, now), class_="soft"),
            data_key=finding.id,
        )
        for finding in findings
    ]  # fmt: skip
    more = tag("p", tag("a", "All findings", href="/findings"), class_="more")
    return tag("div", tag("ol", items, class_="newest"), more)


def _owners(glances: Sequence[Glance]) -> Markup:
    owners: Counter[str] = Counter()
    for glance in glances:
        owners.update({owner: count for owner, count in glance.counts.by_owner.items() if count})
    if not owners:
        return empty("Nothing is open.")
    most = max(owners.values())
    rows = [_bar_row(owner or "nobody", inbox_url(owner=owner) if owner else None, count, most, "bad")
            for owner, count in owners.most_common(12)]  # fmt: skip
    more = len(owners) - len(rows)
    return tag("div", tag("ul", rows, class_="bars"), tag("p", f"and {more:,} more", class_="more") if more > 0 else None)


def _severities(glances: Sequence[Glance]) -> Markup:
    totals: Counter[str] = Counter()
    for glance in glances:
        totals.update(glance.severities)
    if not sum(totals.values()):
        return empty("Nothing is open.")
    most = max(totals.values())
    tones = {"critical": "bad", "error": "bad", "warning": "open", "info": "idle"}
    rows = [_bar_row(name, inbox_url(severity=name), totals[name], most, tones[name]) for name in BY_SEVERITY]
    return tag("ul", rows, class_="bars")


def _bar_row(name: str, href: str | None, count: int, most: int, tone: str) -> Markup:
    words = tag("a", named(name, 40), href=href) if href else named(name, 40)
    bar = tag(
        "svg",
        tag("rect", class_="fill", x=0, y=0, width=max(1.0, 100 * count / most) if count else 0.0, height=10),
        viewbox="0 0 100 10", preserveaspectratio="none", class_=f"strip {tone}", aria_hidden="true",
    )  # fmt: skip
    return tag("li", words, bar, tag("b", count), data_key=name)
