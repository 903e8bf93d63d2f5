"""Style sheets and modules of the live pages, in one folder whose address carries the hash of all that it holds.

Modules import each other by relative names, so one hash serves them all: what changes is never mixed with what was kept.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

from sagacity.report.html.assets import asset
from sagacity.report.picture import PICTURE_CSS

__all__ = ["asset_url", "assets", "version"]

_OWN = ("live.css", "sagas.css", "live.js", "morph.js", "inbox.js", "editor.js")
_SHARED = ("report.css", "theme.js", "hints.js")
_KINDS = {"css": "text/css", "js": "text/javascript"}


@cache
def assets() -> dict[str, tuple[str, bytes]]:
    """Each file by its name: content type and content. Those of the report come from there, so that both look alike."""
    texts = {name: files(__name__).joinpath(name).read_text(encoding="utf-8") for name in _OWN}
    texts |= {name: asset(name) for name in _SHARED}
    texts["picture.css"] = PICTURE_CSS
    return {name: (_KINDS[name.rpartition(".")[2]], text.encode()) for name, text in texts.items()}


@cache
def version() -> str:
    """The hash of all files."""
    total = hashlib.sha256()
    for name, (_, content) in sorted(assets().items()):
        total.update(name.encode() + b"\0" + content + b"\0")
    return total.hexdigest()[:16]


def asset_url(name: str) -> str:
    """Where a file is found; what an address holds never changes."""
    return f"/assets/{version()}/{name}"
