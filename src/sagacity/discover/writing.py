"""The workflow file of a proposal: what a person reads, changes and accepts. Each rule has its evidence in a comment."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from sagacity.discover.proposal import Candidate, Evidence, Line, Proposal
from sagacity.workflow.durations import format_duration
from sagacity.workflow.model import Acceptance, Capture, EventType, Source, Workflow

__all__ = [
    "acceptance_lines", "capture_text", "commented", "event_text", "evidence_text", "expected", "full_form", "percent",
    "rules_text", "scalar", "written",
]  # fmt: skip

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
) -> tuple[Line, ...]:
    """The file. `evidence` is in step with `candidates`; `order` is that of event types, `beside` has comments for the keys
    `begins`, `ends`, `timeout`, and for event types."""
    lines = [f"# {_shown(line)}".rstrip() for line in head]
    lines += ["", f"workflow: {scalar(workflow.name)}"]
    lines += [f"keys: {scalar(workflow.keys[0])}" if len(workflow.keys) == 1 else f"keys: {_flow(workflow.keys)}"]
    lines += ["", "sources:"]
    for name, source in workflow.sources.items():
        lines += _source(name, source, workflow.keys[0])
    lines += ["", "events:"]
    several = len(workflow.sources) > 1
    for name in order or workflow.events:
        lines.append(commented(f"  {event_text(name, workflow.events[name], several)}", beside.get(name, "")))
    found = [*map(Line, lines), Line("")]
    begun = tuple(place for place, candidate in enumerate(candidates) if candidate.section == "begins") or None
    for key, of in (("begins", begun), ("ends", None)):
        if names := getattr(workflow, key):
            text = scalar(names[0]) if len(names) == 1 else _flow(names)
            found.append(Line(commented(f"{key}: {text}", beside.get(key, "")), of))
    if workflow.timeout is not None:
        found.append(Line(commented(f"timeout: {format_duration(workflow.timeout)}", beside.get("timeout", ""))))
    return (*found, *expected(candidates, evidence))


def expected(candidates: Sequence[Candidate], evidence: Sequence[Evidence | None]) -> tuple[Line, ...]:
    """The sections of a file that say what is expected."""
    return (*_expected(candidates, evidence), *_rules(candidates, evidence))


def _expected(candidates: Sequence[Candidate], evidence: Sequence[Evidence | None]) -> list[Line]:
    said: dict[str, list[tuple[int, str]]] = {}
    for place, (candidate, found) in enumerate(zip(candidates, evidence, strict=True)):
        if candidate.section == "expect":
            line = commented(f"    - {scalar(candidate.text)}", evidence_text(candidate, found))
            said.setdefault(candidate.event, []).append((place, line))
    everything = tuple(place for lines in said.values() for place, _ in lines)
    section = [Line("", everything), Line("expect:", everything)] if said else []
    for event, lines in said.items():
        section.append(Line(f"  {scalar(event)}:", tuple(place for place, _ in lines)))
        section += [Line(line, (place,)) for place, line in lines]
    return section


def _rules(candidates: Sequence[Candidate], evidence: Sequence[Evidence | None]) -> list[Line]:
    lines: list[Line] = []
    for place, (candidate, found) in enumerate(zip(candidates, evidence, strict=True)):
        if candidate.section == "rules":
            lines += [Line(f"  {line}", (place,)) for line in full_form(candidate.rule, evidence_text(candidate, found))]
    everything = tuple(dict.fromkeys(place for line in lines for place in line.of or ()))
    return [Line("", everything), Line("rules:", everything), *lines] if lines else []


def full_form(rule: Mapping[str, object], comment: str = "") -> list[str]:
    """A rule as an entry of the section `rules`."""
    first, *rest = (f"{key}: {_value(value)}" for key, value in rule.items())
    return [commented(f"- {first}", comment, _COMMENT_AT - 2), *(f"  {line}" for line in rest)]


def acceptance_lines(names: Sequence[str], acceptances: Sequence[Acceptance]) -> tuple[Line, ...]:
    """Where each rule came from, by its name."""
    everything = tuple(range(len(names)))
    found = [Line("", everything), Line("accepted:", everything)]
    for place, (name, each) in enumerate(zip(names, acceptances, strict=True)):
        given = {
            "held": str(each.held),
            "of": str(each.of),
            "until": each.until,
            "log": each.log,
            "by": each.by,
            "date": each.date,
            "meaning": each.meaning,
        }
        said = ", ".join(f"{key}: {_stated(key, value)}" for key, value in given.items() if value is not None)
        found.append(Line(f"  {scalar(name)}: {{{said}}}", (place,)))
    return tuple(found)


def _stated(key: str, value: str) -> str:
    return value if key in ("held", "of") else scalar(value, flow=True)


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
    lines = [f"  {scalar(name)}:"]
    given = {
        "format": source.format, "path": source.path, "type": source.type, "time": source.time, "id": source.id,
        "seq": source.seq, "timezone": source.timezone,
    }  # fmt: skip
    if source.format == "xes":
        given = {"format": source.format, "path": source.path}
    lines += [f"    {name}: {scalar(value)}" for name, value in given.items() if value is not None]
    if source.format != "xes" or source.keys.get(key) != '"case:concept:name"':
        lines.append(
            f"    key: {scalar(source.keys[key])}" if list(source.keys) == [key] else f"    key: {_map(source.keys)}"
        )
    return lines


def event_text(name: str, event: EventType, several: bool) -> str:
    """An event type as an entry of the section `events`; its source stands there where there are several."""
    parts = {}
    if several:
        parts["source"] = scalar(event.source, flow=True)
    if event.type is not None:
        parts["type"] = scalar(event.type, flow=True)
    if event.capture:
        parts["capture"] = "{" + ", ".join(f"{each}: {capture_text(c)}" for each, c in event.capture.items()) + "}"
    inner = "{" + ", ".join(f"{key}: {value}" for key, value in parts.items()) + "}"
    return f"{scalar(name)}: {inner if parts else ''}".rstrip()


def capture_text(capture: Capture) -> str:
    """What is captured, as its expression."""
    standard = Capture(value="")
    if capture.type == "decimal" and capture.scale != standard.scale:
        return scalar(f"{capture.value} as decimal({capture.digits}, {capture.scale})", flow=True)
    return scalar(f"{capture.value} as {capture.type}" if capture.type else capture.value, flow=True)


def commented(line: str, comment: str, at: int = _COMMENT_AT) -> str:
    """A line with a comment beside it."""
    return f"{line.ljust(at)}  # {_shown(comment)}" if comment else line


def _value(value: object) -> str:
    if isinstance(value, bool | int):
        return json.dumps(value)
    return _flow(value) if isinstance(value, list | tuple) else scalar(str(value))


def _flow(names: Sequence[str]) -> str:
    return f"[{', '.join(scalar(name, flow=True) for name in names)}]"


def _map(values: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{scalar(key, flow=True)}: {scalar(value, flow=True)}" for key, value in values.items()) + "}"


def scalar(text: str, *, flow: bool = False) -> str:
    """A text as YAML: bare where nothing in it means anything else."""
    plain = text.isprintable() and text.strip() == text and text.lower() not in _SPOKEN
    bare = plain and re.match(r"[A-Za-z_0-9(]", text) and not re.search(r": | #|:$", text) and not _looks_odd(text)
    if bare and not (flow and _FLOW.search(text)):
        return text
    if plain and "'" not in text:
        return f"'{text}'"
    return _shown(json.dumps(text, ensure_ascii=False))


def _shown(text: str) -> str:
    """A text in which nothing drives a terminal, reorders what stands beside it, or is no YAML: such signs as escapes, by
    which a quoted text has them all the same."""
    return text if text.isprintable() else "".join(each if each.isprintable() else _escape(ord(each)) for each in text)


def _escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _looks_odd(text: str) -> bool:
    return bool(re.fullmatch(r"[0-9.+:_-]+", text))
