"""A part of a document, whatever it may be: JSON or YAML that somebody wrote, with its references followed."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["Part", "referred"]

_MOST_STEPS = 32
_MOST_NODES = 200_000
_ESCAPED = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


class Part:
    """A value within one of `documents` (trees by the path of their file).

    A `$ref` is followed, also into other documents; what is not there is empty, and so is what a mistaken document has in
    the place of something else: nothing here raises. `called` is the last name on the way to it.
    """

    def __init__(self, documents: Mapping[str, Any], file: str, value: Any, called: str = "") -> None:
        self.documents = documents
        for _ in range(_MOST_STEPS):
            reference = value.get("$ref") if isinstance(value, dict) else None
            if not isinstance(reference, str):
                break
            file, pointer = _target(file, reference)
            called = pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~") or called
            value = _pointed(documents.get(file), pointer)
        else:
            value = None  # a circle
        self.file, self.value, self.called = file, value, called

    def __bool__(self) -> bool:
        return self.value is not None

    def at(self, *names: str) -> Part:
        """What stands at a path of names."""
        found = self
        for name in names:
            value = found.value.get(name) if isinstance(found.value, dict) else None
            found = Part(self.documents, found.file, value, name)
        return found

    def entries(self) -> list[tuple[str, Part]]:
        """The names and values of a mapping."""
        if not isinstance(self.value, dict):
            return []
        return [(str(name), Part(self.documents, self.file, value, str(name))) for name, value in self.value.items()]

    def elements(self) -> list[Part]:
        """The elements of a list."""
        return [Part(self.documents, self.file, each) for each in self.value] if isinstance(self.value, list) else []

    def text(self, *names: str) -> str | None:
        """The text at a path of names, in one line; a number as text. None where there is none."""
        value = self.at(*names).value
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return None
        return " ".join(str(value).split()) or None

    def texts(self, *names: str) -> tuple[str, ...]:
        """The texts of a list, or the one that stands in its place."""
        part = self.at(*names)
        one = part.text()
        found = [one] if one is not None else [each.text() for each in part.elements()]
        return tuple(text for text in found if text is not None)


def referred(tree: Any, file: str) -> list[tuple[str, str]]:
    """Each other file that a document's references lead to, with the first reference that does."""
    found: dict[str, str] = {}
    for reference in _references(tree):
        target, _ = _target(file, reference)
        if target != file:
            found.setdefault(target, reference)
    return list(found.items())


def _references(tree: Any) -> Iterator[str]:
    # Aliases make one value stand in many places; each is looked at once.
    ahead, known = [tree], {id(tree)}
    while ahead and len(known) < _MOST_NODES:
        node = ahead.pop()
        if isinstance(node, dict) and isinstance(node.get("$ref"), str):
            yield node["$ref"]
        inner: Sequence[Any] = list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else ()
        for each in inner:
            if isinstance(each, dict | list) and id(each) not in known:
                known.add(id(each))
                ahead.append(each)


def _target(file: str, reference: str) -> tuple[str, str]:
    """The file and the pointer in it that a reference names."""
    path, _, pointer = reference.partition("#")
    if not path:
        return file, _plainly(pointer)
    if "://" in path:
        return path, _plainly(pointer)
    return posixpath.normpath(posixpath.join(posixpath.dirname(file), _plainly(path))), _plainly(pointer)


def _plainly(text: str) -> str:
    """A reference's text without `%20` and the like."""
    return _ESCAPED.sub(lambda found: bytes.fromhex(found[0].replace("%", "")).decode("utf-8", "replace"), text)


def _pointed(tree: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(tree, list):
            tree = tree[int(name)] if name.isdigit() and int(name) < len(tree) else None
        else:
            tree = tree.get(name) if isinstance(tree, dict) else None
    return tree
