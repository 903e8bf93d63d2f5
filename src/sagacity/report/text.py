"""Text on its way to a reader: made harmless, measured, and broken into lines. Names come from logs and may be anything."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["percent", "plural", "shortened", "size_of", "visible", "wrapped"]

# Controls would drive a terminal or break XML; embedding and isolating marks would reorder the text around them.
_CONTROLS = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "\u2421"}
_CONTROLS |= dict.fromkeys((*range(128, 160), *range(55296, 57344), 65534, 65535), "�")
_CONTROLS |= dict.fromkeys((*range(8234, 8239), *range(8294, 8298), 8232, 8233), "�")
_NARROW = frozenset("iIljtf.,:;'|!()[]{} ")
_WIDE = frozenset("mwMW@%")
_BREAK = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[_\-./: ])")


def visible(text: str) -> str:
    """The text with control characters, direction overrides and lone surrogates replaced by visible signs."""
    return text.translate(_CONTROLS)


def shortened(text: str, length: int) -> str:
    """At most `length` characters, the end replaced by an ellipsis where it is longer."""
    return text if len(text) <= length else text[: max(0, length - 1)] + "\u2026"


def size_of(text: str, size: float) -> float:
    """About how wide a text is in a proportional sans-serif face of `size` pixels; rather too much than too little."""
    return size * sum(_em(character) for character in text)


def _em(character: str) -> float:
    if unicodedata.east_asian_width(character) in "WF":
        return 1.1
    if unicodedata.combining(character):
        return 0.0
    if character in _NARROW:
        return 0.36
    return 0.92 if character in _WIDE else 0.68 if character.isupper() else 0.59


def wrapped(text: str, size: float, width: float, lines: int) -> list[str]:
    """The text in at most `lines` lines of `width` pixels, broken between words (also of `camelCase`), else anywhere."""
    done: list[str] = []
    line = ""
    for word in (piece for piece in _BREAK.split(text) if piece):
        while word:
            if size_of(line + word.rstrip(), size) <= width:
                line, word = line + word, ""
            elif line:
                done.append(line)
                line = ""
            else:
                cut = next((n for n in range(len(word), 1, -1) if size_of(word[:n], size) <= width), 1)
                done.append(word[:cut])
                word = word[cut:]
        if len(done) > lines:
            break
    kept = [*done, line] if line else done
    if len(kept) <= lines:
        return [part.strip() for part in kept] or [""]
    last = kept[lines - 1].strip()
    while last and size_of(last + "\u2026", size) > width:
        last = last[:-1]
    return [*(part.strip() for part in kept[: lines - 1]), last + "\u2026"]


def percent(part: int, whole: int) -> str:
    """A share such as `6.7 %`; what is neither nothing nor all never reads as 0 or 100."""
    if not whole:
        return "0 %"
    share = 100 * part / whole
    if 0 < share < 0.1:
        return "< 0.1 %"
    if 99.9 < share < 100:
        return "> 99.9 %"
    return f"{share:.0f} %" if share in (0, 100) else f"{share:.1f} %"


def plural(n: int, one: str, many: str | None = None) -> str:
    """A number with its noun: `1 case`, `2 cases`, `12,000 cases`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
