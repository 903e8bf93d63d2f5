"""Reading a workflow from YAML.

Every mistake is found in one go, each with its place in the file and a hint. What a text says is settled here; whether it
makes sense is the matter of `sagacity.workflow.checks`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sagacity.errors import WorkflowError
from sagacity.workflow.checks import located
from sagacity.workflow.language.declarations import Declarations
from sagacity.workflow.language.fields import Field, Fields
from sagacity.workflow.language.nodes import Node, Unreadable, tree
from sagacity.workflow.language.rules import Origin, Rules
from sagacity.workflow.model import Workflow
from sagacity.workflow.problems import Place, Problem

__all__ = ["load", "loads", "read", "source_text"]


def load(path: str | Path) -> Workflow:
    """The workflow in a file. Raises WorkflowError with every mistake in it, also where the file cannot be read."""
    return loads(source_text(path), str(path))


def loads(text: str, file: str = "<workflow>") -> Workflow:
    """The workflow in a YAML text; `file` stands in messages. Raises WorkflowError with every mistake in it."""
    workflow, problems = read(text, file)
    errors = [problem for problem in problems if problem.severity == "error"]
    if workflow is None or errors:
        raise WorkflowError(errors)
    return workflow


def read(text: str, file: str = "<workflow>") -> tuple[Workflow | None, tuple[Problem, ...]]:
    """The workflow in a YAML text, None where there are errors, and all its problems in the order of their places."""
    try:
        root, whole = tree(text, file)
    except Unreadable as error:
        return None, (error.problem,)
    fields = Fields(whole)
    reading = _Reading(fields)
    workflow = reading.workflow(root)
    written = tuple(fields.problems)
    found = [*written, *(reading.checked(workflow, bool(written)) if workflow is not None else ())]
    once: dict[tuple[str, str], Problem] = {}
    for problem in found:
        once.setdefault((problem.path, problem.message), problem)
    problems = tuple(sorted(once.values(), key=lambda problem: problem.place or Place(file, 1, 1)))
    broken = any(problem.severity == "error" for problem in problems)
    return (None if broken else workflow), problems


def source_text(path: str | Path) -> str:
    """The text of a workflow file. Raises WorkflowError where it cannot be read or is not UTF-8."""
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise _unreadable(path, "there is no such file", "sagacity init writes a workflow to start from") from None
    except IsADirectoryError:
        raise _unreadable(path, "this is a folder", "name the workflow file in it") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise _unreadable(path, f"cannot be read: {reason}") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        place = Place(str(path), before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
        raise WorkflowError([Problem("this is not UTF-8", hint="save the file as UTF-8", place=place)]) from None


def _unreadable(path: str | Path, message: str, hint: str | None = None) -> WorkflowError:
    return WorkflowError([Problem(message, str(path), hint)])


class _Reading:
    """One pass over one tree."""

    def __init__(self, fields: Fields) -> None:
        self.fields = fields
        self.rules = Rules(fields)
        self._sections: dict[str, Field] = {
            "workflow": fields.words,
            "version": fields.words,
            "description": fields.words,
            "owner": fields.words,
            "keys": fields.names,
            "sources": _later,
            "events": _later,
            "begins": fields.names,
            "ends": fields.names,
            "timeout": fields.duration,
            "unexpected": fields.one_of("forbid", "allow"),
            "expect": _later,
            "rules": _later,
            "accepted": _later,
        }

    def workflow(self, root: Node) -> Workflow | None:
        """The workflow as far as it could be read; None where not even its event types could."""
        fields = self.fields
        if root.kind == "scalar" and not root.text.strip():
            fields.wrong(root, "", "the file is empty", "sagacity init writes a workflow to start from")
            return None
        fields.places[""] = root
        values = fields.mapping(root, "", self._sections, "a workflow")
        if values is None:
            return None
        self._needs(root, values)
        keys = values.pop("keys", None) or ("case",)
        declarations = Declarations(fields, keys[0])
        sources = self._section(values, "sources", declarations.sources)
        events = self._section(values, "events", lambda node, path: declarations.events(node, path, sources))
        self._section(values, "expect", self.rules.expect)
        self._section(values, "rules", self.rules.rules)
        accepted = self._section(values, "accepted", declarations.accepted)
        return Workflow(
            name=values.pop("workflow", ""),
            keys=keys,
            sources=sources or {},
            events=events or {},
            expectations=tuple(self.rules.expectations),
            accepted=accepted or {},
            **values,
        )

    def _needs(self, root: Node, values: dict[str, Any]) -> None:
        hints = {
            "workflow": "begin the file with workflow: and a name",
            "sources": "say where events are found: sources: {orders: {format: jsonl, ...}}",
            "events": "say which event types there are: events: {OrderPlaced: ...}",
        }
        for name, hint in hints.items():
            if name not in values and name not in self.fields.settled:
                self.fields.wrong(root, name, f"{name} is missing", hint)

    def _section(self, values: dict[str, Any], name: str, read: Callable[[Node, str], Any]) -> Any:
        node = values.pop(name, None)
        if node is None:
            return None
        if node.empty:
            if name in ("sources", "events"):
                self.fields.wrong(self.fields.places[name], name, f"{name} is empty", "declare at least one")
            return None
        return read(node, name)

    def checked(self, workflow: Workflow, broken: bool) -> list[Problem]:
        """What the checks say, with places; nothing about what was found wrong already, nor doubts about half a text."""
        found = []
        for problem, offset in located(workflow):
            placed = self._placed(problem, offset)
            if not broken or (problem.severity == "error" and not self._settled(placed.path)):
                found.append(placed)
        return found

    def _settled(self, path: str) -> bool:
        settled = self.fields.settled
        return any(part in settled for part in _upwards(path)) and bool(path)

    def _placed(self, problem: Problem, offset: int | None) -> Problem:
        path, node = problem.path, None
        if inside := re.match(r"expectations\[(\d+)\]\.?(.*)", path, re.DOTALL):
            origin = self.rules.origins[int(inside[1])]
            path = _path_in(origin, inside[2])
            if origin.spot is not None and (not inside[2] or path not in self.fields.places):
                return self._spotted(problem, origin, inside[2])
        for part in _upwards(path):
            node = self.fields.places.get(part)
            if node is not None:
                break
        assert node is not None
        within = offset is not None and node.kind == "scalar"
        place = self.fields.text.inside(node, offset or 0) if within else self.fields.text.place(node.start)
        return Problem(problem.message, path, problem.hint, place, problem.severity)

    def _spotted(self, problem: Problem, origin: Origin, part: str) -> Problem:
        assert origin.spot is not None
        node, offset = origin.spot
        if named := re.search(r"'([^']*)'", problem.message) if part.startswith("events") else None:
            node, offset = origin.spots.get(named[1], origin.spot)
        return Problem(problem.message, origin.path, problem.hint, self.fields.text.inside(node, offset), problem.severity)


def _path_in(origin: Origin, part: str) -> str:
    head = re.match(r"[A-Za-z_]*", part)
    name = head[0] if head else ""
    below = origin.paths.get(name)
    return f"{below}{part[len(name) :]}" if below is not None else f"{origin.path}.{part}" if part else origin.path


def _upwards(path: str) -> list[str]:
    """A path and those above it, down to the empty one."""
    found = [path]
    while path:
        cut = max(path.rfind("."), path.rfind("["))
        path = path[:cut] if cut > 0 else ""
        found.append(path)
    return found


def _later(node: Node, _path: str) -> Node:
    return node
