"""`python -m shop.reconciler`: becomes `sagacity serve`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import yaml

from shop.chassis.settings import SettingsError, load
from shop.reconciler.configuration import configuration
from shop.reconciler.settings import Settings

_CONFIGURATION = Path("serve.yaml")


def main() -> int:
    """Write the configuration, and go on as the server. 2 where the settings cannot be used."""
    try:
        settings = load(Settings, "RECONCILER", os.environ)
    except SettingsError as error:
        print("reconciler cannot start:", *(f"  {problem}" for problem in error.problems), sep="\n", file=sys.stderr)
        return 2
    # In a file that its owner alone can read: the command line of a process is everybody's.
    with os.fdopen(os.open(_CONFIGURATION, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        yaml.safe_dump(configuration(settings), out, sort_keys=False)
    os.execv(sys.executable, [sys.executable, "-m", "sagacity.cli.main", "serve", "--config", str(_CONFIGURATION)])


if __name__ == "__main__":
    sys.exit(main())
