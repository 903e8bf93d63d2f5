"""The page of one saga: how it stands, its steps, what may be ordered, what happened to it, who ordered what and why."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import TYPE_CHECKING

import msgspec

from sagacity.report.markup import Child, Markup, tag
from sagacity.web.pages.frame import Frame, document
from sagacity.web.pages.links import case_url, cases_url, saga_url, sagas_url
from sagacity.web.pages.saga_ordering import ordering
from sagacity.web.pages.saga_picture import STEP_STATES, steps_picture, turned_back
from sagacity.web.pages.sagas import AT_HAND, EVERY, saga_status
from sagacity.web.pages.traces import trace_facts, trace_id
from sagacity.web.pages.words import card, empty, facts, grid, lined, moment, named, section
from sagacity.web.saga_documents import SagaDocument, SagaEventDocument, SagaStep
from sagacity.web.times import instant_of
from sagacity.workflow.instants import span

if TYPE_CHECKING:
    from sagacity.saga.postgres.listing import Shown
    from sagacity.saga.postgres.orders import Placed

__all__ = ["ids_of", "no_saga_page", "saga_page"]

_SECOND = 1_000_000
_CARRIED_OUT_WITHIN = 30 * _SECOND
_TONES = {
    "StepCompleted": "good", "SagaCompleted": "good", "StepSkipped": "good",
    "SagaParked": "bad", "StepFailed": "bad", "StepTimedOut": "bad", "SagaAbandoned": "bad", "StepRetried": "open",
    "CompensationRetried": "open", "SagaResumed": "open", "CompensationStarted": "open",
}  # fmt: skip
"""The colour of each event that is good, bad, or to be looked at."""


def saga_page(frame: Frame, shown: Shown, cases: Sequence[tuple[str, str]], leads: Set[str] = frozenset()) -> str:
    """`cases` are the cases of this saga, as workflow and case; `leads` those of its ids by which cases are found."""
    document_ = SagaDocument.of(shown)
    now = frame.status.now
    body = (
        AT_HAND,
        tag("div", _head(frame, shown, document_, cases, leads), class_="head", id="head", data_live=True),
        ordering(frame, shown),
        section("steps", "Steps", _steps(document_.steps, now), lead=_way_back(document_.steps)),
        section("timeline", "Timeline", card(_timeline(document_.events, now))),
        section("orders", "Orders that were given", _orders(shown.orders, now)),
        section("input", "Input", card(tag("pre", tag("code", lined(_pretty(document_.input))), tabindex="0",
                aria_label="The saga's input as JSON")), live=False),
    )  # fmt: skip
    return document(frame, "sagas", f"Saga {shown.line.id}", *body, every=EVERY)


def no_saga_page(frame: Frame, id: str) -> str:
    """Where there is no such saga."""
    said = ("There is no saga ", named(id, 120), ". ", tag("a", "All sagas", href="/sagas"), ".")
    return document(frame, "sagas", "No such saga", tag("div", tag("h1", "No such saga"), class_="head"), card(empty(said)))


def _head(frame: Frame, shown: Shown, told: SagaDocument, cases: Sequence[tuple[str, str]], leads: Set[str]) -> list[Markup]:
    line, now = shown.line, frame.status.now
    banner = None
    if line.status == "parked":
        why = named(line.cause or "it is not said why", 800)
        stood = span(max(now - line.stands, 0) // _SECOND * _SECOND, 2)
        banner = tag("p", tag("strong", f"Parked for {stood}. "), why, class_="banner bad", role="status")
    idle = _idle(shown, now)
    problem = None
    if shown.problem:
        problem = tag("p", tag("strong", "Not all can be shown. "), named(shown.problem, 600), class_="banner bad")
    links = [tag("a", named(id, 60), href=saga_url(id)) for id in shown.before]
    of_cases = [tag("a", named(f"{case} in {workflow}", 120), href=case_url(workflow, case)) for workflow, case in cases]
    ignored = ", ".join(f"{count:,} {why}" for why, count in told.ignored.items() if count)
    entries: list[tuple[str, Child]] = [
        ("Definition", tag("a", named(f"{line.definition} {line.version}", 80), href=sagas_url(definition=line.definition))),
        ("Started", moment(line.started, now)),
        ("Parked", moment(line.stands, now) if line.status == "parked" else None),
        ("Ended", moment(line.ended, now) if line.ended is not None else None),
        ("Turned back for", named(shown.saga.cause, 400) if shown.saga is not None and shown.saga.cause else None),
        ("Looked at next", moment(line.due, now) if line.due is not None and line.ended is None else None),
        ("Resources", named(", ".join(line.resources), 300) if line.resources else None),
        ("Waits for", tag("span", links, class_="ids") if links else None),
        ("Case", tag("span", of_cases, class_="ids") if of_cases else None),
        ("Replies not counted", ignored or None),
        *_ids(frame, told, bool(cases), leads),
    ]
    return [
        tag("p", tag("a", "Sagas", href="/sagas"), " / one saga", class_="kicker"),
        tag("h1", "Saga ", tag("bdi", line.id)),
        tag("p", saga_status(line.status), class_="tags"),
        *([banner] if banner else []),
        *([problem] if problem else []),
        *([idle] if idle else []),
        card(facts(entries), class_="card columns"),
    ]


def _idle(shown: Shown, now: int) -> Markup | None:
    """Where an order waits for longer than an orchestrator that runs would let it."""
    from sagacity.saga.postgres.orders import waiting_since

    since = waiting_since(shown.orders)
    waits = 0 if since is None else now - int(since.timestamp() * 1_000_000)
    if waits < _CARRIED_OUT_WITHIN:
        return None
    said = f"An order has waited for {span(waits // _SECOND * _SECOND, 2)}. "
    return tag("p", tag("strong", said), "It seems that no orchestrator runs.", class_="banner open", role="status")


def ids_of(shown: Shown) -> list[str]:
    """The ids of a saga by which its events may be found: its own, its correlation id, that of its trace."""
    saga = shown.saga
    given = [shown.line.id, *([] if saga is None else [saga.correlation_id, trace_id(saga.traceparent or "")])]
    return list(dict.fromkeys(each for each in given if each))


def _ids(frame: Frame, told: SagaDocument, has_case: bool, leads: Set[str]) -> list[tuple[str, Child]]:
    """The ids that lead to the same thing elsewhere."""
    id = told.saga.id
    rows: list[tuple[str, Child]] = []
    if id in leads and not has_case:
        rows.append(("Its events", tag("a", "cases that name it", href=cases_url(text=id))))
    correlation = told.correlation_id if told.correlation_id != id else None
    return [*rows, *trace_facts([_record(correlation, told.traceparent)], leads, shown_at=frame.traces)]


def _record(correlation: str | None, traceparent: str | None) -> str:
    return msgspec.json.encode({"correlation_id": correlation, "traceparent": traceparent}).decode()


def _way_back(steps: Sequence[SagaStep]) -> str | None:
    if not turned_back(steps):
        return None
    return "It has turned back: dashed arrows lead from what failed to what is undone, the last first."


def _steps(steps: Sequence[SagaStep], now: int) -> Markup:
    if not steps:
        return card(empty("Its steps cannot be read."), flush=True)
    drawn: Child = None
    if all(step.after is not None for step in steps):
        pictures = [tag("div", steps_picture(steps, way, f"steps-{way}"), class_=way) for way in ("right", "down")]
        drawn = tag(
            "div", pictures, class_="mapbox", role="region", aria_label="Picture of the steps", tabindex="0", id="stepbox"
        )
    heads = [("Step", None), ("Status", None), ("Sent", None), ("Next", None), ("What is known", None)]
    rows: list[tuple[str | None, Sequence[Child]]] = []
    for step in steps:
        undoing = step.status.startswith("und")
        command = step.compensation if undoing else step.command
        attempt = step.compensation_attempt if undoing else step.attempt
        sent: Child = tag("span", "not yet", class_="soft")
        if attempt:
            again = f", sent {step.sends} times" if step.sends > 1 else ""
            sent = (
                f"attempt {attempt}{again}",
                tag("div", moment(_us(step.asked), now), class_="light") if step.asked else None,
            )
        known: list[Child] = [tag("p", named(step.cause, 600))] if step.cause else []
        known += [tag("p", tag("code", named(command, 160)), class_="soft")] if command else []
        if step.reply is not None:
            known.append(tag("details", tag("summary", "Last reply"), tag("pre", tag("code", lined(_pretty(step.reply)))),
                             id=f"reply-{step.name}"))  # fmt: skip
        status = tag("span", step.status, class_=f"tag state {STEP_STATES.get(step.status, 'idle')}")
        about = (
            named(step.name, 80),
            tag("div", named(", ".join(filter(None, (step.kind, step.topic))), 120), class_="soft light"),
        )
        rows.append((step.name, [about, status, sent, moment(_us(step.due), now, never="–"), known or "–"]))
    return card(drawn, grid("Steps", heads, rows), flush=True)


def _timeline(events: Sequence[SagaEventDocument], now: int) -> Markup:
    if not events:
        return tag("p", "Nothing is noted.", class_="soft")
    items = []
    for event in events:
        by = (" by ", named(event.by, 60)) if event.by else None
        step = (tag("strong", named(event.step, 80)), " ") if event.step else None
        items.append(
            tag(
                "li",
                tag("span", event.type, class_=f"tag state {_TONES.get(event.type, 'idle')}"),
                tag("div", tag("div", step, moment(_us(event.time), now), by),
                    tag("blockquote", named(event.cause, 800)) if event.cause else None),
                data_key=f"event-{event.number}",
            )
        )  # fmt: skip
    return tag("ol", items, class_="history sagas")


def _orders(orders: Sequence[Placed], now: int) -> Markup:
    if not orders:
        return card(empty("Nobody has ordered anything."), flush=True)
    heads = [("Order", None), ("When", None), ("Who", None), ("Why", None), ("What became of it", None)]
    rows: list[tuple[str | None, Sequence[Child]]] = []
    for placed in orders:
        at = int(placed.since.timestamp() * 1_000_000)
        became: Child = tag("span", "waits for an orchestrator", class_="tag state open")
        if placed.outcome == "done":
            became = tag("span", "carried out", class_="tag state good")
        elif placed.outcome is not None:
            told = placed.outcome.replace("\n  hint: ", "; ")
            became = (tag("span", "refused", class_="tag state bad"), tag("div", named(told, 600)))
        what = f"{placed.order} {placed.step}" if placed.step else placed.order
        rows.append(
            (
                f"order-{placed.id}",
                [named(what, 120), moment(at, now), named(placed.by, 60), named(placed.reason or "", 600), became],
            )
        )
    return card(grid("Orders, the newest first", heads, rows), flush=True)


def _us(text: str | None) -> int | None:
    return None if text is None else instant_of(text)


def _pretty(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
