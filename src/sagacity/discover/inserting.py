"""Lines put into a workflow file that somebody has written: all that is there stays, comments included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from sagacity.discover.proposal import Line
from sagacity.errors import UsageError

__all__ = ["Inserting"]

_LOADER: type[Any] = yaml.SafeLoader
_NESTED = 2


class Inserting:
    """A workflow file into which lines are put, each for some rules (see `Line`).

    Raises UsageError where a place is written so that nothing can be put there line by line.
    """

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self._lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
        self._root = _entries(yaml.compose("\n".join(self._lines) + "\n", Loader=_LOADER))
        self._after: dict[int, list[Line]] = {}
        self._within: dict[int, list[tuple[int, str, tuple[int, ...]]]] = {}
        self._sections: dict[str, list[Line]] = {}

    def lines(self) -> tuple[tuple[Line, ...], int | None]:
        """The file, and the place among its lines where the section `accepted` goes on; None where there is none."""
        ends = self._end(self._root["accepted"][1]) if "accepted" in self._root else None
        found: list[Line] = []
        accepted = None
        for number, line in enumerate(self._lines):
            found += self._variants(number, line)
            found += self._after.get(number, ())
            if number == ends:
                accepted = len(found)
        for name, added in self._sections.items():
            of = tuple(sorted({place for line in added for place in line.of or ()}))
            found += [Line("", of), Line(f"{name}:", of), *added]
        return tuple(found), accepted

    def key(self, text: str, of: tuple[int, ...]) -> None:
        """A line of its own among the keys at the top, before what is expected."""
        places = [node.start_mark.line for name in ("expect", "rules", "accepted") for node in self._root.get(name, ())[:1]]
        at = min(places, default=len(self._lines)) - 1
        while at > 0 and self._lines[at].startswith("#"):
            at -= 1
        self._after.setdefault(at, []).append(Line(text, of))

    def event(self, text: str, of: tuple[int, ...], unless: tuple[int, ...] = ()) -> None:
        """An event type."""
        self._put("events", [text], of, unless)

    def clause(self, event: str, head: str, text: str, of: tuple[int, ...]) -> bool:
        """A clause of the shorthand, where `event` has a list of them or none yet; false where there is no place for it."""
        section = self._root.get("expect")
        if section is not None and not (_block(section[1], yaml.MappingNode) and _own(*section)):
            return False
        known = _entries(section[1]) if section is not None else {}
        if event in known:
            clauses = known[event][1]
            if not _block(clauses, yaml.SequenceNode) or not _own(*known[event]):
                return False
            self._append(clauses, [f"- {text}"], of)
            return True
        added = self._added("expect")
        started = next((n for n, line in enumerate(added) if line.text.strip() == head), None)
        if started is not None:
            added[started] = Line(added[started].text, (*(added[started].of or ()), *of))
            indent = len(added[started].text) - len(head) + _NESTED
            added.append(Line(f"{' ' * indent}- {text}", of))
        else:
            self._put("expect", [head, f"{' ' * _NESTED}- {text}"], of)
        return True

    def rule(self, lines: Sequence[str], of: tuple[int, ...]) -> None:
        """A rule in full form."""
        self._put("rules", lines, of)

    def captures(self, event: str, added: Mapping[str, str], of: tuple[int, ...]) -> None:
        """More attributes of an event type that is there, each as its expression."""
        key, value = _entries(self._root["events"][1])[event]
        if not _own(key, value):
            raise self._brought(event)
        said = ", ".join(f"{name}: {text}" for name, text in added.items())
        inner = _entries(value) if isinstance(value, yaml.MappingNode) else {}
        capture = inner["capture"][1] if "capture" in inner else None
        if isinstance(value, yaml.ScalarNode) and value.value == "" and value.start_mark.line == key.start_mark.line:
            self._insert(value.end_mark.line, value.end_mark.column, f" {{capture: {{{said}}}}}", of)
        elif isinstance(capture, yaml.MappingNode) and capture.flow_style:
            self._insert(*_inside(capture), f"{', ' if capture.value else ''}{said}", of)
        elif isinstance(capture, yaml.MappingNode):
            self._append(capture, [f"{name}: {text}" for name, text in added.items()], of)
        elif capture is None and isinstance(value, yaml.MappingNode) and value.flow_style:
            self._insert(*_inside(value), f"{', ' if value.value else ''}capture: {{{said}}}", of)
        elif capture is None and isinstance(value, yaml.MappingNode):
            self._append(value, [f"capture: {{{said}}}"], of)
        else:
            raise UsageError(f"{self.file}: what is captured of {event} cannot be added to", hint="write it as name: path")

    def _put(self, section: str, lines: Sequence[str], of: tuple[int, ...], unless: tuple[int, ...] = ()) -> None:
        if section in self._root:
            key, value = self._root[section]
            if not _own(key, value):
                raise self._brought(section)
            if isinstance(value, yaml.ScalarNode) and value.value == "":
                added = self._after.setdefault(key.start_mark.line, [])
                added.extend(Line(f"{' ' * _NESTED}{line}", of, unless) for line in lines)
            else:
                self._append(value, lines, of, section, unless)
        else:
            self._sections.setdefault(section, []).extend(Line(f"{' ' * _NESTED}{line}", of, unless) for line in lines)

    def _added(self, section: str) -> list[Line]:
        """What was put into a section so far."""
        if section in self._root:
            return self._after.setdefault(self._end(self._root[section][1]), [])
        return self._sections.setdefault(section, [])

    def _append(
        self, node: Any, lines: Sequence[str], of: tuple[int, ...], name: str = "a list", unless: tuple[int, ...] = ()
    ) -> None:
        """Lines after the last of a block, indented as it is."""
        if not _block(node):
            raise UsageError(
                f"{self.file}: '{name}' stands in brackets", hint="write one entry a line, so that more can be added"
            )
        indent = " " * node.start_mark.column
        self._after.setdefault(self._end(node), []).extend(Line(f"{indent}{line}", of, unless) for line in lines)

    def _brought(self, what: str) -> UsageError:
        return UsageError(f"{self.file}: '{what}' is an alias of what stands elsewhere", hint="write it out")

    def _end(self, node: Any) -> int:
        """The last line of a block, and of the comments that go with it."""
        at, indent = _last(node), node.start_mark.column
        while at > 0 and not self._lines[at].strip():
            at -= 1
        following = at + 1
        while following < len(self._lines) and indent and _comment_at(self._lines[following]) >= indent:
            at, following = following, following + 1
        return at

    def _insert(self, line: int, column: int, text: str, of: tuple[int, ...]) -> None:
        self._within.setdefault(line, []).append((column, text, of))

    def _variants(self, number: int, line: str) -> Iterator[Line]:
        """A line as it is, and as it is for the rules that need more of it."""
        inserted = self._within.get(number)
        if inserted is None:
            yield Line(line)
            return
        of = tuple(sorted({place for _, _, places in inserted for place in places}))
        yield Line(line, unless=of)
        for column, text, _ in sorted(inserted, key=lambda each: -each[0]):
            line = line[:column] + text + line[column:]
        yield Line(line, of)


def _entries(node: Any) -> dict[str, tuple[Any, Any]]:
    return {str(key.value): (key, value) for key, value in node.value} if isinstance(node, yaml.MappingNode) else {}


def _own(key: Any, value: Any) -> bool:
    """Whether a value stands where its key does, and is no alias."""
    return bool(value.start_mark.index >= key.end_mark.index)


def _block(node: Any, kind: type[Any] = yaml.CollectionNode) -> bool:
    return isinstance(node, kind) and not getattr(node, "flow_style", True)


def _last(node: Any) -> int:
    """The line, counted from 0, on which the content of a node ends."""
    if _block(node):
        pairs = node.value if isinstance(node, yaml.SequenceNode) else [each for pair in node.value for each in pair]
        return max((_last(each) for each in pairs), default=node.start_mark.line)
    folded = isinstance(node, yaml.ScalarNode) and node.style in ("|", ">")
    return int(node.end_mark.line) - (1 if folded and node.end_mark.column == 0 else 0)


def _inside(node: Any) -> tuple[int, int]:
    """The place before the bracket that ends a node."""
    return node.end_mark.line, node.end_mark.column - 1


def _comment_at(line: str) -> int:
    """How far a comment is indented; -1 of what is none."""
    bare = line.lstrip(" ")
    return len(line) - len(bare) if bare.startswith("#") else -1
