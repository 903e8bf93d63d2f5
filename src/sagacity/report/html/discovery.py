"""The page of a proposal: the map of what happens, rules with their evidence, waiting times, variants, thresholds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from math import log2

from sagacity.discover.accepting import origin_lines, with_origins
from sagacity.discover.proposal import Candidate, Evidence, Proposal, Proposed, Wait
from sagacity.discover.proposal import Line as Written
from sagacity.discover.spans import Deadline, about
from sagacity.discover.writing import percent, rules_text
from sagacity.report.html.assets import asset
from sagacity.report.html.page import framed
from sagacity.report.map import Line, Map, Node, Tie
from sagacity.report.markup import Markup, tag
from sagacity.report.picture import picture_of
from sagacity.report.text import plural, shortened
from sagacity.workflow.durations import format_duration
from sagacity.workflow.instants import instant
from sagacity.workflow.words.definition import definition

__all__ = ["render_discovery"]

_MOST_TYPES = 18
_OFTEN = 0.1
_STEPS = 14
_BIN = 16


def render_discovery(proposal: Proposal) -> str:
    """One page that holds everything it needs: no request leaves it, and nothing in the data can run in it."""
    shape = proposal.shape
    about = (
        f"{plural(shape.events, 'event')} of {plural(shape.cases, 'case')}, {instant(shape.first)[:10]} to "
        f"{instant(shape.last)[:10]}; {plural(shape.counted, 'case')} of them began early enough in the log to be over. "
        f"{rules_text(proposal)}{_beyond(proposal)} at a threshold of {proposal.threshold * 100:g} %; "
        f"{plural(proposal.violated, 'case')} break one of these."
    )
    return framed(
        f"{proposal.workflow.name}: what history suggests",
        "What history suggests",
        proposal.workflow.name,
        about,
        [(key, name, lead, body) for key, name, lead, make in _SECTIONS if (body := make(proposal)) is not None],
        modules=[Markup(asset("hints.js")), *([Markup(asset("accepting.js"))] if proposal.rules else [])],
        skip=("rules", "Skip to the rules"),
    )


def _beyond(proposal: Proposal) -> str:
    if proposal.into is None:
        return ""
    others = f", beside {proposal.known:,} that it has," if proposal.known else ""
    return f" that {proposal.into} does not have{others}"


def _map(proposal: Proposal) -> Markup:
    """Event types and which comes directly after which: of each its most frequent ways, and all that many cases go."""
    called = list(proposal.workflow.events)
    shown = {each.type for each in sorted(proposal.types, key=lambda each: -each.cases)[:_MOST_TYPES]}
    ways = [each for each in proposal.beside if each.a in shown and each.b in shown and each.a != each.b]
    often = {(each.a, each.b) for each in ways if each.cases >= _OFTEN * proposal.shape.counted}
    for end in ("a", "b"):
        for kind in shown:
            found = [each for each in ways if getattr(each, end) == kind]
            if found:
                best = max(found, key=lambda each: (each.cases, -each.a, -each.b))
                often.add((best.a, best.b))
    nodes = [
        Node(
            called[each.type],
            "",
            called[each.type] in proposal.workflow.begins,
            called[each.type] in proposal.workflow.ends,
            each.events,
            (),
        )
        for each in sorted(proposal.types, key=lambda each: (each.place, each.type))
        if each.type in shown
    ]
    ties = [
        Tie(called[each.a], called[each.b], "order", (_way(each.cases, called[each.a], called[each.b]),))
        for each in sorted(ways, key=lambda each: -each.cases)
        if (each.a, each.b) in often
    ]
    drawn = picture_of(Map(tuple(nodes), tuple(ties), ()), "What happens after what", standalone=False)
    return tag("div", tag("div", Markup(drawn), class_="mapbox", tabindex="0"), class_="card flush")


def _way(cases: int, a: str, b: str) -> Line:
    return Line(f"{cases:,}", f"{a}, then {b}", f"{b} comes directly after {a} in {plural(cases, 'case')}")


def _rules(proposal: Proposal) -> Markup:
    return _rule_table(proposal, proposal.rules, ticked=True)


def _dropped(proposal: Proposal) -> Markup | None:
    return _rule_table(proposal, proposal.dropped) if proposal.dropped else None


def _rule_table(proposal: Proposal, rules: Sequence[Proposed], *, ticked: bool = False) -> Markup:
    first = (("", ""),) if ticked else ()
    head = _head(*first, ("Rule", ""), ("Holds", "num"), ("Against it", ""), ("Drawn from", ""))
    rows = [
        tag(
            "tr",
            tag("td", _tick(place, each.name), class_="tick") if ticked else None,
            tag(
                "th",
                tag("bdi", each.name),
                tag("div", definition(proposal.workflow, each.expectation), class_="definition")
                if each.expectation is not None
                else None,
                scope="row",
            ),
            _cell("Holds", _held(each.evidence), "num"),
            tag("td", tag("div", _against(each.evidence)) if each.evidence.counter else None, data_label="Against it"),
            _cell("Drawn from", _note(each.candidate)),
        )
        for place, each in enumerate(rules)
    ]
    return _table(head, rows)


def _tick(place: int, name: str) -> Markup:
    """The number of a rule, and the box that accepts it."""
    box = tag("input", type="checkbox", data_rule=str(place), checked=True, aria_label=f"Accept {name}")
    return tag("label", tag("span", box, data_accepting=True, hidden=True), f" {place + 1}")


def _held(evidence: Evidence) -> str:
    return f"{percent(evidence.held, evidence.support)} of {evidence.support:,}"


def _note(candidate: Candidate) -> str:
    return candidate.note


def _against(evidence: Evidence) -> list[Markup]:
    return [
        tag("div", tag("bdi", each.case), " ", tag("span", each.kind.replace("_", " "), class_=f"kind k-{each.kind}"))
        for each in evidence.counter
    ]


def _variants(proposal: Proposal) -> Markup:
    called = list(proposal.workflow.events)
    head = _head(("Cases", "num"), ("What happens", ""))
    rows = []
    for each in proposal.variants:
        steps = [" + ".join(called[kind] for kind in step) for step in each.steps]
        more = len(steps) - _STEPS
        said = " → ".join(steps[:_STEPS]) + (f" → and {more:,} more" if more > 0 else "")
        share = percent(each.cases, proposal.shape.counted)
        rows.append(
            tag(
                "tr",
                _cell("Cases", f"{each.cases:,} ({share})", "num"),
                tag("td", tag("bdi", said), data_label="What happens"),
            )
        )
    return _table(head, rows)


def _frequencies(proposal: Proposal) -> Markup:
    called = list(proposal.workflow.events)
    head = _head(
        ("Event type", ""), ("In cases", "num"), ("Events", "num"), ("Most in a case", "num"), ("First", "num"),
        ("Last", "num"),
    )  # fmt: skip
    rows = [
        tag(
            "tr",
            tag("th", tag("bdi", called[each.type]), scope="row"),
            _cell("In cases", f"{each.cases:,} ({percent(each.cases, proposal.shape.counted)})", "num"),
            _cell("Events", f"{each.events:,}", "num"),
            _cell("Most in a case", f"{max(each.times):,}", "num"),
            _cell("First", f"{each.first:,}" if each.first else "", "num"),
            _cell("Last", f"{each.last:,}" if each.last else "", "num"),
        )
        for each in sorted(proposal.types, key=lambda each: (each.place, each.type))
    ]
    return _table(head, rows)


def _waits(proposal: Proposal) -> Markup | None:
    """A chart for each way from one event to another. Looking ahead and looking back, which rules are drawn from, mostly see
    the same waits; then there is one chart of both."""
    found: dict[tuple[str, str, Deadline], Wait] = {}
    for each in proposal.waits:
        found.setdefault((each.source, each.target, each.deadline), each)
    pairs = Counter((each.source, each.target) for each in found.values())
    cards = [_wait(each, apart=pairs[each.source, each.target] > 1) for each in found.values()]
    return tag("div", cards, class_="grid2") if cards else None


def _wait(wait: Wait, *, apart: bool) -> Markup:
    """`apart`: there is one for looking back, and one for looking ahead."""
    ways = {"after": "next ", "before": "last "} if apart else {}
    source, target = shortened(wait.source, 40), shortened(wait.target, 40)
    from_, to = (ways.get(wait.side, "") if wait.side == each else "" for each in ("before", "after"))
    title = f"{from_}{source} to {to}{target}"
    limit = wait.deadline
    late = f"; {limit.longer:,} took longer" if limit.longer else ""
    gap = ", and stand apart" if limit.gap else ""
    said = f"Half within {about(limit.median)}, 95 % within {about(limit.most)}, of {limit.delays:,}{late}{gap}."
    return tag(
        "div",
        tag("h3", tag("bdi", title)),
        tag("p", said, class_="soft"),
        _histogram(wait),
        class_="card",
    )


def _histogram(wait: Wait) -> Markup:
    """Counts over the logarithm of the delay, two columns a doubling, and the deadline."""
    width, high, bottom = 360.0, 112.0, 138.0
    columns: dict[int, int] = {}
    for number, (n, _) in wait.bins.items():
        columns[max(number, 0) * 2 // _BIN] = columns.get(max(number, 0) * 2 // _BIN, 0) + n
    at = _place(wait.deadline.within)
    first, last = min(columns), max(*columns, int(at) + 1)
    wide, most = (width - 8) / (last - first + 1), max(columns.values())
    parts: list[Markup] = []
    for number, n in sorted(columns.items()):
        size = max(1.5, high * n / most)
        x = 4 + wide * (number - first)
        hint = f"{about(int(2 ** (number / 2)))} to {about(int(2 ** ((number + 1) / 2)))}: {n:,}"
        mark = tag("rect", class_="fill", x=x + 1, y=bottom - size, width=max(wide - 2, 1.0), height=size)
        parts.append(tag("g", mark, class_="bad" if number > at else "good", data_hint=hint))
    line = 4 + wide * (at - first)
    anchor, shift = ("end", -6) if line > width * 0.55 else ("start", 6)
    parts.append(tag("path", class_="axis", d=f"M4 {bottom}H{width - 4}"))
    parts.append(tag("path", class_="due", d=f"M{line:.1f} 12V{bottom + 5}"))
    said = f"deadline {format_duration(wait.deadline.within)}"
    parts.append(tag("text", said, class_="ink", x=line + shift, y=18, text_anchor=anchor))
    parts.append(tag("text", about(int(2 ** (first / 2)), 1), x=4, y=bottom + 18))
    parts.append(tag("text", about(int(2 ** ((last + 1) / 2)), 1), x=width - 4, y=bottom + 18, text_anchor="end"))
    label = f"How long it takes, and the deadline of {format_duration(wait.deadline.within)}"
    return tag("svg", parts, class_="chart", viewbox=f"0 0 {width:.0f} 164", role="img", aria_label=label)


def _place(us: int) -> float:
    """Where a span stands on the axis: halves of a doubling."""
    return 2 * log2(max(us, 1))


def _thresholds(proposal: Proposal) -> Markup:
    head = _head(("Threshold", "num"), ("Rules", "num"), ("Breaches", "num"))
    rows = [
        tag(
            "tr",
            _cell("Threshold", f"{each.threshold * 100:g} %", "num"),
            _cell("Rules", f"{each.rules:,}", "num"),
            _cell("Breaches", f"{each.breaches:,}", "num"),
        )
        for each in proposal.thresholds
    ]
    return _table(head, rows, stack=False)


def _file(proposal: Proposal) -> Markup:
    """The file, line by line, each with the rules that it is there for; and what takes it away."""
    origins = origin_lines(proposal) if proposal.rules else ()
    came = {id(line) for line in origins}
    shown = [_line(line, id(line) in came) for line in with_origins(proposal, origins)]
    name = tag("input", name="by", autocomplete="name", placeholder="who accepts")
    form = tag(
        "form",
        tag("label", "Your name", name, class_="pick"),
        tag("button", "Download the file"),
        tag("span", "", data_said=True, role="status"),
        class_="filters",
        data_name=_file_name(proposal),
        data_accepting=True,
        hidden=True,
        aria_label="Accept the rules",
    )
    code = tag("div", tag("pre", tag("code", shown)), class_="scroll file", tabindex="0")
    return tag("div", form if proposal.rules else None, code, class_="card flush")


def _line(line: Written, origin: bool) -> Markup:
    """Where a rule came from is to be completed by who accepts it, and when; it is shown where the page can do that."""
    return tag(
        "span",
        _text(line.text),
        data_of=_places(line),
        data_unless=" ".join(map(str, line.unless)) or None,
        data_origin=line.text if origin and line.text.startswith("  ") else None,
        hidden=origin or bool(line.unless) or None,
    )


def _file_name(proposal: Proposal) -> str:
    if proposal.into is not None:
        return re.sub(r"[^\w.-]+", "-", proposal.into)
    return f"{re.sub(r'[^A-Za-z0-9_-]+', '-', proposal.workflow.name) or 'learnt'}.workflow.yaml"


def _text(text: str) -> list[Markup | str]:
    return [text, Markup("\n")]


def _places(line: Written) -> str | None:
    return None if line.of is None else " ".join(map(str, line.of))


_SECTIONS: tuple[tuple[str, str, str, Callable[[Proposal], Markup | None]], ...] = (
    (
        "map",
        "What happens",
        "Of the cases that are over: event types with the number of their events, and in how many cases one comes directly "
        "after another: of each its most frequent way, and all that a tenth of the cases go.",
        _map,
    ),
    (
        "rules",
        "Proposed rules",
        "What holds in as large a share of the cases that it concerns as the threshold asks, of how many cases, and some "
        "against it. Untick what is not meant, and take the file away below.",
        _rules,
    ),
    (
        "waits",
        "Waiting times",
        "From one event to the next, on a logarithmic axis, and the deadline that is proposed.",
        _waits,
    ),
    (
        "variants",
        "Variants",
        "The most frequent ways in which cases that are over go; events at the same instant are joined by +.",
        _variants,
    ),
    ("types", "Event types", "How often, and where in a case, among the cases that are over.", _frequencies),
    (
        "thresholds",
        "What each threshold gives",
        "How many rules about number and order, and how often the history breaches them. A rule that holds in 98 % of the "
        "cases is a rule with findings, or none.",
        _thresholds,
    ),
    ("dropped", "Looked at, and not proposed", "Candidates that did not hold as often when they were judged.", _dropped),
    (
        "file",
        "The workflow file",
        "Of the rules that are ticked above. Beside each stands what speaks for it; what is accepted keeps where it came "
        "from.",
        _file,
    ),
)


def _head(*columns: tuple[str, str]) -> Markup:
    return tag("tr", [tag("th", name, scope="col", class_=kind or None) for name, kind in columns])


def _cell(label: str, text: str, kind: str = "") -> Markup:
    return tag("td", text, data_label=label, class_=kind or None)


def _table(head: Markup, rows: list[Markup], *, stack: bool = True) -> Markup:
    """`stack`: where it is narrow each row becomes a list; for tables that are not narrow enough as they are."""
    table = tag("table", tag("thead", head), tag("tbody", rows), class_="stack" if stack else None)
    return tag("div", tag("div", table, class_="scroll", tabindex="0"), class_="card flush")
