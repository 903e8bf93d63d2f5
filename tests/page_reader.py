"""A page as text, read strictly: its elements and texts, where every element that is opened is closed in order."""

from __future__ import annotations

from html.parser import HTMLParser

__all__ = ["PageReader", "read_page"]

_VOID = {"meta", "link", "input", "br", "hr", "col"}


class PageReader(HTMLParser):
    """Keeps the elements, and fails where one is closed that is not the last opened."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def read_page(page: str) -> PageReader:
    """The page; fails where it is not well formed."""
    reader = PageReader()
    reader.feed(page)
    reader.close()
    assert reader.stack == []
    return reader
