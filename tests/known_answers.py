"""Real event logs with known verdicts, held beside the project in `../shared/data`; its README says where they come from.

An engine is held to them in a few lines: judge `answers.cases` by `answers.workflow` as of `FOREVER`, and compare which
cases satisfy which expectation with `answers.satisfied`.
"""

from __future__ import annotations

import gzip
import json
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from sagacity.workflow.model import EventType, Rule, Source, Workflow
from sagacity.workflow.trace import Event

__all__ = ["LOGS", "KnownAnswers", "known_answers"]

_DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"

LOGS = {
    "running-example": ("running-example.xes", "running_example_declare.json.gz"),
    "roadtraffic100": ("roadtraffic100.xes.gz", "roadtraffic100_declare.json.gz"),
}
"""The logs that have known answers: the file of each and that of its answers."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class KnownAnswers(msgspec.Struct, frozen=True):
    """A log and the verdicts on it.

    `workflow` holds every constraint, in order; `cases` the events of each case by its id, with the position in the log
    as `seq`. `satisfied[case]` tells of each constraint, in step with the workflow's expectations, whether the case
    satisfies it, vacuously or not.
    """

    workflow: Workflow
    cases: Mapping[str, Sequence[Event]]
    satisfied: Mapping[str, tuple[bool, ...]]


def known_answers(log: str) -> KnownAnswers:
    """One of `LOGS`. Skips the test where the data does not lie beside the project."""
    if not _DATA.is_dir():
        pytest.skip("../shared/data does not lie beside the project")
    xes, answers = LOGS[log]
    cases = _cases(_DATA / xes)
    known = json.loads(gzip.decompress((_DATA / answers).read_bytes()))
    constraints: list[tuple[str, str, str | None, list[int]]] = known["constraints"]
    workflow = Workflow(
        name=log,
        sources={"log": Source(format="xes", seq="row")},
        events={event.type: EventType(source="log") for events in cases.values() for event in events},
        expectations=tuple(_rule(template, a, b) for template, a, b, _ in constraints),
    )
    columns = zip(*(column for *_, column in constraints), strict=True)
    satisfied = {case: tuple(map(bool, column)) for case, column in zip(known["cases"], columns, strict=True)}
    return KnownAnswers(workflow, cases, satisfied)


def _rule(template: str, a: str, b: str | None) -> Rule:
    """`Alternate Response` of the answers is `alternate_response`; `Existence1` is `existence` with n = 1."""
    return Rule(template=template.lower().replace(" ", "_").removesuffix("1"), events=(a,) if b is None else (a, b))


def _cases(path: Path) -> dict[str, list[Event]]:
    text = path.read_bytes()
    root = ET.fromstring(gzip.decompress(text) if path.suffix == ".gz" else text)
    space = root.tag.removesuffix("log")
    return {
        _attributes(trace)["concept:name"]: [
            Event(type=attributes["concept:name"], time=_microseconds(attributes["time:timestamp"]), seq=seq)
            for seq, attributes in enumerate(map(_attributes, trace.iter(f"{space}event")))
        ]
        for trace in root.iter(f"{space}trace")
    }


def _attributes(element: ET.Element) -> dict[str, str]:
    return {child.attrib["key"]: child.attrib["value"] for child in element if "value" in child.attrib}


def _microseconds(text: str) -> int:
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)
