"""The page's sections, in the order in which they are read."""

from __future__ import annotations

from sagacity.reconcile.result import Explanation, Result, Tally
from sagacity.report.case import case_view
from sagacity.report.html.charts import (
    delays_chart,
    delays_said,
    delays_table,
    kind_legend,
    over_time_chart,
    over_time_table,
    share_bar,
)
from sagacity.report.html.lanes import EVENTS_SHOWN, lanes, timeline_table
from sagacity.report.markup import Markup, tag
from sagacity.report.picture import Direction, picture, ways
from sagacity.report.summary import BY_SEVERITY, KINDS, accounted, by_owner, headline, warnings_of
from sagacity.report.text import percent, plural, shortened
from sagacity.workflow.trace import FOREVER
from sagacity.workflow.verdict import Status
from sagacity.workflow.words.definition import definition
from sagacity.workflow.words.origin import origin_of
from sagacity.workflow.words.wording import instant

__all__ = ["accounting", "delays", "expectations", "over_time", "verdict", "workflow_map", "worst"]

_STATES = {"complete": "good", "open": "open", "violated": "bad"}
_STATUS_STATES = {Status.VIOLATED: "bad", Status.PENDING: "open", Status.SATISFIED: "good", Status.VACUOUS: "idle"}
_PARTS = ("matched", "redelivered", "unmatched", "orphan", "rejected", "beyond")
_MEANINGS = {
    "complete": "ended, with nothing wrong",
    "open": "still waiting for something",
    "violated": "at least one expectation failed",
}


def verdict(result: Result) -> Markup:
    """The headline, the share of cases by verdict, and what may make the verdict say less than it seems to."""
    cases = result.cases
    shares = [("complete", cases.complete), ("open", cases.open), ("violated", cases.violated)]
    said = ", ".join(f"{count:,} {name} ({percent(count, cases.total)})" for name, count in shares)
    bar = share_bar([(name, count, _STATES[name]) for name, count in shares], "bar", f"Cases: {said}")
    tiles = [
        tag(
            "div",
            tag("b", count),
            tag("span", tag("strong", name), f" {percent(count, cases.total)}, {_MEANINGS[name]}"),
            class_=f"tile {_STATES[name]}",
        )
        for name, count in shares
    ]
    facts = [("Records", accounted(result))]
    found = sorted((tally for tally in result.tallies if tally.findings), key=lambda tally: -tally.findings)
    if found:
        facts.append(("Mostly", "; ".join(f"{shortened(tally.name, 60)} ({tally.findings:,})" for tally in found[:3])))
        owners = [f"{shortened(owner or 'nobody', 40)} ({count:,})" for owner, count, _ in by_owner(result)]
        facts.append(("Owners", ", ".join(owners[:6]) + (f" and {len(owners) - 6} more" if len(owners) > 6 else "")))
    listed = tag(
        "dl", [tag("div", tag("dt", name), tag("dd", tag("bdi", text, dir="ltr"))) for name, text in facts], class_="facts"
    )
    warnings = [
        tag(
            "li",
            tag("bdi", text, dir="ltr"),
            tag("ul", [tag("li", tag("bdi", detail, dir="ltr")) for detail in details]) if details else None,
        )
        for text, details in warnings_of(result)
    ]
    return tag(
        "div",
        tag("p", headline(result), class_="headline"),
        bar,
        tag("div", tiles, class_="tiles"),
        listed,
        tag("ul", warnings, class_="warnings", aria_label="Worth a look") if warnings else None,
        class_="card verdict",
    )


def expectations(result: Result, listed: frozenset[str]) -> Markup:
    """Each expectation with its definition and counts. `listed` names those with findings in the table of findings."""
    ordered = sorted(
        result.tallies,
        key=lambda tally: (not tally.findings, BY_SEVERITY.index(tally.severity), -tally.findings, tally.name),
    )
    heads = (("Expectation", None), ("Cases", None), ("Findings", None), ("Severity", None), ("Owner", None))
    head = tag("tr", [tag("th", name, scope="col", class_=class_) for name, class_ in heads])
    rows = [_expectation(result, tally, tally.name in listed) for tally in ordered]
    caption = tag("caption", "Expectations, those with findings first", class_="hidden")
    table = tag("table", caption, tag("thead", head), tag("tbody", rows), class_="stack")
    return tag("div", tag("div", table, class_="scroll"), class_="card flush")


