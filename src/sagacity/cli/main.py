"""The command line: which commands there are, and what each way of failing exits with.

| exit code | meaning |
|---|---|
| 0 | clean |
| 1 | findings |
| 2 | bad usage, a workflow with mistakes, or records of which not one leads to a case |
| 3 | an input that cannot be read, a full disk, or a ledger that cannot do its work |
| 70 | an error in Sagacity itself |
| 130, 141 | interrupted; the reader of the output went away |

Commands live in modules of their own, which are imported only when they are called: `sagacity --help` imports no engine.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Annotated, Any, NoReturn, TextIO

import typer
from typer.core import TyperCommand, TyperGroup

from sagacity.cli.options import name_plainly, take_plainly
from sagacity.errors import LedgerError, SagacityError, SourceError, UsageError, WorkflowError

__all__ = ["COMMANDS", "EXIT_CODES", "main", "run"]

COMMANDS: dict[str, tuple[str, str, str]] = {
    "init": ("sagacity.cli.init", "Write a commented workflow to start from.", "Write a workflow"),
    "discover": ("sagacity.cli.discover", "Propose a workflow that history suggests.", "Write a workflow"),
    "catalog": ("sagacity.cli.catalog", "List every event type, and what is amiss.", "Write a workflow"),
    "validate": ("sagacity.cli.validate", "Say what is wrong with workflow files, and where.", "Write a workflow"),
    "show": ("sagacity.cli.show", "Draw a workflow as a picture.", "Write a workflow"),
    "schema": ("sagacity.cli.schema", "Print the JSON Schema of workflow files, for editors.", "Write a workflow"),
    "check": ("sagacity.cli.check", "Judge every case of a history, and report what is wrong.", "Reconcile"),
    "explain": ("sagacity.cli.explain", "Show one case: its events, and each verdict with its reason.", "Reconcile"),
    "drift": ("sagacity.cli.drift", "Tell what has changed in how cases go, and since when.", "Reconcile"),
    "serve": ("sagacity.cli.serve", "Reconcile live: take events in, judge, alert, and show it.", "Run a server"),
    "token": ("sagacity.cli.token", "Make access tokens for a server.", "Run a server"),
    "alerts": ("sagacity.cli.alerts", "Check where alerts go, or send a test message.", "Run a server"),
    "send": ("sagacity.cli.send", "Hand records to a running server.", "Ask a running server"),
    "case": (
        "sagacity.cli.case",
        "Show one case of a running server, with each verdict.",
        "Ask a running server",
    ),
    "findings": ("sagacity.cli.findings", "List findings; acknowledge, waive or reopen one.", "Ask a running server"),
    "replay": ("sagacity.cli.replay", "Have a running server judge a period again.", "Ask a running server"),
    "saga": ("sagacity.cli.saga", "Look at sagas; order how parked ones go on.", "Run sagas"),
    "demo": ("sagacity.cli.demo", "Generate orders with known faults, check them, and compare.", "Try it out"),
}
"""Each command's module, which has it as `command`, or as `commands` where it has commands of its own; its help in one line;
the group that it is listed in."""

EXIT_CODES: tuple[tuple[type[SagacityError], int], ...] = (
    (WorkflowError, 2),
    (UsageError, 2),
    (SourceError, 3),
    (LedgerError, 3),
    (SagacityError, 3),
)
"""The first class that fits says what the process exits with."""

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_INTERRUPTED, _BROKEN_PIPE, _UNFORESEEN, _UNWRITABLE = 130, 141, 70, 3
_MISTAKES = 20
_STOPPED_WITHIN = "Query interrupted"
"""What the ledger's engine says, as a RuntimeError, where Ctrl-C came in the middle of its work."""


def main() -> NoReturn:
    """Runs the command line of this process, and exits."""
    gc.set_threshold(100_000, 50, 100)  # a command builds large trees and keeps them; looking through them takes longer
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that temporary files go when a scheduler ends a job
    _mend_streams()
    _leave(run(sys.argv[1:]))


