"""A result, or the explanation of one case, as one JSON document; docs/reports.md describes the fields.

Every instant is an object of `time` (ISO 8601, UTC) and `us` (microseconds since 1970-01-01T00:00Z), or null where there
is none: an as-of of null is the end of the log, a due time of null never comes.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, TypeAlias

from sagacity.reconcile.result import Delays, Explanation, Finding, FindingsOverTime, Result, Tally
from sagacity.report.case import Ghost, Happened, case_view
from sagacity.report.summary import headline, warnings_of
from sagacity.workflow.instants import iso
from sagacity.workflow.model import Workflow
from sagacity.workflow.trace import FOREVER, Value
from sagacity.workflow.verdict import Verdict, Violation
from sagacity.workflow.words.definition import definition
from sagacity.workflow.words.wording import message, reason

__all__ = ["SCHEMA", "encoded", "explanation_document", "to_document"]

SCHEMA = "sagacity.report/1"
"""Named in every document; a change that takes a field away or changes its meaning changes the number."""

Document: TypeAlias = dict[str, Any]


def to_document(result: Result, limit: int | None = 1_000) -> Document:
    """A check's result. `findings.listed` holds the first `limit` findings, all of them where `limit` is None."""
    total = len(result.findings)
    listed = list(result.findings) if limit is None else result.findings.head(limit)
    return {
        "schema": SCHEMA,
        "workflow": {"name": result.workflow.name, "version": result.workflow.version, "owner": result.workflow.owner},
        "as_of": _at(result.as_of),
        "headline": headline(result),
        "elapsed_seconds": result.elapsed,
        "cases": {
            "total": result.cases.total,
            "complete": result.cases.complete,
            "open": result.cases.open,
            "violated": result.cases.violated,
        },
        "sources": [
            {
                "source": account.source,
                "given": account.given,
                "records": account.records,
                "matched": account.matched,
                "redelivered": account.redelivered,
                "unmatched": account.unmatched,
                "orphan": account.orphan,
                "rejected": account.rejected,
                "beyond": account.beyond,
                "events": account.events,
                "redelivered_events": account.redelivered_events,
                "first": _at(account.first),
                "last": _at(account.last),
            }
            for account in result.accounts
        ],
        "rejected": [
            {"source": record.source, "file": record.file, "line": record.line, "reason": record.reason}
            for record in result.rejected
        ],
        "unmatched_types": [{"type": name, "records": count} for name, count in result.unmatched_types],
        "event_counts": dict(result.event_counts),
        "warnings": [text for text, _ in warnings_of(result)],
        "expectations": [_tally(result.workflow, tally) for tally in result.tallies],
        "findings": {
            "total": total,
            "truncated": len(listed) < total,
            "listed": [_finding(finding) for finding in listed],
        },
        "over_time": _over_time(result.over_time),
        "worst": [explanation_document(result.workflow, case, result.as_of, inner=True) for case in result.worst],
    }


def explanation_document(workflow: Workflow, explanation: Explanation, as_of: int, *, inner: bool = False) -> Document:
    """One case. `inner` leaves out what the document around it says already."""
    view = case_view(workflow, explanation, as_of)
    verdict = explanation.verdict
    audited = {name.expectation: rule for name, rule in zip(verdict.verdicts, workflow.audited(), strict=True)}
    outer = {} if inner else {"schema": SCHEMA, "workflow": {"name": workflow.name}, "as_of": _at(as_of)}
    return outer | {
        "case": explanation.case,
        "status": verdict.status.value,
        "ended": verdict.ended,
        "start": _at(verdict.start),
        "end": _at(verdict.end),
        "redelivered": verdict.redelivered,
        "events": [_event(entry) for entry in view.happened],
        "missed": [_ghost(ghost) for ghost in view.ghosts],
        "expectations": [
            _verdict(entry, reason(workflow, audited[entry.expectation], entry, as_of))
            | {
                "violations": [
                    _violation(violation, message(workflow, audited[entry.expectation], violation))
                    for violation in entry.violations
                ]
            }
            for entry in verdict.verdicts
        ],
    }


def encoded(document: Document) -> str:
    """The document as JSON text that can be encoded as UTF-8; ends in a newline."""
    text = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)
    return text.encode("utf-8", "replace").decode("utf-8") + "\n"


def _at(us: int | None) -> Document | None:
    return None if us is None or us == FOREVER else {"time": iso(us), "us": us}


def _tally(workflow: Workflow, tally: Tally) -> Document:
    return {
        "name": tally.name,
        "definition": definition(workflow, tally.expectation),
        "severity": tally.severity,
        "owner": tally.owner,
        "cases": {
            "satisfied": tally.satisfied,
            "vacuous": tally.vacuous,
            "pending": tally.pending,
            "violated": tally.violated,
        },
        "activations": {"total": tally.activations, "fulfilled": tally.fulfilled, "pending": tally.pending_activations},
        "findings": tally.findings,
        "kinds": dict(tally.kinds),
        "examples": [finding.id for finding in tally.examples],
        "delays": None if tally.delays is None else _delays(tally.delays),
    }


def _delays(delays: Delays) -> Document:
    return {"within_us": delays.within, "edges_us": list(delays.edges), "counts": list(delays.counts)}


def _finding(finding: Finding) -> Document:
    return {
        "id": finding.id,
        "case": finding.case,
        "expectation": finding.expectation,
        "kind": finding.kind,
        "severity": finding.severity,
        "owner": finding.owner,
        "since": _at(finding.since),
        "type": finding.type,
        "time": _at(finding.time),
        "activation": finding.activation,
        "message": finding.message,
    }


def _over_time(over_time: FindingsOverTime) -> Document:
    return {
        "width_us": over_time.width,
        "starts": [_at(start) for start in over_time.starts],
        "counts": {kind: list(counts) for kind, counts in over_time.counts.items()},
    }


def _event(entry: Happened) -> Document:
    event = entry.event
    return {
        "type": event.type,
        "time": _at(event.time),
        "seq": event.seq,
        "id": event.id,
        "attributes": {name: _value(value) for name, value in event.attributes.items()},
        "involved": [{"expectation": name, "kind": kind} for name, kind in entry.involved],
    }


def _value(value: Value) -> str | int | bool | None:
    """Decimals stay exact, and so are text."""
    return str(value) if isinstance(value, Decimal) else value


def _ghost(ghost: Ghost) -> Document:
    return {"type": ghost.type, "due": _at(ghost.due), "kind": ghost.kind, "expectation": ghost.expectation}


def _verdict(verdict: Verdict, why: str) -> Document:
    return {
        "name": verdict.expectation,
        "status": verdict.status.value,
        "reason": why,
        "activations": verdict.activations,
        "fulfilled": verdict.fulfilled,
        "pending": verdict.pending,
        "due": _at(verdict.due),
    }


def _violation(violation: Violation, said: str) -> Document:
    return {
        "kind": violation.kind,
        "since": _at(violation.since),
        "type": violation.type,
        "time": _at(violation.time),
        "activation": violation.activation,
        "message": said,
    }
