"""The documentation hangs together."""

from __future__ import annotations

import re
from pathlib import Path

_LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def _pages(project: Path) -> list[Path]:
    return [
        project / "README.md",
        project / "shop" / "README.md",
        *(project / "docs").glob("*.md"),
        *(project / "examples").glob("*/README.md"),
    ]


def test_every_link_leads_somewhere(project: Path) -> None:
    broken = [
        f"{page.relative_to(project)}: {target}"
        for page in _pages(project)
        for target in _LINK.findall(page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []


def test_the_index_names_every_page(project: Path) -> None:
    index = (project / "docs" / "index.md").read_text(encoding="utf-8")
    unnamed = [page.name for page in (project / "docs").glob("*.md") if page.name != "index.md" and page.name not in index]
    assert unnamed == []


def test_the_readme_tells_the_two_commands(project: Path) -> None:
    readme = (project / "README.md").read_text(encoding="utf-8")
    makefile = (project / "Makefile").read_text(encoding="utf-8")
    for target in ("demo", "test"):
        assert f"make {target}" in readme
        assert f"\n{target}:" in makefile


def test_changes_are_numbered_one_after_the_other(project: Path) -> None:
    names = sorted(path.name for path in (project / "changes").glob("[0-9]*.md"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
