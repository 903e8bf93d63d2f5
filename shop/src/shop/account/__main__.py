"""`python -m shop.account`."""

from __future__ import annotations

import sys

from shop.account.settings import Settings
from shop.account.wiring import COMMANDS, wire
from shop.chassis.command import main

if __name__ == "__main__":
    sys.exit(main("account", Settings, wire, commands=COMMANDS))
