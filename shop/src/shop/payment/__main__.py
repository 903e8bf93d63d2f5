"""`python -m shop.payment`"""

from __future__ import annotations

import sys

from shop.chassis.command import main
from shop.chassis.tables import migrate_command
from shop.payment.settings import Settings
from shop.payment.wiring import REVISIONS, wire

if __name__ == "__main__":
    migrate = migrate_command(lambda settings: settings.database, REVISIONS)
    sys.exit(main("payment", Settings, wire, commands={"migrate": migrate}))