def _expectation(result: Result, tally: Tally, listed: bool) -> Markup:
    applies = tally.satisfied + tally.pending + tally.violated
    shares = [
        ("satisfied", tally.satisfied, "good"),
        ("pending", tally.pending, "open"),
        ("violated", tally.violated, "bad"),
    ]
    if applies:
        said = f"{tally.violated:,} of {applies:,} violated" + (f", {tally.pending:,} pending" if tally.pending else "")
    else:
        said = "applied to no case"
    vacuous = tag("div", f"does not apply to {tally.vacuous:,}", class_="soft") if tally.vacuous and applies else None
    kinds = [
        tag("span", kind.replace("_", " "), f" {tally.kinds[kind]:,}", class_=f"kind k-{kind}")
        for kind in KINDS
        if tally.kinds.get(kind)
    ]
    count: Markup | str = f"{tally.findings:,}" if tally.findings else "none"
    if listed:
        called = tag("span", f" findings of {tally.name}", class_="hidden")
        name = shortened(tally.name, 600)
        count = tag("button", f"{tally.findings:,}", called, type="button", class_="link", data_expectation=name)
    origin = origin_of(result.workflow, tally.name)
    about = (
        tag("bdi", tally.name),
        tag("div", tag("bdi", definition(result.workflow, tally.expectation), dir="ltr"), class_="definition"),
    )
    return tag(
        "tr",
        tag(
            "th",
            about,
            tag("div", tally.expectation.description, class_="definition"),
            tag("div", tag("bdi", origin), class_="definition") if origin is not None else None,
            scope="row",
        ),
        tag("td", tag("div", said, share_bar(shares, "mini", said), vacuous), data_label="Cases"),
        tag("td", tag("div", count, tag("div", kinds, class_="kinds") if kinds else None), data_label="Findings"),
        tag("td", tag("span", tally.severity, class_=f"sev {tally.severity}"), data_label="Severity"),
        tag("td", tag("bdi", tally.owner or "nobody"), data_label="Owner"),
    )


def workflow_map(result: Result) -> Markup:
    """The workflow as a picture with counts: time runs to the right on wide screens, downwards on narrow ones."""
    drawn = [tag("div", Markup(_picture(result, way)), class_=way) for way in ways(result.workflow)]
    samples = (
        ("good", "", "never violated"),
        ("open", "", "some cases pending"),
        ("bad", "", "violated, in how many of the cases it applies to"),
        ("idle", "1 4", "both, in any order"),
        ("idle", "5 4", "never together or so"),
    )
    legend = [
        tag("li", tag("svg", tag("path", class_="stroke", d="M1 5h24", stroke_dasharray=dashes or None), width="26",
                      height="10", aria_hidden="true", class_=state), words)
        for state, dashes, words in samples
    ]  # fmt: skip
    scroll = tag("div", drawn, class_="mapbox", role="region", aria_label="Map of the workflow", tabindex="0")
    return tag("div", tag("ul", legend, class_="maplegend"), scroll, class_="card flush")


def _picture(result: Result, way: Direction) -> str:
    return picture(
        result.workflow, result.tallies, result.event_counts, direction=way, standalone=False, prefix=f"map-{way}"
    )


def over_time(result: Result) -> Markup:
    """Findings by the instant since which they stand."""
    counts = result.over_time.counts
    if not result.over_time.starts or not any(sum(row) for row in counts.values()):
        said = "Nothing was found." if not len(result.findings) else "No finding stands since a certain instant."
        return tag("div", tag("p", said, class_="empty"), class_="card flush")
    totals = [(kind, sum(counts[kind])) for kind in KINDS if kind in counts]
    missing = len(result.findings) - sum(count for _, count in totals)
    note = (
        tag("p", f"{plural(missing, 'finding')} without such an instant left out.", class_="soft") if missing > 0 else None
    )
    chart = tag("div", over_time_chart(result.over_time), class_="scroll wide")
    numbers = tag("details", tag("summary", "As a table"), tag("div", over_time_table(result.over_time), class_="scroll"))
    return tag("div", chart, kind_legend(totals), note, numbers, class_="card")


def delays(result: Result) -> Markup | None:
    """How long it took, against each deadline; None where no expectation has one."""
    cards = [
        tag(
            "div",
            tag("h3", tag("bdi", tally.name)),
            tag("p", delays_said(tally.delays), class_="soft"),
            delays_chart(tally.delays),
            tag("details", tag("summary", "As a table"), delays_table(tally.delays)),
            class_="card",
        )
        for tally in result.tallies
        if tally.delays is not None and any(tally.delays.counts)
    ]
    return tag("div", cards, class_="grid2") if cards else None


