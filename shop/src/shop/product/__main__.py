"""`python -m shop.product`."""

from __future__ import annotations

import sys

from shop.chassis.command import main
from shop.product.settings import Settings
from shop.product.wiring import COMMANDS, wire

if __name__ == "__main__":
    sys.exit(main("product", Settings, wire, commands=COMMANDS))
