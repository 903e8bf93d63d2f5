"""What every form of the report says in the same words: the headline, sums, warnings."""

from __future__ import annotations

from collections import defaultdict

from sagacity.reconcile.result import Result
from sagacity.report.text import percent, plural
from sagacity.workflow.model import Implied, Severity
from sagacity.workflow.verdict import FindingKind

__all__ = ["BY_SEVERITY", "KINDS", "accounted", "by_owner", "headline", "seconds", "warnings_of"]

BY_SEVERITY: tuple[Severity, ...] = ("critical", "error", "warning", "info")
KINDS: tuple[FindingKind, ...] = ("missing", "late", "duplicate", "out_of_order", "mismatch", "unexpected", "conflict")
_PARTS = ("matched", "redelivered", "unmatched", "orphan", "rejected", "beyond")


def headline(result: Result) -> str:
    """The verdict in one sentence."""
    cases = result.cases
    if not cases.total:
        return "There is no case to judge."
    if cases.violated:
        share = f" ({percent(cases.violated, cases.total)})"
        verb = "is" if cases.violated == 1 else "are"
        return f"{cases.violated:,} of {plural(cases.total, 'case')} {verb} violated{share}, with {_found(result)}."
    if len(result.findings):
        return f"No case is violated, yet there {'is' if len(result.findings) == 1 else 'are'} {_found(result)}."
    if cases.open:
        return f"Nothing is wrong so far: {cases.complete:,} of {plural(cases.total, 'case')} complete, {cases.open:,} open."
    return "The one case is complete." if cases.total == 1 else f"All {cases.total:,} cases are complete."


def _found(result: Result) -> str:
    return plural(len(result.findings), "finding")


def accounted(result: Result) -> str:
    """What became of the raw records, as a sum."""
    total = sum(account.records for account in result.accounts)
    sums = {part: sum(getattr(account, part) for account in result.accounts) for part in _PARTS}
    shown = [f"{count:,} {part}" for part, count in sums.items() if count or part == "matched"]
    return f"{total:,} = {' + '.join(shown)}"


def by_owner(result: Result) -> list[tuple[str | None, int, str]]:
    """Owners with the number of their findings and the expectation with most of them, most findings first."""
    counts: defaultdict[str | None, int] = defaultdict(int)
    worst: dict[str | None, tuple[int, str]] = {}
    for tally in result.tallies:
        if tally.findings:
            counts[tally.owner] += tally.findings
            worst[tally.owner] = max(worst.get(tally.owner, (0, "")), (tally.findings, tally.name))
    return sorted(
        ((owner, count, worst[owner][1]) for owner, count in counts.items()), key=lambda row: (-row[1], row[0] or "")
    )


def seconds(elapsed: float) -> str:
    """An elapsed time such as `0.38 s` or `2 min 5 s`."""
    if elapsed < 60:
        return f"{elapsed:.2g} s" if elapsed < 10 else f"{elapsed:.0f} s"
    return f"{int(elapsed // 60)} min {int(elapsed % 60)} s"


def warnings_of(result: Result) -> list[tuple[str, list[str]]]:
    """What may make the verdict say less than it seems to, each with details."""
    found: list[tuple[str, list[str]]] = []
    rejected = sum(account.rejected for account in result.accounts)
    if rejected:
        details = [str(record) for record in result.rejected[:3]]
        found.append((f"{plural(rejected, 'record')} could not be read, and took no part", details))
    orphans = sum(account.orphan for account in result.accounts)
    if orphans:
        verb = "carries" if orphans == 1 else "carry"
        key = "no case key" if len(result.workflow.keys) == 1 else "no key that leads to one case"
        found.append((f"{plural(orphans, 'record')} {verb} {key} and could not be judged", []))
    if result.unmatched_types:
        listed = ", ".join(f"{name} ({count:,})" for name, count in result.unmatched_types[:5])
        more = f" and {len(result.unmatched_types) - 5} more" if len(result.unmatched_types) > 5 else ""
        found.append((f"event types that the workflow does not name: {listed}{more}", []))
    records, beyond = (sum(getattr(account, name) for account in result.accounts) for name in ("records", "beyond"))
    if not records:
        found.append(("the sources hold no record at all", []))
    elif beyond == records:
        found.append(("every record is later than the as-of instant", []))
    if not result.cases.total:
        return found
    measured = result.event_counts
    absent = [name for name in result.workflow.events if not measured.get(name)] if measured else []
    if absent:
        found.append((f"no event at all of {_listed(absent)}: is a source incomplete, or the type spelt otherwise?", []))
    declared = [tally for tally in result.tallies if not isinstance(tally.expectation, Implied)]
    idle = [tally.name for tally in declared if tally.vacuous >= result.cases.total]
    if idle:
        found.append((f"{plural(len(idle), 'expectation')} never applied to any case: {_listed(idle)}", []))
    return found


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:4])
    return f"{shown} and {len(names) - 4} more" if len(names) > 4 else shown
