"""Writing a workflow as YAML: every expectation in full form, every attribute in long form.

`sagacity.workflow.language.reader.loads` reads it back as an equal workflow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import yaml

from sagacity.workflow.durations import format_duration
from sagacity.workflow.model import Assert, Capture, EventType, Expectation, Matches, Rule, Source, Workflow
from sagacity.workflow.templates import TEMPLATES

__all__ = ["dump", "full_form"]

_DUMPER: type[Any] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def dump(workflow: Workflow) -> str:
    """The workflow in canonical YAML. What equals its default is left out."""
    document = _present(
        {
            "workflow": workflow.name,
            "version": workflow.version,
            "description": workflow.description,
            "owner": workflow.owner,
            "keys": list(workflow.keys),
            "sources": {name: _source(source) for name, source in workflow.sources.items()},
            "events": {name: _event(event_type) for name, event_type in workflow.events.items()},
            "begins": list(workflow.begins) or None,
            "ends": list(workflow.ends) or None,
            "timeout": _duration(workflow.timeout),
            "unexpected": None if workflow.unexpected == "allow" else workflow.unexpected,
            "rules": [full_form(expectation) for expectation in workflow.expectations] or None,
            "accepted": {name: _present(msgspec.structs.asdict(each)) for name, each in workflow.accepted.items()} or None,
        }
    )
    text: str = yaml.dump(document, Dumper=_DUMPER, sort_keys=False, allow_unicode=True, width=2**30)
    return text


def _source(source: Source) -> dict[str, Any]:
    return _present(
        {
            "format": source.format,
            "path": source.path,
            "type": source.type,
            "time": source.time,
            "id": source.id,
            "seq": source.seq,
            "key": dict(source.keys) or None,
            "timezone": source.timezone,
            "topics": list(source.topics) or None,
            "redact": list(source.redact) or None,
        }
    )


def _event(event_type: EventType) -> dict[str, Any]:
    return _present(
        {
            "source": event_type.source,
            "type": event_type.type,
            "where": event_type.where,
            "time": event_type.time,
            "id": event_type.id,
            "seq": event_type.seq,
            "key": None if event_type.keys is None else dict(event_type.keys),
            "capture": {name: _capture(capture) for name, capture in event_type.capture.items()} or None,
            "owner": event_type.owner,
            "description": event_type.description,
        }
    )


def _capture(capture: Capture) -> dict[str, Any]:
    standard = Capture(value="")
    return _present(
        {
            "value": capture.value,
            "type": capture.type,
            "currency": capture.currency,
            "digits": None if capture.digits == standard.digits else capture.digits,
            "scale": None if capture.scale == standard.scale else capture.scale,
        }
    )


def full_form(expectation: Expectation) -> dict[str, Any]:
    """An expectation as an entry of the section `rules`, as plain data."""
    common = _present(
        {
            "name": expectation.name,
            "severity": None if expectation.severity == "error" else expectation.severity,
            "owner": expectation.owner,
            "description": expectation.description,
        }
    )
    match expectation:
        case Rule():
            return {**_rule(expectation), **common}
        case Matches():
            return {"matches": _matches(expectation), **common}
        case Assert():
            immediate = {"immediate": True} if expectation.immediate else {}
            return {"assert": expectation.predicate, **immediate, **common}


def _rule(rule: Rule) -> dict[str, Any]:
    template = TEMPLATES.get(rule.template)
    return _present(
        {
            rule.template: rule.events[0] if len(rule.events) == 1 else list(rule.events),
            "n": rule.n if template and template.counts else None,
            "within": _duration(rule.within),
            "when": rule.when,
            "where": rule.where,
        }
    )


def _matches(matches: Matches) -> dict[str, Any]:
    return _present(
        {
            "from": matches.from_,
            "to": matches.to,
            "by": list(matches.by),
            "cardinality": matches.cardinality,
            "amount": None if matches.amount is None else list(matches.amount),
            "tolerance": None if matches.tolerance == "0" else matches.tolerance,
            "within": _duration(matches.within),
        }
    )


def _duration(microseconds: int | None) -> str | None:
    return None if microseconds is None else format_duration(microseconds)


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
