"""The page of a catalogue: what is amiss, every event type, and what was read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sagacity.catalog.entry import Catalog, Entry
from sagacity.catalog.gaps import GAPS
from sagacity.report.html.assets import asset
from sagacity.report.html.page import framed
from sagacity.report.markup import Markup, tag
from sagacity.report.text import plural, shortened
from sagacity.workflow.instants import instant

__all__ = ["render_catalog"]

_MOST_GAPS = 200
_MOST_FIELDS = 40
_KINDS = {"asyncapi": "AsyncAPI", "schema": "JSON Schema", "workflow": "workflow", "events": "events"}


def render_catalog(catalog: Catalog) -> str:
    """One page that holds everything it needs: no request leaves it, and nothing in the data can run in it."""
    seen = sum(entry.seen is not None for entry in catalog.entries)
    expected = sum(bool(entry.expected_by) for entry in catalog.entries)
    about = (
        f"{plural(len(catalog.entries), 'event type')}, of which {seen:,} {'was' if seen == 1 else 'were'} seen and "
        f"{expected:,} {'is' if expected == 1 else 'are'} expected by a workflow. "
        f"{plural(len(catalog.gaps), 'thing is', 'things are')} amiss."
    )
    parts = [(key, name, lead, body) for key, name, lead, make in _SECTIONS if (body := make(catalog)) is not None]
    return framed(
        "Catalogue of events",
        "What is made, owned, expected and seen",
        "Event types",
        about,
        parts,
        modules=[Markup(asset("catalog.js"))] if catalog.entries else [],
        skip=("types", "Skip to the event types"),
    )


def _gaps(catalog: Catalog) -> Markup:
    if not catalog.gaps:
        return tag("div", tag("p", "Nothing is amiss.", class_="empty"), class_="card flush")
    places = {entry.name: number for number, entry in enumerate(catalog.entries)}
    cards = []
    for kind, meaning in GAPS.items():
        found = [gap for gap in catalog.gaps if gap.kind == kind]
        if not found:
            continue
        listed = [
            tag(
                "li",
                tag("a", tag("bdi", shortened(gap.name, 100)), href=f"#t{places[gap.name]}"),
                tag("div", tag("bdi", shortened(gap.sentence, 400)), class_="soft"),
            )
            for gap in found[:_MOST_GAPS]
        ]
        more = tag("p", f"and {len(found) - _MOST_GAPS:,} more", class_="soft") if len(found) > _MOST_GAPS else None
        title = tag("h3", f"{kind[0].upper()}{kind[1:]} ", tag("span", f"{len(found):,}", class_="tag"))
        cards.append(
            tag("div", title, tag("p", meaning, class_="soft"), tag("ul", listed, class_="gaps"), more, class_="card")
        )
    return tag("div", cards, class_="grid2")


def _types(catalog: Catalog) -> Markup:
    columns = ("Event type", "Made by", "Received by", "Owner", "Correlated by", "Expected by", "Seen")
    head = tag("tr", [tag("th", name, scope="col") for name in columns])
    amiss: dict[str, list[str]] = {}
    for gap in catalog.gaps:
        kinds = amiss.setdefault(gap.name, [])
        kinds += [gap.kind] if gap.kind not in kinds else []
    rows = [_row(entry, number, amiss.get(entry.name, [])) for number, entry in enumerate(catalog.entries)]
    search = tag("input", type="search", name="text", placeholder="event, service, owner, field", autocomplete="off")
    found = [kind for kind in GAPS if any(gap.kind == kind for gap in catalog.gaps)]
    choices = [tag("option", "all event types", value=""), *(tag("option", kind, value=kind) for kind in found)]
    form = tag(
        "form",
        tag("label", "Search", search, class_="search"),
        tag("label", "What is amiss", tag("select", choices, name="gap"), class_="pick"),
        tag("button", "Clear", type="button", data_clear=True),
        class_="filters",
        aria_label="Filter the event types",
        hidden=True,
    )
    said = tag("div", tag("span", "", data_said=True, role="status"), class_="pager")
    caption = tag("caption", "Event types", class_="hidden")
    table = tag("table", caption, tag("thead", head), tag("tbody", rows), class_="stack")
    return tag("div", form, tag("div", table, class_="scroll", tabindex="0"), said, class_="card flush")


def _row(entry: Entry, number: int, amiss: Sequence[str]) -> Markup:
    also = f"also {', '.join(entry.also)}" if entry.also else None
    name = tag(
        "th",
        tag("bdi", shortened(entry.name, 120)),
        tag("div", tag("bdi", shortened(also, 200)), class_="definition") if also else None,
        tag("div", tag("bdi", shortened(entry.description, 300)), class_="definition") if entry.description else None,
        tag("div", [tag("span", kind, class_="tag state open") for kind in amiss], class_="kinds") if amiss else None,
        _details(entry),
        scope="row",
    )
    workflows = [
        tag(
            "div", tag("bdi", shortened(fact.document, 80)), " ", tag("span", plural(len(fact.rules), "rule"), class_="soft")
        )
        for fact in entry.expected_by
    ]
    seen = entry.seen
    when = f"last {instant(seen.last)[:10]}" if seen is not None and seen.last is not None else ""
    told = tag("div", f"{seen.events:,}", tag("div", when, class_="soft") if when else None) if seen is not None else None
    return tag(
        "tr",
        name,
        _listed("Made by", entry.sent_by),
        _listed("Received by", entry.received_by),
        _listed("Owner", entry.owners),
        _listed("Correlated by", entry.keys, "mono"),
        tag("td", tag("div", workflows) if workflows else None, data_label="Expected by"),
        tag("td", told, data_label="Seen"),
        id=f"t{number}",
        data_gaps="|".join(amiss),
    )


def _listed(label: str, texts: Sequence[str], kind: str | None = None) -> Markup:
    shown = [tag("div", tag("bdi", shortened(text, 120), class_=kind)) for text in texts]
    return tag("td", tag("div", shown) if shown else None, data_label=label)


def _details(entry: Entry) -> Markup:
    fields = [
        tag("li", tag("bdi", each.path, class_="mono"), f" {each.type}", None if each.required else ", may be absent")
        for each in entry.attributes[:_MOST_FIELDS]
    ]
    more = len(entry.attributes) - _MOST_FIELDS
    fields += [tag("li", f"and {more:,} more")] if more > 0 else []
    rules = [tag("li", tag("bdi", rule)) for fact in entry.expected_by for rule in fact.rules]
    told = [tag("li", tag("bdi", name)) for name in dict.fromkeys(fact.document for fact in entry.facts)]
    channels = [tag("li", tag("bdi", name, class_="mono")) for name in entry.channels]
    lists = (("Fields", fields), ("Rules", rules), ("Channels", channels), ("Told of by", told))
    body = [tag("div", tag("div", name, class_="soft"), tag("ul", items)) for name, items in lists if items]
    return tag("details", tag("summary", "More"), tag("div", body, class_="more"))


def _read(catalog: Catalog) -> Markup:
    head = tag("tr", [tag("th", name, scope="col", class_="num" if name == "Event types" else None) for name in _READ])
    rows = [
        tag(
            "tr",
            tag("th", tag("bdi", shortened(each.document, 200)), scope="row"),
            tag("td", _KINDS[each.kind], data_label="Kind"),
            tag("td", tag("bdi", shortened(each.title, 120)), data_label="Says of itself"),
            tag("td", f"{each.types:,}", class_="num", data_label="Event types"),
        )
        for each in catalog.read
    ]
    notes = [tag("li", tag("bdi", note)) for note in catalog.notes]
    table = tag("table", tag("thead", head), tag("tbody", rows), class_="stack")
    return tag(
        "div",
        tag("ul", notes, class_="warnings") if notes else None,
        tag("div", tag("div", table, class_="scroll", tabindex="0"), class_="card flush"),
    )


_READ = ("Document or log", "Kind", "Says of itself", "Event types")

_SECTIONS: tuple[tuple[str, str, str, Callable[[Catalog], Markup | None]], ...] = (
    ("gaps", "What is amiss", "Where documents, workflows and events do not meet.", _gaps),
    (
        "types",
        "Event types",
        "Who makes each, who owns it, what correlates it, what expects it, and how often it was seen.",
        _types,
    ),
    ("read", "What was read", "", _read),
)
