"""The files that a path, a folder or a glob stands for."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from difflib import get_close_matches
from glob import glob, has_magic
from pathlib import Path

from sagacity.errors import SourceError, UsageError
from sagacity.sources.inputs import Format
from sagacity.sources.sniff import named_format

__all__ = ["files_below", "formats_below", "matches", "mixture", "no_such"]


def matches(pattern: str) -> list[str]:
    """The files that a glob matches, by name; `**` goes into folders. Raises SourceError where there are none."""
    found = sorted(match for match in glob(pattern, recursive=True) if not Path(match).is_dir())  # noqa: PTH207
    if not found:
        first = next(number for number, part in enumerate(Path(pattern).parts) if has_magic(part))
        folder = Path(*Path(pattern).parts[:first])
        holds = f"{folder} holds {_some(folder)}; ** goes into folders"
        hint = holds if folder.is_dir() else f"there is no folder {folder}"
        raise SourceError(f"no file matches {pattern}", hint=hint)
    return found


def no_such(path: Path) -> SourceError:
    """The error of a path that is not there, with the nearest name that is."""
    folder = path.parent
    if not folder.is_dir():
        return SourceError(f"no such file: {path}", hint=f"there is no folder {folder}")
    close = get_close_matches(path.name, _names(folder), 1)
    return SourceError(f"no such file: {path}", hint=f"did you mean {folder / close[0]}?" if close else None)


def files_below(folder: Path, stated: Format | None) -> list[str]:
    """Every file of a known format in a folder and below; hidden files and those that begin with `_` are passed over."""
    known = formats_below(folder, stated)
    if not known:
        wanted = f"whose name tells format {stated}" if stated else "of a known format"
        hint = f"it holds {_some(folder)}; name files by a glob"
        raise SourceError(f"the folder {folder} holds no file {wanted}", hint=hint)
    if len(set(known.values())) > 1:
        raise mixture(f"the folder {folder}", known)
    return sorted(known)


def formats_below(folder: Path, stated: Format | None = None) -> dict[str, Format]:
    """The files of `files_below` with their formats by name, also where these differ."""
    known: dict[str, Format] = {}
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        for name in names:
            found = named_format(name)
            if found is not None and not name.startswith((".", "_")) and stated in (None, found):
                known[str(Path(parent) / name)] = found
    return known


def mixture(what: str, formats: Mapping[str, Format]) -> UsageError:
    """The error of files of several formats that are given as one source."""
    counts = Counter(formats.values())
    listed = ", ".join(f"{count:,} {kind}" for kind, count in counts.most_common())
    example = next(name for name, kind in formats.items() if kind == counts.most_common(1)[0][0])
    pattern = Path(example).parent / ("*" + "".join(Path(example).suffixes[-2:]))
    return UsageError(f"{what} mixes formats: {listed}", hint=f"name one kind by a glob, such as '{pattern}'")


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError:
        return []


def _some(folder: Path) -> str:
    names = _names(folder)
    return ", ".join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "") if names else "nothing"
