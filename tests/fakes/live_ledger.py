"""A live ledger in memory, judging with the reference judge: what the web's tests and a server to look at run on.

Records are CloudEvents whose expressions are plain paths; that is all it can read. It keeps nothing and locks everything.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from fakes.live_memory import MemoryReading
from fakes.record_fields import at_path, captured, instant_of, object_of, text_of
from sagacity.errors import FullError, MemoryLimitError, UsageError
from sagacity.judge import Judge
from sagacity.ledger.live import (
    Action,
    Appended,
    CaseRow,
    FindingState,
    HistoryEntry,
    Incident,
    Judged,
    LiveFinding,
    Notice,
    Outlook,
    PartState,
    Released,
    Settled,
    StoredEvent,
    StoredWorkflow,
)
from sagacity.sources.resolve import source_names
from sagacity.sources.stream import Batch, Part
from sagacity.workflow.model import Workflow
from sagacity.workflow.trace import FOREVER, Event
from sagacity.workflow.verdict import Violation
from sagacity.workflow.words.naming import names, owner_of
from sagacity.workflow.words.wording import message

__all__ = ["MemoryLedger"]

_replace = msgspec.structs.replace
_STATES: dict[str, FindingState] = {"acknowledge": "acknowledged", "waive": "waived", "reopen": "open"}
_FROM: dict[str, tuple[str, ...]] = {
    "acknowledge": ("open",),
    "waive": ("open", "acknowledged"),
    "reopen": ("acknowledged", "waived"),
}
_STORM = 600_000_000


class MemoryLedger(MemoryReading):
    """`full` makes it refuse to keep anything, as a full disk would; `failing` makes every reader fail. `suffices`: for how
    many cases of a replay at a time the memory does."""

    def __init__(self) -> None:
        super().__init__()
        self.full = False
        self.suffices = 1_000_000

    def close(self) -> None:
        """Nothing to let go of."""

    # Writers

    def adopt(self, workflow: Workflow, text: str, *, by: str, now: int, given: bool = False) -> StoredWorkflow:
        del given
        with self._lock:
            there = self._workflows.get(workflow.name)
            if there is not None and there[0].text == text:
                return there[0]
            revision = there[0].revision + 1 if there else 1
            stored = StoredWorkflow(name=workflow.name, revision=revision, text=text, adopted=now, by=by)
            self._workflows[workflow.name] = (stored, workflow, Judge(workflow))
            self._touched |= {key for key in self._events if key[0] == workflow.name}
            return stored

    def owing(self) -> bool:
        return False

    def rejudge(self, now: int, most: int = 100_000) -> float:
        del now, most
        return 1.0

    def append(self, batches: Sequence[Batch], now: int, as_of: int | None = None) -> Appended:
        del as_of
        if self.full:
            raise FullError("the ledger's disk is full", hint="make room; intake goes on by itself then")
        with self._lock:
            latest: dict[Part, int] = {}
            records = rejected = 0
            for batch in batches:
                for body, position in zip(batch.bodies, batch.positions, strict=True):
                    time = self._take(batch, body, position, now)
                    records += 1
                    rejected += time is None
                    part = (batch.source, batch.part)
                    if time:
                        latest[part] = max(time, latest.get(part, time))
                    self._hear(batch, time, now, resume=batch.resume)
            return Appended(records, rejected, latest)

    def judge(self, outlook: Outlook, now: int, most: int = 200_000) -> Judged:
        with self._lock:
            self._as_of = max(outlook.as_of, self._as_of or outlook.as_of)
            due = {
                key for key, row in self._rows.items() if (row.due is not None and row.due <= outlook.as_of) or row.behind
            }
            chosen = sorted(due | self._touched)[:most]
            before = Counter(finding.state for finding in self._findings.values())
            changes: Counter[str] = Counter()
            for key in chosen:
                changes += self._judge_case(key, outlook, now)
                self._touched.discard(key)
            del before
            later = [row.due for row in self._rows.values() if row.due is not None and row.due > outlook.as_of]
            next_due = min(later, default=None)
            waiting = [event.event.time for key in self._touched for event in self._events[key]]
            if waiting:
                next_due = min([*waiting, *([] if next_due is None else [next_due])])
            return Judged(len(chosen), changes["opened"], changes["reopened"], changes["resolved"], next_due)

    def act(self, finding: str, action: Action, now: int) -> LiveFinding:
        with self._lock:
            there = self._findings.get(finding)
            if there is None:
                raise UsageError(f"there is no finding {finding}", hint="sagacity findings lists them")
            if there.state not in _FROM[action.what]:
                raise UsageError(f"a finding that is {there.state} cannot be {_past(action.what)}", hint="look at its state")
            state = _STATES[action.what]
            changed = _replace(there, state=state, changed=now, by=action.by, reason=action.reason, until=action.until)
            self._findings[finding] = changed
            self._note(finding, now, "reopened" if state == "open" else state, action.by, action.reason, action.until)
            return changed

    def audit(self, by: str, what: str, now: int) -> None:
        with self._lock:
            self._audits.append((now, by, what))

    def upkeep(self, now: int, as_of: int | None = None) -> Released:
        del now, as_of
        return Released(0, 0)

    def replay(
        self, start: int, end: int, outlook: Outlook, now: int, *, after: str | None = None, most: int = 100_000
    ) -> Judged:
        if most > self.suffices:
            raise MemoryLimitError("the memory limit was reached", hint="give it more")
        with self._lock:
            met = sorted(
                key for key, events in self._events.items() if any(start <= each.event.time < end for each in events)
            )
            begin = int(after or 0)
            chosen = met[begin : begin + most]
            changes: Counter[str] = Counter()
            for key in chosen:
                changes += self._judge_case(key, outlook, now)
            following = str(begin + most) if begin + most < len(met) else None
            counted = (len(chosen), changes["opened"], changes["reopened"], changes["resolved"])
            return Judged(*counted, None, following is not None, following)

    def settle(self, settled: Sequence[Settled]) -> None:
        with self._lock:
            for each in settled:
                dead = [notice for notice, _ in self._dead if notice.number == each.number]
                if each.number not in self._notices and not dead:
                    continue
                self._dead = [letter for letter in self._dead if letter[0].number != each.number]
                notice = dead[0] if dead else self._notices.pop(each.number)[0]
                notice = _replace(notice, deliveries=each.deliveries)
                if each.again is not None:
                    self._notices[each.number] = (notice, each.again)
                elif each.failed is not None:
                    self._dead.append((notice, each.failed))

    # Within

    def _take(self, batch: Batch, body: bytes, position: int, now: int) -> int | None:
        """One record into each workflow that names its source; its event time, None where it is rejected by all."""
        latest = None
        record = object_of(body)
        for name, (_, workflow, _) in self._workflows.items():
            if batch.source not in source_names(workflow):
                continue
            tally = self._accounts.setdefault((name, batch.source), Counter())
            time = None if record is None else instant_of(record.get("time"))
            if record is None or time is None:
                tally["rejected"] += 1
                continue
            latest = time
            tally[self._file(name, workflow, batch, record, time, position, now)] += 1
        return latest

    def _file(
        self, name: str, workflow: Workflow, batch: Batch, record: dict[str, Any], time: int, position: int, now: int
    ) -> str:
        declared = workflow.events.get(str(record.get("type")))
        if declared is None or declared.source != batch.source:
            return "unmatched"
        case = at_path(record, next(iter((declared.keys or workflow.sources[batch.source].keys).values())))
        if case in (None, ""):
            return "orphan"
        event = Event(str(record["type"]), time, id=text_of(record.get("id")), attributes=captured(declared.capture, record))
        key = (name, str(case))
        kept = self._events.setdefault(key, [])
        again = any(each.event.id == event.id and each.event.type == event.type for each in kept if event.id)
        row = self._rows.get(key)
        kept.append(
            StoredEvent(
                event=event,
                source=batch.source,
                part=batch.part,
                position=position,
                arrived=now,
                record=json.dumps(record, ensure_ascii=False),
            )
        )
        self._touched.add(key)
        late = row is not None and row.as_of is not None and time <= row.as_of
        return "redelivered" if again else "late" if late else "matched"

    def _hear(self, batch: Batch, time: int | None, now: int, resume: int | None) -> None:
        part = (batch.source, batch.part)
        there = self._parts.get(part) or PartState(
            source=batch.source, part=batch.part, position=None, latest=None, heard=None, records=0, rejected=0
        )
        self._parts[part] = _replace(
            there,
            position=resume if resume is not None else there.position,
            latest=max([at for at in (there.latest, time) if at is not None], default=None),
            heard=now,
            records=there.records + 1,
            rejected=there.rejected + (time is None),
        )

    def _judge_case(self, key: tuple[str, str], outlook: Outlook, now: int) -> Counter[str]:
        name, case = key
        _, workflow, judge = self._workflows[name]
        stored = self._events[key]
        events = [each.event for each in stored]
        times = [event.time for event in events]
        if min(times) > outlook.as_of:
            self._rows[key] = self._row(key, times, "open", outlook, due=min(times))
            return Counter()
        verdict = judge.judge(events, outlook.as_of)
        audited = dict(zip(names(workflow), workflow.audited(), strict=True))
        behind: set[str] = set()
        standing: dict[str, LiveFinding] = {}
        for each in verdict.verdicts:
            expectation = audited[each.expectation]
            for violation in each.violations:
                awaited = {workflow.events[type_].source for type_ in getattr(expectation, "events", ())[1:]}
                waits = {source for source in awaited if violation.since > outlook.behind.get(source, FOREVER)}
                if violation.kind == "missing" and waits:
                    behind |= waits
                    continue
                id_ = _finding_id(name, case, each.expectation, violation)
                standing[id_] = LiveFinding(
                    id=id_,
                    workflow=name,
                    case=case,
                    expectation=each.expectation,
                    kind=violation.kind,
                    severity=expectation.severity,
                    owner=owner_of(workflow, expectation),
                    since=violation.since,
                    type=violation.type,
                    time=violation.time,
                    activation=violation.activation,
                    message=message(workflow, expectation, violation),
                    state="open",
                    opened=now,
                    changed=now,
                )
        later = [time for time in times if time > outlook.as_of]
        dues = [each.due for each in verdict.verdicts if each.due not in (None, FOREVER)]
        ends = [verdict.end] if not verdict.ended and verdict.end != FOREVER else []
        status = "open" if behind and len(standing) == 0 else verdict.status.value
        due = min([*later, *(due for due in dues if due is not None), *ends], default=None)
        changes = self._settle(key, standing, now)
        self._rows[key] = self._row(
            key, times, status, outlook, due=due, ended=verdict.ended, findings=len(standing), behind=tuple(sorted(behind))
        )
        return changes

    def _row(
        self,
        key: tuple[str, str],
        times: Sequence[int],
        status: str,
        outlook: Outlook,
        *,
        due: int | None,
        ended: bool = False,
        findings: int = 0,
        behind: tuple[str, ...] = (),
    ) -> CaseRow:
        return msgspec.convert(
            {
                "workflow": key[0],
                "case": key[1],
                "status": status,
                "ended": ended,
                "events": len(times),
                "findings": findings,
                "first": min(times),
                "last": max(times),
                "as_of": outlook.as_of,
                "due": due,
                "behind": behind,
            },
            CaseRow,
        )

    def _settle(self, key: tuple[str, str], standing: Mapping[str, LiveFinding], now: int) -> Counter[str]:
        changes: Counter[str] = Counter()
        for id_, finding in standing.items():
            there = self._findings.get(id_)
            if there is None:
                self._findings[id_] = _replace(finding, incident=self._incident(finding, now))
                self._note(id_, now, "opened", "sagacity", None, None)
                changes["opened"] += 1
            elif there.state == "resolved":
                self._findings[id_] = _replace(there, state="open", changed=now, resolved=None, late=None)
                self._note(id_, now, "reopened", "sagacity", None, None)
                changes["reopened"] += 1
        for finding in [each for each in self._findings.values() if (each.workflow, each.case) == key]:
            if finding.id not in standing and finding.state != "resolved":
                last = max(each.event.time for each in self._events[key])
                self._findings[finding.id] = _replace(
                    finding, state="resolved", changed=now, resolved=now, late=max(last - finding.since, 0)
                )
                self._note(finding.id, now, "resolved", "sagacity", None, None)
                changes["resolved"] += 1
        return changes

    def _incident(self, finding: LiveFinding, now: int) -> str | None:
        source = None if finding.type is None else self._workflows[finding.workflow][1].events[finding.type].source
        for incident in self._incidents.values():
            same = (incident.workflow, incident.expectation) == (finding.workflow, finding.expectation)
            if same and now - incident.last <= _STORM:
                self._incidents[incident.id] = _replace(incident, last=now)
                return incident.id
        id_ = f"i{sha256(f'{finding.workflow}/{finding.expectation}/{now}'.encode()).hexdigest()[:15]}"
        self._incidents[id_] = Incident(
            id=id_,
            workflow=finding.workflow,
            expectation=finding.expectation,
            severity=finding.severity,
            owner=finding.owner,
            source=source,
            opened=now,
            last=now,
            findings=1,
            open=1,
        )
        return id_

    def _note(self, id_: str, at: int, what: Any, by: str, reason: str | None, until: int | None) -> None:
        entry = HistoryEntry(finding=id_, at=at, what=what, by=by, reason=reason, until=until)
        self._history.setdefault(id_, []).append(entry)
        if what in ("opened", "reopened", "resolved"):
            number = len(self._notices) + len(self._dead) + 1
            notice = Notice(number=number, key=f"{id_}/{what}/{at}", kind=what, at=at, finding=self._findings[id_])
            self._notices[number] = (notice, None)


def _past(what: str) -> str:
    return {"acknowledge": "acknowledged", "waive": "waived", "reopen": "reopened"}[what]


def _finding_id(workflow: str, case: str, expectation: str, violation: Violation) -> str:
    known = json.dumps([workflow, case, expectation, violation.activation, violation.type, violation.kind])
    return sha256(known.encode()).hexdigest()[:16]
