"""`sagacity saga workflow`: the workflow that audits a saga, from its definition."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sagacity.cli.saga.database import DATABASE, asked
from sagacity.errors import UsageError

if TYPE_CHECKING:
    from sagacity.saga.definition import Saga

__all__ = ["workflow"]


def workflow(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The saga's definition.", show_default=False)] = None,
    version: Annotated[
        int | None, typer.Option("--version", metavar="N", help="Default: the newest.", show_default=False)
    ] = None,
    definition: Annotated[
        str | None,
        typer.Option(
            "--definition", metavar="MODULE:NAME", help="Take it from Python, and ask no database.", show_default=False
        ),
    ] = None,
    owner: Annotated[
        str | None, typer.Option("--owner", metavar="NAME", help="Who answers for its findings.", show_default=False)
    ] = None,
    database: DATABASE = None,
) -> None:
    """Print the workflow that audits a saga: what must have happened for each outcome, for `sagacity check` and `serve`.

    \b
    Examples:
      sagacity saga workflow purchase > purchase.workflow.yaml
      sagacity saga workflow purchase --version 2
      sagacity saga workflow --definition purchase:PURCHASE
    """
    from sagacity.saga.expectations import workflow_text

    if definition is not None:
        found = _from_python(definition)
        if name not in (None, found.name) or version not in (None, found.version):
            raise UsageError(f"{definition} is the saga {found.name} {found.version}", hint="leave name and version away")
    elif name is None:
        raise UsageError("it is not said which saga", hint="name its definition, or give --definition module:NAME")
    else:
        found = asked(database, lambda sagas: sagas.definition(name, version))
    sys.stdout.write(workflow_text(found, owner=owner))


def _from_python(place: str) -> Saga:
    """The definition that a module holds. Raises UsageError."""
    from importlib import import_module

    from sagacity.errors import SagacityError
    from sagacity.saga.definition import Saga

    module, colon, attribute = place.partition(":")
    if not module or not colon or not attribute:
        raise UsageError(f"--definition {place!r} is not MODULE:NAME", hint="such as purchase:PURCHASE")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found: object = import_module(module)
    except SagacityError:
        raise
    except Exception as error:
        told = f"the module {module} cannot be imported: {type(error).__name__}: {error}"
        raise UsageError(told, hint="run it where the module is, or set PYTHONPATH") from error
    for part in attribute.split("."):
        if not hasattr(found, part):
            names = sorted(name for name, value in vars(found).items() if isinstance(value, Saga))
            raise UsageError(f"{module} has no {attribute}", hint=f"it has {', '.join(names) or 'no saga'}")
        found = getattr(found, part)
    if not isinstance(found, Saga):
        raise UsageError(f"{place} is no saga's definition", hint="it must be a sagacity.saga.Saga")
    return found
