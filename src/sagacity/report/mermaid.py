"""The workflow as Mermaid text, for places that draw it themselves."""

from __future__ import annotations

from sagacity.report.map import map_of
from sagacity.report.text import visible
from sagacity.workflow.model import Workflow

__all__ = ["mermaid"]

_ARROWS = {"order": "-->", "both": "---", "never": "-.-x"}


def mermaid(workflow: Workflow) -> str:
    """A Mermaid flowchart: event types as nodes, expectations as labelled links; ends in a newline."""
    drawn = map_of(workflow)
    number = {node.name: f"e{place}" for place, node in enumerate(drawn.nodes)}
    lines = [f"%% The workflow {_text(workflow.name)}", "flowchart LR"]
    for node in drawn.nodes:
        shape = ("([", "])") if node.begins or node.ends else ("[", "]")
        words = "<br/>".join(_text(part) for part in (node.name, *(line.words for line in node.lines)))
        lines.append(f'  {number[node.name]}{shape[0]}"{words}"{shape[1]}')
    for tie in drawn.ties:
        words = "<br/>".join(_text(line.words) for line in tie.lines)
        lines.append(f'  {number[tie.source]} {_ARROWS[tie.kind]}|"{words}"| {number[tie.target]}')
    lines += [f"%% {_text(line.definition)}" for line in drawn.beneath]
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    """Text that Mermaid takes literally: its own entity codes for what would be read as syntax or as HTML."""
    return "".join(f"#{ord(character)};" if character in '"<>&#|;`{}[]()%' else character for character in visible(text))
