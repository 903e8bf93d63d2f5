"""The command line: what it prints, where, and what it exits with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from sagacity.cli.init import STARTER
from sagacity.cli.main import COMMANDS, EXIT_CODES, run
from sagacity.errors import LedgerError, RejectedError, SagacityError, SourceError, UsageError, WorkflowError
from sagacity.workflow.language.reader import load
from sagacity.workflow.problems import Problem

BROKEN = STARTER.replace("timeout: 30d", "timeout: 30")
DOUBTFUL = STARTER.replace("    id: id ", "    id: id\n    seq: row").replace(
    "  ItemShipped:\n", "  ItemShipped:\n  Unused:\n"
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sagacity.cli.main", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    output = capsys.readouterr().out
    assert [name for name in COMMANDS if f"  {name} " not in output] == []
    assert "Examples:" in output


def test_help_imports_no_engine_and_no_rich() -> None:
    code = (
        "import sys; from sagacity.cli.main import run; run(['--help']);"
        "print([name for name in ('duckdb', 'sqlglot', 'rich', 'yaml', 'msgspec', 'pyarrow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_plain_options_load_nothing_that_checks_values(here: Path) -> None:
    code = (
        "import sys; from sagacity.cli.main import run; run(['init', 'a.yaml']); run(['check', 'a.yaml', '-s', 'orders=b']);"
        "print('pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=here)
    assert done.stdout.splitlines() == ["wrote a.yaml; edit it, then run: sagacity validate a.yaml", "False"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--threads", "0"], "greater than or equal to 1"),
        (["--threads", "two"], "valid integer"),
        (["--max-rejected", "-1"], "greater than or equal to 0"),
        (["--memory"], "requires an argument"),
    ],
)
def test_options_that_can_be_wrong_are_still_checked(
    given: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", "a.yaml", *given]) == 2
    assert said in capsys.readouterr().err


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("sagacity 0.")


@pytest.mark.parametrize(
    ("command", "usage"),
    [
        ("check", "WORKFLOW"),
        ("discover", "[FILE...]"),
        ("send", "FILE..."),
        ("init", "[FILE]"),
        ("saga show", "ID"),
        ("saga workflow", "[NAME]"),
        ("saga dead-letters redrive", "[NUMBER...]"),
    ],
)
def test_usage_names_arguments_as_manuals_do(command: str, usage: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command.split(), "--help"]) == 0
    text = capsys.readouterr().out
    assert text.splitlines()[0] == f"Usage: sagacity {command} [OPTIONS] {usage}"
    assert "<" not in text.partition("Arguments:")[2].partition("Options:")[0]


@pytest.mark.parametrize("arguments", [["chek"], ["--nonsense"], ["init", "--nonsense"], ["validate"], []])
def test_bad_usage_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert "Usage: sagacity" in captured.err + captured.out


def test_a_misspelt_command_is_answered_with_the_one_that_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    run(["validat"])
    assert "Did you mean 'validate'" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["init", "validate", "schema"])
def test_the_help_of_a_command_shows_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    output = capsys.readouterr().out
    assert f"Examples:\n    sagacity {name}" in output


def _failing(error: BaseException) -> Callable[[object], int]:
    def invoke(arguments: object) -> int:
        del arguments
        raise error

    return invoke


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (WorkflowError([Problem("x")]), 2),
        (UsageError("x", hint="y"), 2),
        (SourceError("x"), 3),
        (RejectedError("x", ["f:1: y"]), 3),
        (LedgerError("x"), 3),
        (SagacityError("x"), 3),
        (KeyboardInterrupt(), 130),
    ],
)
def test_an_error_exits_with_its_code_and_no_traceback(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([], invoke=_failing(error)) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    if str(error):
        assert captured.err == f"error: {error}\n"


def test_each_class_of_errors_has_a_code() -> None:
    known = [kind for kind, _ in EXIT_CODES]
    assert known[-1] is SagacityError
    assert {WorkflowError, UsageError, SourceError, LedgerError} < set(known)


def test_an_unforeseen_error_is_one_line_that_says_how_to_see_more(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([], invoke=_failing(ZeroDivisionError("a\nb"))) == 70
    assert capsys.readouterr().err.splitlines() == [
        "error: ZeroDivisionError: a b",
        "  this is a mistake in Sagacity itself; SAGACITY_DEBUG=1 shows where it happened",
    ]


def test_an_unforeseen_error_is_shown_whole_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGACITY_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        run([], invoke=_failing(ZeroDivisionError()))


def test_a_reader_that_goes_away_is_no_error() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        [sys.executable, "-m", "sagacity.cli.main", "schema"],
        stdout=write_end,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write_end)
    assert (done.returncode, done.stderr) == (141, "")


def test_init_writes_a_workflow_that_has_nothing_wrong(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init"]) == 0
    workflow = load(here / "order.workflow.yaml")
    assert list(workflow.events) == ["OrderPlaced", "PaymentReceived", "ItemShipped", "ComplianceCheckDone"]
    assert "sagacity validate order.workflow.yaml" in capsys.readouterr().out
    assert run(["validate", "--strict", "order.workflow.yaml"]) == 0


def test_init_overwrites_only_when_told_to(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "mine.yaml").write_text("mine")
    assert run(["init", "mine.yaml"]) == 2
    assert (here / "mine.yaml").read_text() == "mine"
    assert "--force" in capsys.readouterr().err
    assert run(["init", "mine.yaml", "--force"]) == 0
    assert (here / "mine.yaml").read_text() == STARTER


def test_init_says_what_is_wrong_with_its_place(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", "no/such/folder/w.yaml"]) == 2
    assert "cannot write no/such/folder/w.yaml" in capsys.readouterr().err
    (here / "folder").mkdir()
    assert run(["init", "folder"]) == 0
    assert (here / "folder" / "order.workflow.yaml").exists()


def test_validate_prints_each_problem_with_its_place_and_a_summary(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "good.yaml").write_text(STARTER)
    (here / "bad.yaml").write_text(BROKEN)
    assert run(["validate", "good.yaml", "bad.yaml", "none.yaml"]) == 2
    lines = capsys.readouterr().out.splitlines()
    line = BROKEN.splitlines().index(next(line for line in BROKEN.splitlines() if line.startswith("timeout"))) + 1
    assert lines[0] == f"bad.yaml:{line}:10: error: timeout: '30' is not a duration"
    assert lines[1] == "  hint: say the unit, such as 30m or 30d"
    assert lines[2] == "none.yaml: error: there is no such file"
    assert lines[-1] == "3 workflow files: 2 errors, 0 warnings"


def test_warnings_fail_only_where_it_is_strict(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "w.yaml").write_text(DOUBTFUL)
    assert run(["validate", "w.yaml"]) == 0
    assert run(["validate", "w.yaml", "--strict"]) == 2
    assert "1 workflow file: 0 errors, 1 warning" in capsys.readouterr().out


def test_validate_prints_json(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "bad.yaml").write_text(BROKEN)
    assert run(["validate", "bad.yaml", "--format", "json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert (document["valid"], document["files"]) == (False, ["bad.yaml"])
    (problem,) = document["problems"]
    assert (problem["file"], problem["column"], problem["severity"], problem["path"]) == ("bad.yaml", 10, "error", "timeout")


def test_the_schema_is_printed_or_written(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert run(["schema", "-o", "s.json"]) == 0
    assert json.loads((here / "s.json").read_text()) == printed
    assert run(["schema", "-o", "no/s.json"]) == 2


def test_every_listed_command_can_be_found() -> None:
    for module, text, _ in COMMANDS.values():
        assert text.endswith(".")
        assert find_spec(module) is not None, module


def test_a_process_reports_on_stderr_without_colour_when_piped(tmp_path: Path) -> None:
    done = _process("init", str(tmp_path / "no" / "w.yaml"))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: cannot write")


@pytest.mark.parametrize(
    ("options", "begins"),
    [
        (["-o", "x.svg"], "<svg"),
        (["-o", "x.mmd"], "%% The workflow"),
        (["-o", "x.md", "--mermaid"], "%% The workflow"),
        (["-o", "x.png"], None),
        (["-o", "x.svg", "--mermaid"], None),
    ],
)
def test_a_picture_goes_only_into_a_file_that_is_named_as_what_it_is(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    begins: str | None,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("order.yaml").write_text(STARTER)
    assert run(["show", "order.yaml", *options]) == (0 if begins else 2)
    if begins:
        assert Path(options[1]).read_text().startswith(begins)
        return
    assert "hint: end its name with ." in capsys.readouterr().err
    assert not Path(options[1]).exists()
