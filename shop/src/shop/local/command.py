"""`python -m shop.local`: the command line."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sagacity.testing.servers.unavailable import UnavailableError
from shop.local.assembly import Layout, assemble
from shop.local.catalogue import RECONCILER, SHOP, WORKFLOW
from shop.local.ending import ending
from shop.local.environment import ADMIN
from shop.local.following import Follower
from shop.local.seen import resident
from shop.local.stack import Stack
from shop.local.state import Process, State, alone, is_held, read, reap

__all__ = ["laid_out", "main", "parser"]

_DATA = "build/local"
_DOWN_WITHIN = 90.0
_ELSEWHERE = "a stack whose data is elsewhere is named by --data FOLDER"
_SIGNALS: Mapping[str, tuple[int, ...]] = {"kill": (), "freeze": (signal.SIGSTOP,), "thaw": (signal.SIGCONT,)}
"""What is sent; none: what ends the part as a crash would, which it heeds even where it is frozen."""
_NOT_RUNNING = 3
_WIDE = 1_000
_HEEDS_WITHIN = 5.0


def main(arguments: Sequence[str] | None = None, *, layout: Layout | None = None) -> int:
    """Do what the command line says; the exit code. `layout` is what is started; by default, the shop."""
    given = parser().parse_args(arguments)
    folder = Path(given.data).absolute()
    # Whoever reads what is piped reads lines: a table is as wide as it is.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)
    match given.command:
        case "up":
            return _up(folder, laid_out(given, layout), console, logs=not given.no_logs)
        case "down":
            return _down(folder, console)
        case "status":
            return _status(folder, console)
        case "logs":
            return _logs(folder, given.names, console, follow=given.follow)
        case _:
            return _signalled(folder, given.name, given.command, console)


def parser() -> argparse.ArgumentParser:
    """What can be asked for."""
    parser = argparse.ArgumentParser(prog="python -m shop.local", description="The shop on this machine, as processes.")
    data = argparse.ArgumentParser(add_help=False)
    data.add_argument("--data", default=_DATA, metavar="FOLDER", help=f"where everything is kept (default: {_DATA})")
    below = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    up = below.add_parser("up", parents=[data], help="start all of it, and stop all of it on Ctrl-C")
    up.add_argument("--port", type=int, metavar="PORT", help="where the edge takes requests, if it is free (default: 8080)")
    up.add_argument("--otlp", metavar="URL", help="a collector of traces, as http://127.0.0.1:4318")
    up.add_argument(
        "--sagacity",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="start Sagacity beside it; each purchase at the storefront leads to its case there",
    )
    up.add_argument("--no-logs", action="store_true", help="do not follow the services' logs")
    below.add_parser("status", parents=[data], help="what runs where, and how much memory it takes")
    below.add_parser("down", parents=[data], help="stop all of it, also what a killed `up` has left")
    logs = below.add_parser("logs", parents=[data], help="the log of parts, or of all services")
    logs.add_argument("names", nargs="*", metavar="NAME")
    logs.add_argument("-f", "--follow", action="store_true", help="go on until Ctrl-C")
    for name, meaning in (
        ("kill", "end a part as a crash would; it is started again"),
        ("freeze", "let a part do nothing, its connections open"),
        ("thaw", "let a frozen part go on"),
    ):
        below.add_parser(name, parents=[data], help=meaning).add_argument("name", metavar="NAME")
    return parser


def laid_out(given: argparse.Namespace, layout: Layout | None = None) -> Layout:
    """What `up` starts, as its options say."""
    from msgspec.structs import replace

    chosen = layout
    if chosen is None:
        from shop.contracts import topics

        chosen = Layout(catalogue=SHOP, topics=topics.ALL)
    if given.sagacity:
        chosen = chosen.with_sagacity(WORKFLOW)
    return replace(chosen, web=given.port or chosen.web, otlp=given.otlp or chosen.otlp)


def _up(folder: Path, layout: Layout, console: Console, *, logs: bool) -> int:
    folder.mkdir(parents=True, exist_ok=True)

    def say(line: str) -> None:
        with contextlib.suppress(OSError):  # the terminal may be gone
            console.print(line, soft_wrap=True)

    with alone(folder) as free, ending() as ended:
        if not free:
            say(f"a stack is running in {folder} already; see `python -m shop.local status`")
            return 1
        if (before := read(folder)) is not None and (left := reap(before.parts)):
            say(f"ended {left} processes that an earlier start had left")
        try:
            stack = assemble(folder, layout, say)
        except UnavailableError as error:
            say(f"cannot start: {error}")
            return 1
        began = time.monotonic()
        code = 0
        starting = threading.Thread(target=_stop_when, args=(stack, ended), daemon=True)
        starting.start()
        try:
            stack.start()
            if not ended.is_set():
                say(f"all of it is ready after {time.monotonic() - began:.1f} s")
                with contextlib.suppress(OSError):
                    _tell(stack.state(), console)
                    if folder != Path(_DATA).absolute():
                        console.print(f"for the other commands: --data {folder}", soft_wrap=True)
                _until(ended, stack, layout, console, logs=logs)
        except UnavailableError as error:
            say(f"cannot start: {error}")
            code = 1
        finally:
            ended.set()
            starting.join()
        say("all of it has stopped")
    return code


def _stop_when(stack: Stack, ended: threading.Event) -> None:
    ended.wait()
    stack.stop()


def _until(ended: threading.Event, stack: Stack, layout: Layout, console: Console, *, logs: bool) -> None:
    """Follow the services' logs until told to end."""
    files = {name: stack.folder / "logs" / f"{name}.log" for service in layout.catalogue for name in service.names()}
    follower = Follower(files if logs else {}, console)
    follower.start()
    ended.wait()
    with contextlib.suppress(OSError):
        follower.stop()


