"""What `import sagacity` offers: all of it is there, each name is loaded when it is first used, and its types are stated."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
import typing
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest

import sagacity
from sagacity import errors

PUBLIC = sorted(sagacity.__all__)
MODULES = sorted(module.name for module in walk_packages(sagacity.__path__, "sagacity."))


def _process(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_the_public_names_are_these() -> None:
    assert PUBLIC == [
        "Capture", "Catalog", "ConditionError", "DefinitionError", "Drift", "Event", "EventType", "Explanation", "FOREVER",
        "FencedError", "Finding", "FullError", "History", "LedgerError", "MemoryLimitError", "MessagingError", "Proposal",
        "PublishError", "RejectedError", "Result", "SagacityError", "Source", "SourceError", "StoreError", "UsageError",
        "Workflow", "WorkflowError", "catalog", "check", "discover", "drift", "expect", "explain", "judge", "load", "loads",
    ]  # fmt: skip


def test_importing_the_package_imports_nothing_else_of_it() -> None:
    said = _process("import sys, sagacity; print([name for name in sys.modules if name.startswith('sagacity.')])")
    assert said.strip() == "[]"


def test_each_public_name_is_loaded_on_first_use() -> None:
    code = (
        "import sys, sagacity\n"
        "for name in sagacity.__all__:\n"
        "    for loaded in [each for each in sys.modules if each.startswith('sagacity.')]:\n"
        "        del sys.modules[loaded]\n"
        "    vars(sagacity).pop(name, None)\n"
        "    before = name in vars(sagacity)\n"
        "    print(name, before, getattr(sagacity, name) is not None)\n"
    )
    assert sorted(_process(code).split("\n")[:-1]) == [f"{name} False True" for name in PUBLIC]


def test_a_package_of_the_same_name_does_not_take_a_functions_place() -> None:
    code = (
        "import sagacity, sagacity.judge.legs, sagacity.discover.keys, sagacity.catalog.entry\n"
        "from sagacity import judge, discover, catalog\n"
        "print({each.__class__.__name__ for each in (judge, discover, catalog, sagacity.judge, sagacity.discover)})"
    )
    assert _process(code).strip() == "{'function'}"


@pytest.mark.parametrize("name", ["load", "expect", "judge", "Workflow", "WorkflowError"])
def test_what_needs_no_engine_loads_none(name: str) -> None:
    code = (
        f"import sys, sagacity; sagacity.{name}\n"
        "print([each for each in ('duckdb', 'rich', 'typer', 'pyarrow', 'polars', 'pandas') if each in sys.modules])"
    )
    assert _process(code).strip() == "[]"


def test_type_checkers_are_told_the_same_names() -> None:
    """The names are loaded by `__getattr__`; type checkers read the imports under TYPE_CHECKING instead."""
    tree = ast.parse(Path(inspect.getfile(sagacity)).read_text(encoding="utf-8"))
    told = next(node for node in tree.body if isinstance(node, ast.If))
    names = [alias.name for node in told.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert sorted(names) == PUBLIC


def test_a_name_that_is_not_public_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'chek'"):
        sagacity.chek  # noqa: B018


def test_every_deliberate_error_is_public() -> None:
    assert set(errors.__all__) <= set(PUBLIC)


@pytest.mark.parametrize("name", [name for name in PUBLIC if name not in ("FOREVER", "expect")])
def test_each_public_name_says_what_it_is_and_states_its_types(name: str) -> None:
    public = getattr(sagacity, name)
    assert inspect.getdoc(public), f"{name} has no docstring"
    if inspect.isfunction(public):
        hints = typing.get_type_hints(public)
        assert {*inspect.signature(public).parameters, "return"} <= set(hints)


@pytest.mark.parametrize("module", MODULES)
def test_what_a_module_promises_is_there(module: str) -> None:
    imported = import_module(module)
    promised = getattr(imported, "__all__", [])
    assert [name for name in promised if not hasattr(imported, name)] == []
    assert len(set(promised)) == len(promised)
