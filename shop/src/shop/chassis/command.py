"""`python -m shop.<service>`: run it, print its settings, or run one of its commands."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from sagacity.errors import SagacityError
from shop.chassis import logs
from shop.chassis.settings import SettingsError, drafted, load, printed

if TYPE_CHECKING:
    from shop.chassis.service import Service

__all__ = ["Command", "command_line", "main"]

S = TypeVar("S", bound=msgspec.Struct)


class Command(msgspec.Struct, Generic[S], frozen=True):
    """Something to do once: what it is called, what it does, the names of its arguments, and how. What `run` returns is
    said."""

    help: str
    run: Callable[..., Awaitable[str]]
    arguments: tuple[str, ...] = ()


def main(
    name: str,
    kind: type[S],
    wire: Callable[[S], Service],
    *,
    commands: Mapping[str, Command[S]] | None = None,
    arguments: Sequence[str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> int:
    """Run a service; the exit code: 0 when it was told to end, 1 when it failed, 2 when it was not set up rightly.

    Settings come from variables with the service's name in capitals before them. A command's `run` gets them, and its
    arguments as texts.
    """

    def run(settings: S) -> int:
        logs.set_up(name)
        return asyncio.run(_run(wire, settings))

    return command_line(name, kind, run, commands=commands, arguments=arguments, environment=environment)


def command_line(
    name: str,
    kind: type[S],
    run: Callable[[S], int],
    *,
    commands: Mapping[str, Command[S]] | None = None,
    arguments: Sequence[str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> int:
    """As `main`, for what runs in its own way: `run` gets the settings, and returns the exit code."""
    given = _parsed(name, commands or {}, arguments)
    prefix, told = name.upper(), os.environ if environment is None else environment
    try:
        settings = load(kind, prefix, told)
    except SettingsError as error:
        if given.print_config:
            print(drafted(kind, prefix, told), flush=True)
        many = len(error.problems)
        print(f"{name} cannot start: its settings have {many} mistake{'' if many == 1 else 's'}", file=sys.stderr)
        print(*(f"  {problem}" for problem in error.problems), sep="\n", file=sys.stderr)
        return 2
    if given.print_config:
        print(printed(settings, prefix))
        return 0
    if given.command == "run":
        return run(settings)
    logs.set_up(name)
    command = (commands or {})[given.command]
    try:
        print(asyncio.run(_done(command, settings, [getattr(given, argument) for argument in command.arguments])))
    except SagacityError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    return 0


async def _run(wire: Callable[[S], Service], settings: S) -> int:
    return await wire(settings).run()


async def _done(command: Command[S], settings: S, arguments: Sequence[Any]) -> str:
    return await command.run(settings, *arguments)


def _parsed(name: str, commands: Mapping[str, Command[Any]], arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m shop.{name}", description=f"The shop's {name} service.")
    parser.add_argument("--print-config", action="store_true", help="print the settings, with secrets hidden, and end")
    parser.set_defaults(command="run")
    below = parser.add_subparsers(dest="command", metavar="COMMAND")
    below.add_parser("run", help="run the service, until it is told to stop; so does no command at all")
    for each, command in commands.items():
        sub = below.add_parser(each, help=command.help, description=command.help)
        for argument in command.arguments:
            sub.add_argument(argument, metavar=argument.upper())
    given = parser.parse_args(arguments)
    given.command = given.command or "run"
    return given