def _down(folder: Path, console: Console) -> int:
    state = read(folder)
    if state is None:
        console.print(f"nothing has been started in {folder}; {_ELSEWHERE}", soft_wrap=True)
        return 0
    if state.lives:
        console.print("stopping")
        os.kill(state.pid, signal.SIGTERM)
        limit = time.monotonic() + _DOWN_WITHIN
        while is_held(folder) and time.monotonic() < limit:
            time.sleep(0.1)
        if state.lives and is_held(folder):
            os.kill(state.pid, signal.SIGKILL)
    left = reap((read(folder) or state).parts)
    console.print(f"ended {left} processes that were left" if left else "all of it is stopped")
    return 0


def _status(folder: Path, console: Console) -> int:
    state = read(folder)
    if state is None or not state.lives:
        left = [part.name for part in state.parts if part.lives] if state is not None else []
        rest = f", but of an earlier start: {', '.join(left)}; end them with `down`" if left else f"; {_ELSEWHERE}"
        console.print(f"nothing runs in {folder}{rest}", soft_wrap=True)
        return _NOT_RUNNING
    _tell(state, console)
    return 0 if all(part.condition == "ready" and not part.frozen for part in state.parts) else 1


def _tell(state: State, console: Console) -> None:
    memory = resident([part.pid for part in state.parts if part.pid is not None and part.lives])
    table = Table("part", "state", "where", "pid", "memory", "restarts", box=None, header_style="bold")
    for part in state.parts:
        size = memory.get(part.pid or 0)
        condition = "frozen" if part.frozen else part.condition
        colour = "green" if condition == "ready" else "yellow"
        table.add_row(
            part.name,
            f"[{colour}]{condition}[/]",
            part.where,
            str(part.pid or ""),
            f"{size / 2**20:.0f} MB" if size else "",
            str(part.restarts or ""),
        )
    console.print(table)
    console.print(
        f"\nthe shop: {state.web}/    its API: {state.web}/api/v1    gRPC: {state.rpc}, by the header service-name",
        soft_wrap=True,
    )
    for part in state.named(RECONCILER.name):
        console.print(f"Sagacity: {part.where}/    each purchase at the shop leads to its case there", soft_wrap=True)
    if any(part.name == "account" for part in state.parts):
        console.print(f"the administrator: {ADMIN}, whose password is in secrets.json in the data folder")
    console.print(f"memory of all: {sum(memory.values()) / 2**20:.0f} MB", style="dim")


def _logs(folder: Path, names: Sequence[str], console: Console, *, follow: bool) -> int:
    state = read(folder)
    parts = [part for name in names for part in _named(folder, state, name, console)] if names else _services(folder, state)
    if not parts:
        if not names:
            console.print(f"no service has been started in {folder}; {_ELSEWHERE}", soft_wrap=True)
        return 1
    follower = Follower({part.name: Path(part.log) for part in parts if part.log}, console, from_end=False)
    follower.look()
    if follow:
        with ending() as ended:
            follower.start()
            ended.wait()
            follower.stop()
    return 0


def _signalled(folder: Path, name: str, how: str, console: Console) -> int:
    state = read(folder)
    done = 0
    for part in _named(folder, state, name, console):
        if not part.lives or part.pid is None:
            console.print(f"{part.name} has no process now: it is {part.condition}")
        elif part.frozen == (how == "freeze") and how != "kill":
            console.print(f"{part.name} ({part.pid}) is {'frozen already' if part.frozen else 'not frozen'}")
        else:
            _send(part, part.pid, how)
            console.print(f"{part.name} ({part.pid}): {how}")
            done += 1
    return 0 if done else 1


def _send(part: Process, pid: int, how: str) -> None:
    """The signal; returns once a part that is to freeze, or to thaw, has done so."""
    with contextlib.suppress(ProcessLookupError):  # the first of them may be its end
        for number in _SIGNALS[how] or (part.crash, signal.SIGCONT):
            os.kill(pid, number)
    limit = time.monotonic() + _HEEDS_WITHIN
    while how != "kill" and part.frozen != (how == "freeze") and time.monotonic() < limit:
        time.sleep(0.01)


def _services(folder: Path, state: State | None) -> list[Process]:
    """The parts that are services: those that have a folder, and whose log is of this stack."""
    kept = {name for service in (*SHOP, RECONCILER) for name in service.names()}
    return [part for part in state.parts if part.name in kept and (folder / part.name).exists()] if state else []


def _named(folder: Path, state: State | None, name: str, console: Console) -> tuple[Process, ...]:
    found = state.named(name) if state is not None else ()
    if state is None:
        console.print(f"nothing has been started in {folder}; {_ELSEWHERE}", style="red", soft_wrap=True)
    elif not found:
        known = ", ".join(part.name for part in state.parts)
        console.print(f"there is no {name!r} in {folder}: {known}", style="red", soft_wrap=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
