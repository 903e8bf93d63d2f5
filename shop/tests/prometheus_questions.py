"""What dashboards and alerts ask Prometheus, and what of it nobody would answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

import msgspec
import yaml
from prometheus_client.parser import text_string_to_metric_families

__all__ = ["ALERTS", "BOARDS", "Exported", "Question", "alerts", "exported", "queries", "unanswered"]

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
ALERTS = DEPLOY / "prometheus/alerts.yaml"
BOARDS = DEPLOY / "grafana/dashboards"

Exported: TypeAlias = dict[str, list[Mapping[str, str]]]
"""The labels of each sample, by its name."""

_OF_PROMETHEUS = frozenset({"job", "instance"})
_GROUPS = re.compile(r"\b(?:by|without)\s*\(([^)]*)\)")
_COMPARED = re.compile(r"\s(?:[<>]=?|[=!]=)\s")
_RANGE = re.compile(r"\[[^\]]*\]")
_SELECTOR = re.compile(r"\b([a-zA-Z_:][\w:]*)\b(?!\s*\()(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')


class Question(msgspec.Struct, frozen=True):
    """One expression, and where it stands. Of each metric in it the matchers, as label, operator and value, and the labels
    by which its side of a comparison is grouped."""

    where: str
    expr: str
    metrics: tuple[tuple[str, tuple[tuple[str, str, str], ...], frozenset[str]], ...]


def queries(board: str) -> Iterator[Question]:
    """What a dashboard asks."""
    for panel in json.loads((BOARDS / f"{board}.json").read_text())["panels"]:
        for target in panel["targets"]:
            yield _question(f"{board}: {panel['title']}", target["expr"])


def alerts() -> Iterator[Question]:
    """What the alerts ask."""
    for group in yaml.safe_load(ALERTS.read_text())["groups"]:
        for rule in group["rules"]:
            yield _question(rule["alert"], rule["expr"])


def exported(texts: Iterable[str]) -> Exported:
    """What processes say of themselves at /metrics."""
    found: Exported = {}
    for text in texts:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                found.setdefault(sample.name, []).append(sample.labels)
    return found


def unanswered(questions: Iterable[Question], there: Exported, *, elsewhere: str = "up") -> list[str]:
    """What is asked for and nobody says: a metric, a label of it, a value of a label. What matches `elsewhere` is not looked
    for."""
    wrong = []
    for question in questions:
        for name, matchers, groups in question.metrics:
            if re.fullmatch(elsewhere, name):
                continue
            samples = there.get(name)
            if samples is None:
                wrong.append(f"{question.where}: nobody says {name}")
                continue
            labels = _OF_PROMETHEUS.union(*samples)
            asked = groups | {label for label, _, _ in matchers}
            wrong += [f"{question.where}: {name} has no label {label}" for label in sorted(asked - labels)]
            wrong += [
                f"{question.where}: {name} is never of {label} {value}"
                for label, operator, value in matchers
                if operator == "=" and all(sample.get(label) != value for sample in samples)
            ]
    return wrong


def _question(where: str, expr: str) -> Question:
    return Question(where, expr, tuple(metric for side in _COMPARED.split(expr) for metric in _metrics(side)))


def _metrics(side: str) -> Iterator[tuple[str, tuple[tuple[str, str, str], ...], frozenset[str]]]:
    groups = frozenset(label.strip() for found in _GROUPS.findall(side) for label in found.split(","))
    plain = _RANGE.sub("", _GROUPS.sub("", side))
    for name, matchers in _SELECTOR.findall(plain):
        yield name, tuple(_MATCHER.findall(matchers)), groups
