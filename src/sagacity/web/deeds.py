"""What people do by way of the web, each deed with its line in the audit log: the same for API and pages.

Everything is done by the writing thread, between two rounds; the caller waits within bounds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import TypeVar

from sagacity.alerts import redrive as dead_letters
from sagacity.errors import UsageError, WorkflowError
from sagacity.ledger.live import Action, Judged, LiveFinding, LiveLedger, Outlook, StoredWorkflow
from sagacity.reconcile.live import Change
from sagacity.reconcile.portions import Portion
from sagacity.web.context import Served
from sagacity.web.identity import Identity
from sagacity.web.problem import Refused
from sagacity.web.times import stamp
from sagacity.workflow.language.reader import loads
from sagacity.workflow.problems import Place, Problem

__all__ = ["act_on", "adopt", "asked", "redrive", "replay"]

T = TypeVar("T")

_CASES = 100_000


async def act_on(served: Served, who: Identity, finding: str, action: Action) -> LiveFinding:
    """Acknowledge, waive or reopen a finding. Raises Refused: 404 where there is none, 409 where its state does not allow
    it, 503 and 504 as `asked` does."""

    def work(ledger: LiveLedger) -> LiveFinding:
        if ledger.finding(finding) is None:
            raise Refused(404, f"there is no finding {finding[:80]}", "GET /api/v1/findings lists them")
        now = served.now()
        try:
            changed = ledger.act(finding, action, now)
        except UsageError as error:
            raise Refused(409, error.message, error.hint) from None
        because = f": {action.reason}" if action.reason else ""
        ledger.audit(who.name, f"{action.what} finding {finding}{because}", now)
        return changed

    changed = await asked(served, work)
    _tell(served)
    return changed


async def adopt(
    served: Served, who: Identity, text: str, *, name: str | None = None, replacing: int | None = None
) -> StoredWorkflow:
    """Judge by the workflow in a text from now on; it is called `name` where that is given, and follows the revision
    `replacing` (0: there is none yet). Raises WorkflowError; Refused with 412 where another revision is there, and as
    `asked` does. The workflow that was there stays then."""
    workflow = await asyncio.to_thread(loads, text, f"{name or 'workflow'}.yaml")
    if name is not None and workflow.name != name:
        told = f"the workflow is called {workflow.name}, and not {name}"
        raise WorkflowError([Problem(told, "workflow", "send it to its own address", Place(f"{name}.yaml", 1, 1))])

    def work(ledger: LiveLedger) -> StoredWorkflow:
        now = served.now()
        there = next((each.revision for each in ledger.workflows() if each.name == workflow.name), 0)
        if replacing is not None and there != replacing:
            raise Refused(412, f"revision {there} is there, and not {replacing}", "look at it, and change that one")
        stored = ledger.adopt(workflow, text, by=who.name, now=now)
        served.adopted(workflow)  # here, so that it is done also where the caller no longer waits
        ledger.audit(who.name, f"adopt workflow {stored.name}, revision {stored.revision}", now)
        return stored

    stored = await asked(served, work)
    _tell(served)
    return stored


async def replay(served: Served, who: Identity, start: int, end: int) -> Judged:
    """Judge again every case with an event in the period, so many between two rounds, so that records go on being taken in.
    Archived cases are counted alone. Raises UsageError, and Refused as `asked` does."""
    if end <= start:
        raise UsageError("the period ends before it begins", hint="give from before to")

    if (await asyncio.to_thread(served.live.status)).as_of is None:
        raise Refused(409, "nothing has been judged yet", "replay once records have come in")

    portion = Portion(_CASES)

    def work(ledger: LiveLedger) -> Judged:
        status = served.live.status()  # as of now: what has been judged meanwhile is never judged for an earlier instant
        assert status.as_of is not None
        found = Outlook(status.as_of, status.behind)
        return portion.of(lambda most: ledger.replay(start, end, found, served.now(), after=after, most=most))

    period = f"replay from {stamp(start)} to {stamp(end)}"
    await asked(served, lambda ledger: ledger.audit(who.name, f"{period} begins", served.now()))
    after: str | None = None
    archived = cases = opened = reopened = resolved = 0
    while True:
        judged = await asked(served, work, within=served.settings.replay_within)
        cases, opened = cases + judged.cases, opened + judged.opened
        reopened, resolved = reopened + judged.reopened, resolved + judged.resolved
        archived, after = archived + judged.archived, judged.after
        if after is None:
            break
    done = f"{period}: {cases:,} {'case' if cases == 1 else 'cases'}, without {archived:,} archived"
    await asked(served, lambda ledger: ledger.audit(who.name, done, served.now()))
    _tell(served)
    return Judged(cases, opened, reopened, resolved, None, archived=archived)


async def redrive(served: Served, who: Identity, numbers: Collection[int] | None) -> int:
    """Have dead letters delivered again, all or those of these numbers; how many. Raises Refused as `asked` does."""

    def work(ledger: LiveLedger) -> int:
        now = served.now()
        count = dead_letters.redrive(ledger, now, numbers)
        ledger.audit(who.name, f"redrive {count:,} dead {'letter' if count == 1 else 'letters'}", now)
        return count

    return await asked(served, work)


def _tell(served: Served) -> None:
    """Whoever watches is told of a change that no record brought."""
    served.changes.tell(Change(at=served.now(), as_of=None, records=0, cases=0, opened=0, reopened=0, resolved=0))


async def asked(served: Served, work: Callable[[LiveLedger], T], *, within: float | None = None) -> T:
    """Have the writing thread do something, and wait for it, `within` so many seconds. Raises what the work raises; Refused
    with 504 where it was not begun in time, and so is not done at all, or may still come to be done."""
    done = served.live.ask(work)
    within = served.settings.answer_within if within is None else within
    try:
        return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(done)), within)
    except TimeoutError:
        if done.cancel():
            hint = "GET /readyz says how the server does; nothing was changed, so ask again"
        else:
            hint = "it is being done now: look whether it was before you ask again"
        raise Refused(504, f"the server did not come to it within {within:g} s", hint) from None
