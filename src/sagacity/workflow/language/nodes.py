"""A YAML text as a tree in which every value knows where it stands.

The tree is built from the parser's events and never from its constructors: a scalar stays the text that the author
wrote, so that `no`, `1.10` and `1:30` are not turned into something else, and neither depth nor aliases can exhaust the
machine. Each scalar knows whether it was quoted.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Any, Literal

import yaml

from sagacity.workflow.problems import Place, Problem

__all__ = ["LARGEST", "Node", "Text", "Unreadable", "tree"]

LARGEST = 5_000_000
"""The longest text that is read, in characters."""

_DEEPEST = 40
_MOST = 500_000
_LOADER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_TAGS = {"tag:yaml.org,2002:str", "!"}


class Unreadable(Exception):  # noqa: N818
    """The text is not YAML that a tree can be made of; `problem` says where and why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class Node:
    """A scalar (`text`), a list (`items`) or a mapping (`pairs`: each key's text to its node and its value).

    `start` and `end` are offsets into the whole text. `size` counts the nodes below, aliases expanded. `repeated` lists
    the keys that came a second time.
    """

    __slots__ = ("end", "items", "kind", "pairs", "plain", "repeated", "size", "start", "text")

    def __init__(self, kind: Literal["scalar", "list", "mapping"], start: int, end: int, text: str = "", plain: bool = True):
        self.kind = kind
        self.start = start
        self.end = end
        self.text = text
        self.plain = plain
        self.items: list[Node] = []
        self.pairs: dict[str, tuple[Node, Node]] = {}
        self.repeated: list[Node] = []
        self.size = 1

    @property
    def empty(self) -> bool:
        """Whether this is YAML's null: nothing at all, `~` or `null`."""
        return self.kind == "scalar" and self.plain and self.text in ("", "~", "null", "Null", "NULL")


class Text:
    """The whole text of a file, which turns offsets into places."""

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self._starts = [0, *(match.end() for match in re.finditer(r"\r\n|[\n\r\x85\u2028\u2029]", text))]

    def place(self, offset: int) -> Place:
        """The line and column of an offset."""
        offset = min(offset, len(self.text))
        line = bisect_right(self._starts, offset)
        return Place(self.file, line, offset - self._starts[line - 1] + 1)

    def inside(self, node: Node, offset: int) -> Place:
        """The place of the character at `offset` of a scalar's text, however the scalar is quoted or folded."""
        raw = self.text[node.start : node.end]
        skip = re.match(r"[|>][^\n]*\n|['\"]|", raw)
        position = skip.end() if skip else 0
        solid = sum(not character.isspace() for character in node.text[:offset])
        quote = raw[:1] if raw[:1] in ("'", '"') else ""
        while position < len(raw):
            character = raw[position]
            if not character.isspace():
                if solid == 0:
                    break
                solid -= 1
                position += _escaped(raw, position, quote)
            position += 1
        return self.place(node.start + min(position, max(len(raw) - 1, 0) if solid else len(raw)))

    def failure(self, offset: int, message: str, hint: str | None = None) -> Unreadable:
        """The error that says why no tree can be made."""
        return Unreadable(Problem(message, hint=hint, place=self.place(offset)))


def tree(text: str, file: str) -> tuple[Node, Text]:
    """The tree of a YAML text with one document. Raises Unreadable at the first spot that no tree can be made of."""
    whole = Text(text, file)
    if len(text) > LARGEST:
        raise whole.failure(0, f"the file has {len(text):,} characters, more than {LARGEST:,}", "is this a workflow file?")
    if control := _CONTROL.search(text):
        code = f"U+{ord(control[0]):04X}"
        name = "a NUL byte" if control[0] == "\0" else f"the control character {code}"
        raise whole.failure(control.start(), f"{name} stands in the text", "is this a text file in UTF-8? remove it")
    try:
        root = _Composer(whole).compose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _syntax(whole, mark.index if mark else 0, error) from None
    except yaml.YAMLError as error:
        raise whole.failure(0, f"this is not YAML: {error}") from None
    return root, whole


