"""What each page shows, read from the ledger. May block, and so belongs on a worker thread."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from litestar import Request

from sagacity.ledger.live import Counts, FindingFilter, Incident, LiveFinding
from sagacity.web.context import Served
from sagacity.web.drifting import PERIODS
from sagacity.web.identity import Identity
from sagacity.web.pages import case, overview
from sagacity.web.pages.actions import done_said
from sagacity.web.pages.audit import audit_page
from sagacity.web.pages.cases import AskedCases, cases_page
from sagacity.web.pages.counting import Counting
from sagacity.web.pages.drift import drift_page
from sagacity.web.pages.finding import finding_page
from sagacity.web.pages.findings import Asked, Listed, inbox_page, matches_text
from sagacity.web.pages.frame import Frame, Viewer
from sagacity.web.pages.sources import sources_page
from sagacity.web.pages.traces import carried
from sagacity.web.pages.workflow import workflow_page, workflows_page
from sagacity.web.problem import Refused
from sagacity.web.timeline import timeline
from sagacity.workflow.model import Workflow
from sagacity.workflow.words.definition import definition
from sagacity.workflow.words.naming import names

__all__ = [
    "audit",
    "case_of",
    "cases",
    "counting",
    "drift",
    "finding",
    "frame_of",
    "inbox",
    "sources",
    "summary",
    "workflow",
    "workflows",
]

Asking = Request[Identity, Any, Any]
_PAGE = 50
_SEARCHED = 2_000
_INCIDENTS = 500
_OF_CASE = 200
_DONE = re.compile(r"(acknowledge|waive|reopen)\.(\d{1,6})")


def counting(request: Asking, served: Served) -> Counting:
    """The counts that all pages of this application share."""
    state = request.app.state
    if not hasattr(state, "counting"):
        state.counting = Counting(served.ledger)
    kept: Counting = state.counting
    return kept


def frame_of(request: Asking, served: Served) -> Frame:
    """What stands around the page that is asked for."""
    who = request.user
    counted = counting(request, served).all()
    query = dict(request.query_params)
    done = _DONE.fullmatch(str(query.pop("done", "")))
    address = request.url.path + (f"?{_without_done(request)}" if query else "")
    return Frame(
        viewer=Viewer(name=who.name, operator=who.may("operator"), guest=who.guest, csrf=who.csrf),
        status=served.live.status(),
        open=sum(counts.findings.get("open", 0) for counts in counted),
        address=address,
        said=done_said(done[1], int(done[2]), ())[0] if done else None,
        sagas=served.sagas is not None,
        traces=served.settings.traces,
    )


def _without_done(request: Asking) -> str:
    return "&".join(part for part in request.url.query.split("&") if not part.startswith("done="))


def _glances(request: Asking, served: Served) -> list[overview.Glance]:
    found = []
    counted = {counts.workflow: counts for counts in counting(request, served).all()}
    for stored, read in served.readings.all():
        counts = counted.get(stored.name) or served.ledger.counts(stored.name)
        found.append(overview.Glance(stored, read, counts, _severities(read, counts)))
    return found


def _severities(read: Workflow, counts: Counts) -> Counter[str]:
    total: Counter[str] = Counter()
    for name, expectation in zip(names(read), read.audited(), strict=True):
        total[expectation.severity] += counts.by_expectation.get(name, 0)
    return total


def summary(request: Asking, served: Served) -> str:
    glances = _glances(request, served)
    newest = served.ledger.findings(FindingFilter(states=("open",)), limit=8).items
    frame = frame_of(request, served)
    rejected: Counter[str] = Counter()
    for part in served.ledger.parts():
        rejected[part.source] += part.rejected
    origin = str(request.base_url).rstrip("/")
    return overview.overview_page(frame, glances, newest, _incidents(served), origin, rejected)


def _incidents(served: Served) -> list[Incident]:
    """The incidents of several findings that are not over; of very many only the latest are looked at."""
    found: list[Incident] = []
    looked, cursor = 0, None
    while looked < _SEARCHED:
        page = served.ledger.incidents(cursor=cursor, limit=_INCIDENTS)
        found += [each for each in page.items if each.open > 1]
        looked, cursor = looked + _INCIDENTS, page.cursor
        if cursor is None:
            break
    return found


def inbox(request: Asking, served: Served) -> str:
    asked = _asked(Asked, request)
    found, cursor, cut = _found(served, asked)
    counted = {counts.workflow: counts for counts in counting(request, served).all()}
    chosen = [counts for name, counts in counted.items() if asked.workflow in ("", name)]
    owners: Counter[str] = Counter()
    expectations: Counter[str] = Counter()
    for counts in chosen:
        owners.update(counts.by_owner)
        expectations.update(counts.by_expectation)
    listed = Listed(
        asked=asked,
        findings=found,
        cursor=cursor,
        workflows=tuple(counted),
        owners=dict(sorted(owners.items())),
        expectations=dict(sorted(expectations.items())),
        incidents=_incidents(served),
        cut=cut,
    )
    return inbox_page(frame_of(request, served), listed)


def _asked(kind: type[Any], request: Asking) -> Any:
    """What the address asks for; what makes no sense there is left out."""
    given = {name: str(value)[:500] for name, value in request.query_params.items() if name in kind.__struct_fields__}
    return kind(**given)


def _found(served: Served, asked: Asked) -> tuple[list[LiveFinding], str | None, bool]:
    """Findings, the cursor of the next, and whether the search for a text ended before the findings did."""
    which, cursor = asked.filter(), asked.cursor or None
    if not asked.text.strip():
        page = served.ledger.findings(which, cursor=cursor, limit=_PAGE)
        return list(page.items), page.cursor, False
    found: list[LiveFinding] = []
    looked = 0
    while len(found) < _PAGE and looked < _SEARCHED:
        page = served.ledger.findings(which, cursor=cursor, limit=_PAGE)
        found += [each for each in page.items if matches_text(each, asked.text)]
        looked, cursor = looked + len(page.items), page.cursor
        if cursor is None:
            return found, None, False
    return found, cursor, len(found) < _PAGE


def finding(request: Asking, served: Served, key: str) -> str:
    found = served.ledger.finding(key)
    if found is None:
        raise Refused(404, f"there is no finding {key[:80]}", "it may have been forgotten at the end of its retention")
    read = served.readings.named(found.workflow)
    asks = None
    if read is not None:
        by_name = dict(zip(names(read[1]), read[1].audited(), strict=True))
        asks = definition(read[1], by_name[found.expectation]) if found.expectation in by_name else None
    incident = None
    if found.incident is not None:
        incident = next((each for each in served.ledger.incidents(limit=200).items if each.id == found.incident), None)
    events = served.ledger.events(found.workflow, found.case)
    events.sort(key=lambda stored: stored.event.id != found.activation)  # whose trace it is most likely to be, first
    return finding_page(frame_of(request, served), found, served.ledger.history(key), asks, incident, carried(events))


def case_of(request: Asking, served: Served, name: str, key: str, saga: str | None = None) -> tuple[str, int]:
    """The page, and the status that it is answered with. `saga`: where the saga of this id is found, if there is one."""
    frame = frame_of(request, served)
    read = served.readings.named(name)
    row = served.ledger.case(name, key) if read is not None else None
    if read is None or row is None:
        return case.no_case_page(frame, name, key), 404
    found = served.ledger.findings(FindingFilter(workflow=name, case=key), limit=_OF_CASE).items
    known = timeline(read[1], row, served.ledger.events(name, key), found, frame.status.behind)
    histories = {each.id: served.ledger.history(each.id) for each in found[:20]}
    by: case.By = "source" if request.query_params.get("lanes") == "source" else "type"
    return case.case_page(frame, case.Shown(timeline=known, histories=histories, saga=saga), by), 200


def cases(request: Asking, served: Served) -> str:
    asked: AskedCases = _asked(AskedCases, request)
    found = served.ledger.cases(asked.filter(), cursor=asked.cursor or None, limit=_PAGE)
    return cases_page(frame_of(request, served), asked, found, [stored.name for stored in served.ledger.workflows()])


def workflows(request: Asking, served: Served) -> str:
    glances = _glances(request, served)
    return workflows_page(frame_of(request, served), glances)


def workflow(request: Asking, served: Served, name: str) -> str:
    read = served.readings.named(name)
    if read is None:
        raise Refused(404, f"there is no workflow {name[:80]}", "the list of workflows shows what there is")
    return workflow_page(frame_of(request, served), *read, served.ledger.counts(name))


def drift(request: Asking, served: Served, name: str) -> str:
    by = str(request.query_params.get("by") or "day")
    found = served.drifting.of(name, by) if by in PERIODS else None
    if found is None:
        raise Refused(404, f"there is no workflow {name[:80]} by {by[:20]}", "the list of workflows shows what there is")
    return drift_page(frame_of(request, served), found, by)


def sources(request: Asking, served: Served) -> str:
    refused = served.ledger.refusals(limit=20).items
    return sources_page(frame_of(request, served), served.ledger.parts(), served.ledger.accounts(), refused)


def audit(request: Asking, served: Served) -> str:
    cursor = str(request.query_params.get("cursor") or "") or None
    return audit_page(frame_of(request, served), served.ledger.audits(cursor=cursor, limit=100), cursor)
