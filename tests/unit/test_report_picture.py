"""The workflow as a picture: well formed, the same every time, and without one thing covering another."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

import report_samples as samples
from sagacity.report.layout import Link, lay_out
from sagacity.report.map import map_of
from sagacity.report.mermaid import mermaid
from sagacity.report.picture import picture
from sagacity.workflow.model import EventType, Rule, Workflow
from sagacity.workflow.templates import TEMPLATES

SVG = "{http://www.w3.org/2000/svg}"


def _boxes(svg: str) -> list[tuple[float, float, float, float]]:
    root = ElementTree.fromstring(svg)
    rects = [rect for rect in root.iter(f"{SVG}rect") if rect.attrib.get("class") in ("box", "plate")]
    return [tuple(float(rect.attrib[key]) for key in ("x", "y", "width", "height")) for rect in rects]  # type: ignore[misc]


@pytest.mark.parametrize("direction", ["right", "down"])
@pytest.mark.parametrize("size", [4, 12, 40, 60])
def test_no_box_or_label_covers_another(size: int, direction: Any) -> None:
    workflow = samples.large_workflow(size)
    boxes = _boxes(picture(workflow, direction=direction))
    assert len(boxes) >= size
    for (x, y, width, height), (left, top, wide, high) in itertools.combinations(boxes, 2):
        apart = x + width <= left or left + wide <= x or y + height <= top or top + high <= y
        assert apart, ((x, y, width, height), (left, top, wide, high))


@pytest.mark.parametrize("size", [4, 40])
def test_everything_stands_within_the_picture(size: int) -> None:
    svg = picture(samples.large_workflow(size))
    root = ElementTree.fromstring(svg)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for x, y, wide, high in _boxes(svg):
        assert 0 <= x <= x + wide <= width
        assert 0 <= y <= y + high <= height


def test_the_same_workflow_gives_the_same_picture() -> None:
    assert picture(samples.large_workflow(30)) == picture(samples.large_workflow(30))


def test_effects_stand_after_their_causes() -> None:
    boxes = lay_out({"c": (10, 10), "a": (10, 10), "b": (10, 10)}, [Link("a", "b"), Link("b", "c"), Link("a", "c")]).boxes
    assert boxes["a"].along < boxes["b"].along < boxes["c"].along


def test_a_circle_of_expectations_is_drawn_all_the_same() -> None:
    names = ("A", "B", "C")
    rules = tuple(Rule(template="response", events=pair) for pair in (("A", "B"), ("B", "C"), ("C", "A"), ("A", "A")))
    workflow = Workflow(name="w", events={name: EventType("s") for name in names}, expectations=rules)
    ElementTree.fromstring(picture(workflow))


def test_every_template_has_words_in_a_picture() -> None:
    for template in TEMPLATES.values():
        rule = Rule(template=template.name, events=("A", "B")[: template.arity])
        workflow = Workflow(name="w", events={name: EventType("s") for name in "AB"}, expectations=(rule,))
        drawn = map_of(workflow)
        lines = [line for holder in (*drawn.nodes, *drawn.ties) for line in holder.lines]  # type: ignore[attr-defined]
        assert len(lines) == 1, template.name
        assert not drawn.beneath


def test_counts_stand_at_nodes_and_ties() -> None:
    result = samples.realistic()
    svg = picture(result.workflow, result.tallies, result.event_counts)
    assert "3,260 events" in svg
    tally = next(tally for tally in result.tallies if tally.name == "paid within 15m")
    applies = tally.satisfied + tally.pending + tally.violated
    assert f">{tally.violated:,} / {applies:,}<" in svg
    assert f"{tally.violated:,} of {applies:,} violated" in (ElementTree.fromstring(svg).findtext(f"{SVG}desc") or "")


def test_hostile_names_stay_text_in_pictures_and_in_mermaid() -> None:
    workflow = samples.hostile().workflow
    root = ElementTree.fromstring(picture(workflow))
    assert [element for element in root.iter() if element.tag == f"{SVG}script"] == []
    text = mermaid(workflow)
    assert "<script" not in text
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", text)


def test_a_workflow_without_expectations_is_a_row_of_boxes() -> None:
    workflow = Workflow(name="w", events={name: EventType("s") for name in "ABCDEF"})
    assert len(_boxes(picture(workflow))) == 6


def test_mermaid_names_each_tie() -> None:
    text = mermaid(samples.small_workflow())
    assert text.startswith("%% The workflow order\nflowchart LR\n")
    assert '  e0 -->|"within 15m"| e1' in text
