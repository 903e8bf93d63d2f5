"""`python -m shop.<service>`: what it says before it runs, also where it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, NoReturn

import pytest
from msgspec import Meta, Struct

from shop.account.settings import Settings as AccountSettings
from shop.chassis.command import main
from shop.chassis.settings import Secret, described


class Settings(Struct, frozen=True, kw_only=True):
    url: Annotated[Secret, Meta(description="where its database is")]
    keys: Annotated[Secret, Meta(description="what tokens are signed with")]
    many: Annotated[int, Meta(description="how many at a time", ge=1)] = 5


def never(_: object) -> NoReturn:
    raise AssertionError("it was wired")


def said(capsys: pytest.CaptureFixture[str], *arguments: str, **environment: str) -> tuple[int, list[str], list[str]]:
    """The exit code, and the lines of standard output and of standard error."""
    code = main("stall", Settings, never, arguments=arguments, environment=environment)
    out, errors = capsys.readouterr()
    return code, out.splitlines(), errors.splitlines()


def test_where_settings_are_missing_all_of_them_are_printed_with_those_that_are_needed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, errors = said(capsys, "--print-config", STALL_URL="hunter2")
    assert code == 2
    assert out == [
        "STALL_URL=********  # where its database is",
        "STALL_KEYS=  # not set: needed; what tokens are signed with",
        "STALL_MANY=5  # how many at a time",
    ]
    assert errors == [
        "stall cannot start: its settings have 1 mistake",
        "  STALL_KEYS is not set: what tokens are signed with",
    ]


def test_a_value_that_cannot_be_used_is_printed_as_it_was_given(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, errors = said(capsys, "--print-config", STALL_URL="hunter2", STALL_KEYS="hunter2", STALL_MANY="none")
    assert (code, out[2]) == (2, "STALL_MANY=none  # cannot be used; how many at a time")
    assert "hunter2" not in "".join(out + errors)


def test_mistakes_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, errors = said(capsys, STALL_MANY="0")
    assert (code, out, errors[0]) == (2, [], "stall cannot start: its settings have 3 mistakes")


def test_of_a_service_that_is_told_nothing_every_variable_is_printed_with_its_meaning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = main("account", AccountSettings, never, arguments=["--print-config"], environment={})
    lines = capsys.readouterr().out.splitlines()
    assert code == 2
    assert [line.split("=")[0] for line in lines] == [each.variable for each in described(AccountSettings, "ACCOUNT")]
    assert all("  # " in line for line in lines)


def reconciler(folder: Path, *arguments: str, **told: str) -> subprocess.CompletedProcess[str]:
    caller = {name: value for name, value in os.environ.items() if not name.startswith(("RECONCILER_", "SAGACITY_"))}
    caller |= {f"RECONCILER_{name}": value for name, value in told.items()}
    program = [sys.executable, "-m", "shop.reconciler", *arguments]
    return subprocess.run(program, cwd=folder, env=caller, capture_output=True, text=True, timeout=60)


def test_the_reconciler_says_what_it_is_and_what_it_can_be_told_as_services_do(tmp_path: Path) -> None:
    helped, printed = reconciler(tmp_path, "--help"), reconciler(tmp_path, "--print-config")
    assert (helped.returncode, printed.returncode) == (0, 2)
    assert helped.stdout.startswith("usage: python -m shop.reconciler ")
    settings = import_module("shop.reconciler.settings").Settings
    known = [each.variable for each in described(settings, "RECONCILER")]
    assert [line.split("=")[0] for line in printed.stdout.splitlines()] == known
    assert printed.stderr.startswith("reconciler cannot start: its settings have 2 mistakes\n")


def test_the_reconciler_passes_on_who_may_ask_and_writes_it_nowhere(tmp_path: Path) -> None:
    workflow = Path(__file__).resolve().parents[2] / "workflows/shop.workflow.yaml"
    done = reconciler(tmp_path, KAFKA_SERVERS="127.0.0.1:1", WORKFLOWS=str(workflow), TOKENS="hunter2")
    assert done.returncode == 2
    assert "SAGACITY_TOKENS, entry 1 is not a token's line" in done.stderr
    assert "hunter2" not in done.stderr + "".join(each.read_text() for each in tmp_path.iterdir() if each.is_file())
