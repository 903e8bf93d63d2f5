"""Which topic is read for which sources."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from sagacity.errors import UsageError

__all__ = ["Routes", "part_of", "topic_partition"]


def part_of(topic: str, partition: int) -> str:
    """The name of a part: `orders.events/3`."""
    return f"{topic}/{partition}"


def topic_partition(part: str) -> tuple[str, int] | None:
    """What a part's name stands for; None where it is no partition's."""
    topic, slash, number = part.rpartition("/")
    return (topic, int(number)) if slash and number.isascii() and number.isdigit() else None


class Routes:
    """Topics by name, and patterns of topics: what begins with `^` is a regular expression, found from the name's start.

    A topic may be read for several sources. Patterns leave out Kafka's own topics, those that begin with `__`.
    Raises UsageError for a source without topics, and for a pattern that cannot be understood.
    """

    def __init__(self, topics: Mapping[str, Sequence[str]]) -> None:
        self.given: tuple[tuple[str, str], ...] = ()
        self._named: Mapping[str, tuple[str, ...]] = {}
        self._patterns: tuple[tuple[re.Pattern[str], str], ...] = ()
        self.add(topics)

    def add(self, topics: Mapping[str, Sequence[str]]) -> None:
        """Read more topics. What is there already is left as it is; other threads may be looking meanwhile."""
        for source, texts in topics.items():
            if not texts or isinstance(texts, str) or not all(texts):
                raise UsageError(
                    f"source '{source}' has no topics", hint="give a list of topics, or of patterns: ^orders\\."
                )
        new = [(source, text) for source, texts in topics.items() for text in texts if (source, text) not in self.given]
        patterns = [(self._compiled(text), source) for source, text in new if text.startswith("^")]
        named = dict(self._named)
        for source, text in new:
            if not text.startswith("^"):
                named[text] = (*named.get(text, ()), source)
        self._patterns = (*self._patterns, *patterns)
        self._named = named
        self.given = (*self.given, *new)

    @staticmethod
    def _compiled(text: str) -> re.Pattern[str]:
        try:
            return re.compile(text)
        except re.error as error:
            raise UsageError(f"'{text}' is no pattern of topics: {error}", hint="it is a regular expression") from None

    def sources(self, topic: str) -> tuple[str, ...]:
        """The sources that a topic is read for, none twice; empty where it is not read."""
        named = self._named.get(topic, ())
        matched = [source for pattern, source in self._patterns if pattern.match(topic)] if topic[:2] != "__" else []
        return tuple(dict.fromkeys([*named, *matched]))

    @property
    def named(self) -> tuple[str, ...]:
        """The topics that are given by name, and so have to be there."""
        return tuple(self._named)