def worst(result: Result) -> Markup:
    """Timelines of the cases with the most findings."""
    if not result.worst:
        return tag("div", tag("p", "No case has a finding.", class_="empty"), class_="card flush")
    return tag("div", [_case(result, explanation) for explanation in result.worst], class_="cases")


def _case(result: Result, explanation: Explanation) -> Markup:
    view = case_view(result.workflow, explanation, result.as_of)
    status = explanation.verdict.status.value
    events = plural(len(explanation.events), "event")
    shown = f" (the first {EVENTS_SHOWN} are shown)" if len(explanation.events) > EVENTS_SHOWN else ""
    ended = "" if explanation.verdict.end == FOREVER else f", {'ended' if explanation.verdict.ended else 'ends by'} "
    end = "" if explanation.verdict.end == FOREVER else instant(explanation.verdict.end)
    said = []
    for entry in view.expected:
        if entry.status in (Status.VIOLATED, Status.PENDING):
            texts = entry.messages[:4] or (entry.reason.removeprefix("pending: "),)
            more = len(entry.messages) - len(texts)
            label = tag("span", tag("span", entry.status.value, class_=f"tag state {_STATUS_STATES[entry.status]}"))
            rest = tag("div", f"and {more:,} more", class_="soft") if entry.messages and more > 0 else None
            body = [tag("div", tag("bdi", text, dir="ltr")) for text in texts]
            said.append(tag("li", label, tag("div", tag("bdi", entry.name, class_="soft"), body, rest)))
    others = [entry for entry in view.expected if entry.status in (Status.SATISFIED, Status.VACUOUS)]
    satisfied = sum(entry.status is Status.SATISFIED for entry in others)
    rest_said = f"{satisfied} satisfied, {len(others) - satisfied} not applicable" if others else ""
    head = tag(
        "div",
        tag("h3", "Case ", tag("bdi", shortened(explanation.case, 80))),
        tag("span", status, class_=f"tag state {_STATES[status]}"),
        tag("span", f"{events}{shown}{ended}{end}", class_="soft"),
        class_="casehead",
    )
    table = tag("details", tag("summary", "As a table"), tag("div", timeline_table(view), class_="scroll"))
    return tag(
        "article",
        head,
        tag("div", lanes(result.workflow, view, explanation.case), class_="scroll"),
        tag("ul", said, class_="says"),
        tag("p", rest_said, class_="soft") if rest_said else None,
        table,
        class_="card",
    )


def accounting(result: Result) -> Markup:
    """What became of every raw record, source by source."""
    heads = [
        "Source",
        "Given",
        "Records",
        *(f"{'=' if place == 0 else '+'} {part}" for place, part in enumerate(_PARTS)),
        "Events",
    ]
    head = [tag("th", name, scope="col", class_="num" if place > 1 else None) for place, name in enumerate(heads)]
    rows = []
    for account in result.accounts:
        counts = [account.records, *(getattr(account, part) for part in _PARTS), account.events]
        cells = [tag("td", count, class_="num", data_label=name.strip("=+ ").capitalize())
                 for count, name in zip(counts, heads[2:], strict=True)]  # fmt: skip
        given = tag("td", tag("bdi", account.given, class_="mono"), data_label="Given")
        rows.append(tag("tr", tag("th", tag("bdi", account.source), scope="row"), given, cells))
    sums = [sum(getattr(account, part) for account in result.accounts) for part in ("records", *_PARTS, "events")]
    foot = None
    if len(rows) > 1:
        totals = [tag("td", count, class_="num", data_label=name.strip("=+ ").capitalize())
                  for count, name in zip(sums, heads[2:], strict=True)]  # fmt: skip
        foot = tag("tfoot", tag("tr", tag("th", "All", scope="row"), tag("td", ""), totals))
    caption = tag("caption", "Records by source and by what became of them", class_="hidden")
    table = tag("table", caption, tag("thead", tag("tr", head)), tag("tbody", rows), foot, class_="stack")
    parts: list[Markup] = [tag("div", tag("div", table, class_="scroll"), class_="card flush")]
    if result.rejected:
        total = sum(account.rejected for account in result.accounts)
        more = total - len(result.rejected)
        listed = [tag("li", tag("bdi", shortened(str(record), 400), class_="mono")) for record in result.rejected]
        note = tag("p", f"and {more:,} more", class_="soft") if more > 0 else None
        parts.append(tag("details", tag("summary", f"{plural(total, 'rejected record')}"), tag("ul", listed), note))
    return tag("div", parts)
