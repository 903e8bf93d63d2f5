"""The workflow file of a proposal: what a person reads, changes and accepts. Each rule has its evidence in a comment."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from sagacity.discover.proposal import Candidate, Evidence, Proposal
from sagacity.workflow.durations import format_duration
from sagacity.workflow.model import Capture, EventType, Source, Workflow

__all__ = ["evidence_text", "percent", "rules_text", "written"]

_SPOKEN = {"true", "false", "null", "yes", "no", "on", "off", "none", "~"}
_COMMENT_AT = 64
_FLOW = re.compile(r"[,\[\]{}]")


def written(
    workflow: Workflow,
    candidates: Sequence[Candidate],
    evidence: Sequence[Evidence | None],
    *,
    head: Sequence[str] = (),
    order: Sequence[str] = (),
    beside: Mapping[str, str] = {},
) -> str:
    """The file. `evidence` is in step with `candidates`; `order` is that of event types, `beside` has comments for the keys
    `begins`, `ends`, `timeout`, and for event types."""
    lines = [f"# {line}".rstrip() for line in head]
    lines += ["", f"workflow: {_scalar(workflow.name)}"]
    lines += [f"keys: {_scalar(workflow.keys[0])}" if len(workflow.keys) == 1 else f"keys: {_flow(workflow.keys)}"]
    lines += ["", "sources:"]
    for name, source in workflow.sources.items():
        lines += _source(name, source, workflow.keys[0])
    lines += ["", "events:"]
    several = len(workflow.sources) > 1
    for name in order or workflow.events:
        lines.append(_commented(_event(name, workflow.events[name], several), beside.get(name, "")))
    lines.append("")
    for key in ("begins", "ends"):
        if names := getattr(workflow, key):
            text = _scalar(names[0]) if len(names) == 1 else _flow(names)
            lines.append(_commented(f"{key}: {text}", beside.get(key, "")))
    if workflow.timeout is not None:
        lines.append(_commented(f"timeout: {format_duration(workflow.timeout)}", beside.get("timeout", "")))
    lines += _expected(candidates, evidence)
    lines += _rules(candidates, evidence)
    return "\n".join(lines).rstrip() + "\n"


def _expected(candidates: Sequence[Candidate], evidence: Sequence[Evidence | None]) -> list[str]:
    said: dict[str, list[str]] = {}
    for candidate, found in zip(candidates, evidence, strict=True):
        if candidate.section == "expect":
            line = _commented(f"    - {_scalar(candidate.text)}", evidence_text(candidate, found))
            said.setdefault(candidate.event, []).append(line)
    if not said:
        return []
    return ["", "expect:", *(line for event, lines in said.items() for line in (f"  {_scalar(event)}:", *lines))]


def _rules(candidates: Sequence[Candidate], evidence: Sequence[Evidence | None]) -> list[str]:
    lines: list[str] = []
    for candidate, found in zip(candidates, evidence, strict=True):
        if candidate.section == "rules":
            first, *rest = (f"{key}: {_value(value)}" for key, value in candidate.rule.items())
            lines.append(_commented(f"  - {first}", evidence_text(candidate, found)))
            lines += [f"    {line}" for line in rest]
    return ["", "rules:", *lines] if lines else []


def evidence_text(candidate: Candidate, evidence: Evidence | None) -> str:
    """What speaks for a rule in one line: how often it holds, of how many cases, what else it rests on, and cases
    against it.
    """
    if evidence is None:
        return ""
    said = f"{percent(evidence.held, evidence.support)} of {evidence.support:,} cases"
    against = ", ".join(each.case for each in evidence.counter)
    parts = [said, *([candidate.note] if candidate.note else []), *([f"not {against}"] if against else [])]
    return " ".join("; ".join(parts).split())


def rules_text(proposal: Proposal) -> str:
    """How many rules there are, as the file, its page and `check` count them: `13 rules and how cases begin`."""
    rules = f"{proposal.stated:,} rule{'' if proposal.stated == 1 else 's'}"
    return f"{rules} and how cases begin" if proposal.begun else rules


def percent(part: int, whole: int) -> str:
    """A share as people write it; never 100 % unless it is all."""
    if part == whole:
        return "all"
    share = 100 * part / max(whole, 1)
    if 0 < share < 1:
        return "under 1 %"
    return f"{min(share, 99.9):.1f} %" if share >= 90 else f"{share:.0f} %"


def _source(name: str, source: Source, key: str) -> list[str]:
    lines = [f"  {_scalar(name)}:"]
    given = {
        "format": source.format, "path": source.path, "type": source.type, "time": source.time, "id": source.id,
        "seq": source.seq, "timezone": source.timezone,
    }  # fmt: skip
    if source.format == "xes":
        given = {"format": source.format, "path": source.path}
    lines += [f"    {name}: {_scalar(value)}" for name, value in given.items() if value is not None]
    if source.format != "xes" or source.keys.get(key) != '"case:concept:name"':
        lines.append(
            f"    key: {_scalar(source.keys[key])}" if list(source.keys) == [key] else f"    key: {_map(source.keys)}"
        )
    return lines


def _event(name: str, event: EventType, several: bool) -> str:
    parts = {}
    if several:
        parts["source"] = _scalar(event.source, flow=True)
    if event.type is not None:
        parts["type"] = _scalar(event.type, flow=True)
    if event.capture:
        parts["capture"] = "{" + ", ".join(f"{each}: {_capture(c)}" for each, c in event.capture.items()) + "}"
    inner = "{" + ", ".join(f"{key}: {value}" for key, value in parts.items()) + "}"
    return f"  {_scalar(name)}: {inner if parts else ''}".rstrip()


def _capture(capture: Capture) -> str:
    standard = Capture(value="")
    if capture.type == "decimal" and capture.scale != standard.scale:
        return _scalar(f"{capture.value} as decimal({capture.digits}, {capture.scale})", flow=True)
    return _scalar(f"{capture.value} as {capture.type}" if capture.type else capture.value, flow=True)


def _commented(line: str, comment: str) -> str:
    return f"{line.ljust(_COMMENT_AT)}  # {comment}" if comment else line


def _value(value: object) -> str:
    return _flow(value) if isinstance(value, list | tuple) else _scalar(str(value))


def _flow(names: Sequence[str]) -> str:
    return f"[{', '.join(_scalar(name, flow=True) for name in names)}]"


def _map(values: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{_scalar(key, flow=True)}: {_scalar(value, flow=True)}" for key, value in values.items()) + "}"


def _scalar(text: str, *, flow: bool = False) -> str:
    """A text as YAML: bare where nothing in it means anything else."""
    plain = text.isprintable() and text.strip() == text and text.lower() not in _SPOKEN
    bare = plain and re.match(r"[A-Za-z_0-9(]", text) and not re.search(r": | #|:$", text) and not _looks_odd(text)
    if bare and not (flow and _FLOW.search(text)):
        return text
    if plain and "'" not in text:
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=False)


def _looks_odd(text: str) -> bool:
    return bool(re.fullmatch(r"[0-9.+:_-]+", text))