def run(arguments: Sequence[str], *, invoke: Callable[[Sequence[str]], int] | None = None) -> int:
    """Runs one command and returns its exit code. Errors are written to stderr, never as a traceback.

    `invoke` carries the arguments out, and yields an exit code; Sagacity's own commands unless given.
    """
    try:
        code = (invoke or _invoke)(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        _discard(sys.stdout)
        return _BROKEN_PIPE
    except KeyboardInterrupt:
        return _INTERRUPTED
    except SagacityError as error:
        _say(_shortened(error))
        return next(code for kind, code in EXIT_CODES if isinstance(error, kind))
    except Exception as error:
        if str(error) == _STOPPED_WITHIN:
            return _INTERRUPTED
        if isinstance(error, OSError) and error.strerror:  # a full disk, a folder that is a file: nothing of Sagacity's
            if not error.filename:
                _discard(sys.stdout)
            where = f" to {error.filename}" if error.filename else ""
            _say(f"cannot write{where}: {error.strerror}\n  hint: make room where the output goes, or name another place")
            return _UNWRITABLE
        if os.environ.get("SAGACITY_DEBUG"):
            raise
        _say(f"{type(error).__name__}: {' '.join(str(error).split())[:500]}")
        _write("  this is a mistake in Sagacity itself; SAGACITY_DEBUG=1 shows where it happened\n", sys.stderr)
        return _UNFORESEEN


def _leave(code: int) -> NoReturn:
    """Ends the process. What was to be done at its end is done; but the interpreter is not taken apart piece by piece,
    which takes as long as judging a small file."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # nobody is left to be told
            _discard(stream)
    os._exit(code)


def _mend_streams() -> None:
    """Standard streams that the caller closed (`>&-`) lead nowhere; those that cannot take every letter are made to."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))
        elif stream.encoding.lower().replace("-", "") != "utf8":
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")


def _invoke(arguments: Sequence[str]) -> int:
    try:
        _application().main(args=list(arguments), prog_name="sagacity")
    except SystemExit as exit:
        return exit.code if isinstance(exit.code, int) else int(bool(exit.code))
    return 0


class _Command(TyperCommand):
    def get_params(self, ctx: Any) -> list[Any]:
        parameters: list[Any] = super().get_params(ctx)
        take_plainly(parameters)
        return parameters


class _Commands(TyperGroup):
    """Lists commands by name and help alone; imports the module of the one that is called."""

    def get_params(self, ctx: Any) -> list[Any]:
        parameters: list[Any] = super().get_params(ctx)
        take_plainly(parameters)
        return parameters

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return name, _load(name) if name in COMMANDS and command is not None else command, rest

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        del ctx
        for group in dict.fromkeys(group for _, _, group in COMMANDS.values()):
            with formatter.section(group):
                rows = [(name, text) for name, (_, text, listed) in COMMANDS.items() if listed == group]
                formatter.write_dl([(name.ljust(max(map(len, COMMANDS))), text) for name, text in rows])

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # caught here, before the framework gives it a code of its own
            _discard(sys.stdout)
            raise typer.Exit(_BROKEN_PIPE) from None
        except KeyboardInterrupt:
            raise typer.Exit(_INTERRUPTED) from None


def _application() -> Any:
    app = typer.Typer(cls=_Commands, rich_markup_mode=None, no_args_is_help=True, context_settings=dict(_SETTINGS))
    app.callback()(_options)
    group = typer.main.get_command(app)
    assert isinstance(group, _Commands)
    for name, (_, text, _) in COMMANDS.items():
        group.commands[name] = TyperCommand(name, help=text)
    return group


def _load(name: str | None) -> Any:
    module = import_module(COMMANDS[name or ""][0])
    if hasattr(module, "commands"):
        app = module.commands
    else:
        command: Callable[..., Any] = module.command
        app = typer.Typer(rich_markup_mode=None, add_completion=False)
        app.command(name, cls=_Command, context_settings=dict(_SETTINGS))(command)
    loaded = typer.main.get_command(app)
    name_plainly(loaded)
    return loaded


def _version(asked: bool) -> None:
    if asked:
        from importlib import metadata

        typer.echo(f"sagacity {metadata.version('sagacity')}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Makes distributed workflows happen, and proves that they did.

    \b
    Examples:
      sagacity init
      sagacity validate order.workflow.yaml
      sagacity check order.workflow.yaml --source orders=events/*.jsonl.gz
      sagacity explain order.workflow.yaml --case 123 --source orders=events/*.jsonl.gz
    """
    del version


def _shortened(error: SagacityError) -> str:
    """A workflow with hundreds of mistakes must not scroll the first of them away."""
    if not isinstance(error, WorkflowError) or len(error.problems) <= _MISTAKES:
        return str(error)
    more = len(error.problems) - _MISTAKES
    return f"{WorkflowError(error.problems[:_MISTAKES])}\nand {more:,} more; sagacity validate lists them all"


def _say(message: str) -> None:
    coloured = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    _write(("\033[1;31merror:\033[0m " if coloured else "error: ") + message + "\n", sys.stderr)


def _write(text: str, stream: TextIO) -> None:
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))


def _discard(stream: TextIO) -> None:
    """Lets what is still buffered vanish, so that the interpreter does not complain at its exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    main()
