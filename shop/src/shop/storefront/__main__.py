"""`python -m shop.storefront`"""

from __future__ import annotations

import sys

from shop.chassis.command import main
from shop.storefront.settings import Settings
from shop.storefront.wiring import wire

if __name__ == "__main__":
    sys.exit(main("storefront", Settings, wire))
