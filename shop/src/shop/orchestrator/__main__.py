"""`python -m shop.orchestrator`"""

from __future__ import annotations

import sys

from shop.chassis.command import main
from shop.chassis.tables import migrate_command
from shop.orchestrator.settings import Settings
from shop.orchestrator.wiring import REVISIONS, wire

if __name__ == "__main__":
    migrate = migrate_command(lambda settings: settings.database, REVISIONS)
    sys.exit(main("orchestrator", Settings, wire, commands={"migrate": migrate}))
