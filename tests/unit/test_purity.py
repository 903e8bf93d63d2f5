"""The pure packages decide; they never look at a clock, draw lots, read, write or log.

The import rules in pyproject.toml hold the modules that do such things away from them. This holds what needs no import
of its own: built-in functions, and methods of values that are imported for other reasons.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PURE = (
    "workflow", "plan", "judge", "discover", "catalog", "report", "saga/barrier", "saga/checks", "saga/decide",
    "saga/definition", "saga/expectations", "saga/happenings", "saga/messages", "saga/paths", "saga/state",
    "saga/transitions",
)  # fmt: skip

FUNCTIONS = {"open", "print", "input", "exec", "eval", "breakpoint"}
"""Built-in functions that act on the world, or ask it something."""

METHODS = {
    "open", "now", "utcnow", "today", "getenv",
    "read_text", "read_bytes", "write_text", "write_bytes", "mkdir", "unlink", "touch", "iterdir", "glob", "rglob",
    "exists", "is_file", "is_dir", "stat",
}  # fmt: skip
"""Methods that do."""

MODULES = {"os", "sys", "time", "random", "secrets", "uuid", "logging"}

ALLOWED = {
    ("workflow/language/reader.py", "read_bytes"),
    ("report/html/assets/__init__.py", "read_text"),
}
"""The edges: reading a workflow file, for everyone who has only its path, and the package's own style sheets."""


def _modules(project: Path) -> Iterator[tuple[str, ast.Module]]:
    package = project / "src" / "sagacity"
    for name in PURE:
        for path in sorted([*package.glob(f"{name}.py"), *(package / name).rglob("*.py")]):
            yield str(path.relative_to(package)), ast.parse(path.read_text(encoding="utf-8"))


def _acts(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
                yield node.func.id
            elif isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
                yield node.func.attr
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            yield str(node.module)


def test_pure_packages_do_not_act(project: Path) -> None:
    acts = {(path, name) for path, tree in _modules(project) for name in _acts(tree)}
    assert acts - ALLOWED == set()


@pytest.mark.parametrize(
    "text",
    ["open('x')", "import time", "from random import random", "datetime.now(UTC)", "Path(x).read_text()", "import os.path"],
)
def test_an_act_is_recognised(text: str) -> None:
    assert list(_acts(ast.parse(text)))


def test_there_are_pure_modules_to_look_at(project: Path) -> None:
    assert len(list(_modules(project))) > 20