class _Composer:
    """Builds the tree event by event, on a stack of its own."""

    def __init__(self, whole: Text) -> None:
        self.whole = whole
        self.anchors: dict[str, Node] = {}
        self.open: list[tuple[Node, str | None]] = []
        self.keys: list[Node | None] = []
        self.root: Node | None = None
        self.size = 0

    def compose(self) -> Node:
        documents = 0
        for event in yaml.parse(self.whole.text, Loader=_LOADER):
            match event:
                case yaml.ScalarEvent():
                    self._check_tag(event)
                    plain = event.style in (None, "")
                    node = Node("scalar", *_extent(event), event.value, plain)
                    self._anchor(event.anchor, node)
                    self._add(node)
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    self._enter(event)
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    node, anchor = self.open.pop()
                    self.keys.pop()
                    node.end = _extent(event)[1]
                    self._anchor(anchor, node)
                    self._add(node)
                case yaml.AliasEvent():
                    self._alias(event)
                case yaml.DocumentStartEvent():
                    documents += 1
                    if documents > 1:
                        hint = "one file holds one workflow: put the second into a file of its own"
                        raise self.whole.failure(_extent(event)[0], "a second document starts here", hint)
        return self.root or Node("scalar", 0, 0)

    def _enter(self, event: Any) -> None:
        self._check_tag(event)
        if len(self.open) >= _DEEPEST:
            raise self.whole.failure(event.start_mark.index, f"nested deeper than {_DEEPEST} levels")
        kind: Literal["list", "mapping"] = "mapping" if isinstance(event, yaml.MappingStartEvent) else "list"
        self.open.append((Node(kind, *_extent(event)), event.anchor))
        self.keys.append(None)

    def _alias(self, event: Any) -> None:
        start = event.start_mark.index
        if event.anchor not in self.anchors:
            recursive = any(anchor == event.anchor for _, anchor in self.open)
            message = f"*{event.anchor} stands inside itself" if recursive else f"there is no &{event.anchor} before this"
            hint = None if recursive else f"to begin a text with an asterisk, quote it: '*{event.anchor}'"
            raise self.whole.failure(start, message, hint)
        self._add(self.anchors[event.anchor])

    def _anchor(self, anchor: str | None, node: Node) -> None:
        if anchor is not None:
            self.anchors[anchor] = node

    def _add(self, node: Node) -> None:
        self.size += node.size
        if self.size > _MOST:
            raise self.whole.failure(node.start, f"the file holds more than {_MOST:,} values, aliases expanded")
        if not self.open:
            self.root = node
            return
        parent, _ = self.open[-1]
        parent.size += node.size
        if parent.kind == "list":
            parent.items.append(node)
            return
        key, self.keys[-1] = self.keys[-1], None
        if key is None:
            if node.kind != "scalar":
                raise self.whole.failure(node.start, "a key is a list or a mapping", "a key is a plain name")
            self.keys[-1] = node
        elif key.text == "<<" and key.plain:
            self._merge(parent, node)
        elif key.text in parent.pairs and parent.pairs[key.text][0].start >= parent.start:
            parent.repeated.append(key)
        else:
            parent.pairs[key.text] = (key, node)

    def _merge(self, parent: Node, node: Node) -> None:
        for source in node.items if node.kind == "list" else [node]:
            if source.kind != "mapping":
                raise self.whole.failure(node.start, "<< takes a mapping, or a list of mappings")
            for name, pair in source.pairs.items():
                parent.pairs.setdefault(name, pair)

    def _check_tag(self, event: Any) -> None:
        if event.tag is not None and event.tag not in _TAGS:
            hint = "quote the text if it is to begin with an exclamation mark"
            raise self.whole.failure(event.start_mark.index, f"tags such as {event.tag} are not used here", hint)


def _extent(event: Any) -> tuple[int, int]:
    return event.start_mark.index, event.end_mark.index


def _escaped(raw: str, position: int, quote: str) -> int:
    if quote == "'" and raw[position : position + 2] == "''":
        return 1
    return 1 if quote == '"' and raw[position] == "\\" else 0


_EXPLAINED = (
    (r"'\\t'|tab", "a tab is used for indentation", "indent with spaces"),
    (
        r"mapping values are not allowed",
        "a colon followed by a space stands inside a text",
        "quote the whole text, or check the indentation",
    ),
    (
        r"could not find expected ':'",
        "a colon is missing after this key",
        "write `key: value`, with a space after the colon",
    ),
    (r"cannot start any token", "a text cannot begin with this character", "quote the whole text"),
    (r"did not find expected key", "this does not line up with the keys above it", "check quotes and indentation"),
    (r"did not find expected '-'", "this does not line up with the list above it", "check the indentation"),
    (r"expected ',' or", "a list or mapping in brackets is not closed", "check commas and closing brackets"),
    (r"unexpected end of stream", "a quoted text is not closed", "add the closing quote"),
    (r"unknown escape", "a backslash in double quotes starts an unknown escape", "use single quotes"),
    (r"undefined tag handle", "a text cannot begin with an exclamation mark", "quote the whole text"),
)


def _syntax(whole: Text, offset: int, error: yaml.MarkedYAMLError) -> Unreadable:
    reason = " ".join(part for part in (error.context, error.problem) if part)
    if whole.text[offset : offset + 1] == "\t":
        reason = "tab"
    for pattern, message, hint in _EXPLAINED:
        if re.search(pattern, reason):
            return whole.failure(offset, message, hint)
    return whole.failure(offset, f"this is not YAML: {reason}")
