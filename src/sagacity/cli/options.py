"""The values of options, taken as they are where there is nothing about them to check; and how arguments are named in help.

The command line's library checks each value with another library, which takes a tenth of a second to load: longer than
reading a small file. A path, a text, or an option that was not given needs none of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["name_plainly", "take_plainly"]

_PLAIN: Mapping[object, Callable[[Any], object]] = {str: str, Path: Path, list[str]: list}
"""What makes the value of what stands on the command line, by the type that the command asks for."""


def name_plainly(command: Any) -> None:
    """Let the usage line of a command, and of those below it, name arguments as manuals do: `ID`, `FILE...`, `[NAME]`."""
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            parameter.get_usage_pieces = _naming(parameter)
            parameter.display_type_rich = _no_type  # that of Python, which tells nobody anything
    for below in getattr(command, "commands", {}).values():
        name_plainly(below)


def _naming(parameter: Any) -> Callable[[Any], list[str]]:
    name = (parameter.metavar or parameter.name.upper()) + ("..." if parameter.nargs == -1 else "")
    return lambda _context: [name if parameter.required else f"[{name}]"]


def _no_type(ctx: Any) -> str:
    del ctx
    return ""


def take_plainly(parameters: Iterable[Any]) -> None:
    """Let parameters take plain values at once, and others as before. Nothing more happens to one that already does."""
    for parameter in parameters:
        asked = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
        if asked is not None and "process_value" not in vars(parameter):
            parameter.process_value = _taking(parameter, asked, parameter.process_value)


def _taking(parameter: Any, asked: object, checked: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    several = parameter.multiple or parameter.nargs == -1

    def process(context: Any, value: Any) -> Any:
        if value is None and not parameter.required:
            value = () if several else None
        elif asked in _PLAIN and value and _is_text(value, several):
            value = _PLAIN[asked](value)
        elif type(value) is not asked or value != parameter.default:
            return checked(context, value)
        return value if parameter.callback is None else parameter.callback(context, parameter, value)

    return process


def _is_text(value: object, several: bool) -> bool:
    if not several:
        return isinstance(value, str)
    return isinstance(value, (list, tuple)) and all(isinstance(each, str) for each in value)
