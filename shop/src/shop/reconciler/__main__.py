"""`python -m shop.reconciler`: becomes `sagacity serve`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import yaml

from shop.chassis.command import command_line
from shop.reconciler.configuration import configuration
from shop.reconciler.settings import Settings

_CONFIGURATION = Path("serve.yaml")


def become(settings: Settings) -> NoReturn:
    """Write the configuration, and go on as the server."""
    # In a file that its owner alone can read: the command line of a process is everybody's.
    with os.fdopen(os.open(_CONFIGURATION, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        yaml.safe_dump(configuration(settings), out, sort_keys=False)
    if settings.tokens is not None:
        os.environ["SAGACITY_TOKENS"] = settings.tokens.reveal()
    os.execv(sys.executable, [sys.executable, "-m", "sagacity.cli.main", "serve", "--config", str(_CONFIGURATION)])


if __name__ == "__main__":
    sys.exit(command_line("reconciler", Settings, become))
