"""`python -m shop.local`: the command line."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sagacity.testing.servers.unavailable import UnavailableError
from shop.local.assembly import Layout, assemble
from shop.local.catalogue import SHOP
from shop.local.environment import ADMIN
from shop.local.following import Follower
from shop.local.seen import resident
from shop.local.stack import Stack
from shop.local.state import Process, State, alone, is_held, read, reap

__all__ = ["main"]

_DATA = "build/local"
_DOWN_WITHIN = 90.0
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_NOT_RUNNING = 3
_SECOND_AFTER = 1.0
_SIGNAL, _NO_MORE = b"s", b"n"


def main(arguments: Sequence[str] | None = None, *, layout: Layout | None = None) -> int:
    """Do what the command line says; the exit code. `layout` is what is started; by default, the shop."""
    given = _parser().parse_args(arguments)
    folder = Path(given.data).absolute()
    console = Console(highlight=False)
    match given.command:
        case "up":
            return _up(folder, _laid_out(given, layout), console, logs=not given.no_logs)
        case "down":
            return _down(folder, console)
        case "status":
            return _status(folder, console)
        case "logs":
            return _logs(folder, given.names, console, follow=given.follow)
        case _:
            return _signalled(folder, given.name, given.command, console)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m shop.local", description="The shop on this machine, as processes.")
    data = argparse.ArgumentParser(add_help=False)
    data.add_argument("--data", default=_DATA, metavar="FOLDER", help=f"where everything is kept (default: {_DATA})")
    below = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    up = below.add_parser("up", parents=[data], help="start all of it, and stop all of it on Ctrl-C")
    up.add_argument("--port", type=int, metavar="PORT", help="where the edge takes requests, if it is free (default: 8080)")
    up.add_argument("--otlp", metavar="URL", help="a collector of traces, as http://127.0.0.1:4318")
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


def _laid_out(given: argparse.Namespace, layout: Layout | None) -> Layout:
    from msgspec.structs import replace

    chosen = layout
    if chosen is None:
        from shop.contracts import topics

        chosen = Layout(catalogue=SHOP, topics=topics.ALL)
    return replace(chosen, web=given.port or chosen.web, otlp=given.otlp or chosen.otlp)


def _up(folder: Path, layout: Layout, console: Console, *, logs: bool) -> int:
    folder.mkdir(parents=True, exist_ok=True)

    def say(line: str) -> None:
        with contextlib.suppress(OSError):  # the terminal may be gone
            console.print(line, soft_wrap=True)

    with alone(folder) as free, _ending() as ended:
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


@contextlib.contextmanager
def _ending() -> Iterator[threading.Event]:
    """Set once a signal says so. Another one, later than by chance, leaves nothing to be waited for."""
    ended = threading.Event()
    heard, told = os.pipe()

    def listen() -> None:
        # A thread's work and not the handler's: a handler may interrupt the very lock that it would need.
        first: float | None = None
        while os.read(heard, 1) == _SIGNAL:
            first = first or time.monotonic()
            if time.monotonic() - first > _SECOND_AFTER:
                os._exit(1)  # the kernel, or the next `down`, ends what was started
            ended.set()

    listening = threading.Thread(target=listen, name="signals", daemon=True)
    listening.start()
    before = {number: signal.signal(number, lambda *_: os.write(told, _SIGNAL) and None) for number in _ENDINGS}
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.write(told, _NO_MORE)
        listening.join()
        os.close(heard)
        os.close(told)


def _down(folder: Path, console: Console) -> int:
    state = read(folder)
    if state is None:
        console.print(f"nothing has been started in {folder}")
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
        console.print(
            "nothing runs" + (f", but of an earlier start: {', '.join(left)}; end them with `down`" if left else "")
        )
        return _NOT_RUNNING
    _tell(state, console)
    return 0 if all(part.condition == "ready" for part in state.parts) else 1


def _tell(state: State, console: Console) -> None:
    memory = resident([part.pid for part in state.parts if part.pid is not None and part.lives])
    table = Table("part", "state", "where", "pid", "memory", "restarts", box=None, header_style="bold")
    for part in state.parts:
        size = memory.get(part.pid or 0)
        colour = "green" if part.condition == "ready" else "yellow"
        table.add_row(
            part.name,
            f"[{colour}]{part.condition}[/]",
            part.where,
            str(part.pid or ""),
            f"{size / 2**20:.0f} MB" if size else "",
            str(part.restarts or ""),
        )
    console.print(table)
    console.print(f"\nthe shop: {state.web}/    its API: {state.web}/api/v1    gRPC: {state.rpc}, by header service-name")
    if any(part.name == "account" for part in state.parts):
        console.print(f"the administrator: {ADMIN}, whose password is in secrets.json in the data folder")
    console.print(f"memory of all: {sum(memory.values()) / 2**20:.0f} MB", style="dim")


def _logs(folder: Path, names: Sequence[str], console: Console, *, follow: bool) -> int:
    state = read(folder)
    parts = [part for name in names for part in _named(state, name, console)] if names else _services(folder, state)
    if not parts:
        return 1
    follower = Follower({part.name: Path(part.log) for part in parts if part.log}, console, from_end=False)
    follower.look()
    if follow:
        with _ending() as ended:
            follower.start()
            ended.wait()
            follower.stop()
    return 0


def _signalled(folder: Path, name: str, how: str, console: Console) -> int:
    state = read(folder)
    done = 0
    for part in _named(state, name, console):
        if part.lives and part.pid is not None:
            number = {"kill": part.crash, "freeze": signal.SIGSTOP, "thaw": signal.SIGCONT}[how]
            os.kill(part.pid, number)
            console.print(f"{part.name} ({part.pid}): {how}")
            done += 1
    return 0 if done else 1


def _services(folder: Path, state: State | None) -> list[Process]:
    """The parts that are services: those that have a folder, and whose log is of this stack."""
    kept = {name for service in SHOP for name in service.names()}
    return [part for part in state.parts if part.name in kept and (folder / part.name).exists()] if state else []


def _named(state: State | None, name: str, console: Console) -> tuple[Process, ...]:
    found = state.named(name) if state is not None else ()
    if not found:
        known = ", ".join(part.name for part in state.parts) if state is not None else "nothing has been started"
        console.print(f"there is no {name!r} here: {known}", style="red")
    return found


if __name__ == "__main__":
    sys.exit(main())
