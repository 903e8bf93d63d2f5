"""The workflows, and the page of one: its map with live counts, its expectations, its text and how to change it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import msgspec

from sagacity.ledger.live import Counts, StoredWorkflow
from sagacity.report.markup import Child, Markup, tag
from sagacity.report.picture import picture, ways
from sagacity.report.text import plural
from sagacity.web.pages.frame import Frame, back_field, document
from sagacity.web.pages.links import inbox_url, url, workflow_url
from sagacity.web.pages.overview import Glance, cases_bar
from sagacity.web.pages.words import card, empty, grid, moment, named, section, severity
from sagacity.workflow.model import Workflow
from sagacity.workflow.problems import Problem
from sagacity.workflow.words.definition import definition
from sagacity.workflow.words.naming import names, owner_of

__all__ = ["Submitted", "editor_page", "workflow_page", "workflows_page"]

_LINES = 3_000
_AROUND = 3
_UNWRITABLE = dict.fromkeys({*range(32), 127} - {9, 10, 13}, "\ufffd")


class Submitted(msgspec.Struct, frozen=True):
    """A text that was handed in, and what is wrong with it."""

    text: str
    problems: Sequence[Problem]


def workflows_page(frame: Frame, glances: Sequence[Glance]) -> str:
    """All workflows, and the way to add one."""
    now = frame.status.now
    cards = [
        tag(
            "article",
            tag("h2", tag("a", named(glance.stored.name, 80), href=workflow_url(glance.stored.name))),
            tag("p", f"Revision {glance.stored.revision}, adopted ", moment(glance.stored.adopted, now), " by ",
                named(glance.stored.by, 60), class_="soft"),
            cases_bar(glance.counts, glance.stored.name),
            tag("p", tag("a", f"{plural(glance.counts.findings.get('open', 0), 'finding')} open",
                         href=inbox_url(workflow=glance.stored.name)),
                f"; {plural(sum(glance.counts.events.values()), 'event')}."),
            class_="card",
            data_key=glance.stored.name,
        )
        for glance in glances
    ]  # fmt: skip
    body = (
        tag("div", tag("h1", "Workflows"), class_="head"),
        tag(
            "div",
            cards or card(empty("No workflow is judged yet."), flush=True),
            id="workflows",
            class_="grid2",
            data_live=True,
        ),
        _editor_section(frame, "", None, "Add a workflow", "A workflow of the same name is replaced by it."),
    )
    return document(frame, "workflows", "Workflows", *body, scripts=("editor.js",))


def workflow_page(frame: Frame, stored: StoredWorkflow, workflow: Workflow, counts: Counts) -> str:
    now = frame.status.now
    judged: Child = None
    if stored.progress < 1:
        said = f"{stored.progress:.0%} of what is kept has been judged again by this revision; until then the former counts."
        judged = tag("p", tag("strong", "Being judged again. "), said, class_="banner open")
    body = (
        tag(
            "div",
            tag("p", tag("a", "Workflows", href="/workflows"), " / workflow", class_="kicker"),
            tag("h1", tag("bdi", workflow.name)),
            tag("p", tag("bdi", workflow.description), class_="about") if workflow.description else None,
            tag("p", f"Version {workflow.version}, revision {stored.revision}, adopted ", moment(stored.adopted, now),
                " by ", named(stored.by, 60), ". Owner: ", named(workflow.owner or "nobody", 60), ".", class_="about"),
            judged,
            class_="head",
            id="head",
            data_live=True,
        ),
        section("cases", "Cases", card(cases_bar(counts, workflow.name),
                                       tag("p", tag("a", "What has changed in how they go",
                                                    href=url("/drift", name=workflow.name))))),
        section("map", "Map", _map(workflow, counts), live=True,
                lead="Event types with the number of their events, and what is expected between them with open findings."),
        section("expectations", "Expectations", _expectations(workflow, counts)),
        section("text", "Text", card(_numbered(stored.text, ()), flush=True), live=False,
                lead=f"Revision {stored.revision}, as it was handed in."),
        _editor_section(frame, stored.text, None, "Change it",
                        "The text is checked first. What is not sound is refused, and what is there stays."),
    )  # fmt: skip
    return document(frame, "workflows", workflow.name, *body, scripts=("editor.js",))


def editor_page(frame: Frame, submitted: Submitted) -> str:
    """A text that was refused, with its problems at their lines."""
    errors = sum(problem.severity == "error" for problem in submitted.problems)
    body = (
        tag("div", tag("p", tag("a", "Workflows", href="/workflows"), class_="kicker"), tag("h1", "Not adopted"),
            tag("p", f"The text has {plural(errors, 'mistake')}. What was judged by before is judged by still.",
                class_="about"),
            class_="head"),
        section("problems", "What is wrong", card(_problems(submitted.problems), flush=True), live=False),
        section("text", "Where", card(_numbered(submitted.text, submitted.problems), flush=True), live=False),
        _editor_section(frame, submitted.text, submitted.problems, "Mend it", "A problem's line number leads to it."),
    )  # fmt: skip
    return document(frame, "workflows", "Not adopted", *body, scripts=("editor.js",))


def _map(workflow: Workflow, counts: Counts) -> Markup:
    drawn = [
        tag("div", Markup(picture(workflow, (), counts.events, counts.by_expectation, direction=way, standalone=False,
                                  prefix=f"map-{way}")), class_=way)
        for way in ways(workflow)
    ]  # fmt: skip
    samples = (
        ("good", "", "no open finding"),
        ("bad", "", "open findings"),
        ("idle", "1 4", "both, in any order"),
        ("idle", "5 4", "never together or so"),
    )
    legend = [
        tag("li", tag("svg", tag("path", class_="stroke", d="M1 5h24", stroke_dasharray=dashes or None), width="26",
                      height="10", aria_hidden="true", class_=state), words)
        for state, dashes, words in samples
    ]  # fmt: skip
    scroll = tag("div", drawn, class_="mapbox", role="region", aria_label="Map of the workflow", tabindex="0", id="mapbox")
    return tag("div", tag("ul", legend, class_="maplegend"), scroll, class_="card flush")


def _expectations(workflow: Workflow, counts: Counts) -> Markup:
    open_: Mapping[str, int] = counts.by_expectation
    listed = sorted(
        zip(names(workflow), workflow.audited(), strict=True), key=lambda entry: (-open_.get(entry[0], 0), entry[0])
    )
    rows: list[tuple[str | None, Sequence[Child]]] = []
    for name, expectation in listed:
        found = open_.get(name, 0)
        told: Child = tag("span", "none", class_="soft")
        if found:
            called = tag("span", f" open findings of {name}", class_="hidden")
            told = tag("a", f"{found:,}", called, href=inbox_url(workflow=workflow.name, expectation=name))
        about = (named(name, 300), tag("div", tag("bdi", definition(workflow, expectation)), class_="definition"))
        owner = named(owner_of(workflow, expectation) or "nobody", 60)
        rows.append((name, [about, told, severity(expectation.severity), owner]))
    heads = [("Expectation", None), ("Open", "num"), ("Severity", None), ("Owner", None)]
    return card(grid("Expectations, those with open findings first", heads, rows), flush=True)


def _numbered(text: str, problems: Sequence[Problem]) -> Markup:
    """The text with the numbers of its lines, and each problem beneath the line that it stands in; with problems, only
    the lines around them."""
    at: dict[int, list[Problem]] = {}
    for problem in problems:
        at.setdefault(problem.place.line if problem.place else 1, []).append(problem)
    rows = []
    given = text.splitlines() or [""]
    near = {line + step for line in at for step in range(-_AROUND, _AROUND + 1)} if problems else None
    shown = 0
    for number, line in enumerate(given[:_LINES], 1):
        if near is not None and number not in near:
            continue
        if number > shown + 1:
            rows.append(tag("tr", tag("td", "…", class_="number"), tag("td", ""), class_="gap"))
        shown = number
        here = at.pop(number, [])
        rows.append(tag("tr", tag("td", str(number), class_="number"), tag("td", tag("code", line)),
                        class_="wrongline" if here else None, id=f"line-{number}"))  # fmt: skip
        rows += [_beneath(problem) for problem in here]
    rows += [_beneath(problem) for rest in at.values() for problem in rest]
    more = len(given) - _LINES
    note = tag("p", f"and {plural(more, 'more line')}", class_="soft note") if more > 0 else None
    caption = tag("caption", "The text, line by line", class_="hidden")
    heads = tag("tr", tag("th", "Line", scope="col"), tag("th", "Text", scope="col"), class_="hidden")
    table = tag("table", caption, tag("thead", heads), tag("tbody", rows), class_="source-text")
    return tag("div", tag("div", table, class_="scroll tall", tabindex="0", role="region", aria_label="The text"), note)


def _beneath(problem: Problem) -> Markup:
    tone = "bad" if problem.severity == "error" else "open"
    hint = tag("div", tag("bdi", problem.hint), class_="soft") if problem.hint else None
    return tag("tr", tag("td", "", class_="number"), tag("td", tag("div", tag("bdi", problem.message), hint,
               class_=f"remark {tone}")))  # fmt: skip


def _problems(problems: Sequence[Problem]) -> Markup:
    items = []
    for problem in problems:
        place = problem.place
        where: Child = tag("span", "whole text", class_="soft")
        if place:
            said = f"line {place.line}, column {place.column}"
            where = tag("a", said, href=f"#line-{place.line}", data_line=str(place.line))
        hint = tag("div", tag("bdi", problem.hint), class_="soft") if problem.hint else None
        tone = "bad" if problem.severity == "error" else "open"
        items.append(tag("li", tag("span", problem.severity, class_=f"tag state {tone}"),
                         tag("div", tag("bdi", problem.message), hint), tag("div", where)))  # fmt: skip
    return tag("ul", items, class_="problems")


def _editor_section(frame: Frame, text: str, problems: Sequence[Problem] | None, title: str, lead: str) -> Markup:
    if not frame.viewer.operator:
        return section("editor", title, card(tag("p", "An operator may change workflows.", class_="soft")), live=False)
    # The text must come back as it was, so that it is escaped and nothing else; but for signs that no YAML may hold.
    inside, rows = Markup("\n" + escape(text.translate(_UNWRITABLE))), min(max(text.count("\n") + 3, 12), 40)
    area = tag("textarea", inside, name="text", id="yaml", rows=rows, spellcheck="false", autocomplete="off", required=True,
               class_="mono",
               aria_invalid="true" if problems else None)  # fmt: skip
    form = tag(
        "form",
        back_field(frame),
        tag("label", "The workflow as YAML", area),
        tag("div", tag("button", "Check and adopt", type="submit", class_="primary"), class_="buttons"),
        method="post",
        action="/workflows",
        class_="fields",
    )
    inner = form if problems is not None or not text else tag("details", tag("summary", "Edit the text"), form, id="edit")
    return section("editor", title, card(inner), lead=lead, live=False)
