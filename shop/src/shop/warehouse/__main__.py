"""`python -m shop.warehouse`"""

from __future__ import annotations

import sys

from shop.chassis.command import main
from shop.chassis.tables import migrate_command
from shop.warehouse.settings import Settings
from shop.warehouse.wiring import REVISIONS, wire

if __name__ == "__main__":
    migrate = migrate_command(lambda settings: settings.database, REVISIONS)
    sys.exit(main("warehouse", Settings, wire, commands={"migrate": migrate}))
