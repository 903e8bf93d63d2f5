"""Guessing which word an author meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["did_you_mean"]


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, if there is one. Case, underscores, hyphens and spaces do not count."""
    by_letters: dict[str, str] = {}
    for name in known:
        by_letters.setdefault(_letters(name), name)
    letters = _letters(word)
    if letters in by_letters:
        return by_letters[letters]
    close = get_close_matches(letters, by_letters, 1, 0.7)
    return by_letters[close[0]] if close else None


def _letters(word: str) -> str:
    return word.casefold().translate(_IGNORED)


_IGNORED = {ord(character): None for character in "_- "}
