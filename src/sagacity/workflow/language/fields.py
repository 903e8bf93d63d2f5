"""Reading values out of a YAML tree: texts, numbers, durations, choices, mappings with known keys.

A reader never raises for what an author wrote: it notes a problem, with its place, and yields None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from sagacity.errors import UsageError
from sagacity.workflow.durations import parse_duration
from sagacity.workflow.language.nodes import Node, Text
from sagacity.workflow.problems import Problem
from sagacity.workflow.spelling import did_you_mean

__all__ = ["Field", "Fields"]

Field: TypeAlias = Callable[[Node, str], Any]
"""Reads the value of a node that stands at a path."""

_KINDS = {"scalar": "a text", "list": "a list", "mapping": "a mapping"}
_INTEGER = re.compile(r"[-+]?\d{1,18}")


class Fields:
    """Readers over one text, the problems that they noted, and where each path stands.

    `places` maps a path to its node, `settled` holds the paths about which something has been said already.
    """

    def __init__(self, text: Text) -> None:
        self.text = text
        self.problems: list[Problem] = []
        self.places: dict[str, Node] = {}
        self.settled: set[str] = set()

    def wrong(
        self,
        node: Node,
        path: str,
        message: str,
        hint: str | None = None,
        offset: int | None = None,
        settles: bool = True,
    ) -> None:
        """Notes an error at a node, or at an offset of its text."""
        inside = offset is not None and node.kind == "scalar"
        place = self.text.inside(node, offset or 0) if inside else self.text.place(node.start)
        self.problems.append(Problem(message, path, hint, place))
        if settles:
            self.settled.add(path)

    def scalar(self, node: Node, path: str, what: str) -> str | None:
        """A scalar's text. An empty one, a list or a mapping is an error that says what was wanted."""
        if node.kind != "scalar":
            self.wrong(node, path, f"{_last(path)} takes {what}, and this is {_KINDS[node.kind]}", _quote_hint(node))
        elif node.empty or not node.text.strip():
            self.wrong(node, path, f"{_last(path)} is empty: {what} is missing", "leave the key out, or give it a value")
        else:
            return node.text
        return None

    def words(self, node: Node, path: str) -> str | None:
        """Any text."""
        return self.scalar(node, path, "a text")

    def expression(self, node: Node, path: str) -> str | None:
        """An SQL expression, without the space around it."""
        text = self.scalar(node, path, "an expression")
        return text.strip() if text is not None else None

    def boolean(self, node: Node, path: str) -> bool | None:
        """`true` or `false`."""
        text = self.scalar(node, path, "true or false")
        if text is None:
            return None
        if node.plain and text in ("true", "false"):
            return text == "true"
        meant = {"yes": "true", "on": "true", "true": "true", "1": "true"}.get(text.lower(), "false")
        self.wrong(node, path, f"{_last(path)} takes true or false, and this is {text!r}", f"write {meant}, without quotes")
        return None

    def integer(self, node: Node, path: str) -> int | None:
        """A whole number."""
        text = self.scalar(node, path, "a whole number")
        if text is None:
            return None
        if node.plain and _INTEGER.fullmatch(text):
            return int(text)
        hint = "drop the quotes" if _INTEGER.fullmatch(text) else "write digits only, such as 2"
        self.wrong(node, path, f"{_last(path)} takes a whole number, and this is {text!r}", hint)
        return None

    def duration(self, node: Node, path: str) -> int | None:
        """A duration, in microseconds."""
        text = self.scalar(node, path, "a duration")
        if text is None:
            return None
        try:
            return parse_duration(text)
        except UsageError as error:
            self.wrong(node, path, f"{_last(path)}: {error.message}", error.hint)
            return None

    def one_of(self, *choices: str) -> Field:
        """One of some words."""

        def read(node: Node, path: str) -> str | None:
            listed = ", ".join(choices)
            text = self.scalar(node, path, f"one of {listed}")
            if text is None or text in choices:
                return text
            near = did_you_mean(text, choices)
            hint = f"did you mean {near}?" if near else f"write one of {listed}"
            self.wrong(node, path, f"{_last(path)} is {text!r}, and must be one of {listed}", hint)
            return None

        return read

    def names(self, node: Node, path: str) -> tuple[str, ...] | None:
        """A name, or a list of names."""
        if node.kind != "list":
            text = self.scalar(node, path, "a name or a list of names")
            return None if text is None else (text,)
        found = []
        for index, item in enumerate(node.items):
            self.places[f"{path}[{index}]"] = item
            found.append(self.scalar(item, f"{path}[{index}]", "a name"))
        return None if None in found else tuple(name for name in found if name is not None)

    def mapping(self, node: Node, path: str, known: Mapping[str, Field], what: str) -> dict[str, Any] | None:
        """The values of a mapping whose keys are known, those left out that could not be read.

        What stands under a misspelt key is read all the same, so that one mistake is not followed by others.
        At the top of a file, keys that begin with `x-` are the author's own: a place for anchors.
        """
        if not self.is_mapping(node, path, what, f"its keys are {', '.join(known)}"):
            return None
        values: dict[str, Any] = {}
        for name, (key, value) in node.pairs.items():
            below = f"{path}.{name}" if path else name
            if not path and name.startswith("x-"):
                continue
            self.places[below] = _spot(key, value)
            if (field := known.get(name)) is not None:
                read = field(value, below)
                if read is not None:
                    values[name] = read
                continue
            near = did_you_mean(name, [other for other in known if other not in node.pairs])
            hint = f"did you mean {near}?" if near else f"known are {', '.join(known)}"
            self.wrong(key, below, f"{what} has no key {name!r}", hint)
            if near and (read := known[near](value, f"{path}.{near}" if path else near)) is not None:
                values.setdefault(near, read)
        return values

    def entries(self, node: Node, path: str, what: str, example: str) -> Iterable[tuple[str, str, Node]]:
        """The entries of a mapping whose keys are the author's names: each name, its path and its value."""
        if not self.is_mapping(node, path, what, example):
            return
        for name, (key, value) in node.pairs.items():
            below = f"{path}.{name}"
            self.places[below] = _spot(key, value)
            if not name.strip():
                self.wrong(key, below, f"a name in {what} is empty")
                continue
            yield name, below, value

    def is_mapping(self, node: Node, path: str, what: str, hint: str) -> bool:
        """Whether a node is a mapping; notes an error where it is not, and one for each key that came twice."""
        if node.kind != "mapping":
            found = "is empty" if node.empty else f"is {_KINDS[node.kind]}"
            self.wrong(node, path, f"{what} is a mapping of keys to values, and this {found}", hint)
            return False
        for key in node.repeated:
            line = self.text.place(node.pairs[key.text][0].start).line
            below = f"{path}.{key.text}" if path else key.text
            self.wrong(
                key,
                below,
                f"{key.text!r} stands here a second time; the first is in line {line}",
                "keep one of the two",
                settles=False,
            )
        return True


def _spot(key: Node, value: Node) -> Node:
    return value if value.kind == "scalar" and not value.empty else key


def _last(path: str) -> str:
    return path.rsplit(".", 1)[-1] or "this"


def _quote_hint(node: Node) -> str | None:
    return "quote the text if it is to begin with { or [" if node.kind != "scalar" else None
